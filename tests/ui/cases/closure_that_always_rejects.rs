use tower_expect::{ExpectLayer, Rejection, RequestHead};

fn main() {
    let _ = ExpectLayer::new(|_: &RequestHead| Err(Rejection::forbidden()));
}
