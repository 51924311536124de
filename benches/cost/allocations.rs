//! Counts what one request allocates on the heap.

use allocation_counter::{measure, AllocationInfo};

use super::stacks::Build;

pub(crate) fn count(build: Build) -> AllocationInfo {
    let mut stack = build();
    stack.prepare(2);
    // What the first request alone sets up is no cost of a request.
    stack.run();
    measure(|| stack.run())
}
