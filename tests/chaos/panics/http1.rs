//! Over HTTP/1.1 on hyper: the connection is closed, or a `CatchPanicLayer` outside answers.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tower_expect::LingerEnd;
use tower_http::catch_panic::CatchPanicLayer;

use super::{app, readings, Place, Seen, PLACES};
use crate::support::{count_panics, panics, Client};

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

fn head(path: &str, reject: bool) -> String {
    let reject = if reject { "x-reject: yes\r\n" } else { "" };
    let expect = "host: a\r\nexpect: 100-continue\r\ncontent-length: 10\r\n";
    format!("PUT {path} HTTP/1.1\r\n{expect}{reject}\r\n")
}

/// The body of an expecting client is dropped before the response, and that is told.
fn seen_here(place: Place, seen: Seen) -> Seen {
    match place {
        Place::ObserverOfLingering | Place::ObserverOfLingered => Seen::Nothing,
        _ => seen,
    }
}

/// How many bodies were dropped or drained, and that told, by the time of the panic or for it.
fn readings_of(place: Place) -> usize {
    match place {
        // The first two are dropped before the response; the others are owed by the client, and so
        // drained although there is no response.
        Place::ResponseBody
        | Place::ObserverOfNeverRead
        | Place::HandlerThatHasReadSome
        | Place::ObserverOfContinued => 1,
        _ => 0,
    }
}

/// What the client receives, up to the end of the connection, which must be in order.
async fn receive(address: SocketAddr, place: Place, head: &str) -> String {
    let mut client = Client::to(address).await;
    client.send(head).await;
    if [Place::HandlerThatHasReadSome, Place::ObserverOfContinued].contains(&place) {
        client.receive_text("HTTP/1.1 100 Continue\r\n\r\n").await;
        client.send("hello").await;
    }
    let (seen, in_order) = client.rest().await;
    assert!(in_order, "{place:?}");
    seen
}

#[tokio::test]
async fn a_panic_closes_its_connection_and_the_next_client_is_served() {
    count_panics();
    for (number, (place, path, reject, seen)) in PLACES.into_iter().enumerate() {
        let (app, ends) = app(place);
        let address = serve(app).await;
        let received = receive(address, place, &head(path, reject)).await;
        match seen_here(place, seen) {
            Seen::Nothing | Seen::NothingEver => assert_eq!(received, "", "{place:?}"),
            Seen::Answer(status) => {
                let start = format!("HTTP/1.1 {status} ");
                assert!(received.starts_with(&start), "{place:?}: {received}");
            }
        }
        assert_eq!(panics(), number + 1, "{place:?}");
        let before = readings_of(place);
        readings(&ends, before).await;
        assert_next_is_served(address, place).await;
        // The one place among the drains was free again.
        let ends = readings(&ends, before + 1).await;
        assert_eq!(ends.last(), Some(&LingerEnd::Complete), "{place:?}");
    }
}

#[tokio::test]
async fn a_layer_outside_that_catches_panics_answers_where_it_can() {
    count_panics();
    for (number, (place, path, reject, seen)) in PLACES.into_iter().enumerate() {
        let (app, _) = app(place);
        let address = serve(app.layer(CatchPanicLayer::new())).await;
        let received = receive(address, place, &head(path, reject)).await;
        match seen_here(place, seen) {
            Seen::Nothing => {
                let start = "HTTP/1.1 500 Internal Server Error\r\n";
                assert!(received.starts_with(start), "{place:?}: {received}");
                assert!(received.ends_with("\r\n\r\nService panicked"), "{received}");
            }
            Seen::NothingEver => assert_eq!(received, "", "{place:?}"),
            Seen::Answer(status) => {
                let start = format!("HTTP/1.1 {status} ");
                assert!(received.starts_with(&start), "{place:?}: {received}");
            }
        }
        assert_eq!(panics(), number + 1, "{place:?}");
        assert_next_is_served(address, place).await;
    }
}

/// Neither a lock nor a place is lost: uploads go in, and rejections out.
async fn assert_next_is_served(address: SocketAddr, place: Place) {
    let mut client = Client::to(address).await;
    client.send(head("/", false)).await;
    client.receive_text("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("0123456789").await;
    client.receive_text("HTTP/1.1 200 OK\r\n").await;
    client.receive_text("\r\n\r\n10").await;
    let rejected = "x-reject: yes\r\ntransfer-encoding: chunked";
    client
        .send(format!("PUT / HTTP/1.1\r\nhost: a\r\n{rejected}\r\n\r\n"))
        .await;
    client.send("5\r\nhello\r\n0\r\n\r\n").await;
    let (rejection, in_order) = client.rest().await;
    let is_rejected = rejection.starts_with("HTTP/1.1 403 Forbidden\r\n");
    assert!(is_rejected && in_order, "{place:?}: {rejection}");
}
