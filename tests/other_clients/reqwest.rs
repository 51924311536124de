//! reqwest.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use reqwest::Client;
use tower::{Layer, Service, ServiceExt};
use tower_expect::client::{Event, ExpectContinueLayer};

use crate::{
    asking,
    server::{rejecting, Seen},
    BoxError, LENGTH,
};

#[tokio::test]
async fn an_expect_header_set_by_hand_is_sent_and_the_body_follows_at_once() {
    let (url, seen) = rejecting().await;
    let put = Client::new().put(&url).header("expect", "100-continue");
    let response = put.body(vec![0; LENGTH]).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let sent = Seen {
        expect: true,
        body_bytes: LENGTH,
    };
    assert_eq!(seen.await.unwrap(), sent);
}

#[tokio::test]
async fn a_layer_around_it_notices_that_it_hears_of_no_100() {
    let (url, seen) = rejecting().await;
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let layer = ExpectContinueLayer::new()
        .observe(move |event: &Event| told.lock().unwrap().push(event.clone()));
    let client = layer.layer(AsService(Client::new()));
    let body = reqwest::Body::from(vec![0; LENGTH]);
    let request = Request::put(&url).body(body).unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(seen.await.unwrap().body_bytes, LENGTH);
    let events = events.lock().unwrap();
    assert!(matches!(events[..], [Event::Unheard { .. }]), "{events:?}");
}

#[tokio::test]
async fn its_requests_and_responses_go_by_a_client_that_asks() {
    let (url, seen) = rejecting().await;
    let request = Client::new().put(&url).body(vec![0; LENGTH]).build();
    let request: Request<reqwest::Body> = request.unwrap().try_into().unwrap();
    let response = asking().oneshot(request).await.unwrap();
    let response: reqwest::Response = response.map(reqwest::Body::wrap).into();
    assert_eq!(response.status(), 403);
    assert_eq!(response.text().await.unwrap(), "");
    let sent = Seen {
        expect: true,
        body_bytes: 0,
    };
    assert_eq!(seen.await.unwrap(), sent);
}

/// Its own `Service` takes its own requests.
#[derive(Clone)]
struct AsService(Client);

impl<B> Service<Request<B>> for AsService
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
{
    type Response = Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, reqwest::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), reqwest::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.0.clone();
        let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap));
        Box::pin(async move { Ok(client.execute(request?).await?.into()) })
    }
}
