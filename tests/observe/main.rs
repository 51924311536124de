//! What the features `tracing` and `metrics` show of requests.

mod counts;
mod events;
mod kept;

#[path = "../service/support.rs"]
#[allow(dead_code, reason = "tests/service needs more of it")]
mod support;
