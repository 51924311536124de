//! What happens to a connection between its accepting and the first byte of HTTP.

use std::{error::Error, future::Future, pin::Pin, sync::Arc};

use http::Extensions;

use super::Listener;

/// A connection, and what its requests get into their extensions.
pub(super) type Established<Io> = (Io, Extensions);

type Establishing<Io> =
    Pin<Box<dyn Future<Output = Result<Established<Io>, Box<dyn Error + Send + Sync>>> + Send>>;

/// The steps, in the order in which they were given.
pub(super) struct Establish<Raw, Io>(
    Arc<dyn Fn(Established<Raw>) -> Establishing<Io> + Send + Sync>,
);

impl<T: Send + 'static> Establish<T, T> {
    pub(super) fn nothing() -> Self {
        Self(Arc::new(|connection| {
            Box::pin(async move { Ok(connection) })
        }))
    }
}

impl<Raw: 'static, Io: Send + 'static> Establish<Raw, Io> {
    pub(super) fn then<A, F, Next, E>(self, acceptor: A) -> Establish<Raw, Next>
    where
        A: Fn(Io) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Next, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let acceptor = Arc::new(acceptor);
        Establish(Arc::new(move |connection| {
            let earlier = (self.0)(connection);
            let acceptor = Arc::clone(&acceptor);
            Box::pin(async move {
                let (io, info) = earlier.await?;
                let accepting = acceptor(io);
                Ok((accepting.await.map_err(Into::into)?, info))
            })
        }))
    }

    pub(super) fn inform<T>(self, inform: impl Fn(&Io) -> T + Send + Sync + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        let inform = Arc::new(inform);
        Self(Arc::new(move |connection| {
            let earlier = (self.0)(connection);
            let inform = Arc::clone(&inform);
            Box::pin(async move {
                let (io, mut info) = earlier.await?;
                info.insert(inform(&io));
                Ok((io, info))
            })
        }))
    }

    pub(super) async fn run(
        &self,
        connection: Established<Raw>,
    ) -> Result<Established<Io>, Box<dyn Error + Send + Sync>> {
        (self.0)(connection).await
    }
}

impl<Raw, Io> Clone for Establish<Raw, Io> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What becomes of the other side's address, in the task of its connection.
pub(super) struct Inform<L: Listener>(Arc<Note<L::Addr>>);

type Note<Addr> = dyn Fn(Addr, &mut Extensions) + Send + Sync;

impl<L: Listener> Clone for Inform<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Listener> Inform<L> {
    pub(super) fn nothing() -> Self {
        Self(Arc::new(|_, _| ()))
    }

    pub(super) fn of<T>(connect_info: impl Fn(L::Addr) -> T + Send + Sync + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        Self(Arc::new(move |address, info| {
            info.insert(connect_info(address));
        }))
    }

    pub(super) fn of_connection(&self, address: L::Addr) -> Extensions {
        let mut info = Extensions::new();
        (self.0)(address, &mut info);
        info
    }
}
