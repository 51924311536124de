//! The two bodies show exactly what is inside.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt::Debug,
    future::ready,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
#[cfg(feature = "tokio")]
use http_body_util::BodyExt;
use http_body_util::Full;
use tokio_test::task;
use tower::{service_fn, Layer};
use tower_expect::{ExpectBody, ExpectLayer, Rejection, RequestHead};

use crate::support::{at_once, expecting, post, rejected, reply, within_a_turn, PanicBody};
#[cfg(feature = "tokio")]
use crate::support::{fed, start, InFlight};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Data(&'static str),
    Trailers,
    Error,
    Pending,
}

use Step::{Data, Error, Pending, Trailers};

/// Follows a script; a size hint and an end are part of it.
struct Scripted {
    steps: VecDeque<Step>,
    exact: bool,
    /// Whether it knows its end as soon as the last step is done.
    knows_end: bool,
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match self.steps.pop_front() {
            Some(Data(data)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(data))))),
            Some(Trailers) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-checksum", 7.into());
                Poll::Ready(Some(Ok(Frame::trailers(trailers))))
            }
            Some(Error) => Poll::Ready(Some(Err("torn"))),
            Some(Pending) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.steps.iter().map(|step| match step {
            Data(data) => data.len() as u64,
            _ => 0,
        });
        let left = left.sum();
        let mut hint = SizeHint::new();
        hint.set_lower(left);
        hint.set_upper(left + u64::from(!self.exact));
        hint
    }
}

const SCRIPTS: [&[Step]; 9] = [
    &[Data("ab")],
    &[Data("ab"), Data(""), Data("cde")],
    &[Pending, Data("ab"), Pending, Pending, Data("c")],
    &[Data("ab"), Trailers],
    &[Trailers],
    &[Pending],
    &[Data("ab"), Error],
    &[Error, Data("ab")],
    &[Data("a"), Error, Pending, Trailers],
];

fn scripts() -> impl Iterator<Item = (&'static [Step], bool, bool)> {
    let flags = [(false, false), (false, true), (true, false), (true, true)];
    let all = SCRIPTS.into_iter();
    all.flat_map(move |steps| flags.map(|(exact, knows_end)| (steps, exact, knows_end)))
}

fn scripted((steps, exact, knows_end): (&[Step], bool, bool)) -> Scripted {
    Scripted {
        steps: steps.iter().copied().collect(),
        exact,
        knows_end,
    }
}

/// What a body shows before, between and after `polls` polls.
fn transcript<B>(body: B, polls: usize) -> Vec<String>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Debug,
{
    let mut body = task::spawn(body);
    let mut shown = Vec::new();
    for _ in 0..=polls {
        let hint = body.size_hint();
        let hint = (hint.lower(), hint.upper());
        let end = body.is_end_stream();
        let polled = body.enter(|cx, body| body.poll_frame(cx));
        shown.push(format!("{end} {hint:?} {polled:?}"));
    }
    shown
}

/// What the inner service sees of a request's body.
fn inward<V>(layer: &ExpectLayer<V>, request: Request<Scripted>, polls: usize) -> Vec<String>
where
    V: tower_expect::Validator,
{
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&seen);
    let inner = service_fn(move |request: Request<ExpectBody<Scripted>>| {
        *log.lock().unwrap() = transcript(request.into_body(), polls);
        ready(Ok::<_, Infallible>(reply()))
    });
    at_once(layer.layer(inner), request);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    seen
}

#[test]
fn the_inner_service_sees_the_body_as_it_is() {
    for script in scripts() {
        let polls = script.0.len() + 1;
        let expected = transcript(scripted(script), polls);
        assert_eq!(expected.len(), polls + 1);
        let requests = [
            expecting(Version::HTTP_11),
            post(Version::HTTP_2),
            post(Version::HTTP_11).method("CONNECT"),
        ];
        for request in requests {
            let request = request.body(scripted(script)).unwrap();
            let seen = inward(&ExpectLayer::default(), request, polls);
            assert_eq!(seen, expected, "{script:?}");
        }
        #[cfg(feature = "tokio")]
        {
            let request = post(Version::HTTP_2).body(scripted(script)).unwrap();
            let seen = inward(&ExpectLayer::default().no_linger(), request, polls);
            assert_eq!(seen, expected, "{script:?}");
        }
    }
}

/// What the server sees of the response to a request with content, and to one without.
#[test]
fn the_server_sees_the_response_as_it_is() {
    for script in scripts() {
        let polls = script.0.len() + 1;
        let expected = transcript(scripted(script), polls);
        for ended in [false, true] {
            let body = Mutex::new(Some(scripted(script)));
            let inner = service_fn(|_: Request<ExpectBody<PanicBody>>| {
                let body = body.lock().unwrap().take().unwrap();
                ready(Ok::<_, Infallible>(Response::new(body)))
            });
            let request = expecting(Version::HTTP_11)
                .body(PanicBody { ended })
                .unwrap();
            let response = within_a_turn(ExpectLayer::default().layer(inner), request);
            assert_eq!(
                transcript(response.into_body(), polls),
                expected,
                "{script:?}"
            );
        }
    }
}

