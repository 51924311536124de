use tower_expect::{ExpectLayer, RequestHead};

fn main() {
    let _ = ExpectLayer::new_async(|head: &RequestHead| {
        let expecting = head.is_expecting();
        async move { expecting }
    });
}
