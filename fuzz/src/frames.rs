//! HTTP/2 as frames: what a client sends and what came back.

pub mod script;
pub mod transcript;
