//! Rejections over links with a round trip and losses: the bounds must leave room for both.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};
use tower_expect::Linger;

use crate::{
    link::Link,
    support::{connect, listen, rejecting, within},
};

/// Several times what the sockets and the link hold, so that the client is still sending.
const LENGTH: usize = 16 << 20;

async fn server() -> SocketAddr {
    let (listener, address) = listen().await;
    let service = rejecting(Linger::default());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a TCP socket");
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn behind(link: Link) -> SocketAddr {
    let server = server().await;
    let (listener, address) = listen().await;
    tokio::spawn(link.relay(listener, server));
    address
}

fn links() -> [Link; 3] {
    [(20, 0), (200, 0), (200, 1)].map(|(round_trip, lost_percent)| Link {
        round_trip: Duration::from_millis(round_trip),
        lost_percent,
    })
}

fn head(expect: &str, length: usize) -> String {
    format!("PUT / HTTP/1.1\r\nhost: a\r\n{expect}content-length: {length}\r\n\r\n")
}

const EXPECT: &str = "expect: 100-continue\r\n";

async fn assert_rejected(stream: &mut tokio::net::TcpStream, case: &str) {
    let mut seen = Vec::new();
    let read = within(20, stream.read_to_end(&mut seen)).await;
    let seen = String::from_utf8_lossy(&seen);
    assert!(
        seen.starts_with("HTTP/1.1 413 "),
        "{case}: {read:?} after {seen:?}"
    );
    assert!(seen.ends_with("send at most 0 bytes\n"), "{case}: {seen:?}");
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_looks_is_told() {
    for link in links() {
        let mut stream = connect(behind(link).await).await;
        stream
            .write_all(head("", LENGTH).as_bytes())
            .await
            .expect("open");
        let content = vec![0; LENGTH];
        let sent = within(20, stream.write_all(&content)).await;
        sent.expect("no reset while it sends");
        assert_rejected(&mut stream, &format!("{link:?}")).await;
    }
}

#[tokio::test]
async fn a_client_whose_patience_ends_while_the_rejection_is_under_way_is_told() {
    for link in links() {
        let mut stream = connect(behind(link).await).await;
        stream
            .write_all(head(EXPECT, LENGTH).as_bytes())
            .await
            .expect("open");
        // The rejection leaves the server now and arrives after the content has set out.
        sleep(link.round_trip / 2).await;
        let content = vec![0; LENGTH];
        let sent = within(20, stream.write_all(&content)).await;
        sent.expect("no reset while it sends");
        assert_rejected(&mut stream, &format!("{link:?}")).await;
    }
}

#[tokio::test]
async fn a_client_that_waits_has_the_answer_after_one_round_trip_and_the_end_soon_after() {
    for link in links().into_iter().take(2) {
        let mut stream = connect(behind(link).await).await;
        let started = Instant::now();
        stream
            .write_all(head(EXPECT, LENGTH).as_bytes())
            .await
            .expect("open");
        stream.read_u8().await.expect("an answer");
        let answered = started.elapsed();
        assert!(answered >= link.round_trip, "{link:?}: {answered:?}");
        assert!(
            answered < link.round_trip + Duration::from_millis(150),
            "{link:?}: {answered:?}"
        );
        within(5, stream.read_to_end(&mut Vec::new()))
            .await
            .expect("no reset");
        let ended = started.elapsed().saturating_sub(answered);
        assert!(ended < Duration::from_secs(1), "{link:?}: {ended:?}");
    }
}
