//! What must still be told to Redis about uploads that are over.

use std::{sync::Arc, time::Duration};

use redis::{RedisError, RetryMethod};
use tokio::{
    sync::mpsc::{channel, Receiver, Sender},
    time::{sleep, Instant},
};

use super::ledger::{Claim, Ledger};

/// More than this, and Redis has been away for long. Some 6 MiB.
const BACKLOG: usize = 1 << 16;

const PAUSE: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub(crate) struct Settlements(Sender<Settlement>);

#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) claim: Claim,
    pub(crate) read: u64,
    since: Instant,
}

impl Settlements {
    pub(crate) fn new() -> (Self, Receiver<Settlement>) {
        let (sender, receiver) = channel(BACKLOG);
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, claim: Claim, read: u64) {
        let since = Instant::now();
        let settlement = Settlement { claim, read, since };
        if let Err(error) = self.0.try_send(settlement) {
            eprintln!("never settled: {:?}", error.into_inner());
        }
    }
}

/// Works until all senders are gone and all is settled.
pub(crate) async fn work(ledger: Arc<Ledger>, mut settlements: Receiver<Settlement>) {
    while let Some(settlement) = settlements.recv().await {
        settle(&ledger, &settlement).await;
    }
}

async fn settle(ledger: &Ledger, settlement: &Settlement) {
    let Settlement { claim, read, since } = settlement;
    // What is only released also ends by itself.
    while *read > 0 || since.elapsed() < ledger.lease() {
        match ledger.settle(claim, *read).await {
            Ok(()) => return,
            Err(error) if passes(&error) => sleep(PAUSE).await,
            Err(error) => return eprintln!("never settled: {settlement:?}: {error}"),
        }
    }
}

/// Whether Redis may do it another time.
fn passes(error: &RedisError) -> bool {
    !matches!(error.retry_method(), RetryMethod::NoRetry)
}
