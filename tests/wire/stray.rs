//! No 100 strays out when outer layers take the response apart or give up on it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{task::JoinSet, time::sleep};
use tower::{util::BoxCloneSyncService, Layer, Service, ServiceBuilder};
use tower_expect::{ExpectLayer, Rejection, RequestHead, ResponseBody};
use tower_http::{compression::CompressionLayer, timeout::TimeoutLayer};

use crate::{
    app::{Answer, App},
    support::{layer, quick, serve_http1, statuses, tries, Message, Wire},
};

const PAUSE: Duration = Duration::from_millis(5);

/// What an outer layer does to the response.
#[derive(Clone, Copy, Debug)]
enum Outer {
    AwaitsThenCollects,
    CollectsThenAwaits,
    DropsThenAwaits,
    AwaitsThenDrops,
    PollsOnceThenAwaits,
}

impl Outer {
    async fn apply<B>(self, response: Response<B>) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Debug,
    {
        let (parts, mut body) = response.into_parts();
        let begun = Instant::now();
        let content = match self {
            Self::AwaitsThenCollects => {
                sleep(PAUSE).await;
                body.collect().await.unwrap().to_bytes()
            }
            Self::CollectsThenAwaits => {
                let content = body.collect().await.unwrap().to_bytes();
                sleep(PAUSE).await;
                content
            }
            Self::DropsThenAwaits => {
                drop(body);
                sleep(PAUSE).await;
                Bytes::from_static(b"replaced")
            }
            Self::AwaitsThenDrops => {
                sleep(PAUSE).await;
                drop(body);
                Bytes::from_static(b"replaced")
            }
            Self::PollsOnceThenAwaits => {
                body.frame().await;
                sleep(PAUSE).await;
                Bytes::from_static(b"replaced")
            }
        };
        let mut response = Response::from_parts(parts, Full::new(content));
        let headers = response.headers_mut();
        headers.remove("content-length");
        let paused = u64::try_from(begun.elapsed().as_millis()).unwrap();
        headers.insert("x-paused", paused.into());
        response
    }
}

const OUTERS: [Outer; 5] = [
    Outer::AwaitsThenCollects,
    Outer::CollectsThenAwaits,
    Outer::DropsThenAwaits,
    Outer::AwaitsThenDrops,
    Outer::PollsOnceThenAwaits,
];

type Boxed = BoxCloneSyncService<Request<Incoming>, Answer, Infallible>;

fn wrapped(outer: Outer) -> Boxed {
    let service = ServiceBuilder::new()
        .and_then(move |response| async move { Ok(outer.apply(response).await) })
        .layer(layer())
        .service(App::new());
    BoxCloneSyncService::new(service)
}

#[derive(Clone, Copy, Debug)]
enum Client {
    Silent,
    SendsAfterTheAnswer,
    SendsAtOnce,
}

const CLIENTS: [Client; 3] = [
    Client::Silent,
    Client::SendsAfterTheAnswer,
    Client::SendsAtOnce,
];

/// All messages that come for a request with five bytes of content.
async fn received(address: SocketAddr, request: &str, client: Client) -> Vec<Message> {
    let mut wire = Wire::to(address).await;
    match client {
        Client::Silent => wire.send(request).await,
        Client::SendsAtOnce => wire.send(format!("{request}hello")).await,
        Client::SendsAfterTheAnswer => {
            wire.send(request).await;
            let answer = wire.next().await;
            // Fails if the server has closed by now, which is as good.
            _ = wire.try_send("hello").await;
            let mut answers = wire.rest(true).await;
            answers.insert(0, answer);
            return answers;
        }
    }
    wire.rest(!request.starts_with("HEAD")).await
}

/// Whether an outer layer has slept so long that the layer need not have waited for it. Busy machines
/// make 20 ms of 5.
fn overslept(messages: &[Message]) -> bool {
    let paused = messages.last().and_then(|answer| answer.field("x-paused"));
    paused.is_some_and(|paused| paused.parse::<u64>().unwrap() > 10)
}

/// The statuses in a try whose timing says something.
async fn fair_try(address: SocketAddr, request: &str, client: Client) -> Vec<u16> {
    for _ in 0..50 {
        let messages = received(address, request, client).await;
        if !overslept(&messages) {
            return statuses(&messages);
        }
    }
    panic!("the machine is too busy to tell");
}

