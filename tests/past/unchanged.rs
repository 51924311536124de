//! What passes a layer around the whole app as it is: a 101, server-sent events, downloads, and CORS
//! preflights where `CorsLayer` is outside.

use std::{
    convert::Infallible,
    future::IntoFuture,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    response::sse::{Event, Sse},
    routing::{any, get},
    Router,
};
use h2::RecvStream;
use http::{header, request, Method, Request, Response, StatusCode};
use hyper::upgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{copy, split, AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};
use tokio_stream::{wrappers::ReceiverStream, StreamExt};
use tower_expect::{rules, ExpectLayer};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::{
    frames::Connection,
    support::{listen, soon, Wire},
};

const LEN: usize = 1 << 20;

async fn download() -> Response<Body> {
    let body = Body::from(vec![b'x'; LEN]);
    let response = Response::builder().header(header::ETAG, "\"1\"");
    response.body(body).unwrap()
}

/// Of unknown length.
async fn stream() -> Body {
    let pieces = (0..9_u8).map(|piece| Ok::<_, Infallible>(vec![b'0' + piece; 1000]));
    Body::from_stream(tokio_stream::iter(pieces))
}

/// Sends back what comes over the new protocol.
async fn switch(mut request: Request<Body>) -> Response<Body> {
    let upgraded = upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut reader, mut writer) = split(TokioIo::new(upgraded.await.unwrap()));
        copy(&mut reader, &mut writer).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "echo");
    response.body(Body::empty()).unwrap()
}

type Events = mpsc::Sender<&'static str>;

/// The app, and what sends its next events.
fn app() -> (Router, Events) {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let events = move || async move {
        let receiver = receiver.lock().unwrap().take().unwrap();
        Sse::new(
            ReceiverStream::new(receiver)
                .map(|data| Ok::<_, Infallible>(Event::default().data(data))),
        )
    };
    let app = Router::new()
        .route("/download", get(download))
        .route("/stream", get(stream))
        .route("/switch", any(switch))
        .route("/events", get(events));
    (app, sender)
}

/// Under both servers, without the layer and with it.
async fn servers() -> Vec<[(SocketAddr, Events); 2]> {
    let mut servers = Vec::new();
    for own in [false, true] {
        let start = |layered: bool| async move {
            let (mut app, events) = app();
            if layered {
                let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=10));
                app = app.layer(ExpectLayer::new(rule));
            }
            let (listener, address) = listen().await;
            if own {
                tokio::spawn(tower_expect::serve(listener, app).into_future());
            } else {
                tokio::spawn(axum::serve(listener, app).into_future());
            }
            (address, events)
        };
        servers.push([start(false).await, start(true).await]);
    }
    servers
}

fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer s3cr3t\r\n{headers}\r\n")
}

/// Without the line that differs from second to second.
fn undated(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("date: ")).collect()
}

async fn all(wire: &mut Wire) -> String {
    let mut bytes = Vec::new();
    let reading = wire.stream.read_to_end(&mut bytes);
    soon("no end", reading).await.unwrap();
    undated(&bytes)
}

#[tokio::test]
async fn downloads_are_the_same_bytes_over_http_1() {
    for servers in servers().await {
        for path in ["/download", "/stream", "/nowhere"] {
            for method in ["GET", "HEAD"] {
                let mut seen = Vec::new();
                for (address, _) in &servers {
                    let mut wire = Wire::to(*address).await;
                    let request = request(path, "connection: close\r\n");
                    wire.send(request.replacen("GET", method, 1)).await;
                    seen.push(all(&mut wire).await);
                }
                assert!(seen[0].starts_with("HTTP/1.1 "));
                assert!(seen[0] == seen[1], "{method} {path}");
            }
        }
    }
}

async fn head(connection: &Connection, request: request::Builder) -> Response<RecvStream> {
    let response = connection.open(request, true).await.response;
    soon("no response", response).await.unwrap()
}

