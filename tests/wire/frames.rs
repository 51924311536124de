//! An HTTP/2 client that shows interim responses and resets, and a server that can send a 100.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{pin, Pin},
    task::{ready, Context, Poll},
};

use bytes::Bytes;
use h2::{
    client::{ResponseFuture, SendRequest},
    server::SendResponse,
    Reason, RecvStream, SendStream,
};
use http::{request, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::{net::TcpStream, sync::mpsc};
use tower::Service;
use tower_expect::ContinueSignal;

use crate::support::{accept, listen, soon, BoxError};

/// A connection, seen from the client.
#[derive(Clone)]
pub(crate) struct Connection(SendRequest<Bytes>);

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self(requests)
    }

    /// Sends the head, with the end of the stream if so said.
    pub(crate) async fn open(&self, request: request::Builder, end: bool) -> Exchange {
        let ready = self.0.clone().ready();
        let mut ready = soon("no stream was to be had", ready).await.unwrap();
        let request = request.body(()).unwrap();
        let (response, body) = ready.send_request(request, end).unwrap();
        Exchange { response, body }
    }
}

pub(crate) fn put(path: &str) -> request::Builder {
    Request::put(format!("http://a{path}"))
}

pub(crate) fn expecting(path: &str) -> request::Builder {
    put(path).header("expect", "100-continue")
}

pub(crate) struct Exchange {
    pub(crate) response: ResponseFuture,
    pub(crate) body: SendStream<Bytes>,
}

#[derive(Debug)]
pub(crate) struct Received {
    /// The interim responses that were left to read.
    pub(crate) interim: Vec<StatusCode>,
    pub(crate) response: Response<String>,
}

impl Exchange {
    /// The next interim response; `None` if the final one comes.
    pub(crate) async fn interim(&mut self) -> Option<StatusCode> {
        let interim = self.informational().await;
        interim.map(|response| response.unwrap().status())
    }

    /// Whether no response of any kind has come yet.
    pub(crate) fn is_silent(&mut self) -> bool {
        let mut task = tokio_test::task::spawn(());
        task.enter(|cx, _| self.response.poll_informational(cx).is_pending())
    }

    /// All there is, to the end of the stream.
    pub(crate) async fn receive(&mut self) -> Received {
        self.try_receive().await.unwrap()
    }

    /// An error if the stream is reset before.
    pub(crate) async fn try_receive(&mut self) -> Result<Received, h2::Error> {
        let mut interim = Vec::new();
        while let Some(response) = self.informational().await {
            interim.push(response?.status());
        }
        let response = soon("no response came", &mut self.response).await?;
        let (parts, mut body) = response.into_parts();
        let mut content = Vec::new();
        while let Some(data) = soon("the response did not end", body.data()).await {
            content.extend(data?);
        }
        let content = String::from_utf8(content).unwrap();
        Ok(Received {
            interim,
            response: Response::from_parts(parts, content),
        })
    }

    async fn informational(&mut self) -> Option<Result<Response<()>, h2::Error>> {
        let interim = poll_fn(|cx| self.response.poll_informational(cx));
        soon("neither interim nor final response came", interim).await
    }

    /// Sends content as the windows allow; false if the stream was reset meanwhile.
    pub(crate) async fn send(&mut self, mut content: Bytes, end: bool) -> bool {
        while !content.is_empty() {
            self.body.reserve_capacity(content.len());
            let capacity = poll_fn(|cx| self.body.poll_capacity(cx));
            let Some(Ok(capacity)) = soon("the window stays closed", capacity).await else {
                return false;
            };
            let piece = content.split_to(capacity.min(content.len()));
            if self.body.send_data(piece, false).is_err() {
                return false;
            }
        }
        !end || self.body.send_data(Bytes::new(), true).is_ok()
    }

    /// The code with which the server resets the stream.
    pub(crate) async fn reset(&mut self) -> Reason {
        let reset = poll_fn(|cx| self.body.poll_reset(cx));
        soon("the stream was not reset", reset).await.unwrap()
    }
}

/// A server of the h2 crate that lends each request the means to send a 100.
pub(crate) async fn serve_signalled<S, R>(service: S) -> SocketAddr
where
    S: Service<Request<Content>, Response = Response<R>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let stream = accept(&listener).await;
            let service = service.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(answer(service.clone(), request, respond));
                }
            });
        }
    });
    address
}

async fn answer<S, R>(
    mut service: S,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) where
    S: Service<Request<Content>, Response = Response<R>, Error = Infallible>,
    R: Body<Data = Bytes>,
    R::Error: Into<BoxError>,
{
    let (sender, mut shots) = mpsc::unbounded_channel();
    let signal = ContinueSignal::new(move || _ = sender.send(()));
    let mut request = request.map(Content);
    request.extensions_mut().insert(signal.clone());
    let mut future = pin!(service.call(request));
    let response = loop {
        tokio::select! {
            biased;
            Some(()) = shots.recv() => send_100(&mut respond),
            Ok(response) = &mut future => break response,
        }
    };
    signal.close();
    if shots.try_recv().is_ok() {
        send_100(&mut respond);
    }
    let (parts, body) = response.into_parts();
    let head = Response::from_parts(parts, ());
    let Ok(mut stream) = respond.send_response(head, false) else {
        return;
    };
    let mut body = pin!(body);
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            _ = stream.send_data(data, false);
        }
    }
    _ = stream.send_data(Bytes::new(), true);
}

fn send_100(respond: &mut SendResponse<Bytes>) {
    let mut interim = Response::new(());
    *interim.status_mut() = StatusCode::CONTINUE;
    respond.send_informational(interim).unwrap();
}

/// The body of a request at that server.
pub(crate) struct Content(RecvStream);

impl Body for Content {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let data = ready!(self.0.poll_data(cx));
        Poll::Ready(data.map(|data| {
            let data = data?;
            self.0.flow_control().release_capacity(data.len())?;
            Ok(Frame::data(data))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}
