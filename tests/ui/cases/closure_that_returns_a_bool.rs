use tower_expect::{ExpectLayer, RequestHead};

fn main() {
    let _ = ExpectLayer::new(|head: &RequestHead| head.is_expecting());
}
