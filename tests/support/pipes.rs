//! A listener whose connections a test hands in.

use std::{future::pending, io};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};
use tower_expect::serve::Listener;

pub(crate) struct Pipes<Io>(mpsc::UnboundedReceiver<Io>);

pub(crate) fn pipes<Io>() -> (mpsc::UnboundedSender<Io>, Pipes<Io>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Pipes(receiver))
}

impl<Io> Listener for Pipes<Io>
where
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Io = Io;
    type Addr = ();

    async fn accept(&mut self) -> io::Result<(Io, ())> {
        match self.0.recv().await {
            Some(pipe) => Ok((pipe, ())),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
