//! What holds of all sequences of frames, polls and drops, and of all combinations of rules, tried with random ones.
//!
//! A sequence that fails is shown in its shortest form; make a test of it beside its kind.

mod bodies;
#[cfg(feature = "tokio")]
mod exchanges;
mod malformed;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};

/// Panics with the simplest of the failing values.
fn for_all<S: Strategy>(cases: u32, values: S, property: impl Fn(S::Value)) {
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    let test = |value| {
        property(value);
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&values, test) {
        panic!("{failure}");
    }
}
