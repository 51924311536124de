//! The table itself: each method by each framing, version and server, behind each guard.

use std::net::SocketAddr;

use crate::{
    cell::{Cell, Version, METHODS},
    frames::Connection,
    guards::App,
    http1, http2,
    oracle::{self, End, Verdict},
};

const VERSIONS: [Version; 3] = [Version::Http10, Version::Http11, Version::Http2];

/// Streams that a connection serves: a server counts those that are reset.
const STREAMS: usize = 100;

async fn run(address: SocketAddr, cells: Vec<Cell>, first: usize) -> Vec<(Cell, End)> {
    let mut wire = None;
    let mut connection = Connection::to(address).await;
    let mut ends = Vec::new();
    for (number, cell) in cells.into_iter().enumerate() {
        let end = match cell.version {
            Version::Http2 => {
                if number % STREAMS == 0 || cell.method == "CONNECT" {
                    connection = Connection::to(address).await;
                }
                http2::run(&connection, &cell, first + number).await
            }
            _ => http1::run(address, &mut wire, &cell, first + number).await,
        };
        ends.push((cell, end));
    }
    ends
}

async fn assert_no_hole(address: SocketAddr, app: App) {
    let mut first = 0;
    let mut runs = Vec::new();
    for version in VERSIONS {
        for method in METHODS {
            let cells: Vec<_> = Cell::all(version, method).collect();
            let len = cells.len();
            runs.push(tokio::spawn(run(address, cells, first)));
            first += len;
        }
    }
    let mut ends = Vec::new();
    for run in runs {
        ends.extend(run.await.unwrap());
    }
    let mut faults = Vec::new();
    for (number, (cell, end)) in ends.iter().enumerate() {
        let seen = app.seen(number);
        if let Some(fault) = oracle::fault(cell, *end, &seen) {
            let framing = cell.framing.name;
            faults.push(format!("{fault}, {framing}: {end:?}, {seen:?}, {cell:?}"));
        }
    }
    let rejected = |(cell, _): &&(Cell, End)| oracle::verdict(cell) == Verdict::Rejected;
    let rejected = ends.iter().filter(rejected).count();
    println!("{} cells, of which {rejected} are rejected", ends.len());
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults[..faults.len().min(20)].join("\n")
    );
}

fn cells() -> usize {
    let all = VERSIONS.into_iter();
    all.flat_map(|version| METHODS.map(|method| Cell::all(version, method).count()))
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_gets_past_the_validator_under_axum() {
    let app = App::new(cells());
    let address = app.under_axum().await;
    assert_no_hole(address, app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_gets_past_the_validator_under_serve() {
    let app = App::new(cells());
    let address = app.under_serve().await;
    assert_no_hole(address, app).await;
}
