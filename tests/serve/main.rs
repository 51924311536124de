//! `tower_expect::serve` as a server: what it waits for and how long, whom it lets wait, how it ends.

#[path = "../support/pipes.rs"]
mod pipes;
#[cfg(target_os = "linux")]
#[path = "../support/process.rs"]
mod process;
#[cfg(target_os = "linux")]
#[path = "../support/resources.rs"]
mod resources;
mod support;

mod accepting;
mod half_close;
mod idle;
mod info;
#[cfg(target_os = "linux")]
mod many;
mod observed;
mod shutdown;
mod slow_starts;
