//! How much a client may send: of a head, of HTTP/2.

use axum::{routing::get, Router};
use tokio::io::{split, AsyncReadExt, AsyncWriteExt};

use crate::support::{app, frames, piped, write, Piped, PREFACE, SETTINGS};

const WINDOW_UPDATE: u8 = 8;

#[tokio::test(start_paused = true)]
async fn an_http1_head_is_bounded_in_bytes_and_fields() {
    type Set = fn(Piped) -> Piped;
    let head = |fields: String| format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    let long = |bytes| head(format!("a: {}\r\n", "b".repeat(bytes)));
    let many = |fields| head("a: b\r\n".repeat(fields));
    let default: Set = |server| server;
    // The buffer may have grown beyond its limit with what it has read last.
    let small: Set = |server| {
        server.with_http1(|http1| {
            http1.max_buf_size(10_000).max_headers(50);
        })
    };
    for (set, head, status) in [
        (default, long(400_000), "200"),
        (default, long(500_000), "431"),
        (default, many(99), "200"),
        (default, many(100), "431"),
        (small, long(9_000), "200"),
        (small, long(40_000), "431"),
        (small, many(49), "200"),
        (small, many(50), "431"),
    ] {
        let app = Router::new().route("/", get(|| async {}));
        let (dial, _) = piped(app, set);
        let (mut reader, mut writer) = split(dial.connect());
        let writing = async {
            // It may be closed before it was read.
            let _ = writer.write_all(head.as_bytes()).await;
        };
        let reading = async {
            let mut seen = [0; 12];
            reader.read_exact(&mut seen).await.expect("a status");
            String::from_utf8_lossy(&seen).into_owned()
        };
        let ((), seen) = tokio::join!(writing, reading);
        assert_eq!(seen, format!("HTTP/1.1 {status}"), "{} bytes", head.len());
    }
}

#[tokio::test(start_paused = true)]
async fn http2_announces_its_limits() {
    let (dial, _) = piped(app(), |server| server);
    let mut client = dial.connect();
    write(&mut client, PREFACE).await;
    write(&mut client, crate::support::frame(SETTINGS, 0, 0, b"")).await;
    let mut seen = Vec::new();
    client.read_to_end(&mut seen).await.expect("idle at last");
    let frames = frames(&seen);
    let payload = |kind| {
        let frame = frames.iter().find(|frame| frame.0 == kind);
        &frame.expect("it is sent").2[..]
    };
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
    let settings = payload(SETTINGS).chunks(6);
    let mut settings: Vec<_> = settings.map(|it| (it[1], number(&it[2..]))).collect();
    settings.sort_unstable();
    // Streams, window of a stream, frame, header list.
    let expected = [(3, 200), (4, 1 << 20), (5, 16 << 10), (6, 16 << 10)];
    assert_eq!(settings, expected);
    assert_eq!(number(payload(WINDOW_UPDATE)) + 65_535, 8 << 20);
}
