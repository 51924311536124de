//! Answers that begin, or go on, while the content is still under way.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tower::{service_fn, Layer};
use tower_expect::ExpectBody;

use crate::support::{layer, serve_http1, Wire};

type Pieces = mpsc::Receiver<Result<Frame<Bytes>, Infallible>>;

fn stream(pieces: Pieces) -> Response<impl Body<Data = Bytes, Error = Infallible>> {
    Response::new(StreamBody::new(ReceiverStream::new(pieces)))
}

type Inner = Request<ExpectBody<Incoming>>;

#[tokio::test]
async fn an_answer_while_the_content_is_being_read_closes_nothing() {
    let service = layer().layer(service_fn(|request: Inner| async {
        let mut body = request.into_body();
        body.frame().await;
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                sender.send(Ok(frame)).await.unwrap();
            }
        });
        Ok::<_, Infallible>(stream(pieces))
    }));
    let mut wire = Wire::to(serve_http1(service).await).await;
    for _ in 0..2 {
        wire.send(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        )
        .await;
        wire.receive_100().await;
        wire.send("one").await;
        let head = wire.next_head().await;
        assert_eq!((head.status(), head.field("connection")), (200, None));
        wire.send("two").await;
        wire.receive("3\r\ntwo\r\n").await;
        wire.send("end").await;
        wire.receive("3\r\nend\r\n0\r\n\r\n").await;
    }
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unwanted_content_is_read_on_while_the_answer_is_still_under_way() {
    let (all_sent, wait) = tokio::sync::oneshot::channel();
    let wait = std::sync::Arc::new(tokio::sync::Mutex::new(Some(wait)));
    let service = layer().layer(service_fn(move |request: Inner| {
        drop(request);
        let wait = std::sync::Arc::clone(&wait);
        async move {
            let (sender, pieces) = mpsc::channel(1);
            tokio::spawn(async move {
                let piece =
                    |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
                let wait = wait.lock().await.take().unwrap();
                sender.send(piece("busy")).await.unwrap();
                wait.await.unwrap();
                sender.send(piece("done")).await.unwrap();
            });
            Ok::<_, Infallible>(stream(pieces))
        }
    }));
    let mut wire = Wire::to(serve_http1(service).await).await;
    let content = vec![b'x'; 8 << 20];
    let length = content.len();
    wire.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
    ))
    .await;
    wire.send(content).await;
    let head = wire.next_head().await;
    assert_eq!(
        (head.status(), head.field("connection")),
        (200, Some("close"))
    );
    wire.receive("4\r\nbusy\r\n").await;
    all_sent.send(()).unwrap();
    wire.receive("4\r\ndone\r\n0\r\n\r\n").await;
    wire.end().await;
}
