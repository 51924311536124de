//! The client's end of a connection in memory.

use std::{cell::RefCell, io, rc::Rc, time::Duration};

use arbitrary::Arbitrary;
use tokio::{
    io::{split, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    task::yield_now,
    time::sleep,
};

/// How a client writes, whatever it writes.
#[derive(Arbitrary, Debug)]
pub struct Manner {
    /// The lengths of the pieces; there is a pause after those that are odd.
    pieces: Vec<u8>,
    /// Whether the client keeps the connection open in the end.
    stays: bool,
}

pub struct Pipe<'a> {
    manner: &'a Manner,
    writer: WriteHalf<DuplexStream>,
    received: Received,
    written: usize,
}

type Received = Rc<RefCell<Vec<u8>>>;

/// Writes as `script` does, reads meanwhile and to the end, and returns what was read.
pub async fn play(
    io: DuplexStream,
    manner: &Manner,
    script: impl AsyncFnOnce(&mut Pipe<'_>) -> io::Result<()>,
) -> Vec<u8> {
    let (reader, writer) = split(io);
    let received = Received::default();
    let mut pipe = Pipe {
        manner,
        writer,
        received: Rc::clone(&received),
        written: 0,
    };
    let write = async {
        // Fails when the server has closed.
        let _ = script(&mut pipe).await;
        if manner.stays {
            sleep(Duration::from_secs(90)).await;
        }
        let _ = pipe.writer.shutdown().await;
    };
    tokio::join!(read_all(reader, Rc::clone(&received)), write);
    received.take()
}

async fn read_all(mut reader: ReadHalf<DuplexStream>, received: Received) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = reader.read(&mut buffer).await {
        received.borrow_mut().extend_from_slice(&buffer[..length]);
    }
}

impl Pipe<'_> {
    pub async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let piece = match self.manner.pieces.get(self.written) {
                Some(length) => usize::from(*length).clamp(1, bytes.len()),
                None => bytes.len(),
            };
            self.written += 1;
            let (now, later) = bytes.split_at(piece);
            self.writer.write_all(now).await?;
            match piece % 2 {
                0 => yield_now().await,
                _ => pause().await,
            }
            bytes = later;
        }
        Ok(())
    }

    /// What was read so far.
    pub fn received(&self) -> Vec<u8> {
        self.received.borrow().clone()
    }
}

/// Lets the server do all it can do.
pub async fn pause() {
    sleep(Duration::from_millis(1)).await;
}
