//! The body waits for a 100, the timer or the final response.

use std::time::{Duration, Instant};

use http::StatusCode;
use tower_expect::client::{ExpectContinueLayer, Unsent};

use crate::support::{
    asking, chunked, full, patient, put, send, server, text, Notes, Seen, Upload,
};

#[tokio::test]
async fn the_body_is_sent_after_the_100_and_not_before() {
    let notes = Notes::default();
    let early = notes.clone();
    let address = server(move |_, mut peer| {
        let early = early.clone();
        async move {
            let head = peer.head().await;
            assert!(head.contains("expect: 100-continue\r\n"), "{head}");
            assert!(head.contains("content-length: 5\r\n"), "{head}");
            early.note(peer.within(Duration::from_millis(50)).await);
            peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            assert_eq!(peer.body(5).await, b"hello");
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
    })
    .await;
    let seen = Seen::default();
    let client = asking(&seen.observe(patient()));
    let response = send(&client, put(address, full("hello"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "ok");
    assert_eq!(notes.wait_for(1).await, [b""]);
    assert_eq!(seen.names(), ["Asked", "Continued"]);
}

#[tokio::test]
async fn a_rejection_comes_whole_and_gives_the_body_back() {
    let notes = Notes::default();
    let after = notes.clone();
    let address = server(move |_, mut peer| {
        let after = after.clone();
        async move {
            peer.head().await;
            peer.say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 100000\r\n\r\n")
                .await;
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                peer.say(&"x".repeat(10_000)).await;
            }
            after.note(peer.rest().await);
        }
    })
    .await;
    for body in [full("hello"), chunked("hello")] {
        let seen = Seen::default();
        let client = asking(&seen.observe(patient()));
        let response = send(&client, put(address, body)).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let unsent = response.extensions().get::<Unsent<Upload>>().cloned();
        assert_eq!(text(response).await.len(), 100_000);
        assert!(unsent.as_ref().unwrap().take().is_some());
        assert!(unsent.unwrap().take().is_none());
        assert_eq!(seen.names(), ["Asked", "Rejected"]);
    }
    assert_eq!(notes.wait_for(2).await, [b"", b""]);
}

#[tokio::test]
async fn a_silent_server_gets_the_body_when_the_timer_has_run_out() {
    let address = server(|_, mut peer| async move {
        loop {
            if peer.head().await.is_empty() {
                return;
            }
            peer.body(5).await;
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
    })
    .await;
    let seen = Seen::default();
    let layer = ExpectContinueLayer::new()
        .min_length(0)
        .timeout(Duration::from_millis(300));
    let client = asking(&seen.observe(layer));
    for (least, most) in [(300, 5000), (0, 200), (0, 200)] {
        let begun = Instant::now();
        let response = send(&client, put(address, full("hello"))).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let took = begun.elapsed().as_millis();
        assert!((least..most).contains(&took), "{took} ms");
    }
    // The second and third do not ask.
    assert_eq!(seen.names(), ["Asked", "TimedOut"]);
}

#[tokio::test]
async fn after_a_417_the_same_body_goes_without_expect_on_another_connection() {
    let notes = Notes::default();
    let heads = notes.clone();
    let address = server(move |number, mut peer| {
        let heads = heads.clone();
        async move {
            let head = peer.head().await;
            if head.contains("expect") {
                peer.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n")
                    .await;
                heads.note((number, peer.rest().await));
            } else {
                assert_eq!(peer.body(5).await, b"hello");
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                    .await;
            }
        }
    })
    .await;
    let seen = Seen::default();
    let client = asking(&seen.observe(patient()));
    let response = send(&client, put(address, full("hello"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "ok");
    assert_eq!(notes.wait_for(1).await, [(0, b"".to_vec())]);
    assert_eq!(seen.names(), ["Asked", "Repeated"]);
}
