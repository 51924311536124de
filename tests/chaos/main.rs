//! Connections cut at every byte, code that panics, clients that dawdle, clients by the thousand:
//! nothing is lost, nothing is left behind, and the next client is served.

#![cfg(feature = "tokio")]

#[cfg(feature = "serve")]
#[path = "../support/pipes.rs"]
mod pipes;
#[cfg(target_os = "linux")]
#[path = "../support/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "../support/resources.rs"]
mod resources;

mod app;
mod breaking;
mod cut;
#[cfg(feature = "serve")]
mod cut_http2;
mod panics;
mod slow;
mod support;
#[cfg(target_os = "linux")]
mod waiting;
