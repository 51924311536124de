//! The examples do what they say, on real sockets.

mod auth;
mod grpc;
mod guide;
mod quota;
mod servers;
mod touring;

#[path = "../../examples/async_validator.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod async_validator;
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
#[path = "../../examples/quota_redis/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod quota_redis;
#[path = "../../examples/tonic_service/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tonic_service;
#[path = "../../examples/tour/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tour;
