//! A call of tonic's with a stream of messages in both directions, written by hand: it sends back each.

use std::{future::ready, pin::Pin, time::Duration};

use axum::{body::Body, extract::Request, response::Response, routing::post, Router};
use http::uri::PathAndQuery;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{wrappers::UnboundedReceiverStream, Stream, StreamExt};
use tonic::{
    server::{Grpc, StreamingService},
    transport::Channel,
    Status, Streaming,
};
use tonic_prost::ProstCodec;

use super::app;
use crate::servers::SERVERS;

pub(super) const PATH: &str = "/test.Echo/Both";

#[derive(Clone, PartialEq, prost::Message)]
struct Piece {
    #[prost(string, tag = "1")]
    text: String,
}

/// A message as it goes over the wire.
pub(super) fn message(text: &str) -> Vec<u8> {
    let text = text.to_owned();
    let message = prost::Message::encode_to_vec(&Piece { text });
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &message].concat()
}

struct Echo;

impl StreamingService<Piece> for Echo {
    type Response = Piece;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Piece, Status>> + Send>>;
    type Future = std::future::Ready<Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<Piece>>) -> Self::Future {
        ready(Ok(tonic::Response::new(Box::pin(request.into_inner()))))
    }
}

pub(super) fn routes() -> Router {
    Router::new().route(PATH, post(both))
}

async fn both(request: Request) -> Response {
    let mut grpc = Grpc::new(ProstCodec::default());
    grpc.streaming(Echo, request).await.map(Body::new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tonics_own_client_has_each_message_back_before_the_next() {
    let server = SERVERS.iter().find(|server| server.http2).unwrap();
    let address = server.start(app()).await;
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    let (sender, pieces) = mpsc::unbounded_channel();
    let mut request = tonic::Request::new(UnboundedReceiverStream::new(pieces));
    request
        .metadata_mut()
        .insert("expect", "100-continue".parse().unwrap());
    let codec = ProstCodec::<Piece, Piece>::default();
    let conversation = async {
        let response = client
            .streaming(request, PathAndQuery::from_static(PATH), codec)
            .await;
        let mut back = response.unwrap().into_inner();
        for text in ["one", "two", "three"] {
            let text = text.to_owned();
            sender.send(Piece { text: text.clone() }).unwrap();
            assert_eq!(back.next().await.unwrap().unwrap(), Piece { text });
        }
        drop(sender);
        assert!(back.next().await.is_none());
    };
    timeout(Duration::from_secs(5), conversation)
        .await
        .expect("a conversation");
}
