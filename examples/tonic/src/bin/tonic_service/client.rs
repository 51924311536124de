//! The client's side of the service.

use axum::http::uri::PathAndQuery;
use tonic::{client::Grpc, transport::Channel, Request, Status};
use tonic_prost::ProstCodec;

use super::service::{Chunk, Receipt};

/// Uploads zeros in chunks of 1 MiB.
pub(crate) async fn upload(
    channel: &Channel,
    token: Option<&str>,
    mebibytes: usize,
) -> Result<Receipt, Status> {
    let chunk = || Chunk {
        data: vec![0; 1 << 20],
    };
    let chunks = std::iter::repeat_with(chunk).take(mebibytes);
    let chunks: Vec<Chunk> = chunks.collect();
    let mut request = Request::new(tokio_stream::iter(chunks));
    let metadata = request.metadata_mut();
    metadata.insert("upload-size", (mebibytes << 20).into());
    if let Some(token) = token {
        let credentials = format!("Bearer {token}").parse();
        let credentials = credentials.map_err(|_| Status::invalid_argument("not a token"))?;
        metadata.insert("authorization", credentials);
    }
    let mut grpc = Grpc::new(channel.clone());
    let ready = grpc.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static("/example.Files/Upload");
    let codec = ProstCodec::<Chunk, Receipt>::default();
    let response = grpc.client_streaming(request, path, codec).await?;
    Ok(response.into_inner())
}
