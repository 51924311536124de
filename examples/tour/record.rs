//! What crossed the wire in one exchange.

use std::time::Duration;

use super::{app::PREPARATION, exchange::Exchange};

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) messages: Vec<Message>,
    /// The status lines that arrived.
    pub(crate) responses: Vec<String>,
    /// When the 100 arrived.
    pub(crate) continued: Option<Duration>,
    /// Bytes of the body.
    pub(crate) sent: usize,
    /// The time until the final response.
    pub(crate) took: Duration,
    pub(crate) failure: Option<String>,
}

pub(crate) struct Message {
    /// Since the start of the exchange.
    pub(crate) at: Duration,
    pub(crate) from: Side,
    pub(crate) what: Bytes,
}

#[derive(Clone, Copy)]
pub(crate) enum Side {
    Client,
    Server,
}

pub(crate) enum Bytes {
    Text(String),
    /// A number of bytes of the body.
    Body(usize),
}

impl Record {
    pub(crate) fn add(&mut self, at: Duration, from: Side, what: Bytes) {
        self.messages.push(Message { at, from, what });
    }

    pub(crate) fn add_response(&mut self, at: Duration, response: String) {
        let status_line = response.lines().next().unwrap_or_default();
        self.responses.push(status_line.to_owned());
        self.add(at, Side::Server, Bytes::Text(response));
    }

    /// How the exchange differs from the table.
    pub(crate) fn difference(&self, expected: &Exchange) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(failure.clone());
        }
        if self.responses != expected.responses {
            return Some(format!("expected the responses {:?}", expected.responses));
        }
        if self.sent != expected.sent {
            return Some(format!("expected {} body bytes", expected.sent));
        }
        if self.continued.is_some_and(|at| at < PREPARATION) {
            return Some("the 100 arrived before the handler began to read".into());
        }
        None
    }
}
