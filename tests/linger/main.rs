//! Lingering over real connections: what it costs, what ends it, what a server must set.

#![cfg(feature = "tokio")]

mod http2_resets;
#[path = "../interop/delay/link.rs"]
mod link;
#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "axum")]
mod memory;
mod owners;
#[cfg(feature = "axum")]
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "tests/soak needs more of it")]
mod process;
#[cfg(feature = "axum")]
#[path = "../support/resources.rs"]
mod resources;
mod shutdown;
mod slow_links;
mod socket;
mod storm;
mod support;
