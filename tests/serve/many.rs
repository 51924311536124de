//! Connections by the thousand, idle and slow: what they cost in memory, and that they go away.

use std::{future::IntoFuture, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::{
    process::{self, Server},
    resources::Resources,
    support::{app, frame, within, PREFACE, SETTINGS},
};

const CONNECTIONS: usize = 10_000;

/// Serves, if this process was started for that.
#[test]
#[ignore = "a process of another test"]
fn server() {
    let Some(wanted) = process::wanted() else {
        return;
    };
    tokio::runtime::Runtime::new()
        .expect("started")
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
            process::announce(listener.local_addr().expect("bound"));
            match &*wanted {
                "serve" => tower_expect::serve(listener, app()).into_future().await,
                "axum" => axum::serve(listener, app()).into_future().await,
                // With short limits, to see them all go.
                _ => {
                    let short = Duration::from_secs(4);
                    tower_expect::serve(listener, app())
                        .handshake_timeout(short)
                        .idle_timeout(short)
                        .header_read_timeout(short)
                        .await
                }
            }
            .expect("no error");
        });
}

/// What each client sends.
fn starts() -> Vec<(&'static str, Vec<u8>)> {
    let settings = frame(SETTINGS, 0, 0, &[]);
    vec![
        ("idle HTTP/1", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_vec()),
        ("half a head", b"GET / HTTP/1.1\r\nho".to_vec()),
        ("silent", Vec::new()),
        ("idle HTTP/2", [PREFACE, &settings].concat()),
        ("no SETTINGS", PREFACE.to_vec()),
    ]
}

/// Bytes of memory a connection.
async fn cost(wanted: &str, bytes: &[u8], count: usize) -> (u64, Server, Vec<TcpStream>) {
    let server = Server::start("many::server", wanted);
    let address = server.address;
    let mut open = Vec::new();
    let before = server.resources();
    while open.len() < count {
        let mut opening = JoinSet::new();
        // Fewer than fit into the backlog.
        for _ in 0..100 {
            let bytes = bytes.to_vec();
            opening.spawn(async move {
                let mut client = TcpStream::connect(address).await.expect("listening");
                client.write_all(&bytes).await.expect("open");
                if bytes.len() > 24 {
                    // It has been served.
                    let _ = within(client.read_u8()).await;
                }
                client
            });
        }
        open.extend(opening.join_all().await);
        accepted(&server, before.descriptors + open.len()).await;
    }
    let after = accepted(&server, before.descriptors + count).await;
    let memory = after.memory.saturating_sub(before.memory) / count as u64;
    (memory, server, open)
}

/// Waits until so many descriptors are open.
async fn accepted(server: &Server, descriptors: usize) -> Resources {
    for _ in 0..300 {
        let resources = server.resources();
        if resources.descriptors >= descriptors {
            return resources;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not all are accepted: {}", server.resources());
}

#[tokio::test]
async fn ten_thousand_that_idle_or_dawdle_are_within_a_memory_bound() {
    for (name, bytes) in starts() {
        let (ours, server, open) = cost("serve", &bytes, CONNECTIONS / 5).await;
        drop((server, open));
        let (axums, server, open) = cost("axum", &bytes, CONNECTIONS / 5).await;
        drop((server, open));
        eprintln!("{name}: {ours} bytes a connection, axum::serve {axums}");
        // Much of it is in pages, some of which are full by chance.
        assert!(ours < axums * 5 / 4, "{name}: {ours} bytes a connection");
    }
}

#[tokio::test]
async fn they_all_go_away() {
    let server = Server::start("many::server", "short limits");
    let address = server.address;
    let before = server.resources();
    let mut open = Vec::new();
    for (_, bytes) in starts() {
        for _ in 0..200 {
            let mut client = TcpStream::connect(address).await.expect("listening");
            client.write_all(&bytes).await.expect("open");
            open.push(client);
        }
    }
    // The first of them are gone again before the last ones come.
    accepted(&server, before.descriptors + 500).await;
    server.settle(before.descriptors).await;
    let after = server.resources().descriptors;
    assert_eq!(after, before.descriptors);
    for mut client in open {
        let mut rest = Vec::new();
        let _ = within(client.read_to_end(&mut rest)).await;
    }
}
