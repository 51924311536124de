//! An axum app that shows Prometheus what becomes of its uploads, at `/metrics`.
//!
//! Run with `cargo run -p axum_metrics`, or `… -- 127.0.0.1:0` for any free port, and try
//!
//! ```text
//! head -c 3000000 /dev/urandom > big.bin
//! token='Authorization: Bearer s3cr3t' url=http://127.0.0.1:3000/upload
//!
//! curl -T big.bin -H "$token" $url/a.bin                          # 200, after a 100
//! curl -T big.bin -H "$token" -H 'Expect:' $url/a.bin             # 200
//! curl -T big.bin $url/a.bin                                      # 401, 0 bytes sent
//! curl -T big.bin -H 'Expect:' $url/a.bin                         # 401, though curl does not wait
//! curl -T big.bin -H "$token" -H 'Expect: 200-ok' $url/a.bin      # 417
//! curl -T big.bin -H "$token" $url/taken.bin                      # 409 of the handler, never read
//! curl -s http://127.0.0.1:3000/metrics | grep '^tower_expect'
//! ```
//!
//! A dashboard for Grafana, with a picture of it, is in the folder of this package.

use std::{env, error::Error, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
    serve::ListenerExt,
    Router,
};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio::{net::TcpListener, sync::Semaphore, time::interval};
use tower_expect::{render, rules, ExpectLayer, Metrics};

const LIMIT: u64 = 16 << 20;
/// Uploads that are stored at a time. The others wait, and so do their clients: with nothing sent
/// if they asked first.
const STORING: usize = 4;

/// Without buckets of one's own, Prometheus is given quantiles, which cannot be added up.
pub(crate) fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let delays = [
        0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    ];
    // From 4 KiB to 1 GiB in steps of four. The first counts the clients that had sent nothing.
    let mut bytes = vec![0.0];
    bytes.extend((6..=15).map(|power| 4_f64.powi(power)));
    let full = |name: &str| Matcher::Full(name.to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(full("tower_expect_continue_delay_seconds"), &delays)?
        .set_buckets_for_metric(full("tower_expect_linger_bytes"), &bytes)?
        .build_recorder();
    Ok(recorder)
}

/// To be called when the recorder is in place.
pub(crate) fn app(exporter: PrometheusHandle) -> Router {
    let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=LIMIT).required());
    let layer = ExpectLayer::new(rule)
        .render_with(render::Negotiate)
        .observe(Metrics::new());
    Router::new()
        .route("/upload/{name}", put(upload))
        .with_state(Arc::new(Semaphore::new(STORING)))
        .layer(layer)
        // Below the layer, which would ask Prometheus for a token.
        .route("/metrics", get(|| async move { exporter.render() }))
}

async fn upload(
    Path(name): Path<String>,
    State(storing): State<Arc<Semaphore>>,
    mut body: Body,
) -> Result<String, StatusCode> {
    if name == "taken.bin" {
        return Err(StatusCode::CONFLICT);
    }
    let _permit = storing.acquire().await;
    let mut received = 0;
    // The first poll sends the 100.
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        received += frame.data_ref().map_or(0, Bytes::len); // your storage takes it here
    }
    Ok(format!("{name}: {received} bytes\n"))
}

/// What the exporter's own HTTP server would do, if it were used.
async fn keep_up(exporter: PrometheusHandle) {
    let mut turns = interval(Duration::from_secs(5));
    loop {
        turns.tick().await;
        exporter.run_upkeep();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = recorder()?;
    let exporter = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    tokio::spawn(keep_up(exporter.clone()));

    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    Ok(axum::serve(listener, app(exporter)).await?)
}
