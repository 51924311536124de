//! An HTTP/1 connection of a client that keeps count of what it has received.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        TcpStream,
    },
    time::timeout,
};

use crate::message::Message;

/// How long a server may be silent. No honest server needs that long here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Wire {
    reader: OwnedReadHalf,
    pub(crate) writer: OwnedWriteHalf,
    pub(crate) received: Received,
}

/// The responses on a connection.
#[derive(Default)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    /// How many were interim, before the first final one.
    pub(crate) interim: usize,
    /// Those that are final and complete.
    pub(crate) finals: Vec<Message>,
}

impl Received {
    fn parse(&mut self) {
        while let Some((message, length)) = Message::parse(&self.bytes, true) {
            self.bytes.drain(..length);
            match message.status() {
                200.. => self.finals.push(message),
                // Behind the final response, it is no invitation.
                _ => self.interim += usize::from(self.finals.is_empty()),
            }
        }
    }

    /// The head of the first final response, be its body complete or not.
    pub(crate) fn head(&self) -> Option<Message> {
        match self.finals.first() {
            Some(first) => Message::parse(first.head.as_bytes(), false),
            None => Message::parse(&self.bytes, false),
        }
        .map(|(head, _)| head)
    }

    /// Whether these bytes have come last, in a message that is not complete.
    pub(crate) fn ends_with(&self, bytes: &[u8]) -> bool {
        self.bytes.ends_with(bytes)
    }
}

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            reader,
            writer,
            received: Received::default(),
        })
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(PATIENCE, self.writer.write_all(bytes)).await?
    }

    /// Reads until the condition holds. `false` if the connection ends, or the patience, before.
    pub(crate) async fn receive(&mut self, enough: impl Fn(&Received) -> bool) -> bool {
        self.receive_for(PATIENCE, enough).await
    }

    pub(crate) async fn receive_for(
        &mut self,
        patience: Duration,
        enough: impl Fn(&Received) -> bool,
    ) -> bool {
        let reading = receive(&mut self.reader, &mut self.received, enough);
        timeout(patience, reading).await.unwrap_or(false)
    }

    /// Sends as much as the server takes, and reads meanwhile until the condition holds.
    pub(crate) async fn exchange(&mut self, bytes: &[u8], enough: impl Fn(&Received) -> bool) {
        let mut sending = pin!(self.writer.write_all(bytes));
        let mut receiving = pin!(receive(&mut self.reader, &mut self.received, enough));
        let both = async {
            tokio::select! {
                _ = &mut sending => {
                    receiving.await;
                }
                // A server that has ended its own side may still read.
                held = &mut receiving => if !held {
                    _ = sending.await;
                }
            }
        };
        _ = timeout(PATIENCE, both).await;
    }
}

async fn receive(
    reader: &mut OwnedReadHalf,
    received: &mut Received,
    enough: impl Fn(&Received) -> bool,
) -> bool {
    received.parse();
    while !enough(received) {
        if reader.read_buf(&mut received.bytes).await.unwrap_or(0) == 0 {
            return false;
        }
        received.parse();
    }
    true
}
