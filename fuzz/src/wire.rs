//! HTTP/1 as bytes: a client that plays a script, a log of requests, and what came back.

pub mod client;
pub mod log;
pub mod message;
pub mod transcript;
