use http::StatusCode;
use tower_expect::{ExpectLayer, RequestHead};

fn main() {
    let _ = ExpectLayer::new(|head: &RequestHead| match head.is_expecting() {
        true => Ok(()),
        false => Err(StatusCode::FORBIDDEN),
    });
}
