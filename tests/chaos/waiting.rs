//! Many clients that wait for their 100, all at the same time.
//!
//! The server runs in a process of its own, whose memory and descriptors must return to where they
//! were. `TOWER_EXPECT_WAITING` sets the number of clients. 900 unless set: each takes a descriptor in
//! either process, and 1,024 is a usual limit. See `ulimit -n`.

mod server;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::{net::TcpSocket, task::JoinSet};

use crate::{
    process::{wanted, Server},
    support::{be_served, soon, Client},
};

const TEST: &str = "waiting::each_of_many_that_wait_gets_its_100_or_its_rejection";

/// The allocator's heap grows from round to round, by less each time, before it stays as it is.
const ROUNDS: usize = 5;

#[test]
fn each_of_many_that_wait_gets_its_100_or_its_rejection() {
    if wanted().is_some() {
        return server::run();
    }
    let number = std::env::var("TOWER_EXPECT_WAITING").ok();
    let number = number.map_or(900, |number| number.parse().expect("a number"));
    let limit = descriptor_limit();
    assert!(number + 100 <= limit, "`ulimit -n` is {limit}: too low");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(crowd(number));
}

async fn crowd(number: usize) {
    let process = Server::start(TEST, "");
    let address = process.address;
    be_served(address).await;
    let at_rest = process.resources().descriptors;
    let mut grown = 0;
    let mut before = 0;
    for _ in 0..ROUNDS {
        round(&process, number).await;
        process.settle(at_rest).await;
        let after = process.resources();
        println!("after: {after}");
        assert!(after.descriptors <= at_rest, "descriptors leak");
        grown = after.memory.saturating_sub(before);
        before = after.memory;
    }
    // A connection takes thirty times as much.
    let allowance = (1 << 20) + 1024 * number as u64;
    assert!(grown <= allowance, "memory leaks: {grown} more");
}

async fn round(process: &Server, number: usize) {
    let address = process.address;
    let mut clients = JoinSet::new();
    for client in 0..number {
        let kind = KINDS[client % KINDS.len()];
        let mut connection = connect(client, address).await;
        // The first waits until the last has come.
        connection.patience += Duration::from_millis(20) * u32::try_from(number).unwrap();
        clients.spawn(wait(connection, kind));
    }
    control(address, &format!("/until/{number}")).await;
    println!("all {number} wait: {}", process.resources());
    let latency = be_served(address).await;
    assert!(latency < Duration::from_secs(2), "{latency:?}");

    let opened = Instant::now();
    control(address, "/open").await;
    let mut answered = 0;
    while let Some(result) = soon("clients are left waiting", clients.join_next()).await {
        result.unwrap();
        answered += 1;
    }
    assert_eq!(answered, number);
    let took = opened.elapsed();
    println!("an honest upload beside them took {latency:.1?}, all answers {took:.1?}");
}

/// Where the client waits, whether it is invited, and the answer.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    fields: &'static str,
    invited: bool,
    status: u16,
}

const KINDS: [Kind; 4] = [
    Kind {
        path: "/validator",
        fields: "",
        invited: true,
        status: 200,
    },
    Kind {
        path: "/validator",
        fields: "x-reject: yes\r\n",
        invited: false,
        status: 403,
    },
    Kind {
        path: "/handler",
        fields: "",
        invited: true,
        status: 200,
    },
    Kind {
        path: "/handler/unread",
        fields: "",
        invited: false,
        status: 409,
    },
];

/// From several addresses, lest one runs out of ports.
async fn connect(client: usize, address: SocketAddr) -> Client {
    let host = u8::try_from(2 + client % 8).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    let from = (Ipv4Addr::new(127, 0, 0, host), 0);
    socket.bind(from.into()).unwrap();
    let stream = soon("no connection", socket.connect(address)).await;
    Client::over(stream.unwrap())
}

async fn wait(mut client: Client, kind: Kind) {
    let Kind { path, fields, .. } = kind;
    let expect = "host: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n";
    client
        .send(format!("PUT {path} HTTP/1.1\r\n{expect}{fields}\r\n"))
        .await;
    if kind.invited {
        client.receive_text("HTTP/1.1 100 Continue\r\n\r\n").await;
        client.send("0123456789").await;
        client.receive_text("HTTP/1.1 200 OK\r\n").await;
        client.receive_text("\r\n\r\n10").await;
        client.reset();
    } else {
        let status = format!("HTTP/1.1 {} ", kind.status);
        client.receive_text(&status).await;
        let (rest, in_order) = client.rest().await;
        assert!(rest.contains("connection: close\r\n") && in_order, "{rest}");
    }
}

/// Asks the server for something, and waits until it is so.
async fn control(address: SocketAddr, path: &str) {
    let mut client = Client::to(address).await;
    client
        .send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
        .await;
    client.receive_text("HTTP/1.1 200 OK\r\n").await;
    client.reset();
}

fn descriptor_limit() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    soft.parse().unwrap_or(usize::MAX) // `unlimited`
}
