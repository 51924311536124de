//! A server rejects 8 MiB while they are on their way, and closes: in how many uploads does the caller
//! see the rejection, with patient sockets and without, with Nagle's algorithm and without?
//!
//! ```text
//! interop_patience [RUNS]
//! ```
//!
//! Prints a table in Markdown: of each way to upload, how many rejections were seen whole, and the median
//! time of an upload in milliseconds. A link is a relay of `interop_delay`. Fails if one is lost on patient
//! sockets.

#[path = "../delay/link.rs"]
mod link;
mod servers;
mod upload;

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, task::JoinSet};

use self::{
    link::Link,
    servers::{axum_app, closing},
    upload::{Way, WAYS},
};

type BoxError = Box<dyn Error + Send + Sync>;

const RUNS: usize = 50;
/// Over a link they mostly wait.
const AT_ONCE: usize = 5;
/// Round trip in milliseconds and losses in percent.
const LINKS: [(u64, u32); 3] = [(2, 0), (20, 1), (200, 1)];

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let runs = std::env::args().nth(1);
    let runs = runs.map_or(Ok(RUNS), |runs| runs.parse())?;
    let servers = [
        ("bare axum", axum_app().await?),
        ("reads 1 MiB, closes", closing().await?),
    ];
    let names = WAYS.map(Way::name);
    println!("| server | link | {} |", names.join(" | "));
    println!("|{}", " --- |".repeat(2 + WAYS.len()));
    let mut lost = 0;
    for (name, server) in servers {
        lost += row(name, "loopback", server, runs).await?;
        for (round_trip, lost_percent) in LINKS {
            let link = Link {
                round_trip: Duration::from_millis(round_trip),
                lost_percent,
            };
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let relay = tokio::spawn(link.relay(listener, server));
            let label = format!("{round_trip} ms, {lost_percent} % lost");
            lost += row(name, &label, address, runs).await?;
            relay.abort();
        }
    }
    match lost {
        0 => Ok(()),
        lost => Err(format!("{lost} rejections were lost on patient sockets").into()),
    }
}

/// Gives how many were lost on patient sockets.
async fn row(
    server: &str,
    link: &str,
    address: SocketAddr,
    runs: usize,
) -> Result<usize, BoxError> {
    let (mut cells, mut lost) = (Vec::new(), 0);
    for way in WAYS {
        let (seen, median) = cell(way, address, runs).await?;
        lost += if way.is_patient() { runs - seen } else { 0 };
        cells.push(format!("{seen}/{runs}, {} ms", median.as_millis()));
    }
    println!("| {server} | {link} | {} |", cells.join(" | "));
    Ok(lost)
}

/// Gives how many rejections were seen, and the median time.
async fn cell(way: Way, address: SocketAddr, runs: usize) -> Result<(usize, Duration), BoxError> {
    let (mut seen, mut times) = (0, Vec::new());
    let mut uploads = JoinSet::new();
    for started in 0..runs + AT_ONCE {
        if started >= AT_ONCE {
            let Some(done) = uploads.join_next().await else {
                break;
            };
            let (rejection_seen, time) = done?;
            seen += usize::from(rejection_seen);
            times.push(time);
        }
        if started < runs {
            uploads.spawn(async move {
                let start = Instant::now();
                let rejection = way.upload(address).await;
                (rejection.is_ok(), start.elapsed())
            });
        }
    }
    times.sort();
    Ok((
        seen,
        times.get(times.len() / 2).copied().unwrap_or_default(),
    ))
}
