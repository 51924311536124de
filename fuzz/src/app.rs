//! The validator, and the service inside of the layer.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{ready, Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{sleep, Sleep};
use tower_expect::{ExpectBody, Rejection, RequestHead};

/// A field of the responses to requests that were accepted.
pub const ADMITTED: &str = "x-accepted";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Rejects with the status in the field `x-reject`.
pub fn by_field(head: &RequestHead) -> Result<(), Rejection> {
    let value = head
        .headers
        .get("x-reject")
        .map(|value| StatusCode::from_bytes(value.as_bytes()));
    match value {
        Some(Ok(status)) => Err(Rejection::new(status)),
        _ => Ok(()),
    }
}

/// Inside of the layer: the path says what is done with the content.
pub async fn answer<B>(request: Request<ExpectBody<B>>) -> Result<Response<Paced>, BoxError>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    let mut pieces = VecDeque::from([Piece::Data]);
    let some_time = Duration::from_millis(40);
    let status = match path.as_str() {
        "/early" => StatusCode::CONFLICT,
        "/frame" => {
            _ = body.frame().await;
            StatusCode::CONFLICT
        }
        "/hold" => {
            tokio::spawn(async move {
                sleep(some_time).await;
                drop(body);
            });
            StatusCode::ACCEPTED
        }
        "/later" => {
            tokio::spawn(async move {
                sleep(some_time).await;
                _ = body.collect().await;
            });
            StatusCode::ACCEPTED
        }
        "/late" => {
            sleep(some_time).await;
            read(body).await
        }
        "/stream" => {
            tokio::spawn(async move {
                sleep(some_time / 2).await;
                _ = body.collect().await;
            });
            pieces.extend([Piece::pause(some_time), Piece::Data]);
            StatusCode::OK
        }
        "/fail" => return Err("as asked for".into()),
        _ => read(body).await,
    };
    let mut response = Response::new(Paced(pieces));
    *response.status_mut() = status;
    response.headers_mut().insert(ADMITTED, 1.into());
    Ok(response)
}

async fn read<B: Body<Data = Bytes>>(body: B) -> StatusCode {
    match body.collect().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// The content of a response, piece by piece.
pub struct Paced(VecDeque<Piece>);

enum Piece {
    Data,
    Pause(Pin<Box<Sleep>>),
}

impl Piece {
    fn pause(duration: Duration) -> Self {
        Self::Pause(Box::pin(sleep(duration)))
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(Piece::Pause(pause)) = self.0.front_mut() {
            ready!(pause.as_mut().poll(cx));
            self.0.pop_front();
        }
        let piece = self.0.pop_front();
        Poll::Ready(piece.map(|_| Ok(Frame::data(Bytes::from_static(b"content")))))
    }
}
