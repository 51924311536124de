//! Debugging a 417: where it comes from, how to see it, what to change.
//!
#![doc = include_str!("guide/debugging_a_417.md")]
