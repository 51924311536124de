//! What observers, logs and metrics are told of connections.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::{io::DuplexStream, time::sleep};
use tower_expect::{Event, Metrics};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{app, piped, read_all, read_to, write, PREFACE};

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// The ends that were told, with what was said about them.
type Ends = Arc<Mutex<Vec<(String, Option<String>)>>>;

fn noting(ends: &Ends) -> impl Fn(&Event) + Send + Sync + 'static {
    let ends = Arc::clone(ends);
    move |event: &Event| {
        if let Event::Disconnected { end, message, .. } = event {
            let message = message.as_deref().map(str::to_owned);
            ends.lock()
                .expect("no panic")
                .push((end.to_string(), message));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_connection_has_its_word_and_its_reason() {
    // What the client sends, and what is told; the client waits for the close unless it leaves.
    let rows: &[(&str, &[u8], bool, &str, &str)] = &[
        ("whole", HEAD.as_bytes(), false, "closed", ""),
        (
            "leaves early",
            b"GET",
            true,
            "failed",
            "connection closed before message completed",
        ),
        ("leaves at once", b"", true, "closed", ""),
        (
            "nonsense",
            b"nonsense\r\n\r\n",
            false,
            "failed",
            "invalid HTTP method parsed",
        ),
        (
            "half a head",
            b"GET / HTTP",
            false,
            "failed",
            "the client did not send the rest of a head in time",
        ),
        (
            "silent",
            b"",
            false,
            "handshake_timed_out",
            "no HTTP within the handshake timeout",
        ),
        (
            "no SETTINGS",
            PREFACE,
            false,
            "failed",
            "the client did not send its preface and SETTINGS in time",
        ),
        (
            "breaks off in the acceptor",
            b"f",
            false,
            "handshake_failed",
            "a bad hello",
        ),
    ];
    for (name, bytes, leaves, end, reason) in rows {
        let ends = Ends::default();
        let observer = noting(&ends);
        let fails = *end == "handshake_failed";
        let accept = move |io: DuplexStream| async move {
            match fails {
                true => Err(io::Error::other("a bad hello")),
                false => Ok(io),
            }
        };
        let (dial, _) = piped(app(), |server| {
            server.observe(observer).with_acceptor(accept)
        });
        let mut client = dial.connect();
        write(&mut client, bytes).await;
        sleep(Duration::from_millis(10)).await;
        if !leaves {
            read_all(&mut client).await;
        }
        drop(client);
        sleep(Duration::from_millis(10)).await;
        let told = ends.lock().expect("no panic").clone();
        let [(told_end, told_reason)] = &told[..] else {
            panic!("{name}: {told:?}");
        };
        assert_eq!(told_end, end, "{name}: {told_reason:?}");
        let told_reason = told_reason.as_deref().unwrap_or("");
        assert!(told_reason.contains(reason), "{name}: {told_reason}");
        assert_eq!(
            told_reason.is_empty(),
            reason.is_empty(),
            "{name}: {told_reason}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn closures_that_panic_end_no_server() {
    async fn panicking() {
        panic!("on purpose, in a handler");
    }

    let app = Router::new().fallback(panicking);
    let (dial, handle) = piped(app, |server| {
        server
            .max_connections(1)
            .observe(|_: &Event| panic!("on purpose, in an observer"))
            .with_connect_info(|()| panic!("on purpose, of an address"))
    });
    for _ in 0..3 {
        let mut client = dial.connect();
        write(&mut client, HEAD).await;
        assert_eq!(read_all(&mut client).await, "");
    }
    sleep(Duration::from_millis(10)).await;
    assert_eq!(handle.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn metrics_count_connections_and_how_they_ended() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (dial, _) = piped(app(), |server| {
        server.observe(Metrics::new()).max_connections(2)
    });
    for _ in 0..3 {
        let mut client = dial.connect();
        write(&mut client, HEAD).await;
        read_all(&mut client).await;
    }
    let mut open = dial.connect();
    write(&mut open, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    read_to(&mut open, "\r\n\r\n0").await;
    let silent = dial.connect();
    sleep(Duration::from_secs(31)).await;
    drop(silent);

    let mut seen = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Gauge(gauge) => gauge.to_string(),
            DebugValue::Histogram(values) => format!("{} values", values.len()),
        };
        if key.name().contains("connection") {
            seen.push(format!("{} {labels:?} {value}", key.name()));
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            "tower_expect_connection_duration_seconds [\"closed\"] 3 values",
            "tower_expect_connection_duration_seconds [\"handshake_timed_out\"] 1 values",
            "tower_expect_connections [] 1",
            "tower_expect_max_connections_reached_total [] 1",
        ]
    );
}

/// Level and message of each event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);

        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }

        let metadata = event.metadata();
        if metadata.target() == "tower_expect" {
            let mut message = Message(String::new());
            event.record(&mut message);
            let line = format!("{} {}", metadata.level(), message.0);
            self.0.lock().expect("no panic").push(line);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_should_know_is_logged_as_a_warning() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
    let (dial, handle) = piped(app(), |server| {
        server
            .max_connections(1)
            .graceful_timeout(Duration::from_secs(1))
    });
    let mut client = dial.connect();
    write(&mut client, HEAD).await;
    read_all(&mut client).await;
    let mut client = dial.connect();
    write(&mut client, "GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    sleep(Duration::from_secs(1)).await;
    handle.shutdown();
    read_all(&mut client).await;
    sleep(Duration::from_millis(10)).await;
    let log = log.0.lock().expect("no panic");
    let of_connections: Vec<_> = log
        .iter()
        .filter(|line| line.contains("connection"))
        .collect();
    assert_eq!(
        of_connections,
        [
            "DEBUG connection accepted",
            "WARN limit of connections reached; accepting pauses",
            "DEBUG connection ended",
            "DEBUG connection accepted",
            "WARN connection cut at the shutdown",
        ]
    );
}
