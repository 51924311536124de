//! `quota_redis` as far as it goes without Redis; with it: `tests/interop/run --quota`.

use std::{
    cell::Cell,
    future::ready,
    sync::{atomic::Ordering, Arc},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::Receiver,
    time::{advance, Instant},
};
use tokio_test::{assert_pending, assert_ready, task::spawn};
use tower_expect::Rejection;

use super::{
    quota_redis::{
        self,
        config::{Config, WithoutRedis},
        lease::{until_lost, Lease, Lost},
        ledger::{Ledger, Verdict},
        settlements::{Settlement, Settlements},
        validator::rejection,
    },
    support::{accepted, outcome, rejected, start, to, with_token},
    tour::exchange::Exchange,
};

const LEASE: Duration = Duration::from_secs(30);

fn config(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(None, |name| {
        let mut all = variables.iter();
        let (_, value) = all.find(|(given, _)| *given == name)?;
        Some((*value).to_owned())
    })
}

/// A port that does not respond: connections are refused, or made and left alone.
async fn no_redis(accepts: bool) -> (String, Option<TcpListener>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    (url, accepts.then_some(listener))
}

fn lease(redis: &str) -> (Lease, Receiver<Settlement>) {
    let config = config(&[("REDIS_URL", redis)]).unwrap();
    let ledger = Arc::new(Ledger::new(&config).unwrap());
    let (settlements, queued) = Settlements::new();
    (Lease::new("alice".into(), 10, ledger, settlements), queued)
}

/// Whose bytes are to be settled, and how many, once the lease is gone.
fn queued(queue: &mut Receiver<Settlement>) -> Option<(Arc<str>, u64)> {
    let settlement = queue.try_recv().ok()?;
    Some((settlement.claim.user, settlement.read))
}

#[test]
fn the_settings_have_defaults() {
    let config = config(&[]).unwrap();
    assert_eq!(config.address, "127.0.0.1:3000");
    assert_eq!(config.redis, "redis://127.0.0.1:6379");
    assert_eq!(config.redis_timeout, Duration::from_millis(250));
    assert_eq!(config.quota, 12_000_000);
    assert_eq!(config.lease, LEASE);
    assert_eq!(config.without_redis, WithoutRedis::Reject);
    assert_eq!(*config.tokens, [("alice".into(), "s3cr3t".into())]);
}

#[test]
fn the_settings_come_from_the_environment() {
    let config = config(&[
        ("REDIS_URL", "redis://cache"),
        ("REDIS_TIMEOUT_MS", "2000"),
        ("QUOTA_BYTES", "9007199254740992"),
        ("LEASE_SECONDS", "1"),
        ("WITHOUT_REDIS", "accept"),
        ("TOKENS", "alice=a=b  bob=c"),
    ])
    .unwrap();
    assert_eq!(config.redis, "redis://cache");
    assert_eq!(config.redis_timeout, Duration::from_secs(2));
    assert_eq!(config.quota, 1 << 53);
    assert_eq!(config.lease, Duration::from_secs(1));
    assert_eq!(config.without_redis, WithoutRedis::Accept);
    let tokens = [("alice", "a=b"), ("bob", "c")];
    assert_eq!(*config.tokens, tokens.map(|(u, t)| (u.into(), t.into())));
}

#[test]
fn a_wrong_setting_is_named() {
    for (name, value) in [
        ("REDIS_TIMEOUT_MS", "1 s"),
        ("QUOTA_BYTES", "many"),
        ("QUOTA_BYTES", "9007199254740993"),
        ("LEASE_SECONDS", "0"),
        ("LEASE_SECONDS", "-1"),
        ("WITHOUT_REDIS", "yes"),
        ("TOKENS", "alice"),
        ("TOKENS", "alice="),
        ("TOKENS", "=s3cr3t"),
    ] {
        let error = config(&[(name, value)]).err().unwrap();
        assert!(error.starts_with(name), "{error}");
    }
}

