//! A raw HTTP/1.1 client that waits for the 100, then for each piece to come back before the next.

use axum::Router;

use super::{app, grpc, handlers};
use crate::{
    layers,
    servers::SERVERS,
    stack::{default, twice},
    wire::Wire,
};

/// A chunk as hyper writes it, so that it comes back as it was sent.
fn chunk(piece: &[u8]) -> Vec<u8> {
    [format!("{:X}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat()
}

/// Sends the pieces one by one.
async fn converse(wire: &mut Wire, path: &str, pieces: &[Vec<u8>], what: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\
         Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    wire.send(head.as_bytes()).await.unwrap();
    wire.receive(|received| received.interim > 0 || received.head().is_some())
        .await;
    assert_eq!(
        wire.received.interim,
        1,
        "{what}: no 100, but {:?}",
        wire.received.head()
    );
    for piece in pieces {
        wire.send(&chunk(piece)).await.unwrap();
        let back = wire
            .receive(|received| received.ends_with(&chunk(piece)))
            .await;
        assert!(back, "{what}: {piece:?} does not come back");
    }
    wire.send(b"0\r\n\r\n").await.unwrap();
    let whole = wire.receive(|received| received.finals.len() == 1).await;
    assert!(whole, "{what}: the response does not end");
    let status = wire.received.finals[0].status();
    assert_eq!(status, 200, "{what}");
}

async fn converse_with(app: Router, path: &str, pieces: &[Vec<u8>], what: &str) {
    for server in SERVERS {
        let address = server.start(app.clone()).await;
        for _ in 0..20 {
            let mut wire = Wire::to(address).await.unwrap();
            converse(&mut wire, path, pieces, &format!("{what}, {}", server.name)).await;
        }
    }
}

fn words() -> Vec<Vec<u8>> {
    ["one", "two", "three"]
        .map(|word| word.as_bytes().to_vec())
        .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_invites_its_client() {
    converse_with(app(), "/echo", &words(), "echo").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_invites_its_client() {
    converse_with(app(), "/relay", &words(), "relay").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_by_another_task_invites_its_client() {
    converse_with(app(), "/relay-by-task", &words(), "relay by a task").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_streams_in_both_directions_invites_its_client() {
    let messages = ["one", "two", "three"].map(grpc::message);
    converse_with(app(), grpc::PATH, &messages, "gRPC").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_invites_its_client_through_other_layers() {
    let stacks: [(&str, Router); 9] = [
        ("twice", twice(handlers())),
        ("compression outside", layers::compression(app())),
        (
            "compression inside",
            default(layers::compression(handlers())),
        ),
        ("spawn outside", layers::spawn(app())),
        ("spawn inside", default(layers::spawn(handlers()))),
        ("buffer outside", layers::buffer(app())),
        ("buffer inside", default(layers::buffer(handlers()))),
        (
            "timeout of the body outside",
            layers::response_body_timeout(app()),
        ),
        (
            "timeout of the body inside",
            default(layers::response_body_timeout(handlers())),
        ),
    ];
    for (what, stack) in stacks {
        converse_with(stack, "/echo", &words(), what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_of_known_length_invites_its_client() {
    for server in SERVERS {
        let address = server.start(app()).await;
        let mut wire = Wire::to(address).await.unwrap();
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
        wire.send(head.as_bytes()).await.unwrap();
        wire.receive(|received| received.interim > 0 || received.head().is_some())
            .await;
        assert_eq!(
            wire.received.interim,
            1,
            "{}: {:?}",
            server.name,
            wire.received.head()
        );
        wire.send(b"hello").await.unwrap();
        assert!(
            wire.receive(|received| received.finals.len() == 1).await,
            "{}",
            server.name
        );
        assert_eq!(wire.received.finals[0].content, "hello");
        assert_eq!(wire.received.finals[0].field("content-length"), Some("5"));
    }
}
