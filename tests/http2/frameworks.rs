//! tonic over this server, with tonic's own client.

use std::{convert::Infallible, task::Context, task::Poll};

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tonic::{
    body::Body,
    server::{ClientStreamingService, Grpc, NamedService},
    service::Routes,
    transport::Endpoint,
    Code, Status, Streaming,
};
use tonic_prost::ProstCodec;
use tower::{Layer, Service};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::support::within;

/// Adds up numbers as they come; a negative one ends it.
#[derive(Clone)]
struct Sum;

impl NamedService for Sum {
    const NAME: &'static str = "test.Sum";
}

impl Service<Request<Body>> for Sum {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::pin::Pin<
        Box<dyn std::future::Future<Output = Result<Response<Body>, Infallible>> + Send>,
    >;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async {
            let mut grpc = Grpc::new(ProstCodec::<i64, i64>::default());
            Ok(grpc.client_streaming(Self, request).await)
        })
    }
}

impl ClientStreamingService<i64> for Sum {
    type Response = i64;
    type Future = std::pin::Pin<
        Box<dyn std::future::Future<Output = Result<tonic::Response<i64>, Status>> + Send>,
    >;

    fn call(&mut self, request: tonic::Request<Streaming<i64>>) -> Self::Future {
        Box::pin(async {
            let mut numbers = request.into_inner();
            let mut sum = 0;
            while let Some(number) = numbers.next().await {
                match number? {
                    number if number < 0 => return Err(Status::out_of_range("negative")),
                    number => sum += number,
                }
            }
            Ok(tonic::Response::new(sum))
        })
    }
}

async fn sum(token: bool, numbers: Vec<i64>) -> Result<i64, Status> {
    let rule = |head: &RequestHead| match head.headers.contains_key("token") {
        true => Ok(()),
        false => Err(Rejection::unauthorized("Bearer")),
    };
    let layer = ExpectLayer::new(rule);
    let service = layer.layer(Routes::new(Sum));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let server = tower_expect::serve(listener, service);
    tokio::spawn(std::future::IntoFuture::into_future(server));

    let channel = Endpoint::try_from(address).expect("valid").connect().await;
    let mut client = tonic::client::Grpc::new(channel.expect("listening"));
    client.ready().await.expect("open");
    let mut request = tonic::Request::new(tokio_stream::iter(numbers));
    if token {
        request
            .metadata_mut()
            .insert("token", "1".parse().expect("ASCII"));
    }
    let path = http::uri::PathAndQuery::from_static("/test.Sum/Add");
    let codec = ProstCodec::<i64, i64>::default();
    let answer = client.client_streaming(request, path, codec);
    Ok(within(10, answer).await?.into_inner())
}

#[tokio::test]
async fn tonic_streams_messages_to_its_end() {
    assert_eq!(
        sum(true, (0..50_000).collect()).await.expect("summed"),
        1_249_975_000
    );
}

#[tokio::test]
async fn tonic_sees_the_statuses_of_its_service_and_of_the_layer() {
    let mut numbers: Vec<_> = (0..50_000).collect();
    numbers[10] = -1;
    let status = sum(true, numbers.clone()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::OutOfRange, "negative")
    );
    let status = sum(false, numbers).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}
