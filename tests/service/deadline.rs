//! How long an asynchronous validator may take.

use std::{
    future::{pending, ready},
    time::Duration,
};

use http::{header::RETRY_AFTER, Version};
use tokio::time::{advance, sleep};
use tokio_test::{assert_pending, task};
use tower::{Layer, Service};
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::support::{connection, counter, expecting, leave, Counted, NotCalled, PanicBody};

const TIMEOUT: Duration = Duration::from_secs(2);
const UNREAD: PanicBody = PanicBody { ended: false };

#[tokio::test(start_paused = true)]
async fn a_validator_that_hangs_is_dropped_and_the_request_answered_with_503() {
    let (counted, drops) = counter();
    let layer = ExpectLayer::new_async(move |_: &RequestHead| {
        let counted = Counted(counted.clone());
        async move {
            pending::<()>().await;
            drop(counted);
            Ok(())
        }
    });
    let mut service = layer.decision_timeout(TIMEOUT).layer(NotCalled);
    let request = expecting(Version::HTTP_11).body(UNREAD).unwrap();
    let mut future = task::spawn(service.call(request));
    assert_pending!(future.poll());
    advance(Duration::from_millis(1_999)).await;
    assert_pending!(future.poll());
    assert_eq!(drops(), 0);

    advance(Duration::from_millis(2)).await;
    assert!(future.is_woken());
    let response = leave(&mut future).0.unwrap();
    assert_eq!(drops(), 1);
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(connection(&response), Some("close"));
}

#[tokio::test(start_paused = true)]
async fn a_decision_in_time_stands() {
    let layer = ExpectLayer::new_async(|_: &RequestHead| async {
        sleep(TIMEOUT / 2).await;
        Err::<(), _>(Rejection::forbidden())
    });
    let mut service = layer.decision_timeout(TIMEOUT).layer(NotCalled);
    let request = expecting(Version::HTTP_11).body(UNREAD).unwrap();
    assert_eq!(service.call(request).await.unwrap().status(), 403);
}

#[tokio::test(start_paused = true)]
async fn a_decision_that_comes_with_the_end_of_the_time_stands() {
    let layer =
        ExpectLayer::new_async(|_: &RequestHead| ready(Err::<(), _>(Rejection::forbidden())));
    let mut service = layer.decision_timeout(Duration::ZERO).layer(NotCalled);
    let request = expecting(Version::HTTP_11).body(UNREAD).unwrap();
    assert_eq!(service.call(request).await.unwrap().status(), 403);
}

#[tokio::test(start_paused = true)]
async fn the_longest_time_is_no_limit() {
    let layer = ExpectLayer::new_async(|_: &RequestHead| async {
        sleep(Duration::from_secs(1_000_000)).await;
        Err::<(), _>(Rejection::forbidden())
    });
    let mut service = layer.decision_timeout(Duration::MAX).layer(NotCalled);
    let request = expecting(Version::HTTP_11).body(UNREAD).unwrap();
    assert_eq!(service.call(request).await.unwrap().status(), 403);
}
