//! Whatever is polled, dropped and fired, in whatever order.

use std::task::Poll;

use http::{Response, Version};
use http_body_util::BodyExt;
use proptest::{collection::vec, sample::select};
use tokio::runtime::Builder;
use tokio_test::task::{spawn, Spawn};
use tower_expect::{ContinueSignal, ExpectBody, ExpectLayer, ResponseBody, ResponseFuture};
use tower_test::mock::{self, SendResponse};

use super::for_all;
use crate::support::{
    connection, counted_signal, expecting, fed, leave_in_time, pass, post, start, Broken, FedBody,
    Feed, InFlight,
};

#[derive(Clone, Copy, Debug)]
enum Step {
    PollBody,
    DropBody,
    Respond,
    Fail,
    PollFuture,
    DropFuture,
    PollResponse,
    DropResponse,
    Fire,
    Close,
}

const STEPS: [Step; 10] = [
    Step::PollBody,
    Step::DropBody,
    Step::Respond,
    Step::Fail,
    Step::PollFuture,
    Step::DropFuture,
    Step::PollResponse,
    Step::DropResponse,
    Step::Fire,
    Step::Close,
];

/// How the content that the client sends goes on after two frames.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Ends,
    Breaks,
    Pauses,
}

/// What is there, and what has happened.
struct Run {
    exchange: Exchange,
    response: Option<Response<ResponseBody<FedBody>>>,
    signal: ContinueSignal,
    /// Keeps the response from ending.
    _response_feed: Feed,
    response_body: Option<FedBody>,
    past: Past,
}

struct Exchange {
    body: Option<ExpectBody<FedBody>>,
    respond: Option<SendResponse<Response<FedBody>>>,
    future: Option<Spawn<ResponseFuture<mock::future::ResponseFuture<Response<FedBody>>>>>,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    version: Version,
    expects: bool,
}

#[derive(Debug)]
struct Past {
    kind: Kind,
    polls: usize,
    fired: bool,
    closed: bool,
    /// What the application has seen of the end of the body.
    end: End,
    outcome: Outcome,
    /// What becomes of the body, once that is settled.
    fate: Option<Fate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Awaited,
    /// The response is there. It may not yet be on its way.
    Response,
    Head,
    /// An error, or nobody waits.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    NotSeen,
    Seen,
    Broke,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Drained,
    Dropped,
}

impl Past {
    fn is_http1(&self) -> bool {
        self.kind.version == Version::HTTP_11
    }

    /// Whether it must not be read once the response has left.
    fn is_uninvited(&self) -> bool {
        self.kind.expects && self.polls == 0 && !self.fired
    }

    /// What becomes of a body that has come back by now; `None` if it is kept.
    fn settled(&self) -> Option<Fate> {
        if self.end > End::NotSeen {
            return Some(Fate::Dropped);
        }
        match self.outcome {
            _ if self.is_http1() && self.is_uninvited() => Some(Fate::Dropped),
            Outcome::Awaited | Outcome::Response => None,
            Outcome::Head | Outcome::None => Some(Fate::Drained),
        }
    }
}

