//! Times, all kept: the percentiles are exact.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// In microseconds; `None` without any.
    pub(crate) fn percentile(&mut self, percent: usize) -> Option<u64> {
        self.0.sort_unstable();
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        let time = self.0.get(rank - 1)?;
        u64::try_from(time.as_micros()).ok()
    }
}
