//! What a `.proto` file would be compiled to, and the service itself.

use std::convert::Infallible;

use tokio_stream::StreamExt;
use tonic::{
    body::Body,
    codegen::{http, BoxFuture, Context, Poll, Service},
    server::{ClientStreamingService, NamedService},
    Request, Response, Status, Streaming,
};
use tonic_prost::ProstCodec;

/// Adds up numbers as they come.
#[derive(Clone)]
pub(crate) struct Sum;

impl NamedService for Sum {
    const NAME: &'static str = "example.Sum";
}

impl Service<http::Request<Body>> for Sum {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut grpc = tonic::server::Grpc::new(ProstCodec::<u64, u64>::default());
        Box::pin(async move { Ok(grpc.client_streaming(Self, request).await) })
    }
}

impl ClientStreamingService<u64> for Sum {
    type Response = u64;
    type Future = BoxFuture<Response<u64>, Status>;

    fn call(&mut self, request: Request<Streaming<u64>>) -> Self::Future {
        let client = request.remote_addr();
        let mut numbers = request.into_inner();
        Box::pin(async move {
            let mut sum = 0;
            while let Some(number) = numbers.next().await {
                sum += number?;
            }
            let mut response = Response::new(sum);
            if let Some(client) = client {
                let client = client.ip().to_string().parse();
                let client = client.expect("an IP address is ASCII");
                response.metadata_mut().insert("client", client);
            }
            Ok(response)
        })
    }
}
