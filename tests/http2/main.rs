//! The HTTP/2 server over real frames: the 100, rejections, flow control, the ends of streams.

mod clients;
mod conformance;
mod frames;
mod frameworks;
mod lifecycle;
mod memory;
#[path = "../support/pipes.rs"]
mod pipes;
#[path = "../support/process.rs"]
#[allow(dead_code, reason = "tests/soak needs more of it")]
mod process;
mod rejections;
#[path = "../support/resources.rs"]
#[allow(dead_code, reason = "tests/soak needs more of it")]
mod resources;
mod response;
mod serving;
mod sharing;
mod signal;
#[path = "../support/skip.rs"]
mod skip;
mod support;
mod throughput;
mod tls;
mod tools;
mod traits;
mod window;
