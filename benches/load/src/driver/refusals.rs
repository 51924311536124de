//! Uploads that are refused, each on a connection of its own.

use std::{
    future::{poll_fn, Future},
    io,
    pin::{pin, Pin},
    str::FromStr,
    sync::LazyLock,
    task::Poll,
    time::{Duration, Instant},
};

use serde_json::{json, Value};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    connection::{connect, put, Head, Heads},
    latencies::Latencies,
    Failure, Load,
};

const PATIENCE: Duration = Duration::from_secs(20);
static CONTENT: LazyLock<Vec<u8>> = LazyLock::new(|| vec![0; 64 * 1024]);

#[derive(Clone, Copy)]
pub(crate) enum Client {
    /// Asks for the 100, and sends nothing before it.
    Waiting,
    /// Sends at once, and looks for an answer before each piece.
    Watching,
    /// Sends at once and all of it before it looks; an error in writing is all that it reports.
    Blind,
}

impl FromStr for Client {
    type Err = io::Error;

    fn from_str(name: &str) -> io::Result<Self> {
        match name {
            "waiting" => Ok(Self::Waiting),
            "watching" => Ok(Self::Watching),
            "blind" => Ok(Self::Blind),
            _ => Err(io::Error::other("no such client")),
        }
    }
}

#[derive(Default)]
struct Outcome {
    attempts: u64,
    /// Bytes of content that the system took from the client.
    sent: u64,
    seen: Latencies,
}

pub(crate) async fn run(client: Client, load: Load) -> Result<Value, Failure> {
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..load.connections {
        clients.spawn(be_refused_until(client, load, started));
    }
    let mut sum = Outcome::default();
    while let Some(of_one) = clients.join_next().await {
        let of_one = of_one?;
        sum.attempts += of_one.attempts;
        sum.sent += of_one.sent;
        sum.seen.append(of_one.seen);
    }
    Ok(json!({
        "attempts": sum.attempts,
        "seen": sum.seen.count(),
        "sent": sum.sent,
        "seconds": started.elapsed().as_secs_f64(),
        "p50_us": sum.seen.percentile(50),
        "p99_us": sum.seen.percentile(99),
    }))
}

async fn be_refused_until(client: Client, load: Load, started: Instant) -> Outcome {
    let mut outcome = Outcome::default();
    while started.elapsed() < load.time {
        let begun = Instant::now();
        outcome.attempts += 1;
        let exchange = be_refused(client, load, &mut outcome.sent);
        if let Ok(Ok(Head { status: 413, .. })) = timeout(PATIENCE, exchange).await {
            outcome.seen.add(begun.elapsed());
        }
    }
    outcome
}

async fn be_refused(client: Client, load: Load, sent: &mut u64) -> io::Result<Head> {
    let mut stream = connect(load.address).await?;
    let expect = matches!(client, Client::Waiting);
    let request = put("/upload", expect, load.length);
    stream.write_all(request.as_bytes()).await?;
    let mut heads = Heads::default();
    match client {
        Client::Waiting => {
            let head = heads.next(&mut stream).await?;
            match head.status {
                100 => watch(&mut heads, &mut stream, load.length, sent).await,
                _ => Ok(head),
            }
        }
        Client::Watching => watch(&mut heads, &mut stream, load.length, sent).await,
        Client::Blind => {
            let mut left = load.length;
            while left > 0 {
                let piece = &CONTENT[..left.min(CONTENT.len())];
                let len = stream.write(piece).await?;
                left -= len;
                *sent += len as u64;
            }
            heads.last(&mut stream).await
        }
    }
}

/// Sends while there is no answer. The first error ends it, whether of reading or of writing.
async fn watch(
    heads: &mut Heads,
    stream: &mut TcpStream,
    length: usize,
    sent: &mut u64,
) -> io::Result<Head> {
    let (mut reader, mut writer) = stream.split();
    let mut left = length;
    let mut answer = pin!(heads.last(&mut reader));
    poll_fn(|cx| loop {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        if left == 0 {
            return Poll::Pending;
        }
        let piece = &CONTENT[..left.min(CONTENT.len())];
        match Pin::new(&mut writer).poll_write(cx, piece) {
            Poll::Ready(Ok(len)) => {
                left -= len;
                *sent += len as u64;
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    })
    .await
}
