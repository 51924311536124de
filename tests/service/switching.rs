//! A 101: what is unread of the request's body would be read as the new protocol (RFC 9110 §7.8).

use bytes::Bytes;
use http::{request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower_expect::{ExpectLayer, Linger, ResponseBody};

use crate::support::{
    connection, content, counted_signal, expecting, fed, pass, post, start, Broken, FedBody, Feed,
    InFlight,
};

type Exchange = InFlight<FedBody, Full<Bytes>>;

fn sent(layer: &ExpectLayer, request: request::Builder) -> (Feed, Exchange) {
    let (feed, body) = fed();
    (
        feed,
        start(layer, request.header("upgrade", "x").body(body).unwrap()),
    )
}

fn switch() -> Response<Full<Bytes>> {
    let response = Response::builder().status(101);
    let response = response
        .header("connection", "upgrade")
        .header("upgrade", "x");
    response.body(Full::default()).unwrap()
}

fn assert_switches<B>(response: &Response<B>) {
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(connection(response), Some("upgrade"));
    assert_eq!(response.headers()["upgrade"], "x");
}

fn assert_fails(response: Response<ResponseBody<Full<Bytes>>>, what: &str) {
    assert_eq!(response.status(), 500, "{what}");
    assert_eq!(connection(&response), Some("close"), "{what}");
    assert!(!response.headers().contains_key("upgrade"), "{what}");
    let text = content(response.into_body());
    assert!(text.ends_with(b"unread\n"), "{what}: {text:?}");
}

#[tokio::test(start_paused = true)]
async fn the_body_is_drained_before_it_which_sends_the_100() {
    let socket = ExpectLayer::default().linger(Linger::at_socket());
    for layer in [&ExpectLayer::default(), &socket] {
        for request in [expecting(Version::HTTP_11), post(Version::HTTP_11)] {
            let (mut feed, mut exchange) = sent(layer, request);
            drop(exchange.request);
            exchange.respond.send_response(switch());
            assert_pending!(exchange.future.poll());
            assert_eq!((feed.polls(), feed.drops()), (1, 0), "hyper sends the 100");
            pass(400).await;
            feed.data(1_000_000);
            pass(4_900).await;
            feed.end();
            let response = exchange.future.await.unwrap();
            assert_switches(&response);
            assert_eq!((feed.polls(), feed.drops()), (3, 1));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_a_signal_it_is_fired_for_that() {
    let (signal, sent_100) = counted_signal();
    let request = expecting(Version::HTTP_11).extension(signal);
    let (mut feed, mut exchange) = sent(&ExpectLayer::default(), request);
    drop(exchange.request);
    exchange.respond.send_response(switch());
    assert_pending!(exchange.future.poll());
    assert_eq!(sent_100(), 1);
    feed.end();
    assert_switches(&exchange.future.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_read_to_its_end_lets_it_pass_at_once() {
    let (mut feed, mut exchange) = sent(&ExpectLayer::default(), expecting(Version::HTTP_11));
    feed.end();
    assert!(assert_ready!(task::spawn(exchange.request.body_mut().frame()).poll()).is_none());
    drop(exchange.request);
    exchange.respond.send_response(switch());
    assert_switches(&assert_ready_ok!(exchange.future.poll()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_cannot_be_drained_whole_makes_it_a_500() {
    let total = Linger::default().total(std::time::Duration::from_millis(300));
    let default = ExpectLayer::default;
    let limited = default().linger(Linger::default().max_bytes(4));
    let brief = default().linger(total);
    let nothing: fn(&Feed) = |_| {};
    let five: fn(&Feed) = |feed| feed.data(5);
    let breaks: fn(&Feed) = |feed| feed.item(Err(Broken));
    for (name, layer, request, sends) in [
        ("silent", &default(), expecting(Version::HTTP_11), nothing),
        ("silent", &default(), post(Version::HTTP_11), nothing),
        ("idle", &default(), expecting(Version::HTTP_11), five),
        ("idle", &default(), post(Version::HTTP_11), five),
        ("too long", &limited, expecting(Version::HTTP_11), five),
        ("too late", &brief, post(Version::HTTP_11), five),
        ("broken", &default(), expecting(Version::HTTP_11), breaks),
        ("broken", &default(), post(Version::HTTP_11), breaks),
        (
            "never",
            &default().no_linger(),
            expecting(Version::HTTP_11),
            five,
        ),
    ] {
        let (feed, exchange) = sent(layer, request);
        drop(exchange.request);
        sends(&feed);
        exchange.respond.send_response(switch());
        let response = exchange.future.await.unwrap();
        assert_fails(response, name);
    }
}

#[tokio::test(start_paused = true)]
async fn so_does_a_short_one_that_its_client_owes() {
    let request = post(Version::HTTP_11).header("content-length", "5");
    let (_feed, exchange) = sent(&ExpectLayer::default(), request);
    drop(exchange.request);
    exchange.respond.send_response(switch());
    let response = exchange.future.await.unwrap();
    assert_fails(response, "it could not be read before either");
}

#[tokio::test(start_paused = true)]
async fn so_does_one_that_is_held() {
    let requests: [fn(Version) -> request::Builder; 2] = [expecting, post];
    for request in requests {
        for polls in 0..2 {
            let request = request(Version::HTTP_11);
            let what = format!("{request:?}, {polls}");
            let (_feed, mut exchange) = sent(&ExpectLayer::default(), request);
            for _ in 0..polls {
                assert_pending!(task::spawn(exchange.request.body_mut().frame()).poll());
            }
            exchange.respond.send_response(switch());
            let response = exchange.future.await.unwrap();
            assert_fails(response, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn on_http_2_there_is_no_101_and_nothing_is_made_of_it() {
    let (feed, mut exchange) = sent(&ExpectLayer::default(), post(Version::HTTP_2));
    drop(exchange.request);
    exchange.respond.send_response(switch());
    assert_eq!(assert_ready_ok!(exchange.future.poll()).status(), 101);
    assert_eq!(feed.polls(), 0);
}
