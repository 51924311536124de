//! The layer.

use std::{fmt, sync::Arc, time::Duration};

use tower_layer::Layer;

use super::{
    observe::Observe,
    service::ExpectContinue,
    settings::{Retry, Settings},
};

/// Has requests ask with `Expect: 100-continue` before they send their body.
///
/// See the [module](super) for what it does, and for an example.
#[derive(Clone)]
#[must_use]
pub struct ExpectContinueLayer(Arc<Settings>);

impl ExpectContinueLayer {
    /// Creates a layer with the default settings.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Sets the length in bytes from which on a body asks; by default 1 MiB, as curl does.
    ///
    /// Asking costs a round trip. A body of unknown length always asks, as does a request with an
    /// `Expect: 100-continue` of its own. 0: every body asks.
    pub fn min_length(self, bytes: u64) -> Self {
        self.with(|settings| settings.min_length = bytes)
    }

    /// Sets how long a body waits for the 100 before it is sent without; by default 1 second.
    ///
    /// It is counted from when the head is written: connecting and waiting for a pooled connection do
    /// not count. [`Duration::ZERO`]: the body asks, and follows at once. [`Duration::MAX`]: it waits
    /// until the server says something, which old servers never do.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// Sets whether a request that gets a 417 is repeated, once, without `Expect`; by default it is.
    ///
    /// RFC 9110 §10.1.1 recommends it. The body is the very same: nothing of it was sent. The repeat goes
    /// to another connection, so turn it off where the wrapped service has only one.
    pub fn retry_without_expect(self, retry: bool) -> Self {
        self.with(|settings| settings.retry_without_expect = retry)
    }

    /// Sets which requests are repeated, once, if the connection fails while the body waits; by default
    /// the idempotent ones.
    ///
    /// A pooled connection that the server has just closed takes the head and then fails. Nothing of the
    /// body was sent, so the request can be repeated as it was, `Expect` included (RFC 9112 §9.3.1). *Any*
    /// error of the wrapped service counts, if the head was written and the body waits.
    pub fn retry_dead_connection(self, retry: Retry) -> Self {
        self.with(|settings| settings.retry_dead_connection = retry)
    }

    /// Sets how long a host is remembered that was asked in vain; by default 5 minutes.
    ///
    /// In vain: it sent a 417, it sent nothing until the timeout, or it speaks HTTP/2. Requests to it send
    /// their body at once, without `Expect`. The memory belongs to the layer, and to all services made by
    /// it and its clones.
    pub fn remember_for(self, time: Duration) -> Self {
        self.with(|settings| settings.remember_for = time)
    }

    /// Sets how many hosts are remembered at most; by default 1,024. One takes some 100 bytes.
    pub fn max_hosts(self, hosts: usize) -> Self {
        self.with(|settings| settings.max_hosts = hosts)
    }

    /// Remembers no hosts: each request asks anew.
    pub fn no_memory(self) -> Self {
        self.max_hosts(0)
    }

    /// Has `observer` told what becomes of requests that ask, beside those given earlier.
    pub fn observe(self, observer: impl Observe) -> Self {
        self.with(|settings| settings.observers.add(observer))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Default for ExpectContinueLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ExpectContinueLayer {
    type Service = ExpectContinue<S>;

    fn layer(&self, inner: S) -> ExpectContinue<S> {
        ExpectContinue::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for ExpectContinueLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &*self.0;
        f.debug_struct("ExpectContinueLayer")
            .field("min_length", &settings.min_length)
            .field("timeout", &settings.timeout)
            .field("retry_without_expect", &settings.retry_without_expect)
            .field("retry_dead_connection", &settings.retry_dead_connection)
            .field("remember_for", &settings.remember_for)
            .field("max_hosts", &settings.max_hosts)
            .finish_non_exhaustive()
    }
}
