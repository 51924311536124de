//! The client's half: who asks, what is waited for, and what becomes of body and connection.

mod allocations;
mod asks;
mod bodies;
mod conn;
mod informational;
mod leaks;
mod memory;
mod observe;
mod orders;
mod patience;
mod repeats;
mod scripts;
mod support;
mod traits;
mod versions;
mod waiting;
