//! How often the layer allocates for a request, in the cases that the benchmarks measure.
//!
//! In a binary of its own: the allocator that counts is that of the whole binary.

#[allow(dead_code, reason = "not all of it is of interest here")]
#[path = "stacks/mod.rs"]
mod stacks;

use stacks::{cases, Case, BARE};
use tower::Layer;
use tower_expect::ExpectLayer;

fn allocations(case: &Case) -> u64 {
    let mut stack = (case.build)();
    stack.prepare(2);
    // What the first request alone sets up is no cost of a request.
    stack.run();
    allocation_counter::measure(|| stack.run()).count_total
}

/// Of the layer, above those of the bare service.
fn added(scenario: &str, layer: &str) -> u64 {
    let of = |layer| {
        let mut cases = cases().into_iter();
        let case = cases.find(|case| case.scenario == scenario && case.layer == layer);
        allocations(&case.expect("a case that is measured"))
    };
    of(layer) - of(BARE)
}

#[test]
fn a_request_without_content_costs_no_allocation() {
    assert_eq!(added("GET", "ExpectLayer"), 0);
    assert_eq!(added("GET", "ExpectLayer, rules"), 0);
}

#[test]
fn content_costs_one_allocation() {
    let routed = "Expect, accepted, routed";
    assert_eq!(added("PUT", "ExpectLayer"), 1);
    assert_eq!(added(routed, "ExpectLayer"), 1);
    assert_eq!(added(routed, "ExpectLayer, async"), 1);
    assert_eq!(added(routed, "ExpectLayer, no linger"), 1);
}

/// The marker for the layers inside is the first entry in the extensions.
#[test]
fn an_expectation_costs_two_more_where_the_extensions_are_empty() {
    assert_eq!(added("Expect, accepted", "ExpectLayer"), 3);
    assert_eq!(added("Expect, accepted", "ExpectLayer, async"), 3);
    assert_eq!(added("Expect, accepted", "ExpectLayer, no linger"), 3);
}

#[test]
fn content_that_nobody_expects_costs_no_allocation_without_lingering() {
    assert_eq!(added("PUT", "ExpectLayer, no linger"), 0);
}

/// The bar is three; `cargo bench` says by how much it is missed.
const OF_A_REJECTION: u64 = 9;

#[test]
fn a_rejection_costs_no_more_allocations_than_known() {
    assert_eq!(added("Expect, rejected", "ExpectLayer"), OF_A_REJECTION);
    assert!(added("Expect, rejected, HTTP/2", "ExpectLayer") <= OF_A_REJECTION);
}

#[test]
fn wrapping_a_service_costs_no_allocation() {
    let layer = ExpectLayer::default();
    // axum does so anew for each route and connection.
    let wrapped = allocation_counter::measure(|| drop(layer.layer(())));
    assert_eq!(wrapped.count_total, 0);
}

mod lingering {
    use std::{
        io,
        pin::Pin,
        sync::Arc,
        task::{Context, Poll, Wake},
    };

    use tokio::io::{join, sink, AsyncRead, AsyncWrite, ReadBuf};
    use tower_expect::LingerStream;

    struct Silent;

    impl AsyncRead for Silent {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn a_socket_allocates_nothing_in_use_and_a_timer_while_it_lingers() {
        // The bounds that all have in common.
        drop(LingerStream::new(()));
        let waker = Arc::new(Nobody).into();
        let mut cx = Context::from_waker(&waker);
        let mut stream = None;
        let in_use = allocation_counter::measure(|| {
            let stream = stream.insert(LingerStream::new(join(Silent, sink())));
            let _ = Pin::new(&mut *stream).poll_read(&mut cx, &mut ReadBuf::new(&mut [0]));
            let _ = Pin::new(stream).poll_write(&mut cx, b"response");
        });
        assert_eq!(in_use.count_total, 0);

        let mut stream = stream.expect("made");
        let lingering = allocation_counter::measure(|| {
            for _ in 0..3 {
                assert!(Pin::new(&mut stream).poll_shutdown(&mut cx).is_pending());
            }
        });
        assert_eq!(lingering.count_total, 1);
        assert!(lingering.bytes_total < 200, "{}", lingering.bytes_total);
    }
}