impl Run {
    fn begin(kind: Kind, body: FedBody) -> (Self, impl Fn() -> usize) {
        let (signal, sent) = counted_signal();
        let request = match kind.expects {
            true => expecting(kind.version),
            false => post(kind.version),
        };
        let request = request.extension(signal.clone()).body(body).unwrap();
        let InFlight {
            request,
            respond,
            future,
        } = start(&ExpectLayer::default(), request);
        let (feed, response_body) = fed();
        let run = Self {
            exchange: Exchange {
                body: Some(request.into_body()),
                respond: Some(respond),
                future: Some(future),
            },
            response: None,
            signal,
            _response_feed: feed,
            response_body: Some(response_body),
            past: Past {
                kind,
                polls: 0,
                fired: false,
                closed: false,
                end: End::NotSeen,
                outcome: Outcome::Awaited,
                fate: None,
            },
        };
        (run, sent)
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::PollBody => self.poll_body(),
            Step::DropBody => self.exchange.body = None,
            Step::Respond => {
                if let Some(respond) = self.exchange.respond.take() {
                    let body = self.response_body.take().expect("there is one response");
                    respond.send_response(Response::new(body));
                }
            }
            Step::Fail => {
                if let Some(respond) = self.exchange.respond.take() {
                    respond.send_error("failed");
                }
            }
            Step::PollFuture => self.poll_future().await,
            Step::DropFuture => {
                if self.exchange.future.take().is_some() {
                    self.past.outcome = Outcome::None;
                    self.past.closed |= self.past.kind.expects;
                }
            }
            Step::PollResponse => {
                if let Some(response) = &mut self.response {
                    assert!(spawn(response.frame()).poll().is_pending());
                    self.past.outcome = Outcome::Head;
                }
            }
            Step::DropResponse => {
                if self.response.take().is_some() {
                    self.past.outcome = Outcome::Head;
                }
            }
            Step::Fire => {
                let past = &mut self.past;
                assert_eq!(self.signal.fire(), !past.closed && !past.fired);
                past.fired |= !past.closed;
            }
            Step::Close => {
                self.signal.close();
                self.past.closed = true;
            }
        }
        let past = &mut self.past;
        if self.exchange.body.is_none() && past.fate.is_none() {
            past.fate = past.settled();
        }
    }

    fn poll_body(&mut self) {
        let (Some(body), past) = (&mut self.exchange.body, &mut self.past) else {
            return;
        };
        let polled = spawn(body.frame()).poll();
        past.polls += 1;
        past.fired |= past.kind.expects && !past.closed && past.polls == 1;
        past.end = past.end.max(match &polled {
            Poll::Ready(Some(Err(_))) => End::Broke,
            Poll::Ready(None) => End::Seen,
            _ => End::NotSeen,
        });
    }

    async fn poll_future(&mut self) {
        let (Some(future), past) = (&mut self.exchange.future, &mut self.past) else {
            return;
        };
        let is_there = self.exchange.respond.is_none();
        if !is_there {
            assert!(future.poll().is_pending());
            return;
        }
        let (result, turns) = leave_in_time(future).await;
        self.exchange.future = None;
        past.closed |= past.kind.expects;
        let is_back = self.exchange.body.is_none();
        let drops = is_back && past.end == End::NotSeen && past.is_http1() && past.is_uninvited();
        assert_eq!(turns, usize::from(drops), "{past:?}");
        self.response = result.ok();
        past.outcome = match &self.response {
            None => Outcome::None,
            Some(response) => {
                let closes = past.is_http1() && (past.is_uninvited() || past.end == End::Broke);
                assert_eq!(connection(response), closes.then_some("close"), "{past:?}");
                Outcome::Response
            }
        };
    }
}

/// Takes the steps, and then drops all.
async fn check(kind: Kind, ending: Ending, steps: &[Step]) {
    let (mut feed, body) = fed();
    let (mut run, sent) = Run::begin(kind, body);
    feed.data(1);
    feed.data(1);
    match ending {
        Ending::Ends => feed.end(),
        Ending::Breaks => feed.item(Err(Broken)),
        Ending::Pauses => {}
    }
    let last = [Step::DropBody, Step::DropFuture, Step::DropResponse];
    for &step in steps.iter().chain(&last) {
        run.step(step).await;
        // Longer than anything is waited for.
        pass(60_000).await;
        let past = &run.past;
        assert_eq!(sent(), usize::from(past.fired), "{step:?}, {past:?}");
        let found = (feed.polls() > past.polls, feed.drops());
        let expected = match past.fate {
            None => (false, 0),
            Some(Fate::Drained) => (true, 1),
            Some(Fate::Dropped) => (false, 1),
        };
        assert_eq!(found, expected, "{step:?}, {past:?}");
    }
    assert!(run.past.fate.is_some());
}

#[test]
fn the_100_is_sent_once_before_the_response_and_the_rest_is_drained_or_dropped_once() {
    let kinds = [Version::HTTP_11, Version::HTTP_2, Version::HTTP_3]
        .map(|version| [true, false].map(|expects| Kind { version, expects }));
    let values = (
        select(kinds.concat()),
        select(vec![Ending::Ends, Ending::Breaks, Ending::Pauses]),
        vec(select(STEPS.to_vec()), 0..14),
    );
    for_all(1024, values, |(kind, ending, steps)| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(check(kind, ending, &steps));
    });
}
