use tower_expect::{ExpectLayer, Rejection, RequestHead};

async fn check(head: &RequestHead) -> Result<(), Rejection> {
    let _ = head;
    Ok(())
}

fn main() {
    let _ = ExpectLayer::new_async(check);
}
