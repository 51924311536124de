//! What has become of the upload, in words.

use std::{
    error::Error,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use http::StatusCode;
use indicatif::BinaryBytes;
use tokio::time::Instant;
use tower_expect::client::{Event, Observe, RepeatReason};

use crate::progress::Progress;

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Accepted,
    Rejected,
}

impl Outcome {
    pub(crate) fn of(status: StatusCode) -> Self {
        match status.is_success() {
            true => Self::Accepted,
            false => Self::Rejected,
        }
    }
}

/// Tells on standard error what happens, as it happens.
#[derive(Clone)]
pub(crate) struct Story {
    length: u64,
    progress: Progress,
    asked: Arc<Mutex<Option<Instant>>>,
}

impl Story {
    pub(crate) fn new(length: u64, progress: Progress) -> Self {
        Self {
            length,
            progress,
            asked: Arc::default(),
        }
    }

    /// The end: what the server said, and how much it got.
    pub(crate) fn tell(&self, status: StatusCode, sent: u64) {
        let spared = self.length.saturating_sub(sent);
        let (length, bytes) = (BinaryBytes(self.length), BinaryBytes(spared));
        self.progress.say(&match status.is_success() {
            true if spared == 0 => format!("accepted: {status}, sent {length}"),
            true => format!("accepted: {status}"),
            false => format!("rejected: {status}"),
        });
        if spared > 0 {
            let line = format!("spared {bytes} of {length} ({spared} bytes)");
            self.progress.say(&line);
        }
    }

    /// Milliseconds since the head was sent.
    fn waited(&self) -> u128 {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.map_or(0, |asked| asked.elapsed().as_millis())
    }
}

impl Observe for Story {
    fn observe(&self, event: &Event) {
        let line = match event {
            Event::Asked { .. } => {
                let now = Some(Instant::now());
                *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = now;
                format!("asked whether to send {}", BinaryBytes(self.length))
            }
            Event::Continued { delay, .. } => {
                format!("the server asked for it after {} ms", delay.as_millis())
            }
            Event::TimedOut { delay, .. } => {
                format!("no response in {} ms, sending it", delay.as_millis())
            }
            Event::Rejected { .. } => {
                let waited = self.waited();
                format!("the server responded without it after {waited} ms")
            }
            Event::Repeated {
                reason: RepeatReason::ExpectationFailed,
                ..
            } => "the server knows no such question, sending it".to_owned(),
            Event::Repeated { .. } => "the connection was closed, asking again".to_owned(),
            _ => return,
        };
        self.progress.say(&line);
    }
}

/// The server's own words, which go to standard output.
pub(crate) fn print(piece: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(piece)?;
    output.flush()
}

/// An error and what has caused it, each once.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
