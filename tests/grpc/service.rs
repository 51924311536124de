//! A tonic service written by hand: calls that take a message, or a stream of them, and add their lengths.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use http::{uri::PathAndQuery, Request, Response};
use tokio_stream::{wrappers::TcpListenerStream, StreamExt};
use tonic::{
    body::Body,
    server::{ClientStreamingService, NamedService, UnaryService},
    transport::{Channel, Server},
    Status, Streaming,
};
use tonic_prost::ProstCodec;
use tower::Service;
use tower_expect::{ExpectLayer, Validator};

use crate::{app::App, support::listen};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Piece {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Length {
    #[prost(uint64, tag = "1")]
    pub(crate) bytes: u64,
}

const STREAMING: &str = "/test.Uploads/Upload";
pub(crate) const UNARY: &str = "/test.Uploads/UploadOne";

#[derive(Clone)]
struct Uploads {
    app: App,
    /// What becomes of an error of the stream.
    on_error: fn(Status) -> Status,
}

impl NamedService for Uploads {
    const NAME: &'static str = "test.Uploads";
}

type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl ClientStreamingService<Piece> for Uploads {
    type Response = Length;
    type Future = Boxed<tonic::Response<Length>, Status>;

    fn call(&mut self, request: tonic::Request<Streaming<Piece>>) -> Self::Future {
        let mut pieces = request.into_inner();
        let on_error = self.on_error;
        Box::pin(async move {
            let mut bytes = 0;
            while let Some(piece) = pieces.next().await {
                bytes += piece.map_err(on_error)?.data.len() as u64;
            }
            Ok(tonic::Response::new(Length { bytes }))
        })
    }
}

impl UnaryService<Piece> for Uploads {
    type Response = Length;
    type Future = Boxed<tonic::Response<Length>, Status>;

    fn call(&mut self, request: tonic::Request<Piece>) -> Self::Future {
        let bytes = request.into_inner().data.len() as u64;
        Box::pin(async move { Ok(tonic::Response::new(Length { bytes })) })
    }
}

impl Service<Request<Body>> for Uploads {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let uploads = self.clone();
        uploads.app.count();
        Box::pin(async {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::default());
            Ok(match request.uri().path() {
                UNARY => grpc.unary(uploads, request).await,
                _ => grpc.client_streaming(uploads, request).await,
            })
        })
    }
}

/// tonic's server with the layer around all its services.
pub(crate) async fn serve_grpc<V: Validator>(layer: ExpectLayer<V>, app: App) -> SocketAddr {
    serve_grpc_with(layer, app, |error| error).await
}

pub(crate) async fn serve_grpc_with<V: Validator>(
    layer: ExpectLayer<V>,
    app: App,
    on_error: fn(Status) -> Status,
) -> SocketAddr {
    let (listener, address) = listen().await;
    let uploads = Uploads { app, on_error };
    let server = Server::builder().layer(layer).add_service(uploads);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

pub(crate) async fn client(address: SocketAddr) -> tonic::client::Grpc<Channel> {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let mut client = tonic::client::Grpc::new(channel.connect().await.unwrap());
    client.ready().await.unwrap();
    client
}

/// Uploads by tonic's client.
pub(crate) async fn upload(
    address: SocketAddr,
    request: tonic::Request<Vec<Piece>>,
) -> Result<u64, Status> {
    let path = PathAndQuery::from_static(STREAMING);
    let codec = ProstCodec::<Piece, Length>::default();
    let request = request.map(tokio_stream::iter);
    let mut client = client(address).await;
    let response = client.client_streaming(request, path, codec).await?;
    Ok(response.into_inner().bytes)
}
