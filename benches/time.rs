//! Time per request. Depends on the machine and what else it does; the instructions do not.

#[allow(dead_code, reason = "growth is counted in instructions only")]
mod stacks;

use std::time::{Duration, Instant};

use criterion::Criterion;
use stacks::{cases, Exchange};

/// So many requests are made at a time, outside of the measured time.
const BATCH: u64 = 64;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
        .configure_from_args();
    for case in cases() {
        let mut stack = (case.build)();
        criterion.bench_function(&case.name(), |bencher| {
            bencher.iter_custom(|requests| spent(&mut *stack, requests));
        });
    }
    criterion.final_summary();
}

fn spent(stack: &mut dyn Exchange, mut requests: u64) -> Duration {
    let mut spent = Duration::ZERO;
    while requests > 0 {
        let batch = requests.min(BATCH);
        stack.prepare(usize::try_from(batch).expect("a small number"));
        let start = Instant::now();
        for _ in 0..batch {
            stack.run();
        }
        spent += start.elapsed();
        requests -= batch;
    }
    spent
}
