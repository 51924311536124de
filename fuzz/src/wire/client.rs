//! A client that speaks HTTP/1, or nearly.

use std::io;

use arbitrary::Arbitrary;
use tokio::io::DuplexStream;

use super::message::{Message, Piece, Sends};
use crate::pipe::{self, pause, Manner, Pipe};

#[derive(Arbitrary, Debug)]
pub struct Script {
    pub stream: Stream,
    manner: Manner,
}

#[derive(Arbitrary, Debug)]
pub enum Stream {
    /// Requests one behind the other.
    Honest(Vec<Message>),
    Raw(Vec<Piece>),
}

impl Script {
    /// Returns all that the server has sent.
    pub async fn play(&self, io: DuplexStream) -> Vec<u8> {
        pipe::play(io, &self.manner, async |pipe: &mut Pipe<'_>| {
            match &self.stream {
                Stream::Raw(pieces) => {
                    for piece in pieces {
                        pipe.write(&piece.bytes()).await?;
                    }
                    Ok(())
                }
                Stream::Honest(messages) => {
                    for message in messages {
                        send(pipe, message).await?;
                    }
                    Ok(())
                }
            }
        })
        .await
    }
}

async fn send(pipe: &mut Pipe<'_>, message: &Message) -> io::Result<()> {
    let before = pipe.received().len();
    pipe.write(&message.head()).await?;
    if message.sends() != Sends::AtOnce {
        pause().await;
    }
    let status = &pipe.received()[before..];
    let is_rejected = status.get(8..12).is_some_and(|status| status != b" 100");
    if message.sends() == Sends::AfterThe100 && is_rejected {
        return Ok(());
    }
    pipe.write(&message.content()).await
}
