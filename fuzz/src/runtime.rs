//! Time that passes when nothing else is left to do.

use std::{future::Future, time::Duration};

use tokio::{runtime::Builder, time::timeout};

/// Runs one exchange. A server that waits for what never comes is found out at once.
pub fn run<T>(exchange: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let limit = Duration::from_mins(10);
    let limited = async {
        timeout(limit, exchange)
            .await
            .expect("the connection hangs")
    };
    runtime.expect("a runtime").block_on(limited)
}
