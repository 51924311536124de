//! What is repeated, and what is not.

use http::{Method, StatusCode};
use tower::{Layer, Service, ServiceExt};
use tower_expect::client::{on_informational, Retry};

use crate::support::{
    asking, full, patient, pool, put, send, server, text, Notes, Peer, Upload, SOON,
};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Closes the first connection when it has the head, and serves the others.
async fn dead_at_first(number: usize, mut peer: Peer) {
    let head = peer.head().await;
    assert!(head.contains("expect: 100-continue"));
    if number > 0 {
        peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
        peer.body(5).await;
        peer.say(OK).await;
    }
}

fn request(address: std::net::SocketAddr, method: &Method) -> http::Request<Upload> {
    let mut request = put(address, full("hello"));
    *request.method_mut() = method.clone();
    request
}

#[tokio::test]
async fn a_dead_connection_is_repeated_for_idempotent_methods_by_default() {
    let rows = [
        (None, Method::PUT, true),
        (None, Method::DELETE, true),
        (None, Method::POST, false),
        (None, Method::PATCH, false),
        (Some(Retry::Always), Method::POST, true),
        (Some(Retry::Never), Method::PUT, false),
    ];
    for (retry, method, repeats) in rows {
        let address = server(dead_at_first).await;
        let layer = match retry {
            Some(retry) => patient().retry_dead_connection(retry),
            None => patient(),
        };
        let response = send(&asking(&layer), request(address, &method)).await;
        assert_eq!(response.is_ok(), repeats, "{retry:?} {method}");
        if let Ok(response) = response {
            assert_eq!(text(response).await, "ok");
        }
    }
}

/// The server closes a connection that is in the pool, and the next head goes into it.
#[tokio::test]
async fn a_pooled_connection_that_the_server_closes_on_the_next_head_is_repeated() {
    let address = server(|_, mut peer| async move {
        peer.head().await;
        peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
        peer.body(5).await;
        peer.say(OK).await;
        peer.head().await;
    })
    .await;
    let client = asking(&patient());
    for _ in 0..5 {
        let response = send(&client, put(address, full("hello"))).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
}

#[tokio::test]
async fn a_connection_that_was_never_there_is_not_repeated() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let seen = crate::support::Seen::default();
    let client = asking(&seen.observe(patient()));
    let error = send(&client, put(address, full("hello")))
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(seen.names().is_empty());
}

#[tokio::test]
async fn a_417_comes_to_the_caller_where_that_is_asked_for() {
    let address = server(|_, mut peer| async move {
        peer.head().await;
        peer.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno")
            .await;
        peer.rest().await;
    })
    .await;
    let of_another = |mut request: http::Request<Upload>| {
        let value = "x, 100-continue".parse().unwrap();
        request.headers_mut().insert("expect", value);
        request
    };
    for (layer, request) in [
        (
            patient().retry_without_expect(false),
            put(address, full("hello")),
        ),
        // It may be the other expectation that fails.
        (patient(), of_another(put(address, full("hello")))),
    ] {
        let response = send(&asking(&layer), request).await.unwrap();
        assert_eq!(response.status(), StatusCode::EXPECTATION_FAILED);
        assert_eq!(text(response).await, "no");
    }
}

#[tokio::test]
async fn a_repeat_carries_the_head_as_it_was() {
    let notes = Notes::default();
    let heads = notes.clone();
    let address = server(move |number, mut peer| {
        let heads = heads.clone();
        async move {
            heads.note(peer.head().await);
            if number == 0 {
                peer.say("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n")
                    .await;
            } else {
                peer.body(5).await;
                peer.say("HTTP/1.1 103 Early Hints\r\n\r\n").await;
                peer.say(OK).await;
            }
        }
    })
    .await;
    let heard = Notes::default();
    let listener = heard.clone();
    let mut request = put(address, full("hello"));
    let fields = request.headers_mut();
    fields.append("x-twice", "1".parse().unwrap());
    fields.append("x-twice", "2".parse().unwrap());
    on_informational(&mut request, move |status, _| listener.note(status));
    let response = send(&asking(&patient()), request).await.unwrap();
    assert_eq!(text(response).await, "ok");
    let heads = notes.wait_for(2).await;
    assert_eq!(heads[0].replace("expect: 100-continue\r\n", ""), heads[1]);
    assert!(
        heads[1].contains("x-twice: 1\r\nx-twice: 2\r\n"),
        "{}",
        heads[1]
    );
    assert_eq!(heard.wait_for(1).await, [StatusCode::EARLY_HINTS]);
}

/// What the first call holds must not be what the repeat waits for.
#[tokio::test]
async fn a_limit_inside_of_the_layer_does_not_keep_a_repeat_waiting() {
    for closes in [false, true] {
        let address = server(move |number, mut peer| async move {
            peer.head().await;
            if number % 2 == 0 {
                if !closes {
                    peer.say("HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n")
                        .await;
                }
                return;
            }
            if closes {
                peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            }
            peer.body(5).await;
            peer.say(OK).await;
        })
        .await;
        let limit = tower::limit::ConcurrencyLimitLayer::new(1);
        for _ in 0..3 {
            let layer = patient().no_memory();
            let mut client = layer.layer(limit.layer(pool()));
            let client = client.ready().await.unwrap();
            let call = client.call(put(address, full("hello")));
            let response = tokio::time::timeout(SOON, call).await.expect("no deadlock");
            assert_eq!(text(response.unwrap()).await, "ok");
        }
    }
}
