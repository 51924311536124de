//! `hyper::client::conn` through a small service: one connection for each request.

use std::{net::SocketAddr, pin::Pin, task};

use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::{Layer, Service, ServiceExt};
use tower_expect::client::{PatientStream, Unsent, WaitingBody};

use crate::support::{full, patient, server, text, BoxError, Upload};

#[derive(Clone)]
struct Connect(SocketAddr);

impl Service<Request<WaitingBody<Upload>>> for Connect {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future =
        Pin<Box<dyn std::future::Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), BoxError>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<WaitingBody<Upload>>) -> Self::Future {
        let address = self.0;
        Box::pin(async move {
            let socket = PatientStream::new(TcpStream::connect(address).await?);
            let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
            tokio::spawn(connection);
            Ok(sender.send_request(request).await?)
        })
    }
}

fn request() -> Request<Upload> {
    Request::put("/")
        .header("host", "a")
        .body(full("hello"))
        .unwrap()
}

#[tokio::test]
async fn a_100_a_417_and_a_rejection() {
    let address = server(|number, mut peer| async move {
        let head = peer.head().await;
        assert_eq!(head.contains("expect: 100-continue"), number != 2);
        match number {
            0 => peer.say("HTTP/1.1 100 Continue\r\n\r\n").await,
            1 => {
                peer.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n")
                    .await;
                return;
            }
            2 => {}
            _ => {
                peer.say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")
                    .await;
                return;
            }
        }
        peer.body(5).await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
    })
    .await;
    let client = patient().no_memory().layer(Connect(address));
    for _ in 0..2 {
        let response = client.clone().oneshot(request()).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    let response = client.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let unsent = response.extensions().get::<Unsent<Upload>>().unwrap();
    assert!(unsent.take().is_some());
    assert_eq!(text(response).await, "no");
}
