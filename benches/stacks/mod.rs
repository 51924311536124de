//! What is measured: layers over one bare service, each with the request that it gets.
//!
//! Every measurement runs over the same list, so that its figures stand side by side.

mod bare;
mod cases;
mod client;
mod exchange;
pub(crate) mod growth;
mod in_runtime;
mod neighbours;
mod ours;
mod requests;

pub(crate) use self::{cases::cases, exchange::Exchange};

pub(crate) type Build = fn() -> Box<dyn Exchange>;

/// One layer, or none, for one kind of request.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) scenario: &'static str,
    /// The layer, or one of those that are [bare](is_bare).
    pub(crate) layer: &'static str,
    pub(crate) build: Build,
}

impl Case {
    pub(crate) fn name(&self) -> String {
        format!("{} - {}", self.scenario, self.layer)
    }
}

/// No layer: what is taken off the cost of the other cases of a scenario.
pub(crate) const BARE: &str = "bare service";
const BARE_CLIENT: &str = "bare client";

pub(crate) fn is_bare(layer: &str) -> bool {
    [BARE, BARE_CLIENT].contains(&layer)
}
