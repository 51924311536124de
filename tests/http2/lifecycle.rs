//! The ends of streams and of connections that are no answers.

use std::{convert::Infallible, future::pending, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tower::util::BoxCloneService;
use tower_expect::http2::{Builder, RequestBody};

use crate::support::{
    answering, client, collect, expecting, put, read, send, within, Client, Raw, DATA,
    ENHANCE_YOUR_CALM, HEADERS, INTERNAL_ERROR, RST_STREAM,
};

#[tokio::test]
async fn a_panic_resets_its_stream_and_no_other() {
    let service = answering(|request| async move {
        match request.uri().path() {
            "/panic" => panic!("as it should"),
            "/echo" => {
                let content = collect(request.into_body()).await.expect("whole");
                Response::new(Full::<Bytes>::from(content))
            }
            _ => Response::new(Full::from("fine")),
        }
    });
    let client = client(service).await;
    let (echo, mut content) = client.begin(Request::put("http://a/echo")).await;
    let (panicked, _content) = client.begin(expecting().uri("http://a/panic")).await;
    let error = within(5, panicked).await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
    assert_eq!(client.record.reset(3).await, INTERNAL_ERROR);
    send(&mut content, 10, true).await;
    assert_eq!(read(echo).await.expect("answered").content, [7; 10]);
    assert_eq!(client.ask(put()).await.expect("answered").content, b"fine");
}

type Never = Response<Empty<Bytes>>;

/// For each call, a receiver that fails when the service's future is dropped, and the request with it.
type Calls = mpsc::UnboundedReceiver<oneshot::Receiver<()>>;

fn never_answering() -> (
    BoxCloneService<Request<RequestBody>, Never, Infallible>,
    Calls,
) {
    let (calls, called) = mpsc::unbounded_channel();
    let service = answering(move |request| {
        let (alive, dropped) = oneshot::channel();
        calls.send(dropped).expect("waited for");
        async move {
            let _request = request;
            let _alive = alive;
            pending::<Never>().await
        }
    });
    (BoxCloneService::new(service), called)
}

#[tokio::test]
async fn a_reset_drops_the_services_future() {
    let (service, mut called) = never_answering();
    let mut client = client(service).await;
    for _ in 0..3 {
        let (_response, mut content) = client.begin(expecting()).await;
        let dropped = called.recv().await.expect("called");
        content.send_reset(h2::Reason::CANCEL);
        // An error: the sender was dropped, unused.
        within(5, dropped).await.unwrap_err();
    }
    client.settle().await;
    assert!(!client.server.is_finished());
}

#[tokio::test]
async fn a_stream_that_the_client_breaks_drops_the_services_future() {
    let (service, mut called) = never_answering();
    let client = client(service).await;
    for _ in 0..3 {
        let request = expecting().header("content-length", "10");
        let (response, mut content) = client.begin(request).await;
        let dropped = called.recv().await.expect("called");
        content
            .send_data(Bytes::from_static(b"short"), true)
            .expect("open");
        within(5, dropped).await.unwrap_err();
        assert_eq!(
            response.await.unwrap_err().reason(),
            Some(h2::Reason::PROTOCOL_ERROR)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_resets_is_not_read_from_for_long() {
    let (near, far) = tokio::io::duplex(1 << 14);
    let (service, _called) = never_answering();
    let builder = Builder::new().max_local_error_reset_streams(None);
    let server = tokio::spawn(builder.serve_connection(near, service));
    let mut client = Raw::new(far).await;
    let breaking = async {
        for stream in (1..100_000).step_by(2) {
            // `POST /` with `content-length: 9`, and less.
            let head = [0x83, 0x86, 0x84, 0x0f, 0x0d, 1, b'9'];
            client.write(HEADERS, 4, stream, &head).await;
            client.write(DATA, 1, stream, b"short").await;
        }
    };
    let broken = tokio::time::timeout(Duration::from_secs(1), breaking).await;
    assert!(broken.is_err() && !server.is_finished());
}

#[tokio::test]
async fn requests_reset_before_they_are_looked_at_end_the_connection() {
    let (near, far) = tokio::io::duplex(1 << 20);
    let mut client = Raw::new(far).await;
    for stream in (1..100).step_by(2) {
        client.post(stream).await;
        client.write(RST_STREAM, 0, stream, &[0, 0, 0, 8]).await;
    }
    let (service, _called) = never_answering();
    let served = Builder::new().serve_connection(near, service);
    let error = within(5, served).await.unwrap_err();
    assert_eq!(error.code(), Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn a_lost_client_drops_the_services_futures_and_ends_the_connection() {
    let (service, mut called) = never_answering();
    let client = client(service).await;
    let _first = client.begin(expecting()).await;
    let _second = client.begin(put()).await;
    let first = called.recv().await.expect("called");
    let second = called.recv().await.expect("called");
    client.connection.abort();
    within(5, first).await.unwrap_err();
    within(5, second).await.unwrap_err();
    let _ = within(5, client.server).await.expect("no panic");
}

#[tokio::test]
async fn dropping_the_connection_drops_the_services_futures() {
    let (service, mut called) = never_answering();
    let client = client(service).await;
    let _request = client.begin(expecting()).await;
    let dropped = called.recv().await.expect("called");
    client.server.abort();
    within(5, dropped).await.unwrap_err();
    let _ = within(5, client.connection).await;
}

#[tokio::test]
async fn graceful_shutdown_answers_what_has_begun_and_takes_no_more() {
    let service = answering(|request| async move {
        let content = collect(request.into_body()).await.expect("whole");
        Response::new(Full::<Bytes>::from(content.len().to_string()))
    });
    let (near, far) = tokio::io::duplex(1 << 16);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let mut connection = Builder::new().serve_connection(near, service);
        tokio::select! {
            _ = &mut connection => panic!("not yet"),
            _ = stopped => connection.graceful_shutdown(),
        }
        connection.await
    });
    let mut client = Client::new(far, server).await;
    let (response, mut content) = client.begin(put()).await;
    send(&mut content, 100, false).await;
    client.settle().await;
    stop.send(()).expect("running");
    client.settle().await;
    let rejected = client.ask(Request::get("http://a/")).await;
    assert!(rejected.is_err_and(|error| error.reason() == Some(h2::Reason::NO_ERROR)));
    assert!(!client.server.is_finished());

    send(&mut content, 100, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"200");
    within(5, client.server)
        .await
        .expect("no panic")
        .expect("no error");
    within(5, client.connection)
        .await
        .expect("no panic")
        .expect("no error");
}

#[tokio::test]
async fn graceful_shutdown_does_not_wait_for_a_preface() {
    let (near, _far) = tokio::io::duplex(1 << 16);
    let service = answering(|_| pending::<Never>());
    let mut connection = Builder::new().serve_connection(near, service);
    connection.graceful_shutdown();
    within(5, connection).await.expect("no error");
}

/// It knows of the shutdown before it has even begun to speak.
#[tokio::test(start_paused = true)]
async fn graceful_shutdown_before_the_first_poll_does_not_wait_for_a_client_that_is_silent() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let _silent = Raw::new(far).await;
    let started = Instant::now();
    let service = answering(|_| pending::<Never>());
    let mut connection = Builder::new().serve_connection(near, service);
    connection.graceful_shutdown();
    connection.await.expect("no error");
    assert!(started.elapsed() < Duration::from_secs(3));
}

fn pinging() -> Builder {
    Builder::new()
        .keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(3))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_given_up_with_goaway() {
    let (service, mut called) = never_answering();
    let (near, far) = tokio::io::duplex(1 << 16);
    let started = Instant::now();
    let server = tokio::spawn(pinging().serve_connection(near, service));
    let mut client = Raw::new(far).await;
    client.post(1).await;
    let dropped = called.recv().await.expect("called");
    let error = server.await.expect("no panic").unwrap_err();
    assert!(error.is_timeout() && error.code().is_none());
    assert_eq!(started.elapsed().as_secs(), 13);
    dropped.await.unwrap_err();
    client
        .read_until(|frames| frames.last().is_some_and(|frame| frame.kind == 7))
        .await;
    // Stream 1 has been seen, and there is nothing wrong (NO_ERROR).
    let goaway = client.record.frames().pop().expect("one");
    assert_eq!(goaway.payload[..8], [0, 0, 0, 1, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_may_wait_for_long() {
    let service = answering(|_| async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        Response::new(Empty::<Bytes>::new())
    });
    let (near, far) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(pinging().serve_connection(near, service));
    let client = Client::new(far, server).await;
    let answer = client.ask(put()).await.expect("answered");
    assert_eq!(answer.status, StatusCode::OK);
}
