//! The handlers at the bottom of each stack, and the route that nothing may reach by stealth.

use std::{
    collections::BTreeSet,
    future::{pending, poll_fn},
    panic::resume_unwind,
    pin::Pin,
    sync::Mutex,
    task::Poll,
    time::Duration,
};

use axum::{
    body::{to_bytes, Body},
    extract::Path,
    response::{
        sse::{Event, Sse},
        IntoResponse, Response,
    },
    routing::{any, get},
    Router,
};
use http::StatusCode;
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::{runtime::Handle, task, time::sleep};

/// Longer than what `CompressionLayer` leaves as it is.
const TEXT: &str = "This response is sent before the body of the request has been read.";

/// The paths of the handlers say what becomes of the body and of the response.
pub(crate) fn handlers() -> Router {
    Router::new()
        .route("/401", any(|| async { respond(StatusCode::UNAUTHORIZED) }))
        .route(
            "/413",
            any(|| async { respond(StatusCode::PAYLOAD_TOO_LARGE) }),
        )
        .route("/503", any(unavailable))
        .route("/401-late", any(late))
        .route("/read", any(read))
        .route("/thread", any(read_on_a_thread))
        .route("/task", any(read_in_a_task))
        .route("/polled", any(poll_then_read_in_a_task))
        .route("/echo", any(|body: Body| async { body }))
        .route("/events", any(events))
        .route("/panic", any(panic))
        .route("/never", any(never))
}

/// Routes that stand outside of all layers, so that whatever the server takes for a request is seen.
pub(crate) fn unwrapped() -> Router {
    Router::new()
        .route("/hidden/{id}", get(hidden))
        .route("/warm", any(read))
}

fn respond(status: StatusCode) -> Response {
    (status, TEXT).into_response()
}

/// Rejects a request with a body; without one, it is what a repetition looks like.
async fn unavailable(body: Body) -> Response {
    let repeated = body.is_end_stream();
    respond(if repeated {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    })
}

async fn late(body: Body) -> Response {
    sleep(Duration::from_millis(5)).await;
    drop(body);
    respond(StatusCode::UNAUTHORIZED)
}

async fn read(body: Body) -> Response {
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes.len().to_string().into_response(),
        Err(_) => respond(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

async fn read_on_a_thread(body: Body) -> Response {
    let runtime = Handle::current();
    task::spawn_blocking(move || runtime.block_on(body.collect()));
    respond(StatusCode::ACCEPTED)
}

async fn read_in_a_task(body: Body) -> Response {
    tokio::spawn(body.collect());
    respond(StatusCode::ACCEPTED)
}

async fn poll_then_read_in_a_task(mut body: Body) -> Response {
    poll_fn(|cx| {
        _ = Pin::new(&mut body).poll_frame(cx);
        Poll::Ready(())
    })
    .await;
    tokio::spawn(body.collect());
    respond(StatusCode::ACCEPTED)
}

async fn events(body: Body) -> Response {
    let events = tokio_stream::iter(["one", "two", "three"]);
    let events = tokio_stream::StreamExt::map(events, move |event| {
        let _held = &body;
        Ok::<_, std::convert::Infallible>(Event::default().data(event))
    });
    Sse::new(events).into_response()
}

/// Panics without a message on the terminal.
async fn panic(_body: Body) -> Response {
    resume_unwind(Box::new("a handler's panic"))
}

async fn never(_body: Body) -> Response {
    pending().await
}

static EXECUTED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

async fn hidden(Path(id): Path<usize>) -> &'static str {
    EXECUTED.lock().unwrap().insert(id);
    "executed"
}

/// Whether the hidden request with this number has reached its handler.
pub(crate) fn executed(id: usize) -> bool {
    EXECUTED.lock().unwrap().contains(&id)
}
