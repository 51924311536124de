//! What crossed the wire in one exchange.

use std::time::Duration;

use super::{app::PREPARATION, exchange::Exchange};

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) messages: Vec<Message>,
    /// The status lines that came.
    pub(crate) answers: Vec<String>,
    /// When the 100 came.
    pub(crate) continued: Option<Duration>,
    /// Bytes of content.
    pub(crate) sent: usize,
    /// Until the final answer was there.
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
    /// So many bytes of content, which nobody wants to see one by one.
    Content(usize),
}

impl Record {
    pub(crate) fn add(&mut self, at: Duration, from: Side, what: Bytes) {
        self.messages.push(Message { at, from, what });
    }

    pub(crate) fn add_answer(&mut self, at: Duration, answer: String) {
        let status_line = answer.lines().next().unwrap_or_default();
        self.answers.push(status_line.to_owned());
        self.add(at, Side::Server, Bytes::Text(answer));
    }

    /// In what the exchange was not as the table says.
    pub(crate) fn difference(&self, expected: &Exchange) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(failure.clone());
        }
        if self.answers != expected.answers {
            return Some(format!("the answers had to be {:?}", expected.answers));
        }
        if self.sent != expected.sent {
            return Some(format!("{} body bytes had to be sent", expected.sent));
        }
        if self.continued.is_some_and(|at| at < PREPARATION) {
            return Some("the 100 came before the handler had begun to read".into());
        }
        None
    }
}
