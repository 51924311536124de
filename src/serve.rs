//! A whole server: accepts connections, serves HTTP/1.1 by hyper and HTTP/2 by [`http2`].
//!
//! Takes the place of `axum::serve` and of tonic's transport where clients are to get a `100
//! Continue` over HTTP/2 as well.
//!
//! ```
//! use std::future::IntoFuture;
//!
//! use axum::{routing::put, Router};
//! use tokio::{net::TcpListener, sync::oneshot};
//! use tower_expect::{rules, ExpectLayer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = Router::new()
//!     .route("/", put(|content: String| async move { format!("stored {content}") }))
//!     .layer(ExpectLayer::new(rules::content_length(..=1 << 20)));
//!
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let (stop, stopped) = oneshot::channel::<()>();
//! let server = tower_expect::serve(listener, app).with_graceful_shutdown(async {
//!     let _ = stopped.await;
//! });
//! let server = tokio::spawn(server.into_future());
//! # use http_body_util::{BodyExt, Full};
//! # use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//!
//! // Over HTTP/1.1 and over HTTP/2:
//! for http2_only in [false, true] {
//!     let client = Client::builder(TokioExecutor::new()).http2_only(http2_only).build_http();
//!     let request = http::Request::put(format!("http://{address}/"))
//!         .header("expect", "100-continue")
//!         .body(Full::<bytes::Bytes>::from("a picture"))?;
//!     let response = client.request(request).await?;
//!     let content = response.into_body().collect().await?.to_bytes();
//!     assert_eq!(content, "stored a picture");
//! }
//!
//! stop.send(()).unwrap();
//! server.await?;
//! # Ok(())
//! # }
//! ```

mod body;
mod connection;
mod preface;

use std::{
    error::Error,
    fmt,
    future::{pending, poll_fn, Future, IntoFuture, Pending},
    io,
    pin::{pin, Pin},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower_service::Service;

pub use self::{body::IncomingBody, connection::serve_connection};
use crate::http2;

/// Serves `service`, which may be an axum `Router` or tonic's `Routes`, to all who connect.
///
/// `TCP_NODELAY` is set on each connection: without it small responses wait 40 ms for the client's
/// acknowledgement. Each connection runs in a tokio task of its own, with a clone of the service.
///
/// See the [module](mod@crate::serve) for an example, and [`serve_connection`] for TLS.
pub fn serve<S>(listener: TcpListener, service: S) -> Serve<S> {
    Serve {
        listener,
        service,
        http2: http2::Builder::new(),
        shutdown: pending(),
    }
}

/// A server that runs once it is awaited; made by [`serve`].
///
/// Accept errors do not end it: those of a connection that is gone already are passed over, and for
/// those of the system, such as too many open files, it waits a second.
///
/// # Cancel safety
///
/// Dropping the future stops accepting. Connections that were accepted go on.
#[must_use = "a server does nothing unless it is awaited"]
pub struct Serve<S, F = Pending<()>> {
    listener: TcpListener,
    service: S,
    http2: http2::Builder,
    shutdown: F,
}

impl<S, F> Serve<S, F> {
    /// Ends the server when `signal` is ready: no connection is accepted any more, those that are open
    /// finish what they have begun, and then the server's future is ready.
    ///
    /// A client that neither reads nor closes is waited for; put a limit to it if you must.
    pub fn with_graceful_shutdown<G>(self, signal: G) -> Serve<S, G>
    where
        G: Future<Output = ()>,
    {
        Serve {
            listener: self.listener,
            service: self.service,
            http2: self.http2,
            shutdown: signal,
        }
    }

    /// The settings of HTTP/2 connections.
    pub fn with_http2(mut self, http2: http2::Builder) -> Self {
        self.http2 = http2;
        self
    }
}

impl<S, F, B> IntoFuture for Serve<S, F>
where
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    F: Future<Output = ()> + Send + 'static,
{
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run(self))
    }
}

async fn run<S, F, B>(server: Serve<S, F>)
where
    S: Service<Request<IncomingBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Bytes> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    F: Future<Output = ()>,
{
    let Serve {
        listener,
        service,
        http2,
        shutdown,
    } = server;
    let mut shutdown = pin!(shutdown);
    // `true` once the connections are to finish. Each holds a receiver for as long as it is open.
    let (closing, open) = watch::channel(false);
    loop {
        let accepted = {
            let mut accept = pin!(accept(&listener));
            poll_fn(|cx| match shutdown.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => accept.as_mut().poll(cx).map(Some),
            })
            .await
        };
        let Some(stream) = accepted else {
            break;
        };
        let service = service.clone();
        let http2 = http2.clone();
        let mut open = open.clone();
        tokio::spawn(async move {
            let shutdown = async {
                // An error means that the server was dropped: its connections go on.
                if open.wait_for(|closing| *closing).await.is_err() {
                    pending::<()>().await;
                }
            };
            // Nobody is left to be told of a client's failure.
            let _ = serve_connection(stream, service, http2, shutdown).await;
            drop(open);
        });
    }
    drop(listener);
    drop(open);
    closing.send_replace(true);
    closing.closed().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Fails only on a connection that is gone already, which will be noticed.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_connection(&error) => {}
            // Such as EMFILE. It would be there at once again.
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

impl<S, F> fmt::Debug for Serve<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("http2", &self.http2)
            .finish_non_exhaustive()
    }
}
