//! The examples do what they say, on real sockets.

mod auth;
mod guide;
mod servers;
#[allow(dead_code, reason = "shared with the tests of other examples")]
mod support;
mod touring;

#[path = "../../examples/axum_auth.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod axum_auth;
#[path = "../../examples/axum_routes.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod axum_routes;
#[path = "../../examples/axum_upload.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod axum_upload;
#[path = "../../examples/hyper_server.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod hyper_server;
#[path = "../../examples/tour/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tour;
