//! What tonic's clients get past the limit.

use std::{error::Error, net::SocketAddr};

use http_body_util::LengthLimitError;
use tonic::{codegen::http::uri::PathAndQuery, Code, Status};
use tonic_prost::ProstCodec;
use tower_expect::{rules, ExpectLayer, Validator};

use crate::{
    app::App,
    service::{client, serve_grpc, serve_grpc_with, upload, Length, Piece, UNARY},
    support::soon,
};

async fn upload_one(address: SocketAddr, piece: Piece) -> Result<u64, Status> {
    let path = PathAndQuery::from_static(UNARY);
    let codec = ProstCodec::<Piece, Length>::default();
    let mut client = client(address).await;
    let response = client
        .unary(tonic::Request::new(piece), path, codec)
        .await?;
    Ok(response.into_inner().bytes)
}

fn limited() -> ExpectLayer<impl Validator> {
    ExpectLayer::new(rules::content_length(..=100_000))
}

fn piece(len: usize) -> Piece {
    Piece { data: vec![0; len] }
}

fn pieces(count: usize) -> tonic::Request<Vec<Piece>> {
    tonic::Request::new(vec![piece(10_000); count])
}

#[tokio::test]
async fn tonic_takes_what_is_within_the_limit() {
    let address = serve_grpc(limited(), App::new()).await;
    let bytes = soon("no status", upload(address, pieces(9))).await;
    assert_eq!(bytes.unwrap(), 90_000);
    let bytes = soon("no status", upload_one(address, piece(90_000))).await;
    assert_eq!(bytes.unwrap(), 90_000);
}

#[tokio::test]
async fn tonic_by_itself_says_unknown_past_the_limit() {
    let address = serve_grpc(limited(), App::new()).await;
    for status in [
        soon("no status", upload(address, pieces(800))).await,
        soon("no status", upload_one(address, piece(3_000_000))).await,
    ] {
        let status = status.unwrap_err();
        assert_eq!(status.code(), Code::Unknown);
        assert_eq!(status.message(), "length limit exceeded");
    }
}

fn by_cause(status: Status) -> Status {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&status);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Status::resource_exhausted("send at most 100000 bytes");
        }
        cause = error.source();
    }
    status
}

#[tokio::test]
async fn a_streaming_handler_of_tonic_says_resource_exhausted_by_the_cause() {
    let address = serve_grpc_with(limited(), App::new(), by_cause).await;
    let status = soon("no status", upload(address, pieces(800))).await;
    assert_eq!(status.unwrap_err().code(), Code::ResourceExhausted);
}
