//! One request and its response, in a task of its own.

use std::{
    future::{poll_fn, Future},
    pin::{pin, Pin},
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use h2::SendStream;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::{fields, reply::Reply, RequestBody};

/// Calls the service and sends its response, unless the client disconnects before.
// An async function would hold its arguments twice, and a task of more than a kilobyte costs more.
#[allow(clippy::manual_async_fn, reason = "keeps the task small")]
pub(super) fn serve<S, B>(
    mut service: S,
    request: Request<RequestBody>,
    mut reply: Reply,
    date: bool,
) -> impl Future<Output = ()>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    B: Body,
{
    async move {
        let head_only = *request.method() == Method::HEAD;
        let ready = unless_gone(&mut reply, |cx| service.poll_ready(cx).map_err(drop)).await;
        let response = match ready {
            Some(Ok(())) => {
                let mut response = pin!(service.call(request));
                unless_gone(&mut reply, |cx| response.as_mut().poll(cx).map_err(drop)).await
            }
            Some(Err(())) => Some(Err(())),
            None => None,
        };
        match response {
            Some(Ok(response)) => respond(response, &mut reply, head_only, date).await,
            Some(Err(())) => reply.fail(),
            None => {}
        }
    }
}

async fn respond<B: Body>(response: Response<B>, reply: &mut Reply, head_only: bool, date: bool) {
    let (mut head, body) = response.into_parts();
    if head.status.is_informational() {
        // Not a response; a 101 has no meaning in HTTP/2 (RFC 9113 §8.6).
        return reply.fail();
    }
    let mut body = pin!(body);
    let is_empty = body.is_end_stream();
    fields::complete(&mut head, (body.size_hint(), is_empty), date);
    if is_empty || head_only || has_no_content(head.status) {
        reply.respond(Response::from_parts(head, ()), true);
        return;
    }
    // Before the head is sent, so that both leave in one write. It is not only cheaper: a client that
    // ends its upload when it sees the head makes h2 reset the stream for the wrong length, which
    // drops data that is still queued (0.4.20, src/proto/streams/send.rs:268).
    let first = poll_fn(|cx| Poll::Ready(poll_piece(body.as_mut(), cx))).await;
    let head = Response::from_parts(head, ());
    if let Poll::Ready(Piece::End) = first {
        reply.respond(head, true);
        return;
    }
    let Some(mut stream) = reply.respond(head, false) else {
        return;
    };
    match send(body, &mut stream, first).await {
        Ok(()) => reply.set_complete(),
        Err(Interrupted::Gone) => {}
        Err(Interrupted::Failed) => reply.fail(),
    }
}

/// What the poll yields; `None` if the client is gone first.
fn unless_gone<'a, T>(
    reply: &'a mut Reply,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T> + 'a,
) -> impl Future<Output = Option<T>> + 'a {
    poll_fn(move |cx| match poll(cx) {
        Poll::Ready(polled) => Poll::Ready(Some(polled)),
        Poll::Pending => reply.poll_gone(cx).map(|()| None),
    })
}

fn has_no_content(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Why a response could not be sent whole.
enum Interrupted {
    /// The client has reset the stream or closed the connection.
    Gone,
    /// The body has failed.
    Failed,
}

/// What a response body gives. Unlike its frames and errors it may be kept while waiting, whatever
/// types these are.
enum Piece {
    Data { data: Bytes, last: bool },
    Trailers(HeaderMap),
    End,
    Failed,
}

fn poll_piece<B: Body>(mut body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Piece> {
    loop {
        let frame = match body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(_))) => return Poll::Ready(Piece::Failed),
            Poll::Ready(None) => return Poll::Ready(Piece::End),
            Poll::Pending => return Poll::Pending,
        };
        match frame.into_data() {
            Ok(mut data) => {
                let data = data.copy_to_bytes(data.remaining());
                let last = body.is_end_stream();
                if last || !data.is_empty() {
                    return Poll::Ready(Piece::Data { data, last });
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    return Poll::Ready(Piece::Trailers(trailers));
                }
            }
        }
    }
}

/// Sends the body, of which `first` is what the first poll gave.
async fn send<B: Body>(
    mut body: Pin<&mut B>,
    stream: &mut SendStream<Bytes>,
    first: Poll<Piece>,
) -> Result<(), Interrupted> {
    let mut polled = first;
    loop {
        let piece = match polled {
            Poll::Ready(piece) => piece,
            Poll::Pending => next(body.as_mut(), stream).await?,
        };
        polled = Poll::Pending;
        let sent = match piece {
            Piece::Data { data, last } => {
                if !data.is_empty() {
                    wait_for_capacity(stream).await?;
                }
                match stream.send_data(data, last) {
                    Ok(()) if !last => continue,
                    sent => sent,
                }
            }
            Piece::Trailers(mut trailers) => {
                fields::strip(&mut trailers);
                stream.send_trailers(trailers)
            }
            Piece::End => stream.send_data(Bytes::new(), true),
            Piece::Failed => return Err(Interrupted::Failed),
        };
        return sent.map_err(|_| Interrupted::Gone);
    }
}

/// The next piece, unless the client goes away meanwhile.
async fn next<B: Body>(
    mut body: Pin<&mut B>,
    stream: &mut SendStream<Bytes>,
) -> Result<Piece, Interrupted> {
    poll_fn(|cx| match poll_piece(body.as_mut(), cx) {
        Poll::Ready(piece) => Poll::Ready(Ok(piece)),
        Poll::Pending => stream.poll_reset(cx).map(|_| Err(Interrupted::Gone)),
    })
    .await
}

/// Waits until something may be sent. How much is h2's business: the rest of the data is in memory
/// anyway, and h2 cuts it to the window without waking us for each piece.
async fn wait_for_capacity(stream: &mut SendStream<Bytes>) -> Result<(), Interrupted> {
    stream.reserve_capacity(1);
    while stream.capacity() == 0 {
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Interrupted::Gone),
        }
    }
    Ok(())
}
