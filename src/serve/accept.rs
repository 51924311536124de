//! The accept loop, and the end of a server.

use std::{
    error::Error,
    future::{pending, poll_fn, Future},
    io,
    pin::{pin, Pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower_service::Service;

use super::{
    connection,
    establish::{Establish, Inform},
    handle::{Handle, Membership, Phase},
    settings::{Settings, Timeouts},
    IncomingBody, Listener,
};
use crate::observe::{ConnectionEnd, Event, Observers};

/// All that a server is made of.
pub(super) struct Server<L: Listener, S, Io> {
    pub(super) listener: L,
    pub(super) service: S,
    pub(super) connect_info: Inform<L>,
    pub(super) establish: Establish<L::Io, Io>,
    pub(super) settings: Settings,
    pub(super) timeouts: Timeouts,
    pub(super) max_connections: Option<usize>,
    pub(super) shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    pub(super) graceful_timeout: Option<Duration>,
    pub(super) handle: Handle,
    pub(super) observers: Observers,
}

pub(super) async fn run<L, S, Io, B>(server: Server<L, S, Io>)
where
    L: Listener,
    Io: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    let Server {
        mut listener,
        service,
        connect_info,
        establish,
        settings,
        timeouts,
        max_connections,
        shutdown,
        graceful_timeout,
        handle,
        observers,
    } = server;
    let settings = Arc::new(settings.with(&timeouts));
    let mut places = max_connections.map(Places::new);
    let signal = shutdown.unwrap_or_else(|| Box::pin(pending()));
    let mut shutdown = pin!(async {
        until(pin!(handle.closing()), signal).await;
    });
    loop {
        let next = async {
            let place = match &mut places {
                Some(places) => places.take(&observers).await,
                None => None,
            };
            (accept(&mut listener, &observers).await, place)
        };
        let Some(((io, address), place)) = until(shutdown.as_mut(), pin!(next)).await else {
            break;
        };
        let connect_info = connect_info.clone();
        let establish = establish.clone();
        let service = service.clone();
        let settings = Arc::clone(&settings);
        let watched = Watched::begin(handle.connect(), &observers, place);
        tokio::spawn(async move {
            let establish = async move {
                let info = connect_info.of_connection(address);
                establish.run((io, info)).await
            };
            let closing = watched.membership.reached(Phase::Closing);
            let aborting = pin!(watched.membership.reached(Phase::Aborting));
            let running = pin!(connection::serve(establish, service, &settings, closing));
            let aborted = || {
                (
                    ConnectionEnd::Aborted,
                    "the server did not wait for its end any longer".into(),
                )
            };
            let ended = until(aborting, running).await;
            watched.end(ended.unwrap_or_else(|| Err(aborted())));
        });
    }
    drop(listener);
    handle.enter(Phase::Closing);
    let emptied = handle.emptied();
    match graceful_timeout {
        None => emptied.await,
        Some(limit) => {
            if timeout(limit, emptied).await.is_err() {
                handle.enter(Phase::Aborting);
                handle.emptied().await;
            }
        }
    }
}

/// What `future` yields, or `None` if `stop` is ready before that.
///
/// Both are pinned by the caller: moved in here and pinned, they would be in the caller's task twice.
async fn until<T>(
    mut stop: impl Future<Output = ()> + Unpin,
    mut future: impl Future<Output = T> + Unpin,
) -> Option<T> {
    poll_fn(|cx| match Pin::new(&mut stop).poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => Pin::new(&mut future).poll(cx).map(Some),
    })
    .await
}

/// The connections that there may be at the same time.
struct Places {
    max: usize,
    free: Arc<Semaphore>,
    /// That there was none was told, and there have not been many since.
    told: bool,
}

impl Places {
    fn new(max: usize) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max)),
            told: false,
        }
    }

    async fn take(&mut self, observers: &Observers) -> Option<OwnedSemaphorePermit> {
        let free = self.free.available_permits();
        if free == 0 && !self.told {
            observers.tell(&Event::MaxConnections {});
        }
        self.told = free == 0 || self.told && free <= self.max / 10;
        // An error would mean that it was closed, which nobody does.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

async fn accept<L: Listener>(listener: &mut L, observers: &Observers) -> (L::Io, L::Addr) {
    const LONGEST: Duration = Duration::from_secs(1);
    let mut pause = Duration::from_millis(5);
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        if is_of_connection(&error) {
            continue;
        }
        let message = error.to_string().into();
        observers.tell(&Event::AcceptFailed { message });
        // Such as EMFILE: it would be there again at once.
        sleep(pause).await;
        pause = LONGEST.min(pause * 2);
    }
}

/// Whether the connection was gone before it was accepted.
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// One connection, for those who watch the server.
struct Watched {
    membership: Membership,
    observers: Observers,
    since: Instant,
    ended: Option<(ConnectionEnd, String)>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Watched {
    fn begin(
        membership: Membership,
        observers: &Observers,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        observers.tell(&Event::Connected {});
        Self {
            membership,
            observers: observers.clone(),
            since: Instant::now(),
            ended: Some((
                ConnectionEnd::Failed,
                "the task of the connection was cancelled, or has panicked".into(),
            )),
            _place: place,
        }
    }

    fn end(mut self, ended: connection::Ended) {
        self.ended = ended.err();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let (end, message) = match self.ended.take() {
            Some((end, message)) => (end, Some(message.into())),
            None => (ConnectionEnd::Closed, None),
        };
        self.observers.tell(&Event::Disconnected {
            end,
            message,
            duration: self.since.elapsed(),
        });
    }
}
