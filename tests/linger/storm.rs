//! Thousands of expecting clients a second that are rejected and keep silent, beside plain uploads.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{interval, MissedTickBehavior},
};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::support::within;

/// A second of expecting rejections, in ticks of 10 ms.
const RATE: usize = 3_000;
const TICK: Duration = Duration::from_millis(10);
const UPLOADS: usize = 50;
const UPLOAD: usize = 8 << 20;
const REJECTION: &str = "HTTP/1.1 503 Service Unavailable\r\n";

/// With a backlog for more clients than a busy machine accepts at once: the system resets those beyond.
fn listen() -> (TcpListener, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("loopback");
    let listener = socket.listen(65_535).expect("bound");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// Reads until the server has sent all that it sends, and stays connected.
async fn see_rejection(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    loop {
        match stream.read_buf(&mut seen).await {
            Ok(0) | Err(_) => return seen.starts_with(REJECTION.as_bytes()),
            Ok(_) => {}
        }
    }
}

/// Asks, is rejected, and sends nothing.
async fn ask(address: SocketAddr, length: u64) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("listening");
    let head = format!(
        "PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("open");
    see_rejection(&mut stream).await
}

/// Sends all of it before it looks.
async fn upload(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("listening");
    let head = format!("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {UPLOAD}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("open");
    stream.write_all(&vec![b'x'; UPLOAD]).await.is_ok() && see_rejection(&mut stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_silent_clients_takes_no_place_from_uploads() {
    let layer = ExpectLayer::new(|_: &RequestHead| {
        Err::<(), _>(Rejection::new(StatusCode::SERVICE_UNAVAILABLE))
    });
    let (listener, address) = listen();
    tokio::spawn(async move {
        let app = Router::new().fallback(|| async {}).layer(layer);
        axum::serve(listener, app).await
    });

    let (mut asking, mut uploading) = (JoinSet::new(), JoinSet::new());
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let per_tick = RATE / 100;
    for tick in 0..200 {
        clock.tick().await;
        for number in 0..per_tick {
            // Some are dropped before the response leaves, others are waited for behind it.
            let length = if number % 2 == 0 {
                100_000
            } else {
                100_000_000
            };
            asking.spawn(ask(address, length));
        }
        if tick % 4 == 0 {
            uploading.spawn(upload(address));
        }
    }
    let seen = within(60, uploading.join_all()).await;
    assert_eq!(seen, [true; UPLOADS]);
    let seen = within(60, asking.join_all()).await;
    assert_eq!(seen.len(), 200 * per_tick);
    assert!(seen.iter().all(|seen| *seen));
}
