//! Memory per connection against that of hyper, each server in a process of its own.
//!
//! `cargo test --release -p tests-http2 -- --ignored --nocapture memory`

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::{client::ResponseFuture, SendStream};
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower_expect::http2::Builder;

use crate::{
    process::{announce, wanted, Server},
    support::{expecting, within, Client},
    throughput::{measure, median},
};

const ROUNDS: usize = 5;
const CONNECTIONS: u32 = 500;
const TEST: &str = "memory::a_connection_takes_as_little_memory_as_one_of_hypers";

/// In one thread, so that the allocator has one arena.
#[tokio::main(flavor = "current_thread")]
async fn serve(with_hyper: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    announce(address);
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        if with_hyper {
            let server = http2::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(tower::service_fn(measure));
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        } else {
            let service = tower::service_fn(measure);
            tokio::spawn(Builder::new().serve_connection(stream, service));
        }
    }
}

type Upload = (ResponseFuture, SendStream<Bytes>);

async fn open(address: SocketAddr, uploading: bool) -> (Client, Option<Upload>) {
    let stream = TcpStream::connect(address).await.expect("listening");
    let mut client = Client::over(stream).await;
    let upload = match uploading {
        true => Some(client.begin(expecting()).await),
        false => None,
    };
    client.settle().await;
    (client, upload)
}

/// Bytes for each of the connections.
async fn cost(server: &Server, uploading: bool) -> f64 {
    let mut kept = Vec::new();
    // The first ones bring the code itself into memory.
    for _ in 0..8 {
        kept.push(within(5, open(server.address, true)).await);
    }
    let before = server.resources().memory;
    for _ in 0..CONNECTIONS {
        kept.push(within(5, open(server.address, uploading)).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let grown = server.resources().memory.saturating_sub(before);
    f64::from(u32::try_from(grown).expect("less than 4 GiB")) / f64::from(CONNECTIONS)
}

#[test]
#[ignore = "wants a release build and a quiet machine"]
fn a_connection_takes_as_little_memory_as_one_of_hypers() {
    if let Some(name) = wanted() {
        return serve(name == "hyper");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, uploading) in [("idle", false), ("one waiting upload", true)] {
        let median_of = |server| {
            let costs = (0..ROUNDS).map(|_| {
                let server = Server::start(TEST, server);
                runtime.block_on(cost(&server, uploading))
            });
            median(costs.collect())
        };
        let (ours, hypers) = (median_of("ours"), median_of("hyper"));
        println!("{name}: {ours:.0} bytes per connection, hyper's {hypers:.0}");
        assert!(hypers > 1024.0, "{name}: nothing was measured");
        assert!(ours <= 1.05 * hypers, "{name}");
    }
}
