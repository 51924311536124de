use http::Method;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

fn main() {
    let _ = ExpectLayer::new_async(async |head: &RequestHead| match head.method == Method::PUT {
        true => Ok(()),
        false => Err(Rejection::forbidden()),
    });
}
