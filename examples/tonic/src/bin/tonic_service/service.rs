//! Messages and service, written by hand in the form that `tonic-prost-build` gives them for
//! `service Files { rpc Upload(stream Chunk) returns (Receipt); }`.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::http;
use tonic::{
    body::Body,
    server::{Grpc, NamedService},
    Request, Response, Status, Streaming,
};
use tonic_prost::ProstCodec;
use tower::{service_fn, Service};

/// Bytes of one upload.
pub(crate) const LIMIT: u64 = 10 << 20;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Chunk {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Receipt {
    #[prost(uint64, tag = "1")]
    pub(crate) received: u64,
}

#[derive(Clone)]
pub(crate) struct Files;

impl NamedService for Files {
    const NAME: &'static str = "example.Files";
}

impl Service<http::Request<Body>> for Files {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            match request.uri().path() {
                "/example.Files/Upload" => {
                    let mut grpc = Grpc::new(ProstCodec::default());
                    Ok(grpc.client_streaming(service_fn(upload), request).await)
                }
                _ => Ok(Status::unimplemented("no such method").into_http()),
            }
        })
    }
}

async fn upload(request: Request<Streaming<Chunk>>) -> Result<Response<Receipt>, Status> {
    let mut chunks = request.into_inner();
    let mut received = 0;
    while let Some(chunk) = chunks.message().await? {
        received += chunk.data.len() as u64;
        if received > LIMIT {
            let message = format!("send at most {LIMIT} bytes");
            return Err(Status::resource_exhausted(message));
        }
    }
    Ok(Response::new(Receipt { received }))
}
