//! Interim responses reach the caller, too.

use http::{HeaderMap, StatusCode};
use tower_expect::client::{on_informational, ExpectContinueLayer, Unsent};

use crate::support::{asking, full, patient, put, send, server, text, Notes, Upload};

#[tokio::test]
async fn the_callers_callback_hears_all_of_them_whether_the_request_asks_or_not() {
    for layer in [patient(), ExpectContinueLayer::new()] {
        let address = server(|_, mut peer| async move {
            let asks = peer.head().await.contains("expect: 100-continue");
            peer.say("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
                .await;
            if asks {
                peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            peer.body(5).await;
            peer.say("HTTP/1.1 102 Processing\r\n\r\n").await;
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        })
        .await;
        let notes = Notes::default();
        let hears = notes.clone();
        let mut request = put(address, full("hello"));
        on_informational(&mut request, move |status, headers: &HeaderMap| {
            hears.note((status, headers.contains_key("link")));
        });
        let asks = format!("{layer:?}").contains("min_length: 0");
        let response = send(&asking(&layer), request).await.unwrap();
        assert_eq!(text(response).await, "ok");
        let mut expected = vec![
            (StatusCode::EARLY_HINTS, true),
            (StatusCode::PROCESSING, false),
        ];
        if asks {
            expected.insert(1, (StatusCode::CONTINUE, false));
        }
        assert_eq!(notes.wait_for(expected.len()).await, expected);
    }
}

/// hyper's extension is private, and there is room for one: the layer steps aside.
#[tokio::test]
async fn a_callback_of_hypers_hears_all_of_them_and_the_request_does_not_ask() {
    let address = server(|_, mut peer| async move {
        assert!(!peer.head().await.contains("expect"));
        peer.say("HTTP/1.1 103 Early Hints\r\n\r\n").await;
        peer.body(5).await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .await;
    })
    .await;
    let notes = Notes::default();
    let hears = notes.clone();
    let mut request = put(address, full("hello"));
    hyper::ext::on_informational(&mut request, move |response| hears.note(response.status()));
    let response = send(&asking(&patient()), request).await.unwrap();
    assert_eq!(text(response).await, "ok");
    assert_eq!(notes.wait_for(1).await, [StatusCode::EARLY_HINTS]);
}

#[tokio::test]
async fn more_than_64_before_the_100_are_an_error_that_says_so() {
    for (count, fails) in [(64, false), (65, true)] {
        let address = server(move |_, mut peer| async move {
            peer.head().await;
            let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(count);
            peer.say(&interim).await;
            peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            if !fails {
                peer.body(5).await;
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await;
            }
            peer.head().await;
        })
        .await;
        let response = send(&asking(&patient()), put(address, full("hello"))).await;
        assert_eq!(response.is_err(), fails, "{count}");
        if let Err(error) = response {
            let mut causes =
                std::iter::successors(std::error::Error::source(&error), |error| error.source());
            let of_ours = causes
                .find_map(|error| error.downcast_ref::<tower_expect::client::WithheldError>());
            assert!(of_ours.unwrap().is_too_many_interim_responses());
        }
    }
}

#[tokio::test]
async fn a_final_response_that_follows_too_many_at_once_arrives_whole() {
    let address = server(move |_, mut peer| async move {
        peer.head().await;
        let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(66);
        let head = "HTTP/1.1 403 Forbidden\r\ncontent-length: 200000\r\n\r\n";
        peer.say(&format!("{interim}{head}{}", "x".repeat(200_000)))
            .await;
        peer.rest().await;
    })
    .await;
    let response = send(&asking(&patient()), put(address, full("hello"))).await;
    let response = response.unwrap();
    assert!(response.extensions().get::<Unsent<Upload>>().is_some());
    assert_eq!(text(response).await.len(), 200_000);
}
