//! How far the upload is.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{fs::File, io::AsyncReadExt};
use tokio_stream::StreamExt;
use tokio_util::io::ReaderStream;

use crate::FileBody;

const PIECE: usize = 64 << 10;

/// A bar on standard error, if that is a terminal. It is there once the first byte is sent.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    sent: Arc<AtomicU64>,
}

impl Progress {
    pub(crate) fn new(length: u64) -> Self {
        let template = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("a valid template");
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        Self {
            bar: bar.with_style(style),
            sent: Arc::default(),
        }
    }

    /// Prints a line above the bar; without a terminal, too.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// How many bytes of the file hyper has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn add(&self, piece: &Bytes) {
        let length = piece.len() as u64;
        if self.sent.fetch_add(length, Ordering::Relaxed) == 0 {
            // The time that the server took to ask is not the upload's.
            self.bar.reset();
            self.bar.enable_steady_tick(Duration::from_millis(100));
        }
        self.bar.inc(length);
    }
}

/// The file as a body that says how far it is.
pub(crate) fn counted(file: File, length: u64, progress: Progress) -> FileBody {
    // What is added to the file meanwhile is not announced.
    let pieces = ReaderStream::with_capacity(file.take(length), PIECE);
    let frames = pieces.map(|piece| piece.map(http_body::Frame::data));
    let body = StreamBody::new(frames).inspect_frame(move |frame| {
        if let Some(piece) = frame.data_ref() {
            progress.add(piece);
        }
    });
    body.boxed_unsync()
}
