//! A link with a round-trip time and losses, as a TCP relay on loopback.
//!
//! Each direction holds what it has read for half a round trip. A lost segment is a pause of one
//! retransmission timeout, which is what TCP makes of it. Ends and resets travel at the same speed.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        TcpListener, TcpStream,
    },
    sync::mpsc,
    time::sleep_until,
};

/// A window of 1 MiB: what a link of 40 Mbit/s holds in 200 ms.
const SEGMENTS_IN_FLIGHT: usize = 64;
const SEGMENT: usize = 16 * 1024;
const RETRANSMISSION: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) round_trip: Duration,
    /// Of a hundred segments.
    pub(crate) lost_percent: u32,
}

enum Event {
    Data(Vec<u8>),
    End,
    Reset,
}

impl Link {
    /// Relays connections to `server` until it is dropped.
    pub(crate) async fn relay(self, listener: TcpListener, server: SocketAddr) -> io::Result<()> {
        for number in 0.. {
            let (client, _) = listener.accept().await?;
            tokio::spawn(async move {
                // A server that does not listen shows as a connection that ends.
                let _ = self.connect(client, server, number).await;
            });
        }
        Ok(())
    }

    async fn connect(self, client: TcpStream, server: SocketAddr, number: u64) -> io::Result<()> {
        let server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (client_read, client_write) = client.into_split();
        let (server_read, server_write) = server.into_split();
        tokio::join!(
            self.carry(client_read, server_write, 2 * number),
            self.carry(server_read, client_write, 2 * number + 1),
        );
        Ok(())
    }

    async fn carry(self, mut from: OwnedReadHalf, to: OwnedWriteHalf, seed: u64) {
        let (sender, receiver) = mpsc::channel(SEGMENTS_IN_FLIGHT);
        let mut losses = Losses::new(seed, self.lost_percent);
        let reading = async move {
            loop {
                let mut segment = vec![0; SEGMENT];
                let event = match from.read(&mut segment).await {
                    Ok(0) => Event::End,
                    Ok(len) => {
                        segment.truncate(len);
                        Event::Data(segment)
                    }
                    Err(_) => Event::Reset,
                };
                let last = !matches!(event, Event::Data(_));
                let arrival = Instant::now() + self.round_trip / 2 + losses.next();
                if sender.send((arrival, event)).await.is_err() || last {
                    return from;
                }
            }
        };
        tokio::join!(reading, deliver(receiver, to));
    }
}

async fn deliver(mut events: mpsc::Receiver<(Instant, Event)>, mut to: OwnedWriteHalf) {
    while let Some((arrival, event)) = events.recv().await {
        sleep_until(arrival.into()).await;
        let result = match event {
            Event::Data(segment) => to.write_all(&segment).await,
            Event::End => to.shutdown().await,
            Event::Reset => {
                // Closing with zero linger resets.
                let _ = to.as_ref().set_zero_linger();
                return;
            }
        };
        if result.is_err() {
            return;
        }
    }
}

/// Which segments are lost: always the same ones, so that a run can be repeated.
struct Losses {
    state: u64,
    percent: u64,
}

impl Losses {
    fn new(seed: u64, percent: u32) -> Self {
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            percent: percent.into(),
        }
    }

    fn next(&mut self) -> Duration {
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        if self.state % 100 < self.percent {
            RETRANSMISSION
        } else {
            Duration::ZERO
        }
    }
}
