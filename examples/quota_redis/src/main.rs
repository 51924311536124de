//! An upload quota that many replicas keep together, in Redis.
//!
//! A validator reserves the announced length by one atomic script; who does not fit is told so before
//! a byte is sent, and no two replicas give the same room away. The reservation is a lease: renewed
//! while the upload's bytes come, settled to what was really read, released if the upload fails, and
//! run out by itself if the replica dies.
//!
//! Run with `redis-server` and `cargo run -p quota_redis`, and try
//!
//! ```text
//! head -c 5000000 /dev/urandom > some.bin
//! token='Authorization: Bearer s3cr3t'
//! alias up="curl -sT some.bin -H '$token' -w '%{http_code}: %{size_upload} bytes sent\n'"
//! url=http://127.0.0.1:3000
//!
//! up -H 'Authorization: Bearer unknown' $url/     # 401, 0 bytes sent
//! up -H 'Transfer-Encoding: chunked' $url/        # 411, 0 bytes sent
//! up $url/                                        # 200: 5 of 12 MB are used
//! up --limit-rate 1M $url/ & sleep 1              # 5 MB more are reserved
//! up $url/                                        # 429, 0 bytes sent: fits if the other fails
//! wait                                            # 200
//! up $url/                                        # 413, 0 bytes sent: 2 MB are left
//! redis-cli hgetall 'quota:{alice}'               # used 10000000, reserved 0
//! redis-cli hset 'quota:{alice}' limit 20000000   # a limit of her own
//! up $url/head/                                   # 200, though only the first 64 KiB are read
//! redis-cli shutdown; up $url/                    # 503, 0 bytes sent
//! ```
//!
//! In the environment: `REDIS_URL`, `REDIS_TIMEOUT_MS`, `QUOTA_BYTES`, `LEASE_SECONDS`, `TOKENS`
//! (`alice=s3cr3t bob=…`) and `WITHOUT_REDIS` (`reject` or `accept`). Let Redis keep an append-only
//! file, and evict nothing.

pub(crate) mod charge;
pub(crate) mod config;
pub(crate) mod lease;
pub(crate) mod ledger;
pub(crate) mod settlements;
pub(crate) mod validator;

use std::{env, error::Error, sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use axum::{http::StatusCode, middleware, routing::put, serve::ListenerExt, Router};
use http_body_util::BodyExt;
use tokio::{net::TcpListener, time::timeout};
use tower_expect::ExpectLayer;

use self::{config::Config, ledger::Ledger, settlements::Settlements, validator::QuotaValidator};

pub(crate) fn app(config: &Config, ledger: Arc<Ledger>, settlements: Settlements) -> Router {
    // The validator decides before this, also without Redis.
    let decision_timeout = 2 * ledger.deadline();
    let validator = QuotaValidator {
        tokens: Arc::clone(&config.tokens),
        without_redis: config.without_redis,
        ledger,
        settlements,
    };
    let layer = ExpectLayer::new_async(validator).decision_timeout(decision_timeout);
    Router::new()
        .route("/{name}", put(upload))
        .route("/head/{name}", put(upload_head))
        .layer(middleware::from_fn(charge::charge))
        .layer(layer)
}

async fn upload(body: Body) -> Result<String, StatusCode> {
    receive(body, usize::MAX).await
}

/// Wants the beginning only; the rest is not charged.
async fn upload_head(body: Body) -> Result<String, StatusCode> {
    receive(body, 64 << 10).await
}

async fn receive(mut body: Body, enough: usize) -> Result<String, StatusCode> {
    let mut received = 0;
    while received < enough {
        let Some(frame) = body.frame().await else {
            break;
        };
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        received += frame.data_ref().map_or(0, Bytes::len); // your storage takes it here
    }
    Ok(format!("received {received} bytes\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::read(env::args().nth(1), |name| env::var(name).ok())?;
    let ledger = Arc::new(Ledger::new(&config)?);
    let (settlements, todo) = Settlements::new();
    let work = tokio::spawn(settlements::work(Arc::clone(&ledger), todo));
    let listener = TcpListener::bind(&config.address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app(&config, ledger, settlements))
        .with_graceful_shutdown(asked_to_end())
        .await?;
    // The uploads are over. What must still be told to Redis gets a moment.
    if timeout(Duration::from_secs(5), work).await.is_err() {
        eprintln!("ended with uploads unsettled: Redis does not answer");
    }
    Ok(())
}

async fn asked_to_end() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let terminate = async {
        let kind = tokio::signal::unix::SignalKind::terminate();
        let mut signals = tokio::signal::unix::signal(kind).expect("a handler can be set");
        signals.recv().await;
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending();
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}
