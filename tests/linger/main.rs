//! Lingering over real connections: what it costs, what ends it, what a server must set.

#![cfg(feature = "tokio")]

mod http2_resets;
#[path = "../interop/delay/link.rs"]
mod link;
mod shutdown;
mod slow_links;
mod support;
