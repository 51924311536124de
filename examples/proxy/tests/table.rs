//! What clients of either version see of each origin: expecting or not, with a length or without.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use tokio::{net::TcpStream, time::Instant};

use crate::support::{origin, proxy, soon, Notes, Wire};

/// What the origin does on a connection.
#[derive(Clone, Copy)]
enum Step {
    /// Reads a head, which carries `Expect` if the client's does.
    Head,
    /// Reads a head that must not carry it.
    Plain,
    /// Reads the body.
    Body,
    Say(&'static str),
    Repeat(&'static str, usize),
    Wait(u64),
    /// Reads until the proxy closes: nothing may come.
    Rest,
}
use Step::{Body, Head, Plain, Repeat, Rest, Say, Wait};

/// What the client sees.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    /// The final response, without a 100 before it.
    Rejected(u16, &'static str),
    /// The milliseconds that a 100 took at least, and the response to the body.
    Continued(u64, u16, &'static str),
}
use Seen::{Continued, Rejected};

struct Row {
    origin: &'static str,
    /// For each connection, if the client expects.
    asked: &'static [&'static [Step]],
    seen: Seen,
    /// The same if it does not, with the status and the body of the response.
    told: &'static [&'static [Step]],
    response: (u16, &'static str),
}

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const SILENT: u64 = 400;

const ROWS: &[Row] = &[
    Row {
        origin: "asks at once",
        asked: &[&[Head, Say(CONTINUE), Body, Say(OK)]],
        seen: Continued(0, 200, "ok"),
        told: &[&[Head, Body, Say(OK)]],
        response: (200, "ok"),
    },
    Row {
        origin: "asks late",
        asked: &[&[Head, Wait(150), Say(CONTINUE), Body, Say(OK)]],
        seen: Continued(150, 200, "ok"),
        told: &[&[Head, Wait(150), Body, Say(OK)]],
        response: (200, "ok"),
    },
    Row {
        origin: "rejects with a 401 and keeps the connection",
        asked: &[&[
            Head,
            Say("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 2\r\n\r\nno"),
            Rest,
        ]],
        seen: Rejected(401, "no"),
        told: &[&[Head, Body, Say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")]],
        response: (401, "no"),
    },
    Row {
        origin: "rejects with a 413 and closes",
        asked: &[&[Head, Say("HTTP/1.1 413 \r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo long")]],
        seen: Rejected(413, "too long"),
        told: &[&[Head, Say("HTTP/1.1 413 \r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo long")]],
        response: (413, "too long"),
    },
    Row {
        origin: "does not know the expectation",
        asked: &[
            &[Head, Say("HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n"), Rest],
            &[Plain, Body, Say(OK)],
        ],
        seen: Continued(0, 200, "ok"),
        told: &[&[Head, Body, Say("HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n")]],
        response: (417, ""),
    },
    Row {
        origin: "is overloaded",
        asked: &[&[Head, Say("HTTP/1.1 503 \r\nretry-after: 9\r\ncontent-length: 4\r\n\r\nbusy"), Rest]],
        seen: Rejected(503, "busy"),
        told: &[&[Head, Body, Say("HTTP/1.1 503 \r\nretry-after: 9\r\ncontent-length: 4\r\n\r\nbusy")]],
        response: (503, "busy"),
    },
    Row {
        origin: "rejects with a 404 in slow chunks",
        asked: &[&[
            Head,
            Say("HTTP/1.1 404 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nnot\r\n"),
            Wait(100),
            Say("5\r\n here\r\n0\r\n\r\n"),
            Rest,
        ]],
        seen: Rejected(404, "not here"),
        told: &[&[
            Head,
            Body,
            Say("HTTP/1.1 404 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nnot\r\n"),
            Wait(100),
            Say("5\r\n here\r\n0\r\n\r\n"),
        ]],
        response: (404, "not here"),
    },
    Row {
        origin: "is done without the body",
        asked: &[&[Head, Say(OK), Rest]],
        seen: Rejected(200, "ok"),
        told: &[&[Head, Say(OK), Body]],
        response: (200, "ok"),
    },
    Row {
        origin: "is silent until the body comes",
        asked: &[&[Head, Body, Say(OK)]],
        seen: Continued(SILENT, 200, "ok"),
        told: &[&[Head, Body, Say(OK)]],
        response: (200, "ok"),
    },
    Row {
        origin: "closes without a response",
        asked: &[&[Head], &[Head]],
        seen: Rejected(502, "the origin has closed the connection without a response\n"),
        told: &[&[Head, Body]],
        response: (502, "the origin has closed the connection without a response\n"),
    },
    Row {
        origin: "closes once, and is there again",
        asked: &[&[Head], &[Head, Say(CONTINUE), Body, Say(OK)]],
        seen: Continued(0, 200, "ok"),
        told: &[&[Head, Body]],
        response: (502, "the origin has closed the connection without a response\n"),
    },
    Row {
        origin: "sends other interim responses before the 100",
        asked: &[&[
            Head,
            Say("HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 \r\nlink: </a>\r\n\r\nHTTP/1.1 104 \r\n\r\n"),
            Wait(150),
            Say(CONTINUE),
            Body,
            Say(OK),
        ]],
        seen: Continued(150, 200, "ok"),
        told: &[&[Head, Body, Say("HTTP/1.1 102 \r\n\r\nHTTP/1.1 103 \r\n\r\n"), Say(OK)]],
        response: (200, "ok"),
    },
    Row {
        origin: "sends 103s without end",
        asked: &[&[Head, Repeat("HTTP/1.1 103 \r\n\r\n", 70), Rest]],
        seen: Rejected(502, "the origin sends interim responses without end\n"),
        told: &[&[Head, Body, Repeat("HTTP/1.1 103 \r\n\r\n", 70), Say(OK)]],
        response: (200, "ok"),
    },
    Row {
        origin: "speaks HTTP/1.0 and rejects",
        asked: &[&[Head, Say("HTTP/1.0 403 \r\n\r\nno")]],
        seen: Rejected(403, "no"),
        told: &[&[Head, Body, Say("HTTP/1.0 403 \r\n\r\nno")]],
        response: (403, "no"),
    },
    Row {
        origin: "speaks HTTP/1.0 and takes the body",
        asked: &[&[Head, Body, Say("HTTP/1.0 200 \r\n\r\nok")]],
        seen: Continued(SILENT, 200, "ok"),
        told: &[&[Head, Body, Say("HTTP/1.0 200 \r\n\r\nok")]],
        response: (200, "ok"),
    },
    Row {
        origin: "switches protocols without being asked to",
        asked: &[&[Head, Say("HTTP/1.1 101 \r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), Rest]],
        seen: Rejected(502, "the origin switches protocols without being asked to\n"),
        told: &[&[Head, Body, Say("HTTP/1.1 101 \r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), Rest]],
        response: (502, "the origin switches protocols without being asked to\n"),
    },
    Row {
        origin: "sends what is no HTTP",
        asked: &[&[Head, Say("SSH-2.0-x\r\n")], &[Head, Say("SSH-2.0-x\r\n")]],
        seen: Rejected(502, "the origin has sent what is no HTTP\n"),
        told: &[&[Head, Body, Say("SSH-2.0-x\r\n")]],
        response: (502, "the origin has sent what is no HTTP\n"),
    },
];

async fn play(wire: &mut Wire, script: &[Step], expects: bool, chunked: bool) {
    for step in script {
        match *step {
            Head | Plain => {
                let head = wire.head().await;
                let asks = head.matches("\r\nexpect: 100-continue\r\n").count();
                let expected = usize::from(expects && matches!(step, Head));
                assert_eq!(asks, expected, "{head}");
                let framing = ["content-length: 5\r\n", "transfer-encoding: chunked\r\n"];
                assert!(head.contains(framing[usize::from(chunked)]), "{head}");
            }
            Body if chunked => wire.receive("5\r\nhello\r\n0\r\n\r\n").await,
            Body => wire.receive("hello").await,
            Say(text) => wire.send(text).await,
            Repeat(text, times) => wire.send(text.repeat(times)).await,
            Wait(time) => tokio::time::sleep(Duration::from_millis(time)).await,
            Rest => assert_eq!(wire.rest().await, ""),
        }
    }
}

async fn scripted(
    scripts: &'static [&'static [Step]],
    expects: bool,
    chunked: bool,
) -> (SocketAddr, Notes<()>) {
    let played = Notes::new();
    let notes = played.clone();
    let address = origin(move |number, mut wire| {
        let notes = notes.clone();
        async move {
            let script = scripts.get(number).expect("no more connections");
            play(&mut wire, script, expects, chunked).await;
            notes.note(());
        }
    })
    .await;
    let silent = (Duration::from_millis(SILENT).as_secs_f64()).to_string();
    (proxy(address, &["--expect-timeout", &silent]).await, played)
}

/// By HTTP/1.1 in literal bytes.
async fn by_http1(proxy: SocketAddr, expects: bool, chunked: bool) -> (Option<u64>, u16, String) {
    let mut wire = Wire::to(proxy).await;
    let expect = ["", "expect: 100-continue\r\n"][usize::from(expects)];
    let framing = ["content-length: 5", "transfer-encoding: chunked"][usize::from(chunked)];
    let body = ["hello", "5\r\nhello\r\n0\r\n\r\n"][usize::from(chunked)];
    let head = format!("PUT /x HTTP/1.1\r\nhost: a\r\n{expect}{framing}\r\n\r\n");
    let started = Instant::now();
    if !expects {
        wire.send(head + body).await;
        let response = wire.next().await;
        return (None, response.status(), unchunked(&response.content));
    }
    wire.send(head).await;
    let mut response = wire.next().await;
    let mut delay = None;
    if response.status() == 100 {
        delay = Some(started.elapsed().as_millis().try_into().unwrap());
        wire.send(body).await;
        response = wire.next().await;
    } else {
        // What comes next would be the body or the next request: nobody knows.
        assert_eq!(response.field("connection"), Some("close"), "{response:?}");
        assert_eq!(wire.rest().await, "");
    }
    (delay, response.status(), unchunked(&response.content))
}

fn unchunked(content: &str) -> String {
    let Some(chunks) = content.strip_suffix("0\r\n\r\n") else {
        return content.to_owned();
    };
    chunks.split("\r\n").skip(1).step_by(2).collect()
}

/// By HTTP/2, frame by frame.
async fn by_http2(proxy: SocketAddr, expects: bool, chunked: bool) -> (Option<u64>, u16, String) {
    let stream = TcpStream::connect(proxy).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = http::Request::put(format!("http://{proxy}/x"));
    if expects {
        request = request.header("expect", "100-continue");
    }
    if !chunked {
        request = request.header("content-length", 5);
    }
    let started = Instant::now();
    let mut client = client.ready().await.unwrap();
    let (mut response, mut body) = client
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    let hello = Bytes::from_static(b"hello");
    let mut delay = None;
    if expects {
        let interim = std::future::poll_fn(|cx| response.poll_informational(cx)).await;
        if let Some(interim) = interim {
            assert_eq!(interim.unwrap().status(), 100);
            delay = Some(started.elapsed().as_millis().try_into().unwrap());
            body.send_data(hello, true).unwrap();
        }
    } else {
        body.send_data(hello, true).unwrap();
    }
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut text = Vec::new();
    while let Some(piece) = body.data().await {
        text.extend(piece.unwrap());
    }
    (
        delay,
        head.status.as_u16(),
        String::from_utf8(text).unwrap(),
    )
}

async fn check(row: &'static Row, http2: bool, expects: bool, chunked: bool) {
    let scripts = if expects { row.asked } else { row.told };
    let (proxy, played) = scripted(scripts, expects, chunked).await;
    let found = soon(row.origin, async {
        match http2 {
            true => by_http2(proxy, expects, chunked).await,
            false => by_http1(proxy, expects, chunked).await,
        }
    });
    let (delay, status, text) = found.await;
    let name = format!(
        "{}, HTTP/2 {http2}, expects {expects}, chunked {chunked}",
        row.origin
    );
    if expects {
        let at_least = match row.seen {
            Continued(at_least, ..) => Some(at_least),
            Rejected(..) => None,
        };
        let (Continued(_, wanted, what) | Rejected(wanted, what)) = row.seen;
        assert_eq!((status, &*text), (wanted, what), "{name}");
        assert_eq!(delay.is_some(), at_least.is_some(), "{name}: {delay:?}");
        assert!(delay >= at_least, "{name}: a 100 after {delay:?} ms");
    } else {
        assert_eq!((status, &*text), row.response, "{name}");
    }
    assert_eq!(
        played.wait_for(scripts.len()).await.len(),
        scripts.len(),
        "{name}"
    );
}

#[tokio::test]
async fn each_origin_is_passed_on_as_the_table_says() {
    for row in ROWS {
        for case in 0..8 {
            check(row, case & 1 > 0, case & 2 > 0, case & 4 > 0).await;
        }
    }
}
