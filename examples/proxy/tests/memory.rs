//! The memory of the proxy, in a process of its own, with long bodies that are accepted or rejected.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    process::{announce, wanted, Server},
    proxy::serve,
    support::{listen, origin, settings, Wire},
};

const TEST: &str = "memory::a_gibibyte_takes_no_more_than_eight_mebibytes";
const LEAKS: &str = "memory::thousands_of_uploads_leave_no_connection_behind";
const MIB: u64 = 1 << 20;

/// In one thread, so that the allocator has one arena.
#[tokio::main(flavor = "current_thread")]
async fn serve_here(origin: &str) {
    let (listener, address) = listen().await;
    announce(address);
    let origin = origin.parse().expect("an address");
    serve(listener, settings(origin, &[]))
        .await
        .expect("served");
}

/// `/accepted` reads the body, `/rejected` rejects it and drains it, `/stalled` rejects it and reads nothing.
async fn start_origin() -> SocketAddr {
    origin(|_, mut wire| async move {
        let head = wire.head().await;
        if head.starts_with("put /accepted ") {
            if head.contains("expect:") {
                wire.send("HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            let length = head.split("content-length: ").nth(1).expect("a length");
            let length = length
                .split("\r\n")
                .next()
                .expect("a line")
                .parse()
                .expect("a number");
            wire.discard(length).await;
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
            return;
        }
        wire.send("HTTP/1.1 413 \r\ncontent-length: 2\r\n\r\nno")
            .await;
        if head.starts_with("put /rejected ") {
            wire.discard(usize::MAX).await;
        } else {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    })
    .await
}

#[derive(Clone, Copy, Debug)]
struct Case {
    path: &'static str,
    expects: bool,
    http2: bool,
    status: u16,
}

/// The status, and how many bytes of the body were sent.
async fn upload(proxy: SocketAddr, case: Case, length: u64) -> (u16, u64) {
    match case.http2 {
        true => by_http2(proxy, case, length).await,
        false => by_http1(proxy, case, length).await,
    }
}

async fn by_http1(proxy: SocketAddr, case: Case, length: u64) -> (u16, u64) {
    let mut wire = Wire::to(proxy).await;
    let expect = if case.expects {
        "expect: 100-continue\r\n"
    } else {
        ""
    };
    let path = case.path;
    wire.send(format!(
        "PUT {path} HTTP/1.1\r\nhost: a\r\n{expect}content-length: {length}\r\n\r\n"
    ))
    .await;
    if case.expects {
        let status = wire.next().await.status();
        if status != 100 {
            return (status, 0);
        }
    }
    let sent = AtomicU64::new(0);
    let answered = AtomicBool::new(false);
    let (reader, mut writer) = wire.stream.split();
    let writing = async {
        let piece = vec![0; 64 << 10];
        while !answered.load(Ordering::Relaxed) {
            let left = length - sent.load(Ordering::Relaxed);
            let left = usize::try_from(left).expect("64 bits").min(piece.len());
            let Ok(written @ 1..) = writer.write(&piece[..left]).await else {
                break;
            };
            let written = u64::try_from(written).expect("small");
            sent.fetch_add(written, Ordering::Relaxed);
        }
    };
    let receive = async {
        let mut first = [0; 12];
        let mut reader = reader;
        reader.read_exact(&mut first).await.expect("a response");
        answered.store(true, Ordering::Relaxed);
        std::str::from_utf8(&first[9..])
            .expect("ASCII")
            .parse()
            .expect("a status")
    };
    let (status, ()) = tokio::join!(receive, writing);
    (status, sent.into_inner())
}

async fn by_http2(proxy: SocketAddr, case: Case, length: u64) -> (u16, u64) {
    let stream = TcpStream::connect(proxy).await.expect("open");
    let (client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let mut request = http::Request::put(format!("http://a{}", case.path));
    request = request.header("content-length", length);
    if case.expects {
        request = request.header("expect", "100-continue");
    }
    let request = request.body(()).expect("valid");
    let mut client = client.ready().await.expect("open");
    let (mut response, mut body) = client.send_request(request, false).expect("sent");
    if case.expects {
        let interim = std::future::poll_fn(|cx| response.poll_informational(cx)).await;
        if interim.is_none() {
            return (response.await.expect("a response").status().as_u16(), 0);
        }
    }
    let sent = AtomicU64::new(0);
    let writing = async {
        let piece = Bytes::from(vec![0; 64 << 10]);
        loop {
            let left = length - sent.load(Ordering::Relaxed);
            let left = usize::try_from(left).expect("64 bits").min(piece.len());
            if left == 0 {
                break;
            }
            body.reserve_capacity(left);
            let capacity = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
            let Some(Ok(capacity)) = capacity else {
                return;
            };
            let piece = piece.slice(..capacity.min(left));
            let added = u64::try_from(piece.len()).expect("small");
            let is_last = sent.fetch_add(added, Ordering::Relaxed) + added == length;
            if body.send_data(piece, is_last).is_err() {
                return;
            }
        }
    };
    let status = tokio::select! {
        response = &mut response => response.expect("a response").status().as_u16(),
        () = writing => response.await.expect("a response").status().as_u16(),
    };
    (status, sent.into_inner())
}

/// The most resident memory while it runs, in bytes.
async fn peak<T>(server: &Server, work: impl std::future::Future<Output = T>) -> (u64, T) {
    let mut most = 0;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return (most.max(server.resources().memory), result),
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
        most = most.max(server.resources().memory);
    }
}

async fn measure() {
    let origin = start_origin().await;
    let server = Server::start(TEST, &origin.to_string());
    let cases = ["/accepted", "/rejected", "/stalled"]
        .into_iter()
        .flat_map(|path| {
            let status = if path == "/accepted" { 200 } else { 413 };
            [(false, false), (false, true), (true, false), (true, true)].map(|(http2, expects)| {
                Case {
                    path,
                    expects,
                    http2,
                    status,
                }
            })
        });
    for case in cases {
        let run = |length| peak(&server, upload(server.address, case, length));
        // The first one brings code and buffers into memory.
        run(8 * MIB).await;
        let (short, (_, _)) = run(8 * MIB).await;
        let (long, (status, sent)) = run(1024 * MIB).await;
        let more = long.saturating_sub(short);
        println!(
            "{case:?}: {} KiB at 8 MiB, {} KiB at 1 GiB, {sent} bytes sent",
            short / 1024,
            long / 1024
        );
        assert_eq!(status, case.status, "{case:?}");
        match (case.status, case.expects) {
            (200, _) => assert_eq!(sent, 1024 * MIB, "{case:?}"),
            (_, true) => assert_eq!(sent, 0, "{case:?}"),
            (_, false) => assert!(sent < 256 * MIB, "{case:?}: {sent} bytes"),
        }
        assert!(more < 4 * MIB, "{case:?}: {more} bytes more");
        assert!(long < 32 * MIB, "{case:?}: {long} bytes");
    }
}

#[test]
fn a_gibibyte_takes_no_more_than_eight_mebibytes() {
    if let Some(origin) = wanted() {
        return serve_here(&origin);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

const UPLOADS: usize = 3_000;

/// A third of them is rejected.
async fn uploads() {
    let origin = origin(|_, mut wire| async move {
        loop {
            let head = wire.head().await;
            if head.is_empty() {
                return;
            }
            if head.starts_with("put /rejected ") {
                wire.send("HTTP/1.1 401 \r\ncontent-length: 2\r\n\r\nno")
                    .await;
                assert_eq!(wire.rest().await, "");
                return;
            }
            wire.send("HTTP/1.1 100 Continue\r\n\r\n").await;
            wire.receive("\0\0\0\0\0").await;
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
    })
    .await;
    let server = Server::start(LEAKS, &origin.to_string());
    let case = |number| Case {
        path: if number % 3 == 0 {
            "/rejected"
        } else {
            "/accepted"
        },
        expects: true,
        http2: number % 2 == 0,
        status: if number % 3 == 0 { 401 } else { 200 },
    };
    let at_rest = server.resources().descriptors;
    for number in 0..UPLOADS {
        let (status, sent) = upload(server.address, case(number), 5).await;
        let expected = case(number).status;
        assert_eq!(
            (status, sent),
            (expected, if expected == 200 { 5 } else { 0 })
        );
    }
    // One connection to the origin may be pooled.
    server.settle(at_rest + 1).await;
    let after = server.resources().descriptors;
    println!("{at_rest} descriptors before {UPLOADS} uploads, {after} after");
    assert!(after <= at_rest + 1, "{at_rest} before, {after} after");
}

#[test]
fn thousands_of_uploads_leave_no_connection_behind() {
    if let Some(origin) = wanted() {
        return serve_here(&origin);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(uploads());
}
