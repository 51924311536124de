//! The examples of `serve` do what they say, asked by clients from elsewhere, where they are installed.

mod axum;
#[cfg(unix)]
mod interrupt;
#[cfg(unix)]
mod process;
mod tls;
mod tonic;
mod tools;
#[cfg(unix)]
mod unix;

#[path = "../../examples/serve_axum.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod serve_axum;
#[path = "../../examples/serve_tls/src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod serve_tls;
#[path = "../../examples/tonic/src/bin/serve_tonic/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod serve_tonic;
#[cfg(unix)]
#[path = "../../examples/serve_unix.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod serve_unix;
#[path = "../support/skip.rs"]
mod skip;
