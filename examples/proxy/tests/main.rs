//! The proxy between scripted origins and clients that send literal bytes.

mod attacks;
mod bodies;
mod heads;
#[cfg(target_os = "linux")]
mod memory;
mod moments;
mod rows;
mod support;
mod table;
mod tunnels;

#[path = "../../../tests/support/message.rs"]
mod message;
#[cfg(target_os = "linux")]
#[path = "../../../tests/support/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "../src/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod proxy;
#[path = "../../../tests/support/resources.rs"]
mod resources;
