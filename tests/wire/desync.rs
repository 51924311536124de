//! A request hidden where the content of an unread request would be is never executed.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet, time::sleep};
use tower::Layer;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    support::{by_field, serve_http1, soon, statuses, tries, Wire},
};

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// What is sent as, behind or instead of the content.
#[derive(Clone, Debug)]
struct Attack {
    name: &'static str,
    framing: String,
    bytes: String,
}

fn attacks() -> Vec<Attack> {
    let length = |length: usize| format!("Content-Length: {length}");
    let chunked = || "Transfer-Encoding: chunked".to_owned();
    let len = HIDDEN.len();
    let filler = "x".repeat(len);
    let attack = |name, framing, bytes| Attack {
        name,
        framing,
        bytes,
    };
    vec![
        attack("in the content", length(len), HIDDEN.to_owned()),
        attack("behind the content", length(len), HIDDEN.repeat(2)),
        attack("instead of the content", length(5), HIDDEN.to_owned()),
        attack("instead of much", length(1_000_000), HIDDEN.repeat(2)),
        attack(
            "behind half the content",
            length(2 * len),
            format!("{filler}{HIDDEN}{HIDDEN}"),
        ),
        attack(
            "in a chunk",
            chunked(),
            format!("{len:x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
        ),
        attack(
            "behind the last chunk",
            chunked(),
            format!("5\r\nhello\r\n0\r\n\r\n{HIDDEN}"),
        ),
        attack("instead of a chunk", chunked(), HIDDEN.repeat(2)),
        attack(
            "behind half a chunk",
            chunked(),
            format!("{:x}\r\n{filler}{HIDDEN}\r\n0\r\n\r\n{HIDDEN}", 2 * len),
        ),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Timing {
    WithTheHead,
    HalfWithTheHead,
    AfterTheAnswer,
}

const TIMINGS: [Timing; 3] = [
    Timing::WithTheHead,
    Timing::HalfWithTheHead,
    Timing::AfterTheAnswer,
];

/// Short waits: each attack ends with one.
#[cfg(feature = "tokio")]
fn brief<V>(layer: ExpectLayer<V>) -> ExpectLayer<V> {
    let wait = Duration::from_millis(25);
    let linger = tower_expect::Linger::default();
    layer.linger(linger.first_byte(wait).idle(wait).hold(wait))
}

#[cfg(not(feature = "tokio"))]
fn brief<V>(layer: ExpectLayer<V>) -> ExpectLayer<V> {
    layer
}

/// Sends the head and the attack; the answer must be the only one and say that the server closes.
async fn run(address: SocketAddr, head: &str, attack: &Attack, timing: Timing, status: u16) {
    let head = format!("{head}{}\r\n\r\n", attack.framing);
    let (now, later) = match timing {
        Timing::WithTheHead => (attack.bytes.as_str(), ""),
        Timing::HalfWithTheHead => attack.bytes.split_at(attack.bytes.len() / 2),
        Timing::AfterTheAnswer => ("", attack.bytes.as_str()),
    };
    let mut wire = Wire::to(address).await;
    wire.send(format!("{head}{now}")).await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), status);
    assert_eq!(answer.field("connection"), Some("close"), "{answer:?}");
    // Fails if the server has closed by now, which is as good.
    _ = wire.try_send(later).await;
    assert_eq!(statuses(&wire.rest(true).await), [0; 0]);
}

/// Runs all attacks on requests with this head, many at a time.
async fn attack_all(app: &App, address: SocketAddr, head: impl fmt::Display, status: u16) {
    let at_once = Arc::new(Semaphore::new(64));
    let mut runs = JoinSet::new();
    let head: Arc<str> = head.to_string().into();
    for attack in attacks() {
        for timing in TIMINGS {
            for _ in 0..tries(20) {
                let place = soon("a run hangs", Arc::clone(&at_once).acquire_owned()).await;
                let (head, attack) = (Arc::clone(&head), attack.clone());
                runs.spawn(async move {
                    run(address, &head, &attack, timing, status).await;
                    drop(place);
                });
            }
            while let Some(result) = soon("a run hangs", runs.join_next()).await {
                let hidden = app.hidden();
                let what = format_args!("{head:?} {}, {timing:?}", attack.name);
                assert!(result.is_ok() && hidden == 0, "{what}: {hidden} executed");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_behind_a_rejection_is_executed() {
    for (fields, status) in [
        ("Expect: 100-continue\r\nx-reject: 401\r\n", 401),
        ("Expect: 100-continue\r\nx-reject: 413\r\n", 413),
        ("Expect: foo\r\n", 417),
        ("Expect: 100-continue, 100-continue\r\n", 417),
        ("Expect: y 100-continue\r\n", 400),
    ] {
        let app = App::new();
        let layer = brief(ExpectLayer::new(by_field));
        let address = serve_http1(layer.layer(app.clone())).await;
        let head = format!("POST /sink HTTP/1.1\r\nHost: a\r\n{fields}");
        attack_all(&app, address, head, status).await;
        assert_eq!(app.calls(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_behind_the_rejection_of_an_async_validator_is_executed() {
    let app = App::new();
    let layer = brief(ExpectLayer::new_async(|_: &RequestHead| async {
        sleep(Duration::from_millis(1)).await;
        Err::<(), _>(Rejection::unauthorized("Bearer"))
    }));
    let address = serve_http1(layer.layer(app.clone())).await;
    let head = "POST /sink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
    attack_all(&app, address, head, 401).await;
    assert_eq!(app.calls(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_behind_an_early_answer_is_executed() {
    for (path, status) in [("/early", 409), ("/early-later", 409), ("/held", 202)] {
        let app = App::new();
        let layer = brief(ExpectLayer::new(by_field));
        let address = serve_http1(layer.layer(app.clone())).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n");
        attack_all(&app, address, head, status).await;
    }
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_behind_the_rejection_of_a_body_limit_is_executed() {
    let app = App::new();
    let layer = brief(ExpectLayer::new(by_field));
    let limit = tower_http::limit::RequestBodyLimitLayer::new(100);
    let address = serve_http1(layer.layer(limit.layer(app.clone()))).await;
    let head = "POST /sink HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";
    let length = 2 * HIDDEN.len() + 100;
    let attack = Attack {
        name: "behind half the content",
        framing: format!("Content-Length: {length}"),
        bytes: format!("{}{HIDDEN}", "x".repeat(length)),
    };
    for timing in TIMINGS {
        for _ in 0..tries(50) {
            run(address, head, &attack, timing, 413).await;
        }
    }
    assert_eq!(app.hidden(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_in_the_unread_rest_of_a_content_is_executed() {
    let app = App::new();
    let layer = brief(ExpectLayer::new(by_field));
    let address = serve_http1(layer.layer(app.clone())).await;
    let head = "POST /one-frame HTTP/1.1\r\nHost: a\r\n";
    for expect in ["", "Expect: 100-continue\r\n"] {
        for framing in [
            "Content-Length: 100000\r\n",
            "Transfer-Encoding: chunked\r\n",
        ] {
            for _ in 0..tries(50) {
                let mut wire = Wire::to(address).await;
                wire.send(format!("{head}{expect}{framing}\r\n")).await;
                if !expect.is_empty() {
                    wire.receive_100().await;
                }
                wire.send("5\r\nhello\r\n").await;
                let answer = wire.next().await;
                assert_eq!(answer.status(), 409);
                assert_eq!(answer.field("connection"), Some("close"));
                _ = wire.try_send(HIDDEN.repeat(2)).await;
                assert_eq!(statuses(&wire.rest(true).await), [0; 0]);
            }
        }
    }
    assert_eq!(app.hidden(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hidden_in_rejected_content_is_executed_without_an_expectation_either() {
    let app = App::new();
    let layer = brief(ExpectLayer::new(by_field));
    let address = serve_http1(layer.layer(app.clone())).await;
    let head = "POST /sink HTTP/1.1\r\nHost: a\r\nx-reject: 413\r\n";
    let closes = |attack: &Attack| {
        attack.framing.ends_with("chunked") || attack.framing.ends_with("1000000")
    };
    for attack in attacks().iter().filter(|attack| closes(attack)) {
        for timing in TIMINGS {
            for _ in 0..tries(20) {
                run(address, head, attack, timing, 413).await;
            }
        }
    }
    assert_eq!((app.calls(), app.hidden()), (0, 0));
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_rejected_content_is_consumed_to_the_byte_before_the_next_request() {
    let app = App::new();
    let layer = brief(ExpectLayer::new(by_field));
    let address = serve_http1(layer.layer(app.clone())).await;
    let length = HIDDEN.len();
    let fields = format!("Host: a\r\nx-reject: 413\r\nContent-Length: {length}");
    let next = HIDDEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for number in 1..=tries(50) {
        let mut wire = Wire::to(address).await;
        let request = format!("POST /sink HTTP/1.1\r\n{fields}\r\n\r\n");
        if number % 2 == 0 {
            wire.send(format!("{request}{HIDDEN}{next}")).await;
        } else {
            wire.send(request).await;
            let answer = wire.next().await;
            assert_eq!((answer.status(), answer.field("connection")), (413, None));
            wire.send(format!("{HIDDEN}{next}")).await;
        }
        let answers = wire.rest(true).await;
        let expected: &[u16] = if number % 2 == 0 { &[413, 200] } else { &[200] };
        assert_eq!(statuses(&answers), expected);
        assert_eq!(app.hidden(), number);
    }
}
