//! Instructions per request, counted by Callgrind: one request of each case, after another that
//! filled the caches of the allocator.

#![allow(missing_docs, reason = "the macros make items without")]

#[allow(dead_code, reason = "the names are for the table")]
mod stacks;

use gungraun::{library_benchmark, library_benchmark_group, main};
use stacks::{
    cases,
    growth::{grown, Grown},
    Case, Exchange,
};

fn case(case: Case) -> Box<dyn Exchange> {
    warmed_up((case.build)())
}

fn of_size(grown: Grown) -> Box<dyn Exchange> {
    warmed_up(grown.build())
}

fn warmed_up(mut stack: Box<dyn Exchange>) -> Box<dyn Exchange> {
    stack.prepare(2);
    stack.run();
    stack
}

#[library_benchmark]
#[benches::of(iter = cases(), setup = case)]
fn exchange(mut stack: Box<dyn Exchange>) -> Box<dyn Exchange> {
    stack.run();
    stack
}

#[library_benchmark]
#[benches::of(iter = grown(), setup = of_size)]
fn growth(mut stack: Box<dyn Exchange>) -> Box<dyn Exchange> {
    stack.run();
    stack
}

library_benchmark_group!(name = requests, benchmarks = [exchange, growth]);
main!(library_benchmark_groups = requests);