#[test]
fn each_verdict_has_its_answer() {
    let answer = |verdict| {
        let rejection: Rejection = rejection(verdict, LEASE)?;
        let headers = rejection.headers();
        let retry_after = headers.get("retry-after").cloned();
        let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
        Some((rejection.status().as_u16(), retry_after))
    };
    assert_eq!(answer(Verdict::Reserved), None);
    assert_eq!(answer(Verdict::Full), Some((429, Some("30".into()))));
    assert_eq!(answer(Verdict::TooLarge { left: 5 }), Some((413, None)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_its_bytes_come() {
    let (moves, renewed) = (Cell::new(true), Cell::new(0));
    let renew = || {
        renewed.set(renewed.get() + 1);
        ready(renewed.get() < 3)
    };
    let mut lost = spawn(until_lost(LEASE / 3, || moves.get(), renew));
    assert_pending!(lost.poll());
    advance(LEASE / 3).await;
    assert_pending!(lost.poll());
    assert_eq!(renewed.get(), 1);
    moves.set(false);
    for _ in 0..9 {
        advance(LEASE / 3).await;
        assert_pending!(lost.poll());
    }
    assert_eq!(renewed.get(), 1);
    moves.set(true);
    advance(LEASE / 3).await;
    assert_pending!(lost.poll());
    assert_eq!(renewed.get(), 2);
    // The third time, its place has been taken.
    advance(LEASE / 3).await;
    assert_eq!(assert_ready!(lost.poll()), Lost);
}

#[tokio::test]
async fn a_dropped_lease_is_released() {
    let (redis, _) = no_redis(false).await;
    let (lease, mut queue) = lease(&redis);
    lease.meter().fetch_add(7, Ordering::Relaxed);
    drop(lease);
    assert_eq!(queued(&mut queue), Some(("alice".into(), 0)));
}

#[tokio::test]
async fn a_lease_is_released_though_redis_was_only_asked_for_it() {
    let (redis, _listener) = no_redis(true).await;
    let (mut lease, mut queue) = lease(&redis);
    assert_pending!(spawn(lease.reserve()).poll());
    drop(lease);
    assert_eq!(queued(&mut queue), Some(("alice".into(), 0)));
}

#[tokio::test]
async fn a_lease_is_released_if_the_request_is_dropped_before_its_upload() {
    let (redis, _) = no_redis(false).await;
    let (lease, mut queue) = lease(&redis);
    let mut request = http::Request::new(());
    request.extensions_mut().insert(Arc::new(lease));
    assert_eq!(queued(&mut queue), None);
    drop(request);
    assert_eq!(queued(&mut queue), Some(("alice".into(), 0)));
}

#[tokio::test]
async fn a_settlement_that_fails_or_is_dropped_is_made_up_for() {
    let (redis, _) = no_redis(false).await;
    let (failing, mut queue) = lease(&redis);
    failing.meter().fetch_add(7, Ordering::Relaxed);
    failing.settle().await;
    assert_eq!(queued(&mut queue), Some(("alice".into(), 7)));

    let (redis, _listener) = no_redis(true).await;
    let (dropped, mut queue) = lease(&redis);
    dropped.meter().fetch_add(7, Ordering::Relaxed);
    assert_pending!(spawn(dropped.settle()).poll());
    assert_eq!(queued(&mut queue), Some(("alice".into(), 7)));
}

#[tokio::test(start_paused = true)]
async fn redis_is_waited_for_half_a_second_at_most() {
    for accepts in [false, true] {
        let (redis, _listener) = no_redis(accepts).await;
        let (mut lease, _) = lease(&redis);
        let began = Instant::now();
        assert!(lease.reserve().await.is_err());
        assert!(began.elapsed() <= Duration::from_millis(500));
    }
}

#[tokio::test]
async fn without_redis_uploads_are_rejected_or_accepted_as_configured() {
    for accepts in [false, true] {
        for (setting, expected) in [("reject", rejected(503)), ("accept", accepted())] {
            let (redis, _listener) = no_redis(accepts).await;
            let server = serve(&[("REDIS_URL", &redis), ("WITHOUT_REDIS", setting)]).await;
            assert_eq!(outcome(server, to("/some.bin")).await, expected);
        }
    }
}

#[tokio::test]
async fn who_it_is_and_how_long_it_is_must_be_known() {
    let (redis, _) = no_redis(false).await;
    let server = serve(&[("REDIS_URL", &redis)]).await;
    let empty = |authorization| Exchange {
        body: 0,
        ..with_token(authorization)
    };
    let unknown = with_token("Bearer unknown");
    assert_eq!(outcome(server, unknown).await, rejected(401));
    assert_eq!(
        outcome(server, empty("Bearer unknown")).await,
        rejected(401)
    );
    // Nothing to reserve: Redis is not asked.
    let ok = (vec![200], 0);
    assert_eq!(outcome(server, empty("Bearer s3cr3t")).await, ok);

    let mut socket = TcpStream::connect(server).await.unwrap();
    let chunked = "PUT /some.bin HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
                   Authorization: Bearer s3cr3t\r\nExpect: 100-continue\r\n\r\n";
    socket.write_all(chunked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411 "), "{answer}");
}

async fn serve(variables: &[(&str, &str)]) -> std::net::SocketAddr {
    let config = config(variables).unwrap();
    let ledger = Ledger::new(&config).unwrap();
    let (settlements, _) = Settlements::new();
    start(quota_redis::app(&config, Arc::new(ledger), settlements)).await
}
