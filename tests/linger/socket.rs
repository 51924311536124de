//! Every bound of a socket that lingers, under a paused clock.

use std::{io, time::Duration};

use tokio::{
    io::{duplex, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    time::{sleep, timeout, Instant},
};
use tower_expect::{Linger, LingerStream};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A client, and the server's socket, on which a response has just been written.
pub(crate) async fn responded(bounds: Linger) -> (DuplexStream, LingerStream<DuplexStream>) {
    let (client, server) = duplex(1 << 16);
    let mut server = LingerStream::new(server).bounds(bounds);
    server.write_all(b"response").await.expect("open");
    (client, server)
}

pub(crate) async fn shutdown_takes<Io: AsyncRead + AsyncWrite + Unpin>(
    io: &mut LingerStream<Io>,
) -> Duration {
    let started = Instant::now();
    io.shutdown().await.expect("no error");
    // The timer is one of milliseconds, and may be late by one.
    SECOND / 100
        * (started.elapsed().as_millis() / 10)
            .try_into()
            .expect("short")
}

/// Sends a byte now and after each of these pauses, then is silent.
fn trickle(mut client: DuplexStream, pauses: Vec<Duration>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        client.write_u8(0).await.expect("room");
        for pause in pauses {
            sleep(pause).await;
            if client.write_u8(0).await.is_err() {
                return;
            }
        }
        sleep(SECOND * 100_000).await;
    })
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_is_waited_for_half_a_second() {
    let (_client, mut server) = responded(Linger::default()).await;
    assert_eq!(shutdown_takes(&mut server).await, SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn its_half_second_begins_with_the_last_write_not_with_the_shutdown() {
    for (since_the_write, rest) in [(300, 200), (500, 0), (3_600_000, 0)] {
        let (_client, mut server) = responded(Linger::default()).await;
        sleep(Duration::from_millis(since_the_write)).await;
        let rest = Duration::from_millis(rest);
        assert_eq!(shutdown_takes(&mut server).await, rest);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vectored_write_counts_as_well() {
    let (_client, server) = duplex(100);
    let mut server = LingerStream::new(server);
    assert!(server.is_write_vectored());
    let slices = [io::IoSlice::new(b"res"), io::IoSlice::new(b"ponse")];
    let written = server.write_vectored(&slices).await.expect("open");
    assert_eq!(written, 8);
    assert_eq!(shutdown_takes(&mut server).await, SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_response_is_closed_at_once() {
    let (_client, server) = duplex(100);
    let mut server = LingerStream::new(server);
    assert_eq!(shutdown_takes(&mut server).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_is_discarded_though_the_half_second_is_over() {
    let (mut client, mut server) = responded(Linger::default()).await;
    client.write_all(&vec![0; 1 << 16]).await.expect("room");
    sleep(SECOND).await;
    let (took, ()) = tokio::join!(shutdown_takes(&mut server), async {
        client
            .write_all(&vec![0; 1 << 20])
            .await
            .expect("discarded");
    });
    assert_eq!(took, SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn the_client_sees_the_end_at_once_and_closes_which_ends_the_lingering() {
    let (mut client, mut server) = responded(Linger::default()).await;
    let started = Instant::now();
    let client = tokio::spawn(async move {
        let mut response = Vec::new();
        client.read_to_end(&mut response).await.expect("in order");
        assert_eq!(response, b"response");
        assert_eq!(started.elapsed(), Duration::ZERO);
        sleep(SECOND / 10).await;
    });
    assert_eq!(shutdown_takes(&mut server).await, SECOND / 10);
    client.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn pauses_end_it_that_are_longer_than_idle() {
    let pauses = vec![SECOND * 4, SECOND * 4, SECOND * 6];
    let (client, mut server) = responded(Linger::default()).await;
    trickle(client, pauses);
    assert_eq!(shutdown_takes(&mut server).await, SECOND * (4 + 4 + 5));
}

#[tokio::test(start_paused = true)]
async fn a_first_byte_may_be_later_than_idle_allows() {
    let bounds = Linger::default().first_byte(SECOND * 10).idle(SECOND);
    let (mut client, mut server) = responded(bounds).await;
    tokio::spawn(async move {
        sleep(SECOND * 8).await;
        client.write_u8(0).await.expect("open");
        sleep(SECOND * 100).await;
    });
    assert_eq!(shutdown_takes(&mut server).await, SECOND * 9);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_trickles_is_read_for_the_total_time() {
    let (client, mut server) = responded(Linger::default()).await;
    trickle(client, vec![SECOND * 4; 100]);
    assert_eq!(shutdown_takes(&mut server).await, SECOND * 30);

    let (client, mut server) = responded(Linger::default().total(SECOND * 7)).await;
    trickle(client, vec![SECOND; 100]);
    assert_eq!(shutdown_takes(&mut server).await, SECOND * 7);
}

#[tokio::test(start_paused = true)]
async fn the_total_time_bounds_the_wait_for_the_first_byte() {
    let (_client, mut server) = responded(Linger::default().total(SECOND / 4)).await;
    assert_eq!(shutdown_takes(&mut server).await, SECOND / 4);
}

#[tokio::test(start_paused = true)]
async fn more_than_max_bytes_end_it() {
    for (sent, took) in [(1_000, SECOND * 5), (1_001, Duration::ZERO)] {
        let (mut client, mut server) = responded(Linger::default().max_bytes(1_000)).await;
        client.write_all(&vec![0; sent]).await.expect("room");
        assert_eq!(shutdown_takes(&mut server).await, took, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_client_that_sends_takes_a_place_and_without_one_it_ends_at_once() {
    let bounds = Linger::default().max_drains(1);
    let sends = || async {
        let (mut client, server) = responded(bounds.clone()).await;
        client.write_u8(0).await.expect("room");
        (client, server)
    };
    let (_silent, mut waited_for) = responded(bounds.clone()).await;
    let (_first, mut one) = sends().await;
    let (_second, mut other) = sends().await;
    let (waited, read, rejected) = tokio::join!(
        shutdown_takes(&mut waited_for),
        shutdown_takes(&mut one),
        async {
            sleep(SECOND).await;
            shutdown_takes(&mut other).await
        },
    );
    assert_eq!(waited, SECOND / 2);
    assert_eq!(read, SECOND * 5);
    assert_eq!(rejected, Duration::ZERO);

    let (_third, mut after) = sends().await;
    assert_eq!(shutdown_takes(&mut after).await, SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_gives_its_place_back() {
    let bounds = Linger::default().max_drains(1);
    for _ in 0..3 {
        let (mut client, mut server) = responded(bounds.clone()).await;
        client.write_u8(0).await.expect("room");
        let lingers = timeout(SECOND, server.shutdown()).await;
        lingers.expect_err("still lingering");
    }
}

#[tokio::test(start_paused = true)]
async fn no_limit_is_possible() {
    let bounds = Linger::default()
        .total(Duration::MAX)
        .idle(Duration::MAX)
        .first_byte(Duration::MAX);
    let (mut client, mut server) = responded(bounds).await;
    tokio::spawn(async move {
        sleep(SECOND * 86_400).await;
        client.write_u8(0).await.expect("open");
        sleep(SECOND * 86_400).await;
    });
    assert_eq!(shutdown_takes(&mut server).await, SECOND * 2 * 86_400);
}
