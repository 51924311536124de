//! Models that loom runs in every order in which threads can take the crate's locks.

mod bodies;
mod exchange;
mod signal;
