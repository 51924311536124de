//! Code on either side of the layer that panics: the request fails, the server lives, and no later
//! request is the worse for it.

mod http1;
#[cfg(feature = "serve")]
mod http2;
mod signal;

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{body::Body, Router};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::{sync::watch, task::yield_now};
use tower_expect::{
    render::PlainText, Event, ExpectLayer, Linger, LingerEnd, Rejection, Render, RequestHead,
};

use crate::{app::brief, support::soon};

/// Code that can panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Validator,
    AsyncValidator,
    AsyncValidatorsFuture,
    Renderer,
    Handler,
    HandlerThatHasReadSome,
    ResponseBody,
    ObserverOfAccepted,
    ObserverOfRejected,
    ObserverOfContinued,
    ObserverOfNeverRead,
    ObserverOfLingering,
    ObserverOfLingered,
}

/// What the client sees of the request in which the panic is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// No answer, unless a layer outside catches panics and gives one.
    Nothing,
    /// No answer: the panic comes when the layers outside are done.
    NothingEver,
    /// The answer, as if nothing had happened.
    Answer(u16),
}

/// For each place a path that leads there, and whether the request must be rejected for that.
const PLACES: [(Place, &str, bool, Seen); 15] = [
    (Place::Validator, "/", false, Seen::Nothing),
    (Place::AsyncValidator, "/", false, Seen::Nothing),
    (Place::AsyncValidatorsFuture, "/", false, Seen::Nothing),
    (Place::Handler, "/", false, Seen::Nothing),
    (Place::HandlerThatHasReadSome, "/", false, Seen::Nothing),
    (Place::ObserverOfAccepted, "/", false, Seen::Nothing),
    (Place::ObserverOfContinued, "/", false, Seen::Nothing),
    (Place::ObserverOfNeverRead, "/early", false, Seen::Nothing),
    (Place::Renderer, "/", true, Seen::Nothing),
    (Place::ObserverOfRejected, "/", true, Seen::Nothing),
    // The server has the head, but has not sent it.
    (Place::ResponseBody, "/early", false, Seen::NothingEver),
    (
        Place::ObserverOfLingering,
        "/early",
        false,
        Seen::NothingEver,
    ),
    (Place::ObserverOfLingering, "/", true, Seen::NothingEver),
    // In a task that nobody waits for.
    (
        Place::ObserverOfLingered,
        "/early",
        false,
        Seen::Answer(409),
    ),
    (Place::ObserverOfLingered, "/", true, Seen::Answer(403)),
];

/// Goes off once, at its place.
#[derive(Clone)]
struct Bomb(Arc<Mutex<Option<Place>>>);

impl Bomb {
    fn at(place: Place) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    fn pass(&self, here: Place) {
        let off = self.0.lock().unwrap().take_if(|place| *place == here);
        assert!(off.is_none(), "on purpose: {here:?}");
    }
}

impl Render for Bomb {
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes> {
        self.pass(Place::Renderer);
        PlainText.render(rejection, head)
    }
}

/// How readings behind answers have ended.
type Ends = watch::Sender<Vec<LingerEnd>>;

/// Waits until there are so many.
async fn readings(ends: &Ends, number: usize) -> Vec<LingerEnd> {
    let mut receiver = ends.subscribe();
    let enough = receiver.wait_for(|ends| ends.len() >= number);
    _ = soon("a reading does not end", enough).await.unwrap();
    ends.borrow().clone()
}

fn observe(event: &Event, bomb: &Bomb, ends: &Ends) {
    match event {
        Event::Accepted { .. } => bomb.pass(Place::ObserverOfAccepted),
        Event::Rejected { .. } => bomb.pass(Place::ObserverOfRejected),
        Event::Continued { .. } => bomb.pass(Place::ObserverOfContinued),
        Event::NeverRead { .. } => bomb.pass(Place::ObserverOfNeverRead),
        Event::Lingering { .. } => bomb.pass(Place::ObserverOfLingering),
        Event::Lingered { end, .. } => {
            bomb.pass(Place::ObserverOfLingered);
            ends.send_modify(|ends| ends.push(*end));
        }
        _ => unreachable!(),
    }
}

fn decide(head: &RequestHead) -> Result<(), Rejection> {
    match head.headers.get("x-reject") {
        None => Ok(()),
        Some(_) => Err(Rejection::forbidden()),
    }
}

/// An application with a bomb in it, behind the layer with a place for one reader.
fn app(place: Place) -> (Router, Ends) {
    let bomb = Bomb::at(place);
    let ends = Ends::default();
    let routes = routes(&bomb);
    let settings = |bomb: Bomb, ends: Ends| {
        let linger = brief(Linger::default()).max_drains(1);
        let observer = move |event: &Event| observe(event, &bomb, &ends);
        (linger, observer)
    };
    let (linger, observer) = settings(bomb.clone(), ends.clone());
    let renderer = bomb.clone();
    let app = match place {
        Place::AsyncValidator | Place::AsyncValidatorsFuture => {
            let validator = move |head: &RequestHead| {
                bomb.pass(Place::AsyncValidator);
                let (bomb, decision) = (bomb.clone(), decide(head));
                async move {
                    yield_now().await;
                    bomb.pass(Place::AsyncValidatorsFuture);
                    decision
                }
            };
            let layer = ExpectLayer::new_async(validator).linger(linger);
            routes.layer(layer.observe(observer).render_with(renderer))
        }
        _ => {
            let validator = move |head: &RequestHead| {
                bomb.pass(Place::Validator);
                decide(head)
            };
            let layer = ExpectLayer::new(validator).linger(linger);
            routes.layer(layer.observe(observer).render_with(renderer))
        }
    };
    (app, ends)
}

fn routes(bomb: &Bomb) -> Router {
    let bomb = bomb.clone();
    Router::new().fallback(move |request: Request<Body>| async move {
        bomb.pass(Place::Handler);
        if request.uri().path() == "/early" {
            return (StatusCode::CONFLICT, content(bomb));
        }
        let mut body = request.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            bomb.pass(Place::HandlerThatHasReadSome);
            length += frame.unwrap().into_data().map_or(0, |data| data.len());
        }
        (StatusCode::OK, Body::from(length.to_string()))
    })
}

/// Two pieces of content, the second with the bomb.
fn content(bomb: Bomb) -> Body {
    let pieces = (0..2).map(move |number| {
        if number == 1 {
            bomb.pass(Place::ResponseBody);
        }
        Ok::<_, io::Error>("early ")
    });
    Body::from_stream(tokio_stream::iter(pieces))
}
