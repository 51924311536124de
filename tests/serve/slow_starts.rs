//! Clients that stop, or dawdle, at each byte of what they must send first. On a paused clock.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::{sleep, Instant},
};

use tower_expect::serve::Handle;

use crate::support::{
    app, frame, frames, goaway, localhost, piped, tls, write, Dial, Piped, CONTINUATION, DATA,
    END_HEADERS, END_STREAM, GET, HEADERS, PREFACE, PUT, SETTINGS,
};

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\naccept: */*\r\n\r\n";

/// Reads what the server says until it closes, and after how many seconds that was.
async fn closed(mut client: DuplexStream) -> (Vec<u8>, f64) {
    let begun = Instant::now();
    let mut seen = Vec::new();
    let _ = client.read_to_end(&mut seen).await;
    (seen, begun.elapsed().as_secs_f64())
}

/// What an HTTP/2 client sends first, up to a request that has a body, in frames.
fn opening() -> Vec<Vec<u8>> {
    let (first, second) = GET.split_at(3);
    vec![
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, END_STREAM, 1, first),
        frame(CONTINUATION, 0, 1, &second[..1]),
        frame(CONTINUATION, END_HEADERS, 1, &second[1..]),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_within_an_http1_head_is_closed_after_half_a_minute() {
    let (dial, _) = piped(app(), |server| server);
    for len in 0..HEAD.len() {
        let mut client = dial.connect();
        write(&mut client, &HEAD[..len]).await;
        let (seen, seconds) = closed(client).await;
        assert_eq!(seen, b"", "{len}");
        // Until the version is known, the handshake's limit holds; then that of the head.
        assert!((29.9..30.2).contains(&seconds), "{seconds} s at {len}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_later_request_has_as_long_and_counts_from_its_first_byte() {
    let (dial, _) = piped(app(), |server| server);
    for len in 1..HEAD.len() {
        let mut client = dial.connect();
        write(&mut client, HEAD).await;
        sleep(Duration::from_secs(100)).await;
        write(&mut client, &HEAD[..len]).await;
        let (seen, seconds) = closed(client).await;
        assert!(seen.starts_with(b"HTTP/1.1 200 OK\r\n"), "{len}");
        assert!((29.9..30.2).contains(&seconds), "{seconds} s at {len}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_has_no_more_time_than_one_that_stops() {
    let (dial, _) = piped(app(), |server| server);
    let mut client = dial.connect();
    let begun = Instant::now();
    for byte in HEAD {
        if client.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(3)).await;
    }
    assert!(begun.elapsed().as_secs() <= 36, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_within_the_opening_of_http2_is_sent_goaway_after_half_a_minute() {
    let (dial, _) = piped(app(), |server| server);
    let bytes = opening().concat();
    for len in 0..bytes.len() {
        let mut client = dial.connect();
        write(&mut client, &bytes[..len]).await;
        let (seen, seconds) = closed(client).await;
        let settings = PREFACE.len() + 15;
        if len == settings {
            // Nothing is owed: this one is idle.
            assert_eq!(goaway(&seen), Some(0), "{len}: {:?}", frames(&seen));
            assert!((119.9..121.2).contains(&seconds), "{seconds} s at {len}");
            continue;
        }
        // SETTINGS_TIMEOUT, then ENHANCE_YOUR_CALM.
        let code = match len {
            _ if len < PREFACE.len() => None,
            _ if len < settings => Some(4),
            _ => Some(11),
        };
        assert_eq!(goaway(&seen), code, "{len}: {:?}", frames(&seen));
        assert!((29.9..31.3).contains(&seconds), "{seconds} s at {len}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_drip_have_no_more_time_than_those_that_stop() {
    // h2 has a limit of its own for the number of frames in a block.
    let http2 = tower_expect::http2::Builder::new().max_header_list_size(1 << 20);
    let (dial, _) = piped(app(), |server| server.with_http2(http2));
    let mut client = dial.connect();
    write(&mut client, opening()[..2].concat()).await;
    sleep(Duration::from_secs(50)).await;
    // A header block in as many frames as it has bytes, each of them in time.
    let begun = Instant::now();
    let mut kind = HEADERS;
    loop {
        // A new field each time, without end: an indexed `accept-encoding`.
        if client.write_all(&frame(kind, 0, 1, &[0x90])).await.is_err() {
            break;
        }
        kind = CONTINUATION;
        sleep(Duration::from_secs(4)).await;
        assert!(begun.elapsed().as_secs() < 60, "still open");
    }
    assert!(begun.elapsed().as_secs() >= 30);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_come_as_slowly_as_the_application_allows() {
    let (dial, _) = piped(app(), |server| server);
    let mut http1 = dial.connect();
    write(
        &mut http1,
        "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n",
    )
    .await;
    let mut http2 = dial.connect();
    let head = [
        opening()[..2].concat(),
        frame(HEADERS, END_HEADERS, 1, PUT),
        // Six bytes, in one frame.
        frame(DATA, END_STREAM, 1, b"abcdef")[..9].to_vec(),
    ];
    write(&mut http2, head.concat()).await;
    for byte in b"abcdef" {
        sleep(Duration::from_secs(600)).await;
        write(&mut http1, [*byte]).await;
        write(&mut http2, [*byte]).await;
    }
    let mut seen = [0; 15];
    http1.read_exact(&mut seen).await.expect("open");
    assert_eq!(&seen, b"HTTP/1.1 200 OK");
    let (seen, _) = closed(http2).await;
    let data = frames(&seen).into_iter().find(|(kind, ..)| *kind == DATA);
    assert_eq!(data.expect("a response").2, b"6");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_within_a_tls_handshake_is_closed_after_half_a_minute() {
    let (acceptor, connector) = tls(&["h2"]);
    let (dial, _) = piped_tls(acceptor);
    // All that the client says first.
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let shaking = tokio::spawn(async move { connector.connect(localhost(), near).await });
    let mut hello = vec![0; 1 << 14];
    let len = far.read(&mut hello).await.expect("a hello");
    hello.truncate(len);
    drop(far);
    shaking.await.expect("no panic").expect_err("cut");

    for len in 0..hello.len() {
        let mut client = dial.connect();
        write(&mut client, &hello[..len]).await;
        let (seen, seconds) = closed(client).await;
        assert_eq!(seen, b"", "{len}");
        assert!((29.9..30.2).contains(&seconds), "{seconds} s at {len}");
    }
    // A whole hello is replied to, and then nothing follows.
    let mut client = dial.connect();
    write(&mut client, &hello).await;
    let (seen, seconds) = closed(client).await;
    assert!(!seen.is_empty());
    assert!((29.9..30.2).contains(&seconds), "{seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_slow_handshake_holds_up_nobody() {
    let (acceptor, connector) = tls(&["http/1.1"]);
    let (dial, _) = piped_tls(acceptor);
    let silent: Vec<_> = (0..100).map(|_| dial.connect()).collect();
    let begun = Instant::now();
    let mut client = connector
        .connect(localhost(), dial.connect())
        .await
        .expect("a handshake");
    client.write_all(HEAD).await.expect("open");
    let mut seen = [0; 15];
    client.read_exact(&mut seen).await.expect("open");
    assert_eq!(&seen, b"HTTP/1.1 200 OK");
    assert!(begun.elapsed() < Duration::from_secs(1));
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn each_limit_can_be_set_and_lifted() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    type Set = fn(Piped) -> Piped;
    let opening = opening();
    let in_block = [&opening[..3].concat()[..], &opening[3][..5]].concat();
    let rows: [(&str, &[u8], Set, Set); 6] = [
        (
            "handshake, first byte",
            b"",
            |server| server.handshake_timeout(Duration::from_secs(1)),
            |server| server.handshake_timeout(None).idle_timeout(None),
        ),
        (
            "handshake, SETTINGS",
            PREFACE,
            |server| server.handshake_timeout(Duration::from_secs(1)),
            |server| server.handshake_timeout(None).idle_timeout(None),
        ),
        (
            "head of HTTP/1",
            b"GET / HT",
            |server| server.header_read_timeout(Duration::from_secs(1)),
            |server| server.header_read_timeout(None),
        ),
        (
            "header block of HTTP/2",
            &in_block,
            |server| {
                let http2 = tower_expect::http2::Builder::new();
                server.with_http2(http2.header_read_timeout(Duration::from_secs(1)))
            },
            |server| server.header_read_timeout(None).idle_timeout(None),
        ),
        (
            "header block of HTTP/2, by the server",
            &in_block,
            |server| server.header_read_timeout(Duration::from_secs(1)),
            |server| {
                let http2 = tower_expect::http2::Builder::new();
                server
                    .with_http2(http2.header_read_timeout(None))
                    .idle_timeout(None)
            },
        ),
        (
            "head of HTTP/1, by hyper",
            b"GET / HT",
            |server| {
                server.with_http1(|http1| {
                    http1.header_read_timeout(Duration::from_secs(1));
                })
            },
            |server| server.header_read_timeout(None),
        ),
    ];
    for (name, bytes, set, lift) in rows {
        let (dial, _) = piped(app(), set);
        let mut client = dial.connect();
        write(&mut client, bytes).await;
        let (_, seconds) = closed(client).await;
        assert!((0.9..2.3).contains(&seconds), "{name}: {seconds} s");

        let (dial, _) = piped(app(), lift);
        let mut client = dial.connect();
        write(&mut client, bytes).await;
        tokio::time::timeout(DAY, closed(client))
            .await
            .expect_err(name);
    }
}

/// A server of TLS in memory.
fn piped_tls(acceptor: tokio_rustls::TlsAcceptor) -> (Dial, Handle) {
    piped(app(), move |server| {
        server.with_acceptor(move |io| acceptor.accept(io))
    })
}
