//! Back-pressure, both ways.

use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::sync::Notify;
use tower_expect::http2::Builder;

use crate::support::{answering, client, client_of, collect, put, read, send, within, Piped};

#[tokio::test]
async fn a_client_may_send_the_window_ahead_and_no_more() {
    let go = Arc::new(Notify::new());
    let service = answering({
        let go = Arc::clone(&go);
        move |request| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                let content = collect(request.into_body()).await.expect("whole");
                Response::new(Full::<Bytes>::from(content.len().to_string()))
            }
        }
    });
    let builder = Builder::new().initial_stream_window_size(300_000);
    let mut client = client_of(builder, service).await;
    client.settle().await;
    let (response, mut content) = client.begin(put()).await;
    content.reserve_capacity(10 << 20);
    client.settle().await;
    assert_eq!(content.capacity(), 300_000);
    content
        .send_data(vec![7; 300_000].into(), false)
        .expect("open");
    client.settle().await;
    assert_eq!(content.capacity(), 0);

    go.notify_one();
    within(5, send(&mut content, 5 << 20, true)).await;
    let expected = (5 << 20) + 300_000;
    let answer = read(response).await.expect("answered");
    assert_eq!(answer.content, expected.to_string().as_bytes());
}

#[tokio::test]
async fn seven_bodies_that_wait_hold_back_no_other_by_default() {
    let service = answering(|request| async move {
        if request.uri().path() == "/stuck" {
            std::future::pending::<()>().await;
        }
        let content = collect(request.into_body()).await.expect("whole");
        Response::new(Full::<Bytes>::from(content.len().to_string()))
    });
    let mut client = client(service).await;
    client.settle().await;
    let mut all_stuck = Vec::new();
    for _ in 0..7 {
        let stuck = http::Request::put("http://a/stuck");
        let (response, mut stuck) = client.begin(stuck).await;
        // As much as a stream's window takes.
        send(&mut stuck, 1 << 20, false).await;
        all_stuck.push((response, stuck));
    }
    let (response, mut content) = client.begin(put()).await;
    within(5, send(&mut content, 5 << 20, true)).await;
    let answer = read(response).await.expect("answered");
    assert_eq!(answer.content, (5 << 20).to_string().as_bytes());
}

#[tokio::test]
async fn a_response_is_not_produced_faster_than_the_client_takes_it() {
    const PIECE: usize = 10_000;
    let produced = Arc::new(AtomicUsize::new(0));
    let service = answering({
        let produced = Arc::clone(&produced);
        move |_| {
            let produced = Arc::clone(&produced);
            let (sender, body) = Piped::new();
            tokio::spawn(async move {
                for _ in 0..1_000 {
                    let data = Frame::data(Bytes::from(vec![7; PIECE]));
                    if sender.send(Ok(data)).await.is_err() {
                        return;
                    }
                    produced.fetch_add(PIECE, Ordering::Relaxed);
                }
            });
            async { Response::new(body) }
        }
    });
    let builder = Builder::new().max_send_buffer_size(100_000);
    let mut client = client_of(builder, service).await;
    let (response, _) = client.begin(put()).await;
    let mut body = response.await.expect("answered").into_body();
    for _ in 0..20 {
        client.settle().await;
    }
    // The client's window is 65,535, and one piece may reach beyond it. Three more are on their way
    // to the body.
    let held = produced.load(Ordering::Relaxed);
    assert!((60_000..=65_535 + 4 * PIECE).contains(&held), "{held}");

    let mut received = 0;
    while let Some(data) = within(5, body.data()).await {
        let data = data.expect("whole");
        received += data.len();
        body.flow_control()
            .release_capacity(data.len())
            .expect("held");
    }
    assert_eq!(received, 1_000 * PIECE);
}

#[tokio::test]
async fn one_piece_larger_than_any_window_arrives_whole() {
    let content = Bytes::from(vec![7; 3 << 20]);
    let service = answering({
        let content = content.clone();
        move |_| {
            let content = content.clone();
            async { Response::new(Full::<Bytes>::from(content)) }
        }
    });
    let client = client(service).await;
    let answer = within(5, client.ask(put())).await.expect("whole");
    assert_eq!(answer.content, content);
}

#[tokio::test]
async fn the_body_tells_its_length_and_its_end_and_gives_trailers() {
    let service = answering(|request| async move {
        let mut body = request.into_body();
        assert_eq!(body.size_hint().exact(), Some(10));
        assert!(!body.is_end_stream());
        let mut left = 10;
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            match frame.expect("whole").into_data() {
                Ok(data) => {
                    left -= data.len() as u64;
                    if !body.is_end_stream() {
                        assert_eq!(body.size_hint().exact(), Some(left));
                    }
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        assert_eq!(left, 0);
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
        assert!(body.frame().await.is_none());
        let checksum = trailers.expect("sent")["checksum"].clone();
        let response = Response::builder().header("seen", checksum);
        response.body(Full::<Bytes>::default()).expect("valid")
    });
    let mut client = client(service).await;
    let request = put().header("content-length", "10");
    let (response, mut content) = client.begin(request).await;
    send(&mut content, 4, false).await;
    client.settle().await;
    send(&mut content, 6, false).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("abc"));
    content.send_trailers(trailers).expect("open");
    let answer = read(response).await.expect("answered");
    assert_eq!(answer.headers["seen"], "abc");
}

#[tokio::test]
async fn content_that_is_cut_short_is_an_error_and_not_an_end() {
    // The service's future is dropped with the stream; so the body is read in a task of its own.
    let (sender, mut errors) = tokio::sync::mpsc::unbounded_channel();
    let service = answering(move |request| {
        let sender = sender.clone();
        tokio::spawn(async move {
            let mut body = request.into_body();
            let error = loop {
                match body.frame().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            };
            let ended = body.is_end_stream() && body.frame().await.is_none();
            let _ = sender.send((error, ended));
        });
        std::future::pending::<Response<Full<Bytes>>>()
    });
    let mut client = client(service).await;
    for (reason, code) in [
        (h2::Reason::CANCEL, 8),
        (h2::Reason::NO_ERROR, 0),
        (h2::Reason::INTERNAL_ERROR, 2),
    ] {
        let (_response, mut content) = client.begin(put()).await;
        send(&mut content, 10, false).await;
        client.settle().await;
        content.send_reset(reason);
        let (error, ended) = within(5, errors.recv()).await.expect("read");
        let error = error.expect("an error");
        assert!(error.is_reset() && ended);
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.to_string(), "the HTTP/2 stream was reset");
    }
    // Less than announced.
    let request = put().header("content-length", "10");
    let (response, mut content) = client.begin(request).await;
    content
        .send_data(Bytes::from_static(b"short"), true)
        .expect("open");
    let (error, _) = within(5, errors.recv()).await.expect("read");
    assert_eq!(error.expect("an error").code(), Some(1));
    assert_eq!(
        response.await.unwrap_err().reason(),
        Some(h2::Reason::PROTOCOL_ERROR)
    );
}
