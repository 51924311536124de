//! The client's half: who asks, what is waited for, and what becomes of body and connection.

mod allocations;
mod asks;
mod conn;
mod leaks;
mod memory;
mod orders;
mod patience;
mod repeats;
mod scripts;
mod support;
mod versions;
mod waiting;
