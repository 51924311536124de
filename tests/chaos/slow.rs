//! Clients that dawdle: with their heads, their content, or with reading. Others are served meanwhile.

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::{
    app::{brief, App, By, Counts, Server, CONTENT, SERVERS},
    support::{be_served, soon, Client},
};

const CROWD: usize = 100;
const PAUSE: Duration = Duration::from_millis(4);
/// Far below any bound of the linger or of hyper, far above what an undisturbed upload takes.
const PROMPTLY: Duration = Duration::from_secs(2);

/// Sends a byte at a time; gives up when the server has closed.
async fn drip(client: &mut Client, bytes: impl AsRef<[u8]>) {
    for byte in bytes.as_ref() {
        if client.try_send(&[*byte]).await.is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}

fn head(fields: &str) -> String {
    let length = CONTENT.len();
    format!("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{fields}\r\n")
}

/// Lets honest clients come, one after the other, until the crowd is done.
async fn serve_beside(address: SocketAddr, mut crowd: JoinSet<()>) {
    let done = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&done);
    let honest = tokio::spawn(async move {
        let mut slowest = be_served(address).await;
        while !flag.load(Ordering::Relaxed) {
            slowest = slowest.max(be_served(address).await);
            sleep(PAUSE).await;
        }
        slowest
    });
    while let Some(result) = soon("the crowd hangs", crowd.join_next()).await {
        result.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let slowest = honest.await.unwrap();
    assert!(slowest < PROMPTLY, "{slowest:?}");
}

#[tokio::test]
async fn heads_and_content_byte_by_byte_are_read_to_their_end() {
    for &by in SERVERS {
        let server = Server::start(by).await;
        let address = server.address;
        let mut crowd = JoinSet::new();
        for _ in 0..CROWD {
            crowd.spawn(async move {
                let mut client = Client::to(address).await;
                drip(&mut client, head("expect: 100-continue\r\n")).await;
                client.receive_text("HTTP/1.1 100 Continue\r\n\r\n").await;
                drip(&mut client, CONTENT).await;
                client.receive_text("\r\n\r\nwhole").await;
            });
        }
        serve_beside(address, crowd).await;
        let counts = server.stop().await;
        assert!(counts.whole > CROWD);
        assert_eq!(counts.broken, 0);
    }
}

#[tokio::test]
async fn content_byte_by_byte_behind_a_rejection_is_drained_to_its_end() {
    let server = Server::start(By::Axum).await;
    let address = server.address;
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        crowd.spawn(async move {
            let mut client = Client::to(address).await;
            client.send(head("x-reject: 413\r\n")).await;
            client
                .receive_text("HTTP/1.1 413 Payload Too Large\r\n")
                .await;
            drip(&mut client, CONTENT).await;
            // So short a rest is drained for the connection to go on.
            client.send(head("connection: close\r\n") + CONTENT).await;
            let (rest, in_order) = client.rest().await;
            assert!(rest.ends_with("\r\n\r\nwhole") && in_order, "{rest}");
        });
    }
    serve_beside(address, crowd).await;
    let counts = server.stop().await;
    assert!(counts.whole > CROWD);
}

/// `serve` closes behind it, and whatever comes then is no request.
#[cfg(feature = "serve")]
#[tokio::test]
async fn content_byte_by_byte_behind_a_rejection_by_serve_is_taken_for_nothing() {
    let server = Server::start(By::Serve).await;
    let address = server.address;
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        crowd.spawn(async move {
            let mut client = Client::to(address).await;
            client.send(head("x-reject: 413\r\n")).await;
            client
                .receive_text("HTTP/1.1 413 Payload Too Large\r\n")
                .await;
            client.receive_text("\r\nconnection: close\r\n").await;
            drip(&mut client, CONTENT).await;
            client.shut_down().await;
        });
    }
    serve_beside(address, crowd).await;
    server.stop().await;
}

#[tokio::test]
async fn content_byte_by_byte_without_end_is_cut_off_at_the_total_time() {
    let total = Duration::from_millis(300);
    let linger = brief(Linger::default()).total(total).idle(PROMPTLY);
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::content_too_large(0));
    let layer = ExpectLayer::new(reject).linger(linger);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(|| async {}).layer(layer);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = Client::to(address).await;
    let head = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
    client.send(head).await;
    client
        .receive_text("HTTP/1.1 413 Payload Too Large\r\n")
        .await;
    let rejected = Instant::now();
    drip(&mut client, vec![b'x'; 1_000_000]).await;
    let took = rejected.elapsed();
    assert!((total..total + PROMPTLY).contains(&took), "{took:?}");
}

/// The layer sees whole heads only: how long one may take is for the server to say.
#[tokio::test]
async fn a_head_byte_by_byte_is_cut_off_by_the_servers_own_timeout() {
    let patience = Duration::from_millis(200);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (app, _gone) = App::new();
    let counts = app.counts();
    let service = TowerToHyperService::new(app.router());
    tokio::spawn(async move {
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(patience);
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service.clone();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });

    let mut client = Client::to(address).await;
    let started = Instant::now();
    let endless = format!("PUT / HTTP/1.1\r\nhost: {}", "a".repeat(10_000));
    drip(&mut client, endless).await;
    let took = started.elapsed();
    assert!((patience..patience + PROMPTLY).contains(&took), "{took:?}");
    assert_eq!(*counts.lock().unwrap(), Counts::default());
    be_served(address).await;
}

#[tokio::test]
async fn clients_that_do_not_read_what_they_are_sent_keep_nobody_waiting() {
    for &by in SERVERS {
        let server = Server::start(by).await;
        let address = server.address;
        let mut idlers = Vec::new();
        for _ in 0..CROWD {
            let mut client = Client::to(address).await;
            client
                .send("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n")
                .await;
            client.receive_text("HTTP/1.1 200 OK\r\n").await;
            idlers.push(client);
        }
        let mut visits = JoinSet::new();
        visits.spawn(async move {
            for _ in 0..20 {
                be_served(address).await;
            }
        });
        serve_beside(address, visits).await;
        assert_eq!(server.counts.lock().unwrap().answers, CROWD);
        for client in idlers {
            client.reset();
        }
        server.stop().await;
    }
}