#[tokio::test]
async fn downloads_are_the_same_over_http_2() {
    for servers in servers().await {
        for path in ["/download", "/stream", "/nowhere"] {
            let mut seen = Vec::new();
            for (address, _) in &servers {
                let connection = Connection::to(*address).await;
                let request = Request::get(format!("http://a{path}"));
                let request = request.header("authorization", "Bearer s3cr3t");
                let mut response = head(&connection, request).await;
                response.headers_mut().remove("date");
                let (head, mut body) = response.into_parts();
                let mut bytes = Vec::new();
                while let Some(data) = soon("no end", body.data()).await {
                    bytes.extend(data.unwrap());
                    let window = body.flow_control();
                    let used = window.used_capacity();
                    window.release_capacity(used).unwrap();
                }
                seen.push((head.headers, bytes));
            }
            assert!(seen[0] == seen[1], "{path}");
        }
    }
}

#[tokio::test]
async fn a_switch_of_protocols_is_the_same_bytes() {
    for servers in servers().await {
        let mut seen = Vec::new();
        for (address, _) in servers {
            let mut wire = Wire::to(address).await;
            wire.send(request(
                "/switch",
                "connection: upgrade\r\nupgrade: echo\r\n",
            ))
            .await;
            let head = wire.next_head().await;
            assert_eq!(head.status(), 101);
            wire.send("over the new protocol").await;
            wire.stream.shutdown().await.unwrap();
            seen.push(undated(head.head.as_bytes()) + &all(&mut wire).await);
        }
        assert!(seen[0].ends_with("over the new protocol"), "{}", seen[0]);
        assert_eq!(seen[0], seen[1]);
    }
}

/// Each event comes before the next is there.
#[tokio::test]
async fn server_sent_events_are_the_same_bytes_one_by_one() {
    for servers in servers().await {
        let mut seen = Vec::new();
        for (address, events) in servers {
            let mut wire = Wire::to(address).await;
            wire.send(request("/events", "connection: close\r\n")).await;
            let mut bytes = Vec::new();
            for event in ["first", "second"] {
                events.send(event).await.unwrap();
                while !String::from_utf8_lossy(&bytes).contains(event) {
                    let reading = wire.stream.read_buf(&mut bytes);
                    assert_ne!(soon("no event", reading).await.unwrap(), 0);
                }
            }
            drop(events);
            seen.push(undated(&bytes) + &all(&mut wire).await);
        }
        assert_eq!(seen[0], seen[1]);
    }
}

#[tokio::test]
async fn server_sent_events_come_one_by_one_over_http_2() {
    for servers in servers().await {
        let mut seen = Vec::new();
        for (address, events) in servers {
            let connection = Connection::to(address).await;
            let request = Request::get("http://a/events");
            let request = request.header("authorization", "Bearer s3cr3t");
            let mut response = head(&connection, request).await;
            response.headers_mut().remove("date");
            let mut frames = Vec::new();
            let (head, mut body) = response.into_parts();
            for event in ["first", "second"] {
                events.send(event).await.unwrap();
                let frame = soon("no event", body.data()).await.unwrap();
                frames.push(frame.unwrap());
            }
            drop(events);
            while let Some(frame) = soon("no end", body.data()).await {
                // The end of the stream, if it is a frame of its own.
                assert_eq!(frame.unwrap(), "");
            }
            seen.push((head.headers, frames));
        }
        assert_eq!(seen[0].1[0], "data: first\n\n");
        assert_eq!(seen[0], seen[1]);
    }
}

async fn preflight(app: Router) -> u16 {
    let (listener, address) = listen().await;
    tokio::spawn(axum::serve(listener, app).into_future());
    let mut wire = Wire::to(address).await;
    wire.send(
        "OPTIONS /stream HTTP/1.1\r\nhost: a\r\norigin: http://b\r\n\
         access-control-request-method: PUT\r\n\
         access-control-request-headers: authorization\r\n\r\n",
    )
    .await;
    let response = wire.next().await;
    let allowed = response.field("access-control-allow-methods");
    assert_eq!(allowed.is_some(), response.status() == 200);
    response.status()
}

#[tokio::test]
async fn a_preflight_without_a_token_passes_where_cors_is_outside() {
    let cors = || {
        CorsLayer::new()
            .allow_origin(Any)
            .allow_methods([Method::PUT])
            .allow_headers(AllowHeaders::mirror_request())
    };
    let guard = || ExpectLayer::new(rules::bearer_token("s3cr3t"));
    let outside = app().0.layer(guard()).layer(cors());
    assert_eq!(preflight(outside).await, 200);
    let inside = app().0.layer(cors()).layer(guard());
    assert_eq!(preflight(inside).await, 401);
}
