//! A server and a client on the two ends of a pipe, and bodies for both.

use std::{
    convert::Infallible,
    error::Error,
    future::{poll_fn, Future},
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use h2::{
    client::{ResponseFuture, SendRequest},
    PingPong, RecvStream, SendStream,
};
use http::{request, HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame as HttpFrame};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinHandle,
};
use tower::{service_fn, Service};
use tower_expect::http2::{Builder, RequestBody};

pub(crate) use crate::frames::*;

pub(crate) struct Client {
    pub(crate) sender: SendRequest<Bytes>,
    pub(crate) record: Record,
    pub(crate) pings: PingPong,
    pub(crate) connection: JoinHandle<Result<(), h2::Error>>,
    pub(crate) server: JoinHandle<Result<(), tower_expect::http2::Error>>,
}

pub(crate) async fn client<S, B>(service: S) -> Client
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    client_of(Builder::new(), service).await
}

pub(crate) async fn client_of<S, B>(builder: Builder, service: S) -> Client
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
{
    let (near, far) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(builder.serve_connection(near, service));
    Client::new(far, server).await
}

impl Client {
    pub(crate) async fn new(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        server: JoinHandle<Result<(), tower_expect::http2::Error>>,
    ) -> Self {
        let record = Record::default();
        let tap = Tap {
            io,
            record: record.clone(),
        };
        // Larger than the windows, so that these are what is seen.
        let (sender, mut connection) = h2::client::Builder::new()
            .max_send_buffer_size(64 << 20)
            .handshake(tap)
            .await
            .expect("h2");
        let pings = connection.ping_pong().expect("not taken");
        let connection = tokio::spawn(connection);
        Self {
            sender,
            record,
            pings,
            connection,
            server,
        }
    }

    /// Of a server that is not ours to watch.
    pub(crate) async fn over(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::new(io, tokio::spawn(async { Ok(()) })).await
    }

    /// Sends a request with content to follow.
    pub(crate) async fn begin(
        &self,
        request: request::Builder,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let request = request.body(()).expect("valid");
        let mut sender = self.sender.clone().ready().await.expect("open");
        sender.send_request(request, false).expect("open")
    }

    /// Sends a request without content.
    pub(crate) async fn ask(&self, request: request::Builder) -> Result<Answer, h2::Error> {
        let request = request.body(()).expect("valid");
        let mut sender = self.sender.clone().ready().await?;
        let (response, _) = sender.send_request(request, true)?;
        read(response).await
    }

    /// When it returns, the server has seen all that was sent before, and we its answers.
    pub(crate) async fn settle(&mut self) {
        self.pings.ping(h2::Ping::opaque()).await.expect("open");
        // The stream's task may not have run yet.
        for _ in 0..32 {
            tokio::task::yield_now().await;
        }
        self.pings.ping(h2::Ping::opaque()).await.expect("open");
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

pub(crate) async fn read(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = response.await?.into_parts();
    let content = read_content(&mut body).await?;
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        content,
        trailers: body.trailers().await?,
    })
}

async fn read_content(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut content = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        content.extend_from_slice(&data);
    }
    Ok(content)
}

/// The next interim response; `None` when the final one has come.
pub(crate) async fn interim(response: &mut ResponseFuture) -> Option<StatusCode> {
    let interim = poll_fn(|cx| response.poll_informational(cx)).await;
    interim.map(|interim| interim.expect("no reset").status())
}

/// Sends all of it, as the windows allow. Stops when the server has reset the stream.
pub(crate) async fn send(content: &mut SendStream<Bytes>, len: usize, end: bool) -> usize {
    let mut left = len;
    while left > 0 {
        content.reserve_capacity(left.min(16 * 1024));
        match poll_fn(|cx| content.poll_capacity(cx)).await {
            Some(Ok(granted)) => {
                let piece = granted.min(left);
                left -= piece;
                let data = Bytes::from(vec![7; piece]);
                if content.send_data(data, end && left == 0).is_err() {
                    break;
                }
            }
            _ => break,
        }
    }
    len - left
}

pub(crate) fn put() -> request::Builder {
    Request::put("http://a/")
}

pub(crate) fn expecting() -> request::Builder {
    put().header("expect", "100-continue")
}

/// A service made of an async function that does not fail.
pub(crate) fn answering<F, R, B>(
    answer: F,
) -> impl Service<
    Request<RequestBody>,
    Response = Response<B>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<B>, Infallible>> + Send,
> + Clone
       + Send
       + 'static
where
    F: Fn(Request<RequestBody>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<B>> + Send + 'static,
    B: 'static,
{
    service_fn(move |request| {
        let response = answer(request);
        async { Ok(response.await) }
    })
}

pub(crate) async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(seconds);
    tokio::time::timeout(limit, future).await.expect("in time")
}

/// A body of what comes through the channel.
pub(crate) struct Piped(pub(crate) mpsc::Receiver<Result<HttpFrame<Bytes>, io::Error>>);

impl Piped {
    pub(crate) fn new() -> (mpsc::Sender<Result<HttpFrame<Bytes>, io::Error>>, Self) {
        let (sender, receiver) = mpsc::channel(1);
        (sender, Self(receiver))
    }
}

impl Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, io::Error>>> {
        self.0.poll_recv(cx)
    }
}

/// The whole content, or the error that cut it short.
pub(crate) async fn collect<B>(body: B) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let collected = http_body_util::BodyExt::collect(body).await;
    Ok(collected.map_err(Into::into)?.to_bytes().to_vec())
}
