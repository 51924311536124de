//! The example does what it says, on a real socket.

mod without_redis;

#[path = "../../src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod quota_redis;
#[path = "../../../../tests/examples/support.rs"]
#[allow(dead_code, reason = "shared with tests/examples")]
mod support;
#[path = "../../../tour/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tour;
