//! Oracles and helpers that more than one target uses, or that would make a target long.

pub mod answer;
pub mod app;
pub mod case;
pub mod fed;
pub mod frames;
pub mod grammar;
pub mod pipe;
pub mod runtime;
pub mod table;
pub mod watched;
pub mod wire;
