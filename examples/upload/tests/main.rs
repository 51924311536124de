//! The program, run as its users do, against servers of this process.

mod accepted;
mod errors;
mod rejected;
mod support;

#[path = "../../axum_upload.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod axum_upload;
#[path = "../../../tests/support/skip.rs"]
mod skip;
