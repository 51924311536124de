//! What the features `tracing` and `metrics` show of requests.

mod counts;
mod events;
mod kept;
mod scrape;

#[path = "../../examples/axum_metrics/src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod axum_metrics;
#[path = "../service/support.rs"]
#[allow(dead_code, reason = "tests/service needs more of it")]
mod support;
#[path = "../../examples/tour/main.rs"]
#[allow(dead_code, reason = "tests/examples needs more of it")]
mod tour;
