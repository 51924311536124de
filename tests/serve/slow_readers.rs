//! Clients that do not read what is sent to them. On a paused clock.

use std::time::Duration;

use axum::{routing::get, Router};
use tokio::{
    io::{AsyncReadExt, DuplexStream},
    time::{sleep, timeout, Instant},
};

use crate::support::{
    frame, piped, read_all, write, Dial, END_HEADERS, END_STREAM, GET, HEADERS, PREFACE, SETTINGS,
};

const LONG: usize = 4 << 20;

/// A client that has asked for 4 MiB, of which the pipe takes 64 KiB.
async fn asking(dial: &Dial, http2: bool) -> DuplexStream {
    let mut client = dial.connect();
    if http2 {
        // With a window that lets all of it come.
        let window = (1_u32 << 30).to_be_bytes();
        let [a, b, c, d] = window;
        let request = [
            PREFACE.to_vec(),
            frame(SETTINGS, 0, 0, &[0, 4, a, b, c, d]),
            frame(8, 0, 0, &window),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
        ];
        write(&mut client, request.concat()).await;
    } else {
        write(&mut client, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    }
    client
}

fn app() -> Router {
    Router::new().route("/", get(|| async { vec![7; LONG] }))
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_closed_once_nothing_could_be_written_for_the_time_that_is_set() {
    for http2 in [false, true] {
        let seconds = Duration::from_secs(20);
        let (dial, handle) = piped(app(), |server| server.write_timeout(seconds));
        let mut client = asking(&dial, http2).await;
        // A step every 15 seconds is enough.
        for _ in 0..8 {
            sleep(Duration::from_secs(15)).await;
            let mut piece = vec![0; 100_000];
            client.read_exact(&mut piece).await.expect("open");
        }
        assert_eq!(handle.connections(), 1, "{http2}");
        let begun = Instant::now();
        while handle.connections() > 0 {
            sleep(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < Duration::from_secs(30), "{http2}");
        }
        let took = begun.elapsed().as_secs_f64();
        assert!((19.0..21.0).contains(&took), "{http2}: {took}");
        read_all(&mut client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn by_default_it_waits() {
    for http2 in [false, true] {
        let (dial, handle) = piped(app(), |server| server);
        let mut client = asking(&dial, http2).await;
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        assert_eq!(handle.connections(), 1, "{http2}");
        let mut whole = vec![0; LONG];
        let reading = client.read_exact(&mut whole);
        timeout(Duration::from_secs(5), reading)
            .await
            .expect("in time")
            .expect("open");
    }
}
