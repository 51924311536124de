//! `tonic_service`: rejections are statuses.

use tokio::net::TcpListener;
use tonic::{
    transport::{Channel, Endpoint},
    Code,
};

#[path = "../src/bin/tonic_service/main.rs"]
#[allow(dead_code, reason = "main is for `cargo run`")]
mod tonic_service;

use tonic_service::{
    client::upload,
    serve,
    service::{Chunk, Receipt},
};

async fn channel() -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener));
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    endpoint.connect().await.unwrap()
}

#[tokio::test]
async fn an_upload_with_a_token_is_received() {
    let receipt = upload(&channel().await, Some("s3cr3t"), 3).await.unwrap();
    assert_eq!(receipt.received, 3 << 20);
}

#[tokio::test]
async fn rejections_are_statuses_and_the_channel_goes_on() {
    let channel = channel().await;
    let status = upload(&channel, None, 3).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "repeat the request with a Bearer token");
    let status = upload(&channel, Some("wrong"), 3).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = upload(&channel, Some("s3cr3t"), 11).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.message(), "send at most 10485760 bytes");
    assert!(upload(&channel, Some("s3cr3t"), 10).await.is_ok());
}

/// So that a client made from a `.proto` file can talk to the service.
#[test]
fn messages_are_encoded_as_their_proto_file_says() {
    use prost::Message;

    let data = b"ab".to_vec();
    assert_eq!(Chunk { data }.encode_to_vec(), b"\x0a\x02ab");
    assert_eq!(Receipt { received: 5 }.encode_to_vec(), b"\x08\x05");
}
