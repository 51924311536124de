//! tonic, over HTTP/2.

use axum::Router;
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::net::TcpListener;
use tonic::{body::Body, client::Grpc, transport::Endpoint, Code};
use tonic_prost::ProstCodec;
use tower::{Layer, ServiceExt};
use tower_expect::{
    client::{ExpectContinueLayer, WaitingBody},
    ExpectLayer, Rejection, RequestHead,
};

use crate::LENGTH;

#[tokio::test]
async fn a_layer_around_its_channel_leaves_its_requests_alone() {
    let reject = ExpectLayer::new(|head: &RequestHead| {
        assert!(!head.headers.contains_key("expect"));
        Err::<(), _>(Rejection::new(StatusCode::UNAUTHORIZED))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app: Router = Router::new().layer(reject);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let channel = Endpoint::from_shared(url).unwrap().connect().await.unwrap();
    let service = channel.map_request(|request: Request<WaitingBody<Body>>| request.map(Body::new));
    let mut client = Grpc::new(ExpectContinueLayer::new().layer(service));
    client.ready().await.unwrap();
    let message = tonic::Request::new(Bytes::from(vec![0; LENGTH]));
    let codec = ProstCodec::<Bytes, ()>::default();
    let response = client
        .unary(message, "/a.B/C".parse().unwrap(), codec)
        .await;
    assert_eq!(response.unwrap_err().code(), Code::Unauthenticated);
}
