//! One exchange, taken apart so that its parts can go to different threads.

use std::{
    convert::Infallible,
    future::{ready, Future},
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        Arc, Mutex,
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{request, Request, Response, StatusCode, Version};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::{
    runtime::{Builder, EnterGuard, Runtime},
    time::sleep,
};
use tokio_test::{assert_ready, assert_ready_ok, task};
use tower::{service_fn, Layer, Service};
use tower_expect::{ContinueSignal, ExpectBody, ExpectLayer, ResponseBody};

pub(crate) type Reply = Response<ResponseBody<Full<Bytes>>>;

pub(crate) type Respond = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

pub(crate) struct Exchange {
    /// What the application holds.
    pub(crate) body: ExpectBody<Content>,
    pub(crate) response: Respond,
    pub(crate) fate: Arc<Fate>,
    pub(crate) aftermath: Aftermath,
}

/// Two frames, and what becomes of them.
pub(crate) struct Content {
    /// Whether the first poll is in vain.
    pauses: bool,
    left: usize,
    fate: Arc<Fate>,
}

#[derive(Default)]
pub(crate) struct Fate {
    polls: AtomicUsize,
    ends: AtomicUsize,
    drops: AtomicUsize,
}

/// Where what is unread is drained: not before the threads have done their work.
pub(crate) struct Aftermath(Runtime);

impl Exchange {
    /// Of a client that owes its body.
    pub(crate) fn plain(version: Version) -> Self {
        Self::begin(Request::put("/").version(version), false)
    }

    /// Of a client that waits for a 100.
    pub(crate) fn expecting(version: Version) -> Self {
        Self::begin(expecting(version), false)
    }

    pub(crate) fn expecting_that_pauses() -> Self {
        Self::begin(expecting(Version::HTTP_11), true)
    }

    pub(crate) fn signalled(version: Version, signal: ContinueSignal) -> Self {
        Self::begin(expecting(version).extension(signal), false)
    }

    fn begin(request: request::Builder, pauses: bool) -> Self {
        let fate = Arc::<Fate>::default();
        let content = Content {
            pauses,
            left: 2,
            fate: Arc::clone(&fate),
        };
        let held = Arc::new(Mutex::new(None));
        let holder = Arc::clone(&held);
        let inner = service_fn(move |request: Request<ExpectBody<Content>>| {
            let mut response = Response::new(Full::from("ok"));
            if request.headers().contains_key("expect") {
                // A success would be held for a while, for another task to ask for the body.
                *response.status_mut() = StatusCode::CONFLICT;
            }
            *holder.lock().unwrap() = Some(request.into_body());
            ready(Ok(response))
        });
        let response = ExpectLayer::default()
            .layer(inner)
            .call(request.body(content).unwrap());
        let body = held.lock().unwrap().take().unwrap();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        Self {
            body,
            response: Box::pin(response),
            fate,
            aftermath: Aftermath(runtime.unwrap()),
        }
    }
}

fn expecting(version: Version) -> request::Builder {
    let request = Request::put("/").version(version);
    request.header("expect", "100-continue")
}

impl Aftermath {
    /// What the threads spawn goes here: loom runs them all in one.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }

    pub(crate) fn happens(&self) {
        self.0
            .block_on(async { sleep(Duration::from_secs(60)).await });
    }
}

impl Fate {
    /// How often the content was polled, seen to its end, and dropped.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [&self.polls, &self.ends, &self.drops].map(|count| count.load(SeqCst))
    }
}

/// Whether there is a next frame.
pub(crate) fn read<B: Body + Unpin>(body: &mut B) -> bool {
    assert_ready!(task::spawn(body.frame()).poll()).is_some()
}

/// Polls a body that has nothing yet.
pub(crate) fn poll_in_vain<B: Body + Unpin>(body: &mut B) {
    assert!(task::spawn(body.frame()).poll().is_pending());
}

/// The response, and how many turns of the connection it has taken: one at most.
pub(crate) fn respond(response: Respond) -> (Reply, usize) {
    let mut response = task::spawn(response);
    if let Poll::Ready(response) = response.poll() {
        return (response.unwrap(), 0);
    }
    assert!(response.is_woken());
    (assert_ready_ok!(response.poll()), 1)
}

pub(crate) fn closes(response: &Reply) -> bool {
    response.headers().contains_key("connection")
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.fate.polls.fetch_add(1, SeqCst);
        if std::mem::take(&mut self.pauses) {
            return Poll::Pending;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.fate.ends.fetch_add(1, SeqCst);
            return Poll::Ready(None);
        };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"content")))))
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.fate.drops.fetch_add(1, SeqCst);
    }
}
