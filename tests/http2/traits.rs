//! What the public types are besides: a change here breaks users.

use std::{error::Error, fmt::Debug};

use tokio::{io::DuplexStream, net::TcpListener};
use tower_expect::{
    http2,
    serve::{Handle, IncomingBody, Serve},
};

#[test]
fn types_may_be_sent_shared_and_printed() {
    fn everything<T: Send + Sync + Unpin + Debug + 'static>() {}

    everything::<http2::Builder>();
    everything::<http2::Connection<DuplexStream, ()>>();
    everything::<http2::Error>();
    everything::<http2::RequestBody>();
    everything::<IncomingBody>();
    everything::<Handle>();
}

#[test]
fn a_server_may_be_sent_and_printed() {
    fn sent<T: Send + Unpin + Debug + 'static>() {}

    sent::<Serve<TcpListener, ()>>();
}

#[test]
fn settings_are_cloned_and_errors_are_errors() {
    fn clone<T: Clone + Default>() {}
    fn error<T: Error>() {}

    clone::<http2::Builder>();
    error::<http2::Error>();
}

#[test]
#[should_panic(expected = "a window is at most 2^31 - 1")]
fn a_window_beyond_the_protocols_is_rejected_at_once() {
    let _ = http2::Builder::new().initial_stream_window_size(1 << 31);
}
