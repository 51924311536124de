//! `axum_metrics`: what `/metrics` says after a load of which every request is known.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::PrometheusRecorder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};

use crate::{
    axum_metrics,
    tour::{
        client::play,
        exchange::{Exchange, MIB},
    },
};

const SMALL: usize = 300 << 10;

/// The example, with a recorder that is this thread's for as long as it is asked.
struct Server {
    recorder: PrometheusRecorder,
}

impl Server {
    fn new() -> Self {
        let recorder = axum_metrics::recorder().unwrap();
        Self { recorder }
    }

    /// On this thread, since that is where its metrics are recorded.
    async fn start(&self) -> (SocketAddr, LocalRecorderGuard<'_>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let guard = metrics::set_default_local_recorder(&self.recorder);
        let app = axum_metrics::app(self.recorder.handle());
        tokio::spawn(async { axum::serve(listener, app).await });
        (address, guard)
    }
}

fn asking(answer: &'static str) -> Exchange {
    Exchange {
        target: "/upload/a.bin",
        ..Exchange::rejected("", 7, answer)
    }
}

/// A client that sends all without waiting.
fn at_once(exchange: Exchange) -> Exchange {
    Exchange {
        expect: None,
        waits: false,
        body: SMALL,
        sent: SMALL,
        ..exchange
    }
}

/// Every kind of request, and how often it comes.
fn load() -> Vec<(usize, Exchange)> {
    let accepted = || Exchange {
        target: "/upload/a.bin",
        ..Exchange::accepted("", 8)
    };
    let anonymous = || Exchange {
        authorization: None,
        ..asking("HTTP/1.1 401 Unauthorized")
    };
    let large = Exchange {
        body: 17 * MIB,
        ..asking("HTTP/1.1 413 Payload Too Large")
    };
    let unknown = Exchange {
        expect: Some("200-ok"),
        ..asking("HTTP/1.1 417 Expectation Failed")
    };
    let malformed = Exchange {
        expect: Some("y 100-continue"),
        body: SMALL,
        ..asking("HTTP/1.1 400 Bad Request")
    };
    let taken = || Exchange {
        target: "/upload/taken.bin",
        ..asking("HTTP/1.1 409 Conflict")
    };
    let plain = Exchange {
        responses: vec!["HTTP/1.1 200 OK"],
        ..at_once(accepted())
    };
    vec![
        (6, accepted()),
        (5, plain),
        (4, anonymous()),
        (3, at_once(anonymous())),
        (2, large),
        (2, unknown),
        (1, malformed),
        (3, taken()),
        (2, at_once(taken())),
    ]
}

async fn scrape(server: SocketAddr) -> String {
    let mut socket = TcpStream::connect(server).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What is said once nothing is read on any more.
async fn scrape_at_rest(server: SocketAddr) -> String {
    let at_rest = async {
        loop {
            let text = scrape(server).await;
            if text.contains("\ntower_expect_lingering 0\n") {
                return text;
            }
        }
    };
    let at_rest = timeout(Duration::from_secs(10), at_rest);
    at_rest.await.expect("something is still read on")
}

#[tokio::test]
async fn the_counts_agree_with_the_load_to_the_last_request() {
    let example = Server::new();
    let (server, _guard) = example.start().await;
    let mut clients = JoinSet::new();
    for (times, exchange) in load() {
        let exchange = Arc::new(exchange);
        for _ in 0..times {
            let exchange = Arc::clone(&exchange);
            clients.spawn(async move {
                let record = play(server, &exchange).await.unwrap();
                assert_eq!(record.failure, None);
                assert_eq!(record.responses, exchange.responses);
            });
        }
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    let text = scrape_at_rest(server).await;
    let spared = (4 + 2 + 3) * MIB + SMALL + 2 * 17 * MIB;
    for line in [
        r#"tower_expect_requests_total{outcome="accepted",status=""} 16"#,
        r#"tower_expect_requests_total{outcome="validator",status="401"} 7"#,
        r#"tower_expect_requests_total{outcome="validator",status="413"} 2"#,
        r#"tower_expect_requests_total{outcome="unsupported",status="417"} 2"#,
        r#"tower_expect_requests_total{outcome="malformed",status="400"} 1"#,
        r#"tower_expect_unread_total{status="409"} 5"#,
        &format!("tower_expect_body_bytes_spared_total {spared}"),
        "tower_expect_continue_delay_seconds_count 6",
        r#"tower_expect_linger_bytes_count{end="complete"} 5"#,
        &format!(
            r#"tower_expect_linger_bytes_sum{{end="complete"}} {}"#,
            5 * SMALL
        ),
        // Of those who were not invited: hyper could complete the shortest, and only the longest are read.
        r#"tower_expect_linger_bytes_count{end="closed"} 1"#,
        r#"tower_expect_linger_bytes_sum{end="closed"} 0"#,
        r#"tower_expect_linger_bytes_count{end="held"} 9"#,
        r#"tower_expect_linger_bytes_bucket{end="held",le="0"} 9"#,
        r#"tower_expect_linger_bytes_count{end="gone"} 2"#,
        r#"tower_expect_linger_bytes_sum{end="gone"} 0"#,
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "no {line} in {text}");
    }
    let series = text
        .lines()
        .filter(|line| line.starts_with("tower_expect_requests_total{"));
    assert_eq!(series.count(), 5, "{text}");
}

#[tokio::test]
async fn each_metric_has_its_type_and_its_description() {
    let example = Server::new();
    let (server, _guard) = example.start().await;
    let accepted = Exchange {
        target: "/upload/a.bin",
        ..Exchange::accepted("", 8)
    };
    let rejected = Exchange {
        authorization: None,
        ..asking("HTTP/1.1 401 Unauthorized")
    };
    let unread = Exchange {
        target: "/upload/taken.bin",
        ..asking("HTTP/1.1 409 Conflict")
    };
    for exchange in [accepted, rejected, unread] {
        play(server, &exchange).await.unwrap();
    }
    let text = scrape_at_rest(server).await;
    for (name, kind) in [
        ("requests_total", "counter"),
        ("unread_total", "counter"),
        ("body_bytes_spared_total", "counter"),
        ("continue_delay_seconds", "histogram"),
        ("linger_bytes", "histogram"),
        ("lingering", "gauge"),
    ] {
        assert!(
            text.contains(&format!("\n# TYPE tower_expect_{name} {kind}\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("# HELP tower_expect_{name} ")),
            "{text}"
        );
    }
}
