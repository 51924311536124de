//! Lingering over real connections: what it costs, what ends it, what a server must set.

#![cfg(feature = "tokio")]

mod http2_resets;
mod shutdown;
mod support;
