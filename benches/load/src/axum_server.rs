//! axum, bare and with layers, over HTTP/1.1 and over HTTP/2 with prior knowledge.
//!
//! ```text
//! axum_server MODE
//! ```
//!
//! | mode | what refuses long uploads |
//! |---|---|
//! | `bare` | the handler |
//! | `shared` | the same; the routes are made once rather than for each connection |
//! | `no-op` | the same, below a layer that does nothing |
//! | `layer` | an `ExpectLayer` |
//! | `around` | an `ExpectLayer` around the whole router rather than each route |
//! | `asking` | nothing: an `ExpectLayer` whose validator never decides |
//! | `body-limit` | axum's `DefaultBodyLimit` |
//! | `limit-layer` | tower-http's `RequestBodyLimitLayer` |
//! | `serve` | the handler: `bare` by `tower_expect::serve` rather than `axum::serve` |
//! | `axum-serve` | the same by `axum::serve` |
//!
//! The first line printed is the address.

use std::{
    error::Error,
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request},
    http::{header::CONTENT_LENGTH, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post, put, MethodRouter},
    serve::ListenerExt,
    Router, ServiceExt,
};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower::{layer::util::Identity, util::MapResponse, Layer};
use tower_expect::{rules, ExpectLayer, Rejection, RequestHead, ResponseBody, ValidateWhen};
use tower_http::limit::RequestBodyLimitLayer;

/// The longest upload that is let in: axum's default.
const LIMIT: u32 = 2 << 20;

/// Requests that wait for what never comes.
static WAITING: AtomicUsize = AtomicUsize::new(0);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    if mode == "serve" {
        return Ok(tower_expect::serve(listener, app(put(upload))).await?);
    }
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let expect = ExpectLayer::new(rules::content_length(..=u64::from(LIMIT)));
    let app = match mode.as_str() {
        "bare" => app(put(upload_to_limit)),
        "axum-serve" => app(put(upload)),
        "no-op" => app(put(upload_to_limit)).layer(Identity::new()),
        "layer" => app(put(upload)).layer(expect),
        "shared" => {
            let app = app(put(upload_to_limit)).into_make_service();
            return Ok(axum::serve(listener, app).await?);
        }
        "around" => {
            let app = expect.layer(app(put(upload)));
            let boxed = |response: Response<ResponseBody<Body>>| response.map(Body::new);
            let app = MapResponse::new(app, boxed);
            return Ok(axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await?);
        }
        "body-limit" => app(put(length)).layer(DefaultBodyLimit::max(LIMIT as usize)),
        "limit-layer" => app(put(upload)).layer(RequestBodyLimitLayer::new(LIMIT as usize)),
        "asking" => {
            let never = ExpectLayer::new_async(|_: &RequestHead| wait::<Result<(), Rejection>>());
            // The driver asks how many wait.
            app(put(upload)).layer(never.validate_when(ValidateWhen::HasBody))
        }
        _ => return Err("usage: axum_server MODE".into()),
    };
    Ok(axum::serve(listener, app).await?)
}

fn app(upload: MethodRouter) -> Router {
    let waiting = || async { WAITING.load(Ordering::Relaxed).to_string() };
    Router::new()
        .route("/", get(|| async { "hello\n" }))
        .route("/form", post(length))
        .route("/upload", upload)
        .route("/held", put(hold))
        .route("/waiting", get(waiting))
}

/// Collects the content in memory.
async fn length(content: Bytes) -> String {
    format!("{} bytes\n", content.len())
}

/// Reads the content frame by frame.
async fn upload(mut content: Body) -> Response {
    let mut bytes = 0;
    while let Some(frame) = content.frame().await {
        match frame {
            Ok(frame) => bytes += frame.data_ref().map_or(0, Bytes::len),
            Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        }
    }
    format!("{bytes} bytes\n").into_response()
}

async fn upload_to_limit(headers: HeaderMap, content: Body) -> Response {
    let announced = headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced > Some(u64::from(LIMIT)) {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too large\n").into_response();
    }
    upload(content).await
}

/// Keeps the request, and never polls its content.
async fn hold(request: Request) -> StatusCode {
    let never = wait().await;
    drop(request);
    never
}

async fn wait<T>() -> T {
    WAITING.fetch_add(1, Ordering::Relaxed);
    pending().await
}
