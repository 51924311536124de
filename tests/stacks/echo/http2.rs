//! A raw HTTP/2 client that waits for the 100, then for each piece to come back before the next.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::{net::TcpStream, time::timeout};

use super::{app, grpc};
use crate::servers::SERVERS;

async fn converse(path: &str, pieces: &[Vec<u8>]) {
    let server = SERVERS.iter().find(|server| server.http2).unwrap();
    let address = server.start(app()).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("expect", "100-continue");
    let (mut response, mut sender) = client
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    let interim = poll_fn(|cx| response.poll_informational(cx)).await;
    let interim = interim.map(|interim| interim.unwrap().status());
    assert_eq!(interim, Some(StatusCode::CONTINUE));
    let mut back = None;
    for piece in pieces {
        sender
            .send_data(Bytes::copy_from_slice(piece), false)
            .unwrap();
        if back.is_none() {
            let response = (&mut response).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            back = Some(response.into_body());
        }
        let data = back.as_mut().unwrap().data().await.unwrap().unwrap();
        assert_eq!(data, piece);
    }
    sender.send_data(Bytes::new(), true).unwrap();
    while let Some(data) = back.as_mut().unwrap().data().await {
        assert_eq!(data.unwrap(), "");
    }
}

async fn converse_in_time(path: &str, pieces: [Vec<u8>; 3]) {
    for _ in 0..20 {
        let conversation = timeout(Duration::from_secs(5), converse(path, &pieces));
        conversation.await.expect("a 100 and each piece back");
    }
}

#[tokio::test]
async fn an_echo_over_http_2_invites_its_client() {
    converse_in_time("/echo", ["one", "two", "three"].map(Vec::from)).await;
}

#[tokio::test]
async fn a_relay_over_http_2_invites_its_client() {
    converse_in_time("/relay", ["one", "two", "three"].map(Vec::from)).await;
}

#[tokio::test]
async fn a_call_over_http_2_with_streams_in_both_directions_invites_its_client() {
    converse_in_time(grpc::PATH, ["one", "two", "three"].map(grpc::message)).await;
}
