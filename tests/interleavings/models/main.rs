//! Models that loom runs in every order in which threads can take the crate's locks.

extern crate tower_expect_loom as tower_expect;

mod bodies;
mod exchange;
mod signal;
