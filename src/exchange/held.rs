//! A response on its way out, and what it must say and take along.

use std::{sync::Arc, task::Context};

use bytes::Bytes;
use http::{
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    response::Parts,
    HeaderValue, Response, StatusCode,
};
use http_body::Body;

use super::{
    close::close,
    flight::Flight,
    outcome::Outcome,
    response::{Primed, ResponseBody},
};

pub(super) enum Held<O: Outcome> {
    Ready(Result<Response<O::Body>, O::Error>),
    Primed(Parts, Primed<O::Body>),
    Rejection(Response<Bytes>),
}

pub(super) type Settled<O> =
    Result<Response<ResponseBody<<O as Outcome>::Body>>, <O as Outcome>::Error>;

impl<O: Outcome> Held<O> {
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Ready(Ok(response)) => Some(response.status()),
            Self::Ready(Err(_)) => None,
            Self::Primed(head, _) => Some(head.status),
            Self::Rejection(response) => Some(response.status()),
        }
    }

    /// Polls the response body once, and keeps what that gives.
    pub(super) fn prime(&mut self, cx: &mut Context<'_>) {
        let taken = std::mem::replace(self, Self::Rejection(Response::default()));
        *self = match taken {
            // A body at its end asks for nothing.
            Self::Ready(Ok(response)) if !response.body().is_end_stream() => {
                let (head, body) = response.into_parts();
                Self::Primed(head, Primed::new(body, cx))
            }
            other => other,
        };
    }

    pub(super) fn leave(self, exchange: Option<Arc<dyn Flight>>) -> Settled<O> {
        let mut response = match self {
            Self::Ready(result) => return leave(result, exchange),
            Self::Primed(head, body) => Response::from_parts(head, ResponseBody::primed(body)),
            Self::Rejection(response) => response.map(ResponseBody::rejection),
        };
        finish(&mut response, exchange);
        Ok(response)
    }
}

/// Adds what the response must say, and what must stay with its body.
fn finish<R: Body>(response: &mut Response<ResponseBody<R>>, exchange: Option<Arc<dyn Flight>>) {
    let Some(exchange) = exchange else {
        return;
    };
    let is_sized =
        response.body().len().is_some() || response.headers().contains_key(CONTENT_LENGTH);
    let told = exchange.responds(response.status(), is_sized);
    if told.closes {
        close(response.headers_mut());
    }
    if told.goes_on {
        response.body_mut().keep(exchange);
    }
}

/// The body that is still to come would be read as the new protocol (RFC 9110 §7.8).
pub(super) fn cannot_switch() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(
        b"the application switches protocols with the body of the request unread\n",
    ));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    close(response.headers_mut());
    response
}

#[inline]
pub(super) fn leave<R: Body, E>(
    result: Result<Response<R>, E>,
    exchange: Option<Arc<dyn Flight>>,
) -> Result<Response<ResponseBody<R>>, E> {
    match result {
        Ok(response) => {
            let mut response = response.map(ResponseBody::plain);
            finish(&mut response, exchange);
            Ok(response)
        }
        Err(error) => {
            if let Some(exchange) = exchange {
                exchange.abandon();
            }
            Err(error)
        }
    }
}
