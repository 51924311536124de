//! `ContinueSignal` in a server of somebody else's: HTTP/3 by h3, of which this crate knows nothing.

mod client;
mod quic;
mod server;

use std::{
    convert::Infallible,
    future::{poll_fn, Future},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{header::WWW_AUTHENTICATE, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::{
    sync::{mpsc, Notify},
    time::timeout,
};
use tokio_stream::{wrappers::ReceiverStream, StreamExt};
use tower::{service_fn, ServiceBuilder};
use tower_expect::{rules, ContinueSignal, ExpectBody, ExpectLayer};

use client::Client;
use server::RequestBody;

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(seconds);
    timeout(limit, future).await.expect("in time")
}

async fn read<B>(body: B) -> String
where
    B: Body,
    B::Error: std::fmt::Debug,
{
    let content = body.collect().await.expect("whole").to_bytes();
    format!("{} bytes", content.len())
}

#[tokio::test]
async fn an_accepted_upload_gets_one_100_at_the_first_poll_of_its_body() {
    let go = Arc::new(Notify::new());
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .layer(ExpectLayer::default())
        .service_fn({
            let go = Arc::clone(&go);
            move |request: Request<ExpectBody<ExpectBody<RequestBody>>>| {
                let go = Arc::clone(&go);
                async move {
                    go.notified().await;
                    Answer::Ok(Response::new(read(request.into_body()).await.into()))
                }
            }
        });
    let mut client = Client::of(service).await;
    let mut upload = client.begin().await;
    let early = timeout(Duration::from_millis(200), upload.recv_response()).await;
    assert!(early.is_err(), "nobody has polled the body: {early:?}");

    go.notify_one();
    let interim = client::head(&mut upload).await;
    assert_eq!(interim.status(), StatusCode::CONTINUE);
    client::send(&mut upload, 100_000).await;
    let response = client::head(&mut upload).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(client::rest(&mut upload).await, "100000 bytes");
}

#[tokio::test]
async fn the_100_precedes_a_response_that_comes_with_the_first_poll() {
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .service_fn(|request: Request<ExpectBody<RequestBody>>| async {
            let mut body = request.into_body();
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut body).poll_frame(cx))).await;
            assert!(polled.is_pending(), "the client waits for the 100");
            Answer::Ok(Response::new("enough".into()))
        });
    let mut client = Client::of(service).await;
    let mut upload = client.begin().await;
    let interim = client::head(&mut upload).await;
    assert_eq!(interim.status(), StatusCode::CONTINUE);
    let response = client::head(&mut upload).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(client::rest(&mut upload).await, "enough");
}

#[tokio::test]
async fn a_rejected_upload_gets_no_100() {
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::new(rules::bearer(|token| token == "s3cr3t")))
        .service_fn(|request: Request<ExpectBody<RequestBody>>| async {
            Answer::Ok(Response::new(read(request.into_body()).await.into()))
        });
    let mut client = Client::of(service).await;
    let mut upload = client.begin().await;
    let response = client::head(&mut upload).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key(WWW_AUTHENTICATE));
    assert_ne!(client::rest(&mut upload).await, "");
}

#[tokio::test]
async fn a_body_that_is_first_polled_after_the_response_gets_no_100() {
    let go = Arc::new(Notify::new());
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .service_fn({
            let go = Arc::clone(&go);
            move |request: Request<ExpectBody<RequestBody>>| {
                let go = Arc::clone(&go);
                let (sender, content) = mpsc::channel(1);
                tokio::spawn(async move {
                    go.notified().await;
                    let seen = read(request.into_body()).await;
                    sender.send(Bytes::from(seen)).await
                });
                let frames = ReceiverStream::new(content).map(Frame::data);
                let response = Response::new(StreamBody::new(frames.map(Ok::<_, Infallible>)));
                async { Ok::<_, Infallible>(response) }
            }
        });
    let mut client = Client::of(service).await;
    let mut upload = client.begin().await;
    let response = client::head(&mut upload).await;
    assert_eq!(response.status(), StatusCode::OK);
    go.notify_one();
    client::send(&mut upload, 10).await;
    assert_eq!(client::rest(&mut upload).await, "10 bytes");
}

#[tokio::test]
async fn a_signal_that_is_kept_beyond_the_response_sends_nothing() {
    let (kept, mut signals) = mpsc::channel::<ContinueSignal>(1);
    // Without the layer, which would close the signal by itself.
    let service = service_fn(move |request: Request<RequestBody>| {
        let signal = request.extensions().get().cloned().expect("lent");
        let kept = kept.clone();
        async move {
            kept.send(signal).await.expect("wanted");
            Answer::Ok(Response::new("enough".into()))
        }
    });
    let mut client = Client::of(service).await;
    let mut upload = client.begin().await;
    let response = client::head(&mut upload).await;
    assert_eq!(response.status(), StatusCode::OK);
    let signal = within(5, signals.recv()).await.expect("called");
    assert!(!signal.fire());
    assert_eq!(client::rest(&mut upload).await, "enough");
}
