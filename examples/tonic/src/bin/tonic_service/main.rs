//! A gRPC service on tonic: a rejection is a `Status`, sent before the first message is read.
//!
//! Run with `cargo run -p tonic_examples --bin tonic_service`: server and client are in one process.

pub(crate) mod client;
pub(crate) mod service;

use std::error::Error;

use axum::http::StatusCode;
use tokio::net::TcpListener;
use tonic::transport::{self, server::TcpIncoming, Endpoint, Server};
use tower_expect::{rules, ExpectLayer, Rejection, RequestHead};

use self::service::{Files, LIMIT};

pub(crate) async fn serve(listener: TcpListener) -> Result<(), transport::Error> {
    let rule = rules::bearer_token("s3cr3t").and(upload_size);
    Server::builder()
        .layer(ExpectLayer::new(rule))
        .add_service(Files)
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
}

/// gRPC has no `Content-Length`, so this service has its clients announce the size.
fn upload_size(head: &RequestHead) -> Result<(), Rejection> {
    let size = head.headers.get("upload-size");
    match size.and_then(|size| size.to_str().ok()?.parse().ok()) {
        Some(0..=LIMIT) => Ok(()),
        Some(_) => Err(Rejection::content_too_large(LIMIT)),
        None => Err(Rejection::new(StatusCode::BAD_REQUEST)
            .with_message("announce the number of bytes as upload-size")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(listener));
    let channel = Endpoint::try_from(address)?.connect().await?;

    for (token, mebibytes) in [(None, 3), (Some("s3cr3t"), 11), (Some("s3cr3t"), 3)] {
        print!("{mebibytes} MiB, token {token:?}: ");
        match client::upload(&channel, token, mebibytes).await {
            Ok(receipt) => println!("received {} bytes", receipt.received),
            Err(status) => println!("{:?}, {}", status.code(), status.message()),
        }
    }
    Ok(())
}
