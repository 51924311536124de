//! What many threads do at once.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Barrier,
    },
    thread,
};

use tower_expect::ContinueSignal;

#[test]
fn of_eight_threads_one_fires_at_most_and_none_after_close_has_returned() {
    const ROUNDS: usize = 10_000;
    const THREADS: usize = 8;

    #[derive(Default)]
    struct Round {
        sent: Arc<AtomicUsize>,
        at_close: AtomicUsize,
        claimed: AtomicUsize,
    }

    let rounds: Vec<_> = (0..ROUNDS).map(|_| Round::default()).collect();
    let signals: Vec<_> = rounds
        .iter()
        .map(|round| {
            let sent = Arc::clone(&round.sent);
            ContinueSignal::new(move || _ = sent.fetch_add(1, Ordering::SeqCst))
        })
        .collect();
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (rounds, signals, barrier) = (&rounds, &signals, &barrier);
            scope.spawn(move || {
                for (index, (round, signal)) in rounds.iter().zip(signals).enumerate() {
                    let signal = signal.clone();
                    barrier.wait();
                    if index % THREADS == number {
                        signal.close();
                        let sent = round.sent.load(Ordering::SeqCst);
                        round.at_close.store(sent, Ordering::SeqCst);
                    } else if signal.fire() {
                        round.claimed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let mut fired = 0;
    for round in &rounds {
        let sent = round.sent.load(Ordering::SeqCst);
        assert!(sent <= 1);
        assert_eq!(sent, round.at_close.load(Ordering::SeqCst));
        assert_eq!(sent, round.claimed.load(Ordering::SeqCst));
        fired += sent;
    }
    assert!(fired > 0, "no round was a race");
}

#[cfg(feature = "tokio")]
#[test]
fn a_body_that_is_let_go_as_the_response_goes_out_is_read_on_once() {
    use http::Version;
    use http_body_util::Full;
    use tokio_test::assert_ready_ok;
    use tower_expect::ExpectLayer;

    use crate::support::{fed, post, reply, start, FedBody, InFlight};

    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    let (barrier, handle) = (Barrier::new(2), runtime.handle());
    for _ in 0..2_000 {
        let (mut feed, body) = fed();
        let request = post(Version::HTTP_2).body(body).unwrap();
        let mut exchange: InFlight<FedBody, Full<bytes::Bytes>> =
            start(&ExpectLayer::default(), request);
        exchange.respond.send_response(reply());
        let response = assert_ready_ok!(exchange.future.poll());
        let body = exchange.request.into_body();
        feed.end();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _runtime = handle.enter();
                barrier.wait();
                drop(body);
            });
            let _runtime = handle.enter();
            barrier.wait();
            drop(response);
        });
        runtime.block_on(async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        });
        assert_eq!((feed.polls(), feed.drops()), (1, 1));
    }
}
