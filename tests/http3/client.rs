//! A client that sees each HEADERS frame. h3's returns them one by one, whatever their status.

use std::convert::Infallible;

use bytes::{Buf, Bytes};
use h3::client::{self, RequestStream, SendRequest};
use h3_quinn::{BidiStream, OpenStreams};
use http::{Request, Response};
use http_body::Body;
use quinn::Endpoint;
use tower::Service;

use crate::{
    quic,
    server::{serve, RequestBody},
    within,
};

pub(crate) struct Client {
    sender: SendRequest<OpenStreams, Bytes>,
    _endpoint: Endpoint,
}

pub(crate) type Upload = RequestStream<BidiStream<Bytes>, Bytes>;

impl Client {
    /// Of a server of its own.
    pub(crate) async fn of<S, B>(service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let (near, far, endpoint) = quic::connect().await;
        tokio::spawn(serve(near, service));
        let connection = client::new(h3_quinn::Connection::new(far));
        let (mut connection, sender) = within(5, connection).await.expect("a handshake");
        tokio::spawn(async move { connection.wait_idle().await });
        Self {
            sender,
            _endpoint: endpoint,
        }
    }

    /// Asks for the 100 and sends nothing further.
    pub(crate) async fn begin(&mut self) -> Upload {
        let request = Request::put("https://localhost/").header("expect", "100-continue");
        let request = request.body(()).expect("valid");
        within(5, self.sender.send_request(request))
            .await
            .expect("open")
    }
}

/// The next head, be it of an interim response or of the final one.
pub(crate) async fn head(upload: &mut Upload) -> Response<()> {
    within(5, upload.recv_response()).await.expect("a response")
}

/// Sends all of the content.
pub(crate) async fn send(upload: &mut Upload, len: usize) {
    let sent = within(5, upload.send_data(Bytes::from(vec![7; len]))).await;
    sent.expect("open");
    within(5, upload.finish()).await.expect("open");
}

/// What follows the final head: content, and no other head.
pub(crate) async fn rest(upload: &mut Upload) -> String {
    let mut content = Vec::new();
    while let Some(data) = within(5, upload.recv_data()).await.expect("no reset") {
        content.extend_from_slice(data.chunk());
    }
    let trailers = within(5, upload.recv_trailers()).await.expect("no reset");
    assert_eq!(trailers, None, "after {content:?}");
    String::from_utf8(content).expect("UTF-8")
}
