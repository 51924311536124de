//! Connections on which nothing is under way.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, Router};
use tokio::{
    io::AsyncReadExt,
    time::{sleep, timeout, Instant},
};

use crate::support::{
    app, frame, goaway, piped, read_all, read_to, write, DATA, END_HEADERS, END_STREAM, GET,
    HEADERS, PREFACE, SETTINGS,
};

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn an_http1_connection_is_closed_two_minutes_after_its_last_response() {
    let (dial, _) = piped(app(), |server| server);
    let mut client = dial.connect();
    for _ in 0..5 {
        write(&mut client, HEAD).await;
        read_to(&mut client, "\r\n\r\n0").await;
        // Longer than a head may take.
        sleep(Duration::from_secs(110)).await;
    }
    let begun = Instant::now();
    assert_eq!(read_all(&mut client).await, "");
    let seconds = begun.elapsed().as_secs_f64();
    assert!((9.0..11.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_is_no_idleness_however_long_it_takes() {
    let (dial, _) = piped(app(), |server| server);
    let hour = Duration::from_secs(3600);
    let mut http1 = dial.connect();
    write(&mut http1, "GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    timeout(hour, read_all(&mut http1)).await.expect_err("open");

    let mut http2 = dial.connect();
    let body = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, GET),
    ];
    write(&mut http2, body.concat()).await;
    timeout(hour, read_all(&mut http2)).await.expect_err("open");
    write(&mut http2, frame(DATA, END_STREAM, 1, b"")).await;
    let begun = Instant::now();
    let mut seen = Vec::new();
    let _ = http2.read_to_end(&mut seen).await;
    let seconds = begun.elapsed().as_secs_f64();
    assert!((119.0..122.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_keep_an_http2_connection_that_has_no_stream() {
    let (dial, _) = piped(app(), |server| server);
    let client = dial.connect();
    let (mut reader, mut writer) = tokio::io::split(client);
    write(&mut writer, [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    let pinging = tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(10)).await;
            write(&mut writer, frame(6, 0, 0, &[0; 8])).await;
        }
    });
    let begun = Instant::now();
    let mut seen = Vec::new();
    let _ = reader.read_to_end(&mut seen).await;
    pinging.abort();
    assert_eq!(goaway(&seen), Some(0));
    let seconds = begun.elapsed().as_secs_f64();
    assert!((119.0..122.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_set_for_both_versions_and_for_http2_alone() {
    let http2 = || tower_expect::http2::Builder::new();
    let second = Duration::from_secs;
    for (seconds, set) in [
        (7.0, 0),
        // The server's takes the place of the builder's, in whatever order.
        (7.0, 1),
        (7.0, 2),
        (3.0, 3),
    ] {
        let (dial, _) = piped(app(), |server| match set {
            0 => server.idle_timeout(second(7)),
            1 => server
                .with_http2(http2().idle_timeout(second(3)))
                .idle_timeout(second(7)),
            2 => server
                .idle_timeout(second(7))
                .with_http2(http2().idle_timeout(second(3))),
            _ => server.with_http2(http2().idle_timeout(second(3))),
        });
        let mut client = dial.connect();
        write(&mut client, [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        let begun = Instant::now();
        let mut seen = Vec::new();
        let _ = client.read_to_end(&mut seen).await;
        let took = begun.elapsed().as_secs_f64();
        assert!(
            (seconds - 0.1..seconds + 1.2).contains(&took),
            "{set}: {took}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_the_client_takes_slowly_is_no_idleness() {
    let app = Router::new().fallback(|| async { vec![b'x'; 1 << 20] });
    let (dial, _) = piped(app, |server| server);
    let mut client = dial.connect();
    write(&mut client, HEAD).await;
    for _ in 0..2 {
        // hyper has the whole response by now.
        sleep(Duration::from_secs(600)).await;
        let mut piece = vec![0; 1 << 19];
        client.read_exact(&mut piece).await.expect("open");
    }
    // And the connection can be used again.
    write(&mut client, HEAD).await;
    read_to(&mut client, "\r\n\r\nx").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_the_application_keeps_does_not_keep_the_connection() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let app = Router::new().fallback(move |body: Body| async move {
        kept.lock().expect("no panic").push(body);
    });
    let (dial, _) = piped(app, |server| server);
    let mut client = dial.connect();
    write(
        &mut client,
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabcde",
    )
    .await;
    read_to(&mut client, "\r\n\r\n").await;
    let begun = Instant::now();
    read_all(&mut client).await;
    let seconds = begun.elapsed().as_secs_f64();
    assert!((119.0..122.0).contains(&seconds), "{seconds}");
}
