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
    counted_signal, expecting, fed, pass, start, Broken, FedBody, Feed, InFlight,
};

#[derive(Clone, Copy, Debug)]
enum Step {
    PollBody,
    DropBody,
    Answer,
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
    Step::Answer,
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

#[derive(Debug, Default)]
struct Past {
    polls: usize,
    /// The application has seen the end of the content, or its error.
    seen_end: bool,
    fired: bool,
    closed: bool,
    answer: Answer,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    None,
    Given,
    /// Polled or dropped.
    Out,
}

impl Run {
    fn begin(version: Version, body: FedBody) -> (Self, impl Fn() -> usize) {
        let (signal, sent) = counted_signal();
        let request = expecting(version).extension(signal.clone());
        let InFlight {
            request,
            respond,
            future,
        } = start(&ExpectLayer::default(), request.body(body).unwrap());
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
            past: Past::default(),
        };
        (run, sent)
    }

    fn step(&mut self, step: Step) {
        let (exchange, past) = (&mut self.exchange, &mut self.past);
        match step {
            Step::PollBody => {
                let Some(body) = &mut exchange.body else {
                    return;
                };
                let polled = spawn(body.frame()).poll();
                past.polls += 1;
                past.fired |= !past.closed && past.polls == 1;
                past.seen_end |= matches!(&polled, Poll::Ready(None | Some(Err(_))));
            }
            Step::DropBody => exchange.body = None,
            Step::Answer => {
                if let Some(respond) = exchange.respond.take() {
                    let body = self.response_body.take().expect("there is one answer");
                    respond.send_response(Response::new(body));
                }
            }
            Step::Fail => {
                if let Some(respond) = exchange.respond.take() {
                    respond.send_error("failed");
                }
            }
            Step::PollFuture => {
                let Some(future) = &mut exchange.future else {
                    return;
                };
                if let Poll::Ready(result) = future.poll() {
                    exchange.future = None;
                    past.closed = true;
                    self.response = result.ok();
                    if self.response.is_some() {
                        past.answer = Answer::Given;
                    }
                }
            }
            Step::DropFuture => {
                past.closed |= exchange.future.take().is_some();
            }
            Step::PollResponse => {
                let Some(response) = &mut self.response else {
                    return;
                };
                assert!(spawn(response.frame()).poll().is_pending());
                past.answer = Answer::Out;
            }
            Step::DropResponse => {
                if self.response.take().is_some() {
                    past.answer = Answer::Out;
                }
            }
            Step::Fire => {
                assert_eq!(self.signal.fire(), !past.closed && !past.fired);
                past.fired |= !past.closed;
            }
            Step::Close => {
                self.signal.close();
                past.closed = true;
            }
        }
    }

    /// What should have become of the content by now.
    fn fate(&self) -> Fate {
        if self.exchange.body.is_some() {
            return Fate::Held;
        }
        match self.past.answer {
            _ if self.past.seen_end => Fate::Dropped,
            Answer::Out => Fate::ReadOn,
            Answer::None if self.exchange.future.is_none() => Fate::Dropped,
            Answer::None | Answer::Given => Fate::Held,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    /// By the application, or until the response is out.
    Held,
    ReadOn,
    Dropped,
}

/// Takes the steps, and then drops all.
async fn check(version: Version, ending: Ending, steps: &[Step]) {
    let (mut feed, body) = fed();
    let (mut run, sent) = Run::begin(version, body);
    feed.data(1);
    feed.data(1);
    match ending {
        Ending::Ends => feed.end(),
        Ending::Breaks => feed.item(Err(Broken)),
        Ending::Pauses => {}
    }
    let last = [Step::DropBody, Step::DropFuture, Step::DropResponse];
    for &step in steps.iter().chain(&last) {
        run.step(step);
        // Longer than anything is waited for.
        pass(60_000).await;
        let (past, fate) = (&run.past, run.fate());
        let fired = usize::from(past.fired);
        assert_eq!(sent(), fired, "{step:?}, {past:?}");
        let is_read = feed.polls() > past.polls;
        let found = (is_read, feed.drops());
        let expected = match fate {
            Fate::Held => (false, 0),
            Fate::ReadOn => (true, 1),
            Fate::Dropped => (false, 1),
        };
        assert_eq!(found, expected, "{step:?}, {past:?}: {fate:?}");
    }
}

#[test]
fn the_100_is_sent_once_before_the_response_and_the_rest_is_read_on_or_dropped_once() {
    let values = (
        select(vec![Version::HTTP_11, Version::HTTP_2, Version::HTTP_3]),
        select(vec![Ending::Ends, Ending::Breaks, Ending::Pauses]),
        vec(select(STEPS.to_vec()), 0..14),
    );
    for_all(1024, values, |(version, ending, steps)| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(check(version, ending, &steps));
    });
}
