//! Whatever a body shows, the body around it shows.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::ready,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{request, HeaderMap, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use proptest::{collection::vec, option, prelude::*, sample::select};
use tokio_test::task;
use tower::{service_fn, Layer};
use tower_expect::{ExpectBody, ExpectLayer};

use super::for_all;
use crate::support::{at_once, counted_signal, expecting, post, reply, within_a_turn, PanicBody};

/// What a body says of itself before a poll, and what the poll gives.
#[derive(Clone, Debug)]
struct Turn {
    ended: bool,
    lower: u64,
    upper: Option<u64>,
    event: Event,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Data(usize),
    Trailers,
    Error,
    End,
    /// Whether the waker is woken by then.
    Pending(bool),
}

/// The first turns are those given, the others all alike. They need not make sense.
fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let event = prop_oneof![
        (0_usize..5).prop_map(Event::Data),
        Just(Event::Trailers),
        Just(Event::Error),
        Just(Event::End),
        any::<bool>().prop_map(Event::Pending),
    ];
    let turn = (any::<bool>(), 0_u64..9, option::of(0_u64..9), event);
    let turn = turn.prop_map(|(ended, lower, more, event)| Turn {
        ended,
        lower,
        upper: more.map(|more| lower + more),
        event,
    });
    vec(turn, 0..8)
}

struct Random {
    turns: Vec<Turn>,
    done: usize,
}

impl Random {
    fn new(turns: &[Turn]) -> Self {
        let turns = turns.to_vec();
        Self { turns, done: 0 }
    }

    fn turn(&self) -> Turn {
        let last = Turn {
            ended: true,
            lower: 0,
            upper: Some(0),
            event: Event::End,
        };
        self.turns.get(self.done).cloned().unwrap_or(last)
    }
}

impl Body for Random {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let turn = self.turn();
        self.done += 1;
        Poll::Ready(match turn.event {
            Event::Data(length) => Some(Ok(Frame::data(vec![b'x'; length].into()))),
            Event::Trailers => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Event::Error => Some(Err("torn")),
            Event::End => None,
            Event::Pending(wakes) => {
                if wakes {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.turn().ended
    }

    fn size_hint(&self) -> SizeHint {
        let (turn, mut hint) = (self.turn(), SizeHint::new());
        hint.set_lower(turn.lower);
        if let Some(upper) = turn.upper {
            hint.set_upper(upper);
        }
        hint
    }
}

/// What a body shows before and at each poll, and whether its waker is woken then.
fn shown<B>(body: B, polls: usize) -> Vec<String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Debug,
{
    let mut body = task::spawn(body);
    let show = |_| {
        let (ended, hint) = (body.is_end_stream(), body.size_hint());
        let polled = body.enter(|cx, body| body.poll_frame(cx));
        format!("{ended} {hint:?} {polled:?} {}", body.is_woken())
    };
    (0..polls).map(show).collect()
}

fn requests() -> impl Strategy<Value = fn() -> request::Builder> {
    let requests: [fn() -> request::Builder; 6] = [
        || expecting(Version::HTTP_11),
        || post(Version::HTTP_11),
        || post(Version::HTTP_10),
        || post(Version::HTTP_11).method("CONNECT"),
        || post(Version::HTTP_2),
        || expecting(Version::HTTP_2).extension(counted_signal().0),
    ];
    select(requests.to_vec())
}

#[test]
fn the_inner_service_sees_of_any_body_what_it_shows() {
    for_all(512, (turns(), requests()), |(turns, request)| {
        let polls = turns.len() + 1;
        let expected = shown(Random::new(&turns), polls);
        let seen = Mutex::new(Vec::new());
        let inner = service_fn(|request: Request<ExpectBody<Random>>| {
            *seen.lock().unwrap() = shown(request.into_body(), polls);
            ready(Ok::<_, Infallible>(reply()))
        });
        let request = request().body(Random::new(&turns)).unwrap();
        at_once(ExpectLayer::default().layer(inner), request);
        assert_eq!(*seen.lock().unwrap(), expected);
    });
}

#[test]
fn the_innermost_of_nested_services_sees_of_any_body_what_it_shows() {
    for_all(256, (turns(), requests()), |(turns, request)| {
        let polls = turns.len() + 1;
        let expected = shown(Random::new(&turns), polls);
        let seen = Mutex::new(Vec::new());
        let inner = service_fn(|request: Request<ExpectBody<ExpectBody<Random>>>| {
            *seen.lock().unwrap() = shown(request.into_body(), polls);
            ready(Ok::<_, Infallible>(reply()))
        });
        let request = request().body(Random::new(&turns)).unwrap();
        let layer = ExpectLayer::default();
        at_once(layer.layer(layer.layer(inner)), request);
        assert_eq!(*seen.lock().unwrap(), expected);
    });
}

/// What the server is to see of a body that was polled before the head of its response: the same, but that
/// an end is known by then.
fn shown_once_polled(turns: &[Turn], polls: usize) -> Vec<String> {
    let mut body = task::spawn(Random::new(turns));
    let before = body.size_hint();
    let is_ended = body.is_end_stream();
    let first = body.enter(|cx, body| body.poll_frame(cx));
    let mut shown = Vec::new();
    if first.is_ready() && !is_ended {
        let ended = matches!(first, Poll::Ready(None));
        let hint = match ended {
            true => SizeHint::with_exact(0),
            false => before,
        };
        shown.push(format!("{ended} {hint:?} {first:?} false"));
    }
    let given = usize::from(!is_ended);
    let rest = Random::new(turns.get(given..).unwrap_or_default());
    shown.extend(self::shown(rest, polls - shown.len()));
    shown
}

#[test]
fn the_server_sees_of_any_response_body_what_it_shows() {
    let values = (turns(), requests(), any::<[bool; 2]>());
    for_all(512, values, |(turns, request, [ended, holds])| {
        let polls = turns.len() + 1;
        let held = Mutex::new(None);
        let inner = service_fn(|request: Request<ExpectBody<PanicBody>>| {
            *held.lock().unwrap() = holds.then_some(request);
            ready(Ok::<_, Infallible>(Response::new(Random::new(&turns))))
        });
        let request = request().body(PanicBody { ended }).unwrap();
        let expects = request.headers().contains_key("expect");
        let response = within_a_turn(ExpectLayer::default().layer(inner), request);
        let expected = match expects && holds && !ended {
            true => shown_once_polled(&turns, polls),
            false => shown(Random::new(&turns), polls),
        };
        assert_eq!(shown(response.into_body(), polls), expected);
    });
}
