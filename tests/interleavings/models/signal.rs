//! `fire` and `close` at the same time.

use std::sync::{
    atomic::{AtomicUsize as Tally, Ordering::SeqCst},
    OnceLock,
};

use loom::{
    model,
    sync::{
        atomic::{AtomicBool, AtomicUsize},
        Arc,
    },
    thread,
};
use tower_expect::ContinueSignal;

/// A signal whose closure must be alone, and not run once `closed` is set.
fn watched(closed: &Arc<AtomicBool>, runs: &Arc<AtomicUsize>) -> ContinueSignal {
    let (closed, runs) = (Arc::clone(closed), Arc::clone(runs));
    ContinueSignal::new(move || {
        assert!(!closed.load(SeqCst), "it runs although it was closed");
        assert_eq!(runs.fetch_add(1, SeqCst), 0, "it runs twice");
        thread::yield_now();
        assert!(!closed.load(SeqCst), "closing has not waited for it");
    })
}

#[test]
fn the_closure_runs_once_at_most_and_not_after_closing() {
    static OUTCOMES: [Tally; 2] = [Tally::new(0), Tally::new(0)];
    model(|| {
        let (closed, runs) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let signal = watched(&closed, &runs);
        let firing = [(); 2].map(|()| {
            let signal = signal.clone();
            thread::spawn(move || signal.fire())
        });
        signal.close();
        closed.store(true, SeqCst);
        let fired = firing.map(|thread| usize::from(thread.join().unwrap()));
        let fired: usize = fired.iter().sum();
        assert_eq!(runs.load(SeqCst), fired);
        assert_eq!(signal.has_fired(), fired == 1);
        assert!(!signal.fire());
        OUTCOMES[fired].fetch_add(1, SeqCst);
    });
    assert!(OUTCOMES.iter().all(|outcome| outcome.load(SeqCst) > 0));
}

#[test]
fn each_of_two_that_close_waits_for_the_one_that_fires() {
    model(|| {
        let (closed, runs) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let signal = watched(&closed, &runs);
        let firing = signal.clone();
        let firing = thread::spawn(move || firing.fire());
        let (closing, other) = (signal.clone(), Arc::clone(&closed));
        let closing = thread::spawn(move || {
            closing.close();
            other.store(true, SeqCst);
        });
        signal.close();
        closed.store(true, SeqCst);
        closing.join().unwrap();
        assert_eq!(usize::from(firing.join().unwrap()), runs.load(SeqCst));
    });
}

#[test]
fn a_closure_that_is_not_run_is_dropped_once_and_outside_of_the_lock() {
    /// Takes the lock of its own signal as it is dropped.
    struct Captured(Arc<OnceLock<ContinueSignal>>, Arc<AtomicUsize>);

    impl Drop for Captured {
        fn drop(&mut self) {
            assert!(!self.0.get().unwrap().has_fired());
            self.1.fetch_add(1, SeqCst);
        }
    }

    model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let own = Arc::new(OnceLock::new());
        let captured = Captured(Arc::clone(&own), Arc::clone(&drops));
        let signal = ContinueSignal::new(move || drop(captured));
        own.set(signal.clone()).unwrap();
        let closing = signal.clone();
        let closing = thread::spawn(move || closing.close());
        signal.close();
        closing.join().unwrap();
        assert_eq!(drops.load(SeqCst), 1);
    });
}
