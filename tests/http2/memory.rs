//! Memory per connection against that of hyper, each server in a process of its own.
//!
//! `cargo test --release -p tests-http2 -- --ignored --nocapture memory`

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

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
    support::{expecting, within, Client},
    throughput::{measure, median},
};

const ROUNDS: usize = 5;
const CONNECTIONS: u32 = 500;
const SERVER: &str = "TOWER_EXPECT_MEMORY_SERVER";

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(name: &str) -> Self {
        let mut process = Command::new(env::current_exe().expect("a path"))
            .env(SERVER, name)
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("memory::a_connection_takes_as_little_memory_as_one_of_hypers")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = BufReader::new(process.stderr.take().expect("piped"));
        let address = output.lines().find_map(|line| {
            let line = line.expect("text");
            line.strip_prefix("listening on ")?.parse().ok()
        });
        Self {
            process,
            address: address.expect("the server prints its address"),
        }
    }

    fn resident_bytes(&self) -> f64 {
        let file = format!("/proc/{}/statm", self.process.id());
        let memory = fs::read_to_string(file).expect("Linux, and running");
        let pages = memory.split(' ').nth(1).expect("the resident pages");
        pages.parse::<f64>().expect("a number") * 4096.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In one thread, so that the allocator has one arena.
#[tokio::main(flavor = "current_thread")]
async fn serve(with_hyper: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    writeln!(std::io::stderr(), "listening on {address}").expect("a parent that reads");
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
    let before = server.resident_bytes();
    for _ in 0..CONNECTIONS {
        kept.push(within(5, open(server.address, uploading)).await);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    (server.resident_bytes() - before) / f64::from(CONNECTIONS)
}

#[test]
#[ignore = "wants a release build and a quiet machine"]
fn a_connection_takes_as_little_memory_as_one_of_hypers() {
    if let Some(name) = env::var_os(SERVER) {
        return serve(name == "hyper");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (name, uploading) in [("idle", false), ("one waiting upload", true)] {
        let median_of = |server| {
            let costs = (0..ROUNDS).map(|_| {
                let server = Server::start(server);
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
