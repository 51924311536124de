//! Sockets that linger, with sockets below and owners above that are out of the ordinary.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{copy_bidirectional, duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::advance,
};
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower_expect::{Linger, LingerStream};

use crate::socket::{responded, shutdown_takes, SECOND};

/// Reads as it says, and counts how often; written to, it takes all.
struct Scripted {
    reads: usize,
    read: fn(&mut ReadBuf<'_>) -> Poll<io::Result<()>>,
    shutdown: fn() -> io::Result<()>,
}

impl Scripted {
    fn reading(read: fn(&mut ReadBuf<'_>) -> Poll<io::Result<()>>) -> Self {
        Self {
            reads: 0,
            read,
            shutdown: || Ok(()),
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reads += 1;
        (self.read)(buffer)
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready((self.shutdown)())
    }
}

fn endless(buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    buffer.put_slice(&[0; 1_000]);
    Poll::Ready(Ok(()))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_never_at_a_loss_for_bytes_leaves_the_thread_to_others() {
    let mut server = task::spawn(LingerStream::new(Scripted::reading(endless)));
    let shutdown =
        |cx: &mut Context<'_>, server: Pin<&mut LingerStream<_>>| server.poll_shutdown(cx);
    for _ in 0..100 {
        let before = server.get_ref().reads;
        assert_pending!(server.enter(|cx, server| shutdown(cx, server)));
        assert!(server.is_woken());
        assert!(server.get_ref().reads - before <= 32);
    }
    advance(SECOND * 30).await;
    assert_ready_ok!(server.enter(|cx, server| shutdown(cx, server)));
    assert_ready_ok!(server.enter(|cx, server| shutdown(cx, server)));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_reading_ends_it_and_is_none_of_the_shutdown() {
    let reset = |_: &mut ReadBuf<'_>| Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
    let mut server = LingerStream::new(Scripted::reading(reset));
    server.write_all(b"response").await.expect("taken");
    assert_eq!(shutdown_takes(&mut server).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_shutdown_is_returned_and_nothing_lingers() {
    let mut io = Scripted::reading(endless);
    io.shutdown = || Err(io::ErrorKind::NotConnected.into());
    let mut server = task::spawn(LingerStream::new(io));
    for _ in 0..2 {
        let error = assert_ready_err!(server.enter(|cx, server| server.poll_shutdown(cx)));
        assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    }
    assert_eq!(server.get_ref().reads, 0);
}

#[test]
fn outside_of_a_runtime_what_has_arrived_is_discarded_and_nobody_waited_for() {
    let nothing = |_: &mut ReadBuf<'_>| Poll::Pending;
    let mut server = task::spawn(LingerStream::new(Scripted::reading(nothing)));
    let written = server.enter(|cx, server| server.poll_write(cx, b"response"));
    assert_eq!(assert_ready_ok!(written), 8);
    assert_pending!(server.enter(|cx, server| server.poll_shutdown(cx)));
    assert!(server.is_woken());
    assert_ready_ok!(server.enter(|cx, server| server.poll_shutdown(cx)));
    assert_eq!(server.get_ref().reads, 1);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_reads_on_gets_all_of_it_and_ends_the_lingering() {
    let (mut client, server) = responded(Linger::default()).await;
    let mut server = task::spawn(server);
    client.write_all(b"late").await.expect("room");
    assert_pending!(server.enter(|cx, server| server.poll_shutdown(cx)));
    let mut bytes = [0; 8];
    let mut buffer = ReadBuf::new(&mut bytes);
    assert_ready!(server.enter(|cx, server| server.poll_read(cx, &mut buffer))).expect("open");
    assert_eq!(buffer.filled(), b"late");
    assert_ready_ok!(server.enter(|cx, server| server.poll_shutdown(cx)));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_of_which_one_direction_has_ended_carries_the_other() {
    for swapped in [false, true] {
        let (mut client, near) = duplex(100);
        let (mut upstream, mut far) = duplex(100);
        // Both before the tunnel looks: an end on the one side, bytes on the other.
        upstream.write_all(b"bye").await.expect("open");
        upstream.shutdown().await.expect("open");
        client.write_all(&[7; 100]).await.expect("room");
        let mut near = LingerStream::new(near);
        let tunnel = tokio::spawn(async move {
            match swapped {
                false => copy_bidirectional(&mut near, &mut far).await,
                true => copy_bidirectional(&mut far, &mut near).await,
            }
        });
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).await.expect("in order");
        assert_eq!(seen, b"bye");
        tokio::spawn(async move { client.write_all(&[7; 10_000]).await });
        let mut arrived = Vec::new();
        upstream.read_to_end(&mut arrived).await.expect("in order");
        assert_eq!(arrived.len(), 10_100);
        tunnel.await.expect("no panic").expect("no error");
    }
}
