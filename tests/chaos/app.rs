//! A server that keeps account of what runs in it, and of what its handler has seen.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, extract::State, Router};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Collected};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    task::{yield_now, JoinHandle},
};
use tower_expect::{AsyncValidator, Event, ExpectLayer, Linger, Rejection, RequestHead};

use crate::support::soon;

/// What every upload has for content: a request, to be seen if it is ever taken for one.
pub(crate) const CONTENT: &str = "GET /hidden HTTP/1.1\r\nhost: hidden\r\n\r\n";

/// What is under way, and what has come of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) handlers: usize,
    pub(crate) validators: usize,
    pub(crate) readings: usize,
    /// Endless responses.
    pub(crate) answers: usize,
    /// Uploads that came to their end, as sent.
    pub(crate) whole: usize,
    /// Uploads that failed while they were read.
    pub(crate) broken: usize,
    /// Uploads that came to an end, but not as sent.
    pub(crate) truncated: usize,
    pub(crate) hidden: usize,
}

#[derive(Clone)]
pub(crate) struct App {
    counts: Arc<Mutex<Counts>>,
    /// Each connection, handler, validator and observer holds a clone.
    _alive: mpsc::Sender<()>,
}

/// Counts as under way until it is dropped.
pub(crate) struct UnderWay(App, fn(&mut Counts) -> &mut usize);

impl App {
    /// The receiver is closed once all clones are dropped.
    pub(crate) fn new() -> (Self, mpsc::Receiver<()>) {
        let (alive, gone) = mpsc::channel(1);
        let counts = Arc::default();
        let app = Self {
            counts,
            _alive: alive,
        };
        (app, gone)
    }

    pub(crate) fn counts(&self) -> Arc<Mutex<Counts>> {
        Arc::clone(&self.counts)
    }

    fn add(&self, count: impl FnOnce(&mut Counts) -> &mut usize) {
        *count(&mut self.counts.lock().unwrap()) += 1;
    }

    pub(crate) fn begin(&self, count: fn(&mut Counts) -> &mut usize) -> UnderWay {
        self.add(count);
        UnderWay(self.clone(), count)
    }

    fn observe(&self, event: &Event) {
        let mut counts = self.counts.lock().unwrap();
        match event {
            Event::Lingering { .. } => counts.readings += 1,
            Event::Lingered { .. } => counts.readings -= 1,
            _ => {}
        }
    }

    /// The routes inside of the layer, which rejects what the field `x-reject` names.
    pub(crate) fn router(self) -> Router {
        let observer = self.clone();
        let layer = ExpectLayer::new_async(validator(&self))
            .linger(brief(Linger::default()))
            .observe(move |event: &Event| observer.observe(event));
        Router::new().fallback(handle).with_state(self).layer(layer)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.1(&mut self.0.counts.lock().unwrap()) -= 1;
    }
}

/// Short waits where tests end with one, and a longer one for clients that are kept from running.
pub(crate) fn brief(linger: Linger) -> Linger {
    let wait = Duration::from_millis(40);
    let idle = Duration::from_secs(1);
    linger.first_byte(wait).idle(idle).hold(wait)
}

fn validator(app: &App) -> impl AsyncValidator<Future: Send> {
    let app = app.clone();
    move |head: &RequestHead| {
        let under_way = app.begin(|counts| &mut counts.validators);
        let status = head.headers.get("x-reject");
        let status = status.map(|status| StatusCode::from_bytes(status.as_bytes()).unwrap());
        async move {
            let _under_way = under_way;
            yield_now().await;
            status.map_or(Ok(()), |status| Err(Rejection::new(status)))
        }
    }
}

async fn handle(State(app): State<App>, request: Request<Body>) -> (StatusCode, Body) {
    let _under_way = app.begin(|counts| &mut counts.handlers);
    match request.uri().path() {
        "/hidden" => app.add(|counts| &mut counts.hidden),
        "/endless" => return (StatusCode::OK, endless(&app)),
        _ => {}
    }
    let (status, content) = read(&app, request.into_body()).await;
    (status, content.into())
}

async fn read(app: &App, body: Body) -> (StatusCode, &'static str) {
    let content = body.collect().await;
    match content.map(Collected::to_bytes) {
        Ok(content) if content == CONTENT => {
            app.add(|counts| &mut counts.whole);
            (StatusCode::OK, "whole")
        }
        Ok(_) => {
            app.add(|counts| &mut counts.truncated);
            (StatusCode::OK, "truncated")
        }
        Err(_) => {
            app.add(|counts| &mut counts.broken);
            (StatusCode::BAD_REQUEST, "broken")
        }
    }
}

fn endless(app: &App) -> Body {
    let under_way = app.begin(|counts| &mut counts.answers);
    let pieces = std::iter::repeat_with(move || {
        let _under_way = &under_way;
        Ok::<_, std::io::Error>(vec![b'x'; 1 << 16])
    });
    Body::from_stream(tokio_stream::iter(pieces))
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Axum,
    #[cfg(feature = "serve")]
    Serve,
}

pub(crate) const SERVERS: &[By] = &[
    By::Axum,
    #[cfg(feature = "serve")]
    By::Serve,
];

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) task: JoinHandle<()>,
    pub(crate) counts: Arc<Mutex<Counts>>,
    pub(crate) gone: mpsc::Receiver<()>,
}

impl Server {
    pub(crate) async fn start(by: By) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (app, gone) = App::new();
        let counts = app.counts();
        let task = tokio::spawn(async move {
            match by {
                By::Axum => axum::serve(listener, app.router()).await.unwrap(),
                #[cfg(feature = "serve")]
                By::Serve => {
                    // A client that is cut off by FIN may be waiting for its response.
                    let server = tower_expect::serve(listener, app.router());
                    let wait = Duration::from_secs(1);
                    server.half_close_timeout(wait).await.unwrap();
                }
            }
        });
        Self {
            address,
            task,
            counts,
            gone,
        }
    }

    /// Stops accepting and waits until nothing is left of any connection, handler, validator or
    /// reading.
    pub(crate) async fn stop(mut self) -> Counts {
        self.task.abort();
        let left = soon("something is left", self.gone.recv()).await;
        assert_eq!(left, None);
        let counts = *self.counts.lock().unwrap();
        let requests = (counts.handlers, counts.validators);
        let bodies = (counts.readings, counts.answers);
        assert_eq!((requests, bodies), ((0, 0), (0, 0)), "{counts:?}");
        assert_eq!((counts.truncated, counts.hidden), (0, 0), "{counts:?}");
        counts
    }
}
