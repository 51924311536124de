//! The example counts uploads, on a real socket.

#[path = "../src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod async_validator;
#[path = "../../../tests/examples/support.rs"]
#[allow(dead_code, reason = "shared with tests/examples")]
mod support;
#[path = "../../tour/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tour;

use support::{accepted, outcome, rejected, start, to, with_token};
use tour::exchange::Exchange;

#[tokio::test]
async fn async_validator_counts_uploads_in_the_database() {
    let server = start(async_validator::app().await.unwrap()).await;
    let anonymous = Exchange {
        authorization: None,
        ..to("/some.bin")
    };
    assert_eq!(outcome(server, anonymous).await, rejected(401));
    let with = |token| outcome(server, with_token(token));
    assert_eq!(with("Bearer unknown").await, rejected(401));
    assert_eq!(with("Bearer spent").await, rejected(429));
    let (one, other) = tokio::join!(with("Bearer s3cr3t"), with("Bearer s3cr3t"));
    assert_eq!((one, other), (accepted(), accepted()));
    assert_eq!(with("Bearer s3cr3t").await, rejected(429));
    assert_eq!(with("Bearer s3cr3t").await, rejected(429));
}
