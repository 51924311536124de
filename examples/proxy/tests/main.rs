//! The proxy between scripted origins and clients that send literal bytes.

mod attacks;
mod heads;
mod moments;
mod rows;
mod support;
mod table;
mod tunnels;

#[path = "../../../tests/support/message.rs"]
mod message;
#[path = "../src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod proxy;
