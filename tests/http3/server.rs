//! An HTTP/3 server for tower services, as somebody may write it who has only the docs of
//! `ContinueSignal`.

use std::{
    convert::Infallible,
    pin::{pin, Pin},
    task::{ready, Context, Poll},
};

use bytes::{Buf, Bytes};
use h3::{
    error::StreamError,
    quic::SendStream,
    server::{Connection, RequestStream},
};
use http::{header::EXPECT, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tower::{Service, ServiceExt};
use tower_expect::ContinueSignal;

pub(crate) async fn serve<S, B>(connection: quinn::Connection, service: S)
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error = Infallible> + Send,
{
    let connection = h3_quinn::Connection::new(connection);
    let mut connection = Connection::new(connection).await.expect("a handshake");
    while let Ok(Some(request)) = connection.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            let (request, stream) = request.resolve_request().await.expect("a request");
            // Nobody is left to be told of a client's failure.
            let _ = exchange(request, stream, service).await;
        });
    }
}

async fn exchange<S, B>(
    request: Request<()>,
    stream: RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>,
    service: S,
) -> Result<(), StreamError>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let (mut sender, content) = stream.split();
    let mut request = request.map(|()| RequestBody::new(content));
    let (polled, mut hundreds) = mpsc::channel(1);
    let signal = ContinueSignal::new(move || {
        // Fails if the exchange is over, and then there is nobody to be told.
        let _ = polled.try_send(());
    });
    if request.headers().contains_key(EXPECT) {
        request.extensions_mut().insert(signal.clone());
    }
    let mut response = pin!(service.oneshot(request));
    let response = loop {
        tokio::select! {
            Ok(response) = &mut response => break response,
            Some(()) = hundreds.recv() => send_100(&mut sender).await?,
        }
    };
    signal.close();
    if let Ok(()) = hundreds.try_recv() {
        send_100(&mut sender).await?;
    }
    let (head, body) = response.into_parts();
    sender.send_response(Response::from_parts(head, ())).await?;
    let mut body = pin!(body);
    while let Some(Ok(frame)) = body.frame().await {
        match frame.into_data() {
            Ok(data) => sender.send_data(data).await?,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                sender.send_trailers(trailers).await?;
            }
        }
    }
    sender.finish().await
}

async fn send_100<S>(sender: &mut RequestStream<S, Bytes>) -> Result<(), StreamError>
where
    S: SendStream<Bytes>,
{
    let mut interim = Response::new(());
    *interim.status_mut() = StatusCode::CONTINUE;
    sender.send_response(interim).await
}

/// The content of a request. quinn tells the client to stop sending when it is dropped early.
pub(crate) struct RequestBody {
    stream: RequestStream<h3_quinn::RecvStream, Bytes>,
    ended: bool,
}

impl RequestBody {
    fn new(stream: RequestStream<h3_quinn::RecvStream, Bytes>) -> Self {
        Self {
            stream,
            ended: false,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let data = ready!(self.stream.poll_recv_data(cx))
            .map(|data| data.map(|mut data| data.copy_to_bytes(data.remaining())));
        self.ended = !matches!(data, Ok(Some(_)));
        Poll::Ready(data.map(|data| data.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
