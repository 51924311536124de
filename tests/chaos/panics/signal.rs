//! The signal by which a server lends its means to send a 100: after a panic it sends none.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use axum::body::Body;
use http::{Request, Version};
use tower::ServiceExt;
use tower_expect::ContinueSignal;

use super::{app, Place, Seen, PLACES};

#[tokio::test]
async fn a_signal_is_not_fired_by_a_panic_and_closed_once_the_layer_has_it() {
    for (place, path, reject, seen) in PLACES {
        if seen != Seen::Nothing {
            // There is an answer, and with it no signal to fire.
            continue;
        }
        let (app, _) = app(place);
        let sent = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&sent);
        let signal = ContinueSignal::new(move || flag.store(true, Ordering::Relaxed));
        let mut request = Request::put(path)
            .version(Version::HTTP_2)
            .header("expect", "100-continue");
        if reject {
            request = request.header("x-reject", "yes");
        }
        let mut request = request.body(Body::from("0123456789")).unwrap();
        request.extensions_mut().insert(signal.clone());
        let answer = tokio::spawn(app.oneshot(request)).await;
        assert!(answer.is_err(), "{place:?}");
        match place {
            // The body was asked for, which is what sends the 100.
            Place::HandlerThatHasReadSome | Place::ObserverOfContinued => {
                assert!(signal.has_fired(), "{place:?}");
            }
            // The signal is the server's yet, and nobody else has one.
            Place::Validator | Place::AsyncValidator | Place::ObserverOfAccepted => {
                assert!(!sent.load(Ordering::Relaxed), "{place:?}");
            }
            _ => assert!(!signal.fire(), "{place:?}"),
        }
        assert_eq!(
            sent.load(Ordering::Relaxed),
            signal.has_fired(),
            "{place:?}"
        );
    }
}
