//! A 100, the timer, the final response, a drop and a close, in every order, with every choice of who
//! is polled in between.
//!
//! hyper's connection runs over a pipe in memory, and both it and the response future are polled by hand:
//! at will during the sequence, and then only when woken, so that a lost waker shows.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex,
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf},
    task::unconstrained,
};
use tokio_test::task::{spawn, Spawn};
use tower::{Layer, Service};
use tower_expect::client::{ExpectContinueLayer, ResponseBody, Retry, Unsent, WaitingBody};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    Continue,
    Timer,
    Final,
    /// The response future is dropped.
    Drop,
    /// The server closes.
    Close,
}

/// Who is polled after an operation, and in which order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Polls {
    None,
    Connection,
    Response,
    ConnectionFirst,
    ResponseFirst,
}

const ALL: &[Polls] = &[
    Polls::None,
    Polls::Connection,
    Polls::Response,
    Polls::ConnectionFirst,
    Polls::ResponseFirst,
];

/// A body of one frame that counts how many of its kind there are.
struct Counted {
    frame: Option<Bytes>,
    known: bool,
    live: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.frame.take().map(|frame| Ok(Frame::data(frame))))
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.frame, self.known) {
            (Some(frame), true) => SizeHint::with_exact(frame.len() as u64),
            (None, true) => SizeHint::with_exact(0),
            (_, false) => SizeHint::default(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

type Sender = http1::SendRequest<WaitingBody<Counted>>;
type Connection = http1::Connection<TokioIo<DuplexStream>, WaitingBody<Counted>>;

/// One connection as a service.
#[derive(Clone)]
struct One(Arc<Mutex<Sender>>);

type Call = Pin<Box<dyn std::future::Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

impl Service<Request<WaitingBody<Counted>>> for One {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<WaitingBody<Counted>>) -> Call {
        Box::pin(self.0.lock().unwrap().send_request(request))
    }
}

type Answer = hyper::Result<Response<ResponseBody<Incoming>>>;
type Pending = Pin<Box<dyn std::future::Future<Output = Answer> + Send>>;

struct World {
    server: Option<DuplexStream>,
    received: Vec<u8>,
    connection: Option<Spawn<Connection>>,
    response: Option<Spawn<Pending>>,
    answer: Option<Answer>,
    live: Arc<AtomicUsize>,
}

const TIMEOUT: Duration = Duration::from_secs(1);
const HEAD: &[u8] = b"\r\n\r\n";

impl World {
    /// The head is out, and the body waits.
    async fn new(known: bool) -> Self {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let layer = ExpectContinueLayer::new().min_length(0).timeout(TIMEOUT);
        let layer = layer.no_memory().retry_dead_connection(Retry::Never);
        let mut client = layer.layer(One(Arc::new(Mutex::new(sender))));
        let live = Arc::new(AtomicUsize::new(1));
        let body = Counted {
            frame: Some(Bytes::from_static(b"hello")),
            known,
            live: Arc::clone(&live),
        };
        let request = Request::put("/").header("host", "a").body(body).unwrap();
        let response: Pending = Box::pin(client.call(request));
        let mut world = Self {
            server: Some(far),
            received: Vec::new(),
            connection: Some(spawn(connection)),
            response: Some(spawn(response)),
            answer: None,
            live,
        };
        world.poll_response();
        world.poll_connection();
        world.settle();
        let head = std::mem::take(&mut world.received);
        assert!(head.ends_with(HEAD), "{:?}", String::from_utf8_lossy(&head));
        world
    }

    fn poll_connection(&mut self) {
        if let Some(connection) = &mut self.connection {
            if connection.poll().is_ready() {
                self.connection = None;
            }
        }
        self.read();
    }

    fn poll_response(&mut self) {
        if let Some(response) = &mut self.response {
            if let Poll::Ready(answer) = response.poll() {
                self.answer = Some(answer);
                self.response = None;
            }
        }
    }

    fn poll(&mut self, polls: Polls) {
        match polls {
            Polls::None => {}
            Polls::Connection => self.poll_connection(),
            Polls::Response => self.poll_response(),
            Polls::ConnectionFirst => {
                self.poll_connection();
                self.poll_response();
            }
            Polls::ResponseFirst => {
                self.poll_response();
                self.poll_connection();
            }
        }
    }

    /// Polls who is woken, until nobody is.
    fn settle(&mut self) {
        for _ in 0..100 {
            let connection = self.connection.as_ref().is_some_and(Spawn::is_woken);
            let response = self.response.as_ref().is_some_and(Spawn::is_woken);
            if connection {
                self.poll_connection();
            }
            if response {
                self.poll_response();
            }
            if !connection && !response {
                return;
            }
        }
        panic!("they never come to rest");
    }

    fn read(&mut self) {
        let Some(server) = &mut self.server else {
            return;
        };
        let mut task = spawn(());
        let mut space = [0; 1024];
        let mut buffer = ReadBuf::new(&mut space);
        let read = task.enter(|cx, _| Pin::new(server).poll_read(cx, &mut buffer));
        if let Poll::Ready(read) = read {
            read.unwrap();
        }
        self.received.extend_from_slice(buffer.filled());
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Continue => self.say("HTTP/1.1 100 Continue\r\n\r\n").await,
            Op::Final => {
                self.say("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
                    .await;
            }
            Op::Timer => tokio::time::advance(TIMEOUT).await,
            Op::Drop => {
                self.response = None;
                self.answer = None;
            }
            Op::Close => {
                self.read();
                self.server = None;
            }
        }
    }

    async fn say(&mut self, text: &str) {
        if let Some(server) = &mut self.server {
            // The client may have closed: that is for the end to tell.
            let _ = server.write_all(text.as_bytes()).await;
        }
    }
}

type Sequence = Vec<(Op, Polls)>;

/// Every sequence of some of the operations, each of which comes once at most.
fn sequences(ops: &[Op], polls: &[Polls]) -> Vec<Sequence> {
    let mut all = vec![vec![]];
    for (index, &op) in ops.iter().enumerate() {
        let mut others = ops.to_vec();
        others.remove(index);
        for rest in sequences(&others, polls) {
            for &polls in polls {
                let mut sequence = vec![(op, polls)];
                sequence.extend(&rest);
                all.push(sequence);
            }
        }
    }
    all
}

fn position(sequence: &Sequence, op: Op) -> Option<usize> {
    sequence.iter().position(|(other, _)| *other == op)
}

fn polls_connection(polls: Polls) -> bool {
    !matches!(polls, Polls::None | Polls::Response)
}

fn polls_response(polls: Polls) -> bool {
    !matches!(polls, Polls::None | Polls::Connection)
}

/// What must be, where the response future lives and the server keeps the connection: whether the body is
/// sent. `None`: either.
fn is_sent(sequence: &Sequence) -> Option<bool> {
    let between = |from: usize, to: usize, polled: fn(Polls) -> bool| {
        sequence[from..to].iter().any(|(_, polls)| polled(*polls))
    };
    let of = |op| position(sequence, op);
    match (of(Op::Continue), of(Op::Timer), of(Op::Final)) {
        (None, None, _) => Some(false),
        (_, _, None) => Some(true),
        (Some(asked), _, Some(last)) if asked < last => Some(true),
        (_, Some(timer), Some(last)) if timer < last => {
            between(timer, last, polls_response).then_some(true)
        }
        (_, Some(timer), Some(last)) => between(last, timer, polls_connection).then_some(false),
        (_, None, Some(_)) => Some(false),
    }
}

async fn check(sequence: &Sequence, known: bool) {
    let mut world = World::new(known).await;
    for &(op, polls) in sequence {
        world.run(op).await;
        world.poll(polls);
    }
    world.settle();

    let whole: &[u8] = if known {
        b"hello"
    } else {
        b"5\r\nhello\r\n0\r\n\r\n"
    };
    let found = || format!("{sequence:?}, known {known}");
    let sent = world.received == whole;
    assert!(sent || world.received.is_empty(), "in part: {}", found());

    let is_left = position(sequence, Op::Drop).is_none();
    let is_open = position(sequence, Op::Close).is_none();
    let has_final = position(sequence, Op::Final).is_some();
    if is_left && is_open {
        if let Some(expected) = is_sent(sequence) {
            assert_eq!(sent, expected, "{}", found());
        }
        assert_eq!(world.answer.is_some(), has_final, "{}", found());
    }
    if !is_open && is_left {
        assert!(world.answer.is_some(), "{}", found());
    }
    if let Some(Ok(response)) = world.answer.take() {
        assert_eq!(response.status(), 403);
        let unsent = response.extensions().get::<Unsent<Counted>>();
        let withheld = unsent.is_some();
        assert!(!is_open || withheld != sent, "{}", found());
        // Only now does the connection end.
        assert!(
            !withheld || !is_open || world.connection.is_some(),
            "{}",
            found()
        );
        let mut body = spawn(response.into_body().collect());
        let body = loop {
            if let Poll::Ready(body) = body.poll() {
                break body;
            }
            world.poll_connection();
        };
        assert_eq!(body.unwrap().to_bytes(), "no", "{}", found());
        world.settle();
        if withheld {
            assert!(world.connection.is_none(), "it is left open: {}", found());
            assert!(world.received.is_empty(), "sent after all: {}", found());
        }
    }
    if !is_left || !is_open {
        // Its exchange is complete, or it ends.
        let complete = has_final && sent;
        assert!(complete || world.connection.is_none(), "{}", found());
    }
    let live = Arc::clone(&world.live);
    drop(world);
    assert_eq!(live.load(Ordering::Relaxed), 0, "{}", found());
}

#[tokio::test(start_paused = true)]
async fn a_100_the_timer_the_response_and_a_drop_in_every_order() {
    let ops = [Op::Continue, Op::Timer, Op::Final, Op::Drop];
    let sequences = sequences(&ops, ALL);
    assert_eq!(sequences.len(), 18_321);
    for sequence in &sequences {
        for known in [true, false] {
            // Without tokio's budget, on which polls by hand would run out.
            unconstrained(check(sequence, known)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_100_the_timer_the_response_and_a_close_in_every_order() {
    let ops = [Op::Continue, Op::Timer, Op::Final, Op::Close];
    let polls = [Polls::None, Polls::Connection, Polls::ConnectionFirst];
    for sequence in &sequences(&ops, &polls) {
        for known in [true, false] {
            unconstrained(check(sequence, known)).await;
        }
    }
}
