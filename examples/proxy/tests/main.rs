//! The proxy between scripted origins and clients that send literal bytes.

mod heads;
mod support;
mod table;

#[path = "../../../tests/support/message.rs"]
mod message;
#[path = "../src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod proxy;
