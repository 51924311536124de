//! The layer.

use std::{fmt, sync::Arc, time::Duration};

use tower_layer::Layer;

use super::{
    observe::Observe,
    service::ExpectContinue,
    settings::{Retry, Settings},
};

/// Layer that applies [`ExpectContinue`]: requests send `Expect: 100-continue`, and wait before they send
/// their body.
///
/// See the [module](super) for the outcomes, and for an example.
#[derive(Clone)]
#[must_use]
pub struct ExpectContinueLayer(Arc<Settings>);

impl ExpectContinueLayer {
    /// Creates a layer with the default settings.
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Sets the length of a body, in bytes, from which on a request is expecting. The default is 1 MiB, as in
    /// curl; 0 includes every body.
    ///
    /// An expecting request costs a round trip. A request with a body of unknown length, or with an
    /// `Expect: 100-continue` of its own, is always expecting.
    pub fn min_length(self, bytes: u64) -> Self {
        self.with(|settings| settings.min_length = bytes)
    }

    /// Sets how long a body waits for the 100 before it is sent without one. The default is 1 second.
    ///
    /// The time counts from when the head is written: connecting and waiting for a pooled connection do
    /// not count. With [`Duration::ZERO`], the header is sent and the body follows at once. With
    /// [`Duration::MAX`], the body waits until the server responds, which old servers never do.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = timeout)
    }

    /// Sets whether a request is repeated once without `Expect` after a 417. The default is true.
    ///
    /// RFC 9110 §10.1.1 recommends it. The body is the same, since nothing of it was sent. The request is
    /// repeated on another connection: set it to false if the wrapped service has only one.
    pub fn retry_without_expect(self, retry: bool) -> Self {
        self.with(|settings| settings.retry_without_expect = retry)
    }

    /// Sets which requests are repeated once if the connection fails while the body waits. The default is
    /// [`Retry::Idempotent`].
    ///
    /// A pooled connection that the server has just closed takes the head and then fails. Nothing of the
    /// body was sent, so the request can be repeated as it was, including `Expect` (RFC 9112 §9.3.1). *Any*
    /// error of the wrapped service counts, if the head was written and the body waits.
    pub fn retry_dead_connection(self, retry: Retry) -> Self {
        self.with(|settings| settings.retry_dead_connection = retry)
    }

    /// Sets how long the layer remembers a host that does not send a 100. The default is 5 minutes.
    ///
    /// Such a host sent a 417, sent nothing until the timeout, or speaks HTTP/2. Requests to it send their body
    /// at once, without `Expect`. The memory is shared by the layer, its clones and all their services.
    pub fn remember_for(self, time: Duration) -> Self {
        self.with(|settings| settings.remember_for = time)
    }

    /// Sets the maximum number of remembered hosts. The default is 1,024; each takes about 100 bytes.
    pub fn max_hosts(self, hosts: usize) -> Self {
        self.with(|settings| settings.max_hosts = hosts)
    }

    /// Remembers no hosts.
    pub fn no_memory(self) -> Self {
        self.max_hosts(0)
    }

    /// Adds an observer that receives the events of expecting requests.
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
