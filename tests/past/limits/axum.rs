//! What axum's extractors and handlers respond past the limit.

use std::{error::Error, future::IntoFuture, net::SocketAddr};

use axum::{
    body::{Body, Bytes},
    extract::{multipart::MultipartError, DefaultBodyLimit, Form, Json, Multipart},
    http::StatusCode,
    routing::put,
    serve::ListenerExt,
    Router,
};
use http_body_util::{BodyExt, LengthLimitError};
use tower_expect::{rules, Accepted, ExpectLayer, RequestHead};

use crate::{
    frames,
    support::{listen, soon, Wire},
};

const LIMIT: u64 = 64 << 10;
/// What the client sends before it looks.
const LEN: usize = 8 << 20;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";

/// How a body of that type begins.
fn beginning(content_type: &str) -> &'static str {
    match content_type {
        JSON => "\"",
        MULTIPART => "--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n",
        _ => "a=",
    }
}

async fn parts(mut parts: Multipart) -> Result<(), MultipartError> {
    while let Some(part) = parts.next_field().await? {
        part.bytes().await?;
    }
    Ok(())
}

/// Of a handler that reads by itself.
async fn stream(mut body: Body) -> Result<(), StatusCode> {
    while let Some(frame) = body.frame().await {
        frame.map_err(|error| match error.source() {
            Some(source) if source.is::<LengthLimitError>() => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        })?;
    }
    Ok(())
}

fn routes() -> Router {
    let in_parts = put(parts);
    Router::new()
        .route("/bytes", put(|_: Bytes| async {}))
        .route("/string", put(|_: String| async {}))
        .route("/json", put(|_: Json<String>| async {}))
        .route("/form", put(|_: Form<Vec<(String, String)>>| async {}))
        .route("/stream", put(stream))
        .route("/parts", in_parts.clone())
        .route(
            "/parts-of-any-length",
            in_parts.layer(DefaultBodyLimit::disable()),
        )
}

/// Path, type of the body, status past the limit.
const RESPONSES: [(&str, &str, u16); 7] = [
    ("/bytes", "text/plain", 413),
    ("/string", "text/plain", 413),
    ("/json", JSON, 413),
    ("/form", FORM, 413),
    ("/stream", "text/plain", 413),
    ("/parts-of-any-length", MULTIPART, 413),
    // axum finds the limit's error only if its own `DefaultBodyLimit` does not wrap it.
    ("/parts", MULTIPART, 500),
];

async fn under_axum(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

async fn under_serve(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(tower_expect::serve(listener, app).into_future());
    address
}

/// Sends a chunked body of 8 MiB and looks at nothing before.
async fn by_http1(address: SocketAddr, path: &str, content_type: &str) -> u16 {
    let mut wire = Wire::to(address).await;
    let beginning = beginning(content_type);
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {content_type}\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{beginning}\r\n",
        beginning.len(),
    );
    wire.send(head).await;
    let chunk = format!("{LEN:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(LEN));
    wire.send(chunk).await;
    wire.next_head().await.status()
}

/// Sends as much of 8 MiB as the windows allow.
async fn by_http2(address: SocketAddr, path: &str, content_type: &str) -> u16 {
    let connection = frames::Connection::to(address).await;
    let request = frames::put(path).header("content-type", content_type);
    let mut exchange = connection.open(request, false).await;
    let beginning = Bytes::from_static(beginning(content_type).as_bytes());
    exchange.send(beginning, false).await;
    exchange.send(Bytes::from(vec![b'x'; LEN]), true).await;
    exchange.receive().await.response.status().as_u16()
}

async fn assert_responses(address: SocketAddr) {
    for (path, content_type, status) in RESPONSES {
        assert_eq!(
            by_http1(address, path, content_type).await,
            status,
            "{path}"
        );
        assert_eq!(
            by_http2(address, path, content_type).await,
            status,
            "{path}"
        );
    }
}

fn limited(bytes: u64) -> ExpectLayer<impl tower_expect::Validator> {
    ExpectLayer::new(rules::content_length(..=bytes))
}

#[tokio::test]
async fn under_axum_a_client_that_looks_late_sees_the_413_of_each_extractor() {
    assert_responses(under_axum(routes().layer(limited(LIMIT))).await).await;
}

#[tokio::test]
async fn under_serve_a_client_that_looks_late_sees_the_413_of_each_extractor() {
    assert_responses(under_serve(routes().layer(limited(LIMIT))).await).await;
}

#[tokio::test]
async fn where_layers_nest_the_smaller_limit_holds_and_is_told_as_such() {
    for (inner, outer) in [(LIMIT, 16 << 20), (16 << 20, LIMIT)] {
        let app = routes().layer(limited(inner));
        // In between, one that says nothing.
        let app = app.layer(ExpectLayer::default()).layer(limited(outer));
        assert_responses(under_axum(app).await).await;
    }
}

#[tokio::test]
async fn a_validator_limits_by_what_it_has_found_out() {
    let by_user = |head: &RequestHead| {
        let allowed = match head.bearer() {
            Some("large") => 16,
            _ => 4,
        };
        Ok(Accepted::new().max_body(allowed))
    };
    let address = under_axum(routes().layer(ExpectLayer::new(by_user))).await;
    for (token, len, status) in [
        ("small", 4, 200),
        ("small", 5, 413),
        ("large", 16, 200),
        ("large", 17, 413),
    ] {
        let mut wire = Wire::to(address).await;
        wire.send(format!(
            "PUT /bytes HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             transfer-encoding: chunked\r\n\r\n{len:x}\r\n{}\r\n0\r\n\r\n",
            "x".repeat(len)
        ))
        .await;
        assert_eq!(wire.next_head().await.status(), status, "{token} {len}");
    }
}

/// Sends announced bytes, and returns the statuses of the responses, interim or final.
async fn announced(address: SocketAddr, len: usize) -> Vec<u16> {
    let mut wire = Wire::to(address).await;
    wire.send(format!(
        "PUT /bytes HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {len}\r\n\r\n"
    ))
    .await;
    let mut statuses = vec![wire.next_head().await.status()];
    if statuses == [100] {
        wire.send(vec![b'x'; len]).await;
        statuses.push(soon("no response", wire.next_head()).await.status());
    }
    statuses
}

#[tokio::test]
async fn axums_own_limit_stays_until_it_is_raised() {
    let limit = 4 << 20;
    let app = || routes().layer(limited(limit));
    let address = under_axum(app()).await;
    assert_eq!(announced(address, 3 << 20).await, [100, 413]);
    assert_eq!(announced(address, 5 << 20).await, [413]);

    let raised = routes().layer(DefaultBodyLimit::max(usize::try_from(limit).unwrap()));
    let address = under_axum(raised.layer(limited(limit))).await;
    assert_eq!(announced(address, 3 << 20).await, [100, 200]);
    assert_eq!(announced(address, 5 << 20).await, [413]);
}
