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
mod certificates;
mod half_close;
mod handles;
mod idle;
mod info;
mod layers;
#[cfg(target_os = "linux")]
mod many;
mod observed;
mod rows;
mod shutdown;
mod sizes;
mod slow_readers;
mod slow_starts;
mod tunnels;