/// The request is held, so that the response body is polled once before its head.
#[test]
fn the_server_sees_a_response_that_was_polled_before_its_head_as_it_is() {
    for script in scripts() {
        let (steps, exact, knows_end) = script;
        let polls = steps.len() + 1;
        // What is pending then is no more so.
        let steps = steps.strip_prefix(&[Pending]).unwrap_or(steps);
        let expected = transcript(scripted((steps, exact, knows_end)), polls);
        let held = Mutex::new(None);
        let inner = service_fn(|request: Request<ExpectBody<PanicBody>>| {
            *held.lock().unwrap() = Some(request);
            ready(Ok::<_, Infallible>(Response::new(scripted(script))))
        });
        let request = expecting(Version::HTTP_11).body(PanicBody { ended: false });
        let response = at_once(ExpectLayer::default().layer(inner), request.unwrap());
        let seen = transcript(response.into_body(), polls);
        assert_eq!(seen, expected, "{script:?}");
    }
}

#[test]
fn the_head_and_extensions_of_the_response_pass() {
    let inner = service_fn(|request: Request<ExpectBody<PanicBody>>| {
        assert_eq!(request.uri(), "/a?b");
        assert_eq!(request.method(), "PUT");
        assert_eq!(request.headers()["x-own"], "1");
        assert_eq!(request.extensions().get::<u8>(), Some(&7));
        assert_eq!(request.version(), Version::HTTP_2);
        let response = Response::builder().status(201).header("x-answer", "2");
        ready(
            response
                .extension(8_u16)
                .body(Full::<Bytes>::default())
                .map_err(|_| ()),
        )
    });
    let accept = |_: &RequestHead| ready(Ok(()));
    for ended in [false, true] {
        let request = || {
            let request = Request::put("/a?b")
                .version(Version::HTTP_2)
                .extension(7_u8);
            request
                .header("x-own", "1")
                .body(PanicBody { ended })
                .unwrap()
        };
        let check = |response: Response<_>| {
            let (head, _): (_, tower_expect::ResponseBody<Full<Bytes>>) = response.into_parts();
            assert_eq!(head.status, 201);
            assert_eq!(head.headers["x-answer"], "2");
            assert_eq!(head.headers.len(), 1);
            assert_eq!(head.extensions.get::<u16>(), Some(&8));
        };
        let inner = tower::util::MapErr::new(inner, |()| -> Infallible { unreachable!() });
        check(at_once(
            ExpectLayer::default().layer(inner.clone()),
            request(),
        ));
        check(at_once(
            ExpectLayer::new_async(accept).layer(inner),
            request(),
        ));
    }
}

#[test]
fn a_body_that_knows_its_end_is_at_it_right_after_the_last_frame() {
    let layer = ExpectLayer::default();
    let script: (&[Step], _, _) = (&[Data("ab"), Data("c")], true, true);
    let request = post(Version::HTTP_2).body(scripted(script)).unwrap();
    let seen = inward(&layer, request, 2);
    assert!(seen[1].starts_with("false (1, Some(1))"), "{seen:?}");
    assert!(seen[2].starts_with("true (0, Some(0))"), "{seen:?}");
}

#[test]
fn the_content_of_a_rejection_is_one_frame_and_then_at_its_end() {
    let reject = |_: &RequestHead| Err::<(), _>(Rejection::forbidden().with_message("no"));
    let request = expecting(Version::HTTP_11).body(PanicBody { ended: false });
    let response = rejected(&ExpectLayer::new(reject), request.unwrap());
    let mut body = task::spawn(response.into_body());
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(3));
    let frame = tokio_test::assert_ready!(body.enter(|cx, body| body.poll_frame(cx)));
    assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "no\n");
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    let end = tokio_test::assert_ready!(body.enter(|cx, body| body.poll_frame(cx)));
    assert!(end.is_none());
}

#[test]
fn an_outer_layer_that_answers_by_itself_has_an_empty_response_body_at_hand() {
    let body = tower_expect::ResponseBody::<Full<Bytes>>::default();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
}

#[cfg(feature = "tokio")]
#[test]
fn a_body_prints_how_far_it_was_read_and_nothing_of_the_content() {
    let (feed, body) = fed();
    let request = post(Version::HTTP_11).body(body).unwrap();
    let layer = ExpectLayer::default();
    let mut exchange: InFlight<_, Full<Bytes>> = start(&layer, request);
    let print = |body: &ExpectBody<_>| format!("{body:?}");
    let unread = print(exchange.request.body());
    assert_eq!(unread, "ExpectBody { asked: Never, end: NotYet, .. }");
    feed.data(3);
    let _ = task::spawn(exchange.request.body_mut().frame()).poll();
    let begun = print(exchange.request.body());
    assert_eq!(begun, "ExpectBody { asked: Invited, end: NotYet, .. }");
}
