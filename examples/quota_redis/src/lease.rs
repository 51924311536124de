//! A reservation for one upload, which always ends: settled, released, or by itself.

use std::{
    future::Future,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use redis::RedisResult;
use tokio::{select, time::sleep};
use uuid::Uuid;

use super::{
    ledger::{Claim, Ledger, Verdict},
    settlements::Settlements,
};

/// Dropped, it is released by a task in the background; `Drop` cannot wait for Redis. If the whole
/// process is gone, it runs out in Redis.
pub(crate) struct Lease {
    claim: Claim,
    read: Arc<AtomicU64>,
    /// What is to be counted when this is dropped; `None` if there is nothing to do.
    due: Option<u64>,
    ledger: Arc<Ledger>,
    settlements: Settlements,
}

/// Its place was given to another upload while it stood still, or while Redis was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Lease {
    /// Not reserved yet.
    pub(crate) fn new(
        user: Arc<str>,
        bytes: u64,
        ledger: Arc<Ledger>,
        settlements: Settlements,
    ) -> Self {
        let id = Uuid::new_v4();
        Self {
            claim: Claim { user, id, bytes },
            read: Arc::default(),
            // From the start: the future that reserves may be dropped after Redis has been asked.
            due: Some(0),
            ledger,
            settlements,
        }
    }

    pub(crate) async fn reserve(&mut self) -> RedisResult<Verdict> {
        let verdict = self.ledger.reserve(&self.claim).await?;
        if verdict != Verdict::Reserved {
            self.due = None;
        }
        Ok(verdict)
    }

    pub(crate) fn time(&self) -> Duration {
        self.ledger.lease()
    }

    /// Where the bytes are counted that have been read of the upload.
    pub(crate) fn meter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Renews the lease for as long as `upload` runs and its bytes come.
    ///
    /// A client that sends nothing holds nothing: its lease is not renewed. When it goes on, the lease
    /// is taken anew if there is still room.
    pub(crate) async fn hold<T>(&self, upload: impl Future<Output = T>) -> Result<T, Lost> {
        let mut seen = 0;
        let moves = || {
            let read = self.read.load(Ordering::Relaxed);
            let moves = read > seen || read == self.claim.bytes;
            seen = read;
            moves
        };
        select! {
            biased;
            result = upload => Ok(result),
            lost = until_lost(self.ledger.lease() / 3, moves, || self.renew()) => Err(lost),
        }
    }

    /// Whether the upload may go on. It does while Redis is away, whose next answer decides.
    async fn renew(&self) -> bool {
        match self.ledger.reserve(&self.claim).await {
            Ok(verdict) => verdict == Verdict::Reserved,
            Err(error) => {
                eprintln!("not renewed yet: {error}");
                true
            }
        }
    }

    /// Gives up the lease and counts what has been read.
    pub(crate) async fn settle(mut self) {
        let read = self.read.load(Ordering::Relaxed);
        // If this fails, or is dropped meanwhile, the task in the background settles.
        self.due = Some(read);
        if self.ledger.settle(&self.claim, read).await.is_ok() {
            self.due = None;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(read) = self.due {
            self.settlements.send(self.claim.clone(), read);
        }
    }
}

pub(crate) async fn until_lost<R: Future<Output = bool>>(
    every: Duration,
    mut moves: impl FnMut() -> bool,
    renew: impl Fn() -> R,
) -> Lost {
    loop {
        sleep(every).await;
        if moves() && !renew().await {
            return Lost;
        }
    }
}