/// Runs that with each kind of client, the tries at the same time.
async fn only(address: SocketAddr, request: &str, status: u16, what: &str) {
    for client in CLIENTS {
        if request.starts_with("HEAD") && matches!(client, Client::SendsAfterTheAnswer) {
            continue;
        }
        let mut runs = JoinSet::new();
        for _ in 0..tries(20) {
            let request = request.to_owned();
            runs.spawn(async move { fair_try(address, &request, client).await });
        }
        for statuses in runs.join_all().await {
            assert_eq!(statuses, [status], "{what} {client:?} {request:?}");
        }
    }
}

fn expecting(start: &str, fields: &str) -> String {
    let common = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";
    format!("{start} HTTP/1.1\r\n{common}{fields}\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_100_strays_out_when_an_outer_layer_takes_a_rejection_apart() {
    for outer in OUTERS {
        let address = serve_http1(wrapped(outer)).await;
        for start in ["POST /sink", "HEAD /sink"] {
            let request = expecting(start, "x-reject: 401\r\n");
            only(address, &request, 401, &format!("{outer:?}")).await;
        }
        let unknown = expecting("POST /sink", "Expect: foo\r\nExpect: 100-continue\r\n");
        only(address, &unknown, 417, &format!("{outer:?}")).await;
    }
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_100_strays_out_when_an_outer_layer_takes_an_early_answer_apart() {
    for outer in OUTERS {
        let address = serve_http1(wrapped(outer)).await;
        for path in ["/early", "/early-later"] {
            let request = expecting(&format!("POST {path}"), "");
            only(address, &request, 409, &format!("{outer:?}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_100_strays_out_when_a_compressing_layer_is_outside() {
    let service = ServiceBuilder::new()
        .layer(CompressionLayer::new())
        .layer(layer())
        .service(App::new());
    let address = serve_http1(service).await;
    let fields = "x-reject: 401\r\nAccept-Encoding: gzip\r\n";
    only(
        address,
        &expecting("POST /sink", fields),
        401,
        "compression",
    )
    .await;
}

/// A service that answers with 408 if the one inside takes longer than 20 ms.
fn impatient<S>(
    service: S,
) -> impl Service<
    Request<Incoming>,
    Response = Response<axum::body::Body>,
    Error = Infallible,
    Future: Send,
> + Clone
       + Send
where
    S: Service<
            Request<Incoming>,
            Response = Response<ResponseBody<Full<Bytes>>>,
            Error = Infallible,
        > + Clone
        + Send,
    S::Future: Send,
{
    ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_millis(20),
        ))
        .map_response(|response: Response<_>| response.map(axum::body::Body::new))
        .service(service)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_100_strays_out_when_an_outer_layer_gives_up_on_the_response() {
    let hangs = quick(ExpectLayer::new_async(|_: &RequestHead| async {
        std::future::pending::<Result<(), Rejection>>().await
    }));
    let validating = serve_http1(impatient(hangs.layer(App::new()))).await;
    let handling = serve_http1(impatient(layer().layer(App::new()))).await;
    let request = expecting("POST /never", "Connection: close\r\n");
    only(validating, &request, 408, "validator").await;
    only(handling, &request, 408, "handler").await;
}

/// Without `Connection: close` in the 408, content that was read on could hide a request.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn nothing_is_read_on_when_an_outer_layer_gives_up_on_the_response() {
    use tower_expect::Linger;

    let day = Duration::from_secs(86_400);
    let patient = Linger::default().first_byte(day).idle(day).total(day);
    let hangs = ExpectLayer::new_async(|_: &RequestHead| async {
        std::future::pending::<Result<(), Rejection>>().await
    });
    let hangs = hangs.linger(patient.clone());
    let validating = serve_http1(impatient(hangs.layer(App::new()))).await;
    let layer = ExpectLayer::default().linger(patient);
    let handling = serve_http1(impatient(layer.layer(App::new()))).await;
    for address in [validating, handling] {
        let mut wire = Wire::to(address).await;
        wire.send(expecting("POST /never", "")).await;
        assert_eq!(wire.next().await.status(), 408);
        wire.end().await;
    }
}
