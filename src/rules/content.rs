//! Rules about the body: its length and its media type.

use std::ops::{Bound, RangeBounds};

use super::Rule;
use crate::{head::single, media_range::MediaRange, Accepted, Rejection, RequestHead, Validator};
use http::{header::CONTENT_TYPE, StatusCode};

/// Accepts requests whose body has a length, in bytes, within `range`, and those without a body.
///
/// Rejects with 413 above the range, and with 400 below it and for a malformed `Content-Length`. A request
/// without a `Content-Length`, such as a chunked one, is accepted with the end of the range as its limit
/// ([`Accepted::max_body`]), unless a length is [`required`](Rule::required).
///
/// # Beyond the limit
///
/// The limit holds while the body is read: the read that exceeds it fails with
/// [`LengthLimitError`](http_body_util::LengthLimitError). The status depends on the reader:
///
/// | reads the body | status beyond the limit |
/// |---|---|
/// | axum's `Bytes`, `String`, `Json`, `Form` | 413 |
/// | axum's `Multipart` | 413 on a route with `.layer(DefaultBodyLimit::disable())`; 500 otherwise, since axum's own limit wraps the error |
/// | a handler, from axum's `Body` | its own; `error.source()` of the `axum::Error` is the `LengthLimitError` |
/// | tonic | `UNKNOWN`; a streaming handler finds the `LengthLimitError` among the sources of the `Status`, and says `RESOURCE_EXHAUSTED` |
///
/// axum's extractors have a limit of their own, of 2 MiB, which stays below a larger one of this rule
/// until it is raised on the same routes:
///
/// ```
/// use axum::{body::Bytes, extract::DefaultBodyLimit, routing::put, Router};
/// use tower_expect::{rules, ExpectLayer};
///
/// const LIMIT: usize = 10 << 20; // bytes
///
/// let app: Router = Router::new()
///     .route("/files", put(|body: Bytes| async move { body.len().to_string() }))
///     .layer(DefaultBodyLimit::max(LIMIT))
///     .layer(ExpectLayer::new(rules::content_length(..=LIMIT as u64)));
/// ```
pub fn content_length(range: impl RangeBounds<u64>) -> Rule<ContentLength> {
    let min = match range.start_bound() {
        Bound::Included(&min) => min,
        Bound::Excluded(&below) => below.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let max = match range.end_bound() {
        Bound::Included(&max) => max,
        Bound::Excluded(&above) => above.saturating_sub(1),
        Bound::Unbounded => u64::MAX,
    };
    Rule(ContentLength {
        min,
        max,
        required: false,
    })
}

/// Validator of [`content_length`].
#[derive(Clone, Copy, Debug)]
pub struct ContentLength {
    min: u64,
    max: u64,
    required: bool,
}

impl Rule<ContentLength> {
    /// Rejects bodies without a `Content-Length` with 411 (RFC 9110 §15.5.12).
    pub fn required(mut self) -> Self {
        self.0.required = true;
        self
    }
}

impl ContentLength {
    /// `u64::MAX` means no limit.
    fn accepted(&self) -> Accepted {
        match self.max {
            u64::MAX => Accepted::new(),
            max => Accepted::new().max_body(max),
        }
    }
}

impl Validator for ContentLength {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let announced = head.content_length()?;
        if !head.has_body() {
            return Ok(Accepted::new());
        }
        // A body in memory knows its length although no header says it.
        match announced.or_else(|| head.size_hint().exact()) {
            Some(length) if length > self.max => Err(Rejection::content_too_large(self.max)),
            Some(length) if length < self.min => {
                let message = format!("send at least {} bytes", self.min);
                Err(Rejection::new(StatusCode::BAD_REQUEST).with_message(message))
            }
            None if self.required => Err(Rejection::length_required()),
            _ => Ok(self.accepted()),
        }
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        Ok(head.content_length().map(drop)?)
    }
}

/// Accepts requests whose `Content-Type` is one of these, such as `"image/png"`, `"image/*"` or `"*/*"`, and
/// those without a body.
///
/// Rejects others with 415, also if the header is absent or malformed, and with an `Accept` header that lists
/// the accepted types. Case does not matter; parameters such as `charset` and `boundary` are ignored.
///
/// # Panics
///
/// If one of the types is not of the form `type/subtype`.
#[track_caller]
pub fn content_type<T>(accepted: T) -> Rule<impl Validator>
where
    T: IntoIterator,
    T::Item: AsRef<str>,
{
    let accepted = accepted.into_iter();
    let accepted: Vec<String> = accepted.map(|range| range.as_ref().to_owned()).collect();
    for range in &accepted {
        let valid = MediaRange::parse(range.as_bytes()).is_some() && !range.contains(';');
        assert!(
            valid,
            "{range:?} is not a media type or range: write `image/png` or `image/*`"
        );
    }
    let rejection = Rejection::unsupported_media_type(&accepted);
    Rule(ContentType {
        accepted,
        rejection,
    })
}

struct ContentType {
    accepted: Vec<String>,
    /// Made once: the list is joined for it.
    rejection: Rejection,
}

impl ContentType {
    fn rejection(&self) -> Rejection {
        self.rejection.clone()
    }

    /// `None` if the request has no body or does not name the type of it.
    fn read<'a>(&self, head: &'a RequestHead) -> Result<Option<MediaRange<'a>>, Rejection> {
        if !head.has_body() {
            return Ok(None);
        }
        let malformed = || {
            let message = "the content-type header is malformed; \
                           the Accept header lists what is accepted";
            self.rejection().with_message(message).malformed()
        };
        let line = single(&head.headers, CONTENT_TYPE).map_err(|_| malformed())?;
        line.map(|line| MediaRange::parse(line.as_bytes()).ok_or_else(malformed))
            .transpose()
    }
}

impl Validator for ContentType {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let covers = |found, range: &String| {
            MediaRange::split(range.as_bytes()).is_some_and(|range| range.covers(found))
        };
        match self.read(head)? {
            Some(found) if self.accepted.iter().any(|range| covers(found, range)) => {
                Ok(Accepted::new())
            }
            Some(_) => Err(self.rejection()),
            None if !head.has_body() => Ok(Accepted::new()),
            None => {
                let message =
                    "repeat the request with a Content-Type header that the Accept header lists";
                Err(self.rejection().with_message(message))
            }
        }
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.read(head).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use http::{Method, Request};
    use http_body::{Body, Frame};

    use super::*;

    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    fn head(fields: &[(&str, &str)]) -> RequestHead {
        let mut request = Request::put("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        RequestHead::from(request.body(Endless).unwrap())
    }

    fn status(rule: &impl Validator, fields: &[(&str, &str)]) -> u16 {
        let head = head(fields);
        match rule.validate(&head) {
            Ok(_) => 200,
            Err(rejection) => rejection.status().as_u16(),
        }
    }

    fn of_length(rule: &impl Validator, length: &str) -> u16 {
        status(rule, &[("content-length", length)])
    }

    #[test]
    fn lengths_within_the_range_are_accepted_and_its_ends_count() {
        let rule = content_length(2..=4);
        let statuses = ["1", "2", "4", "5", "x"].map(|length| of_length(&rule, length));
        assert_eq!(statuses, [400, 200, 200, 413, 400]);
        assert_eq!(of_length(&content_length(..4), "4"), 413);
        assert_eq!(of_length(&content_length(..4), "3"), 200);
        assert_eq!(of_length(&content_length(..), "18446744073709551615"), 200);
        assert_eq!(of_length(&content_length(..0), "1"), 413);
    }

    #[test]
    fn an_unknown_length_is_accepted_unless_one_is_required() {
        let rule = content_length(..=4);
        let chunked = [("transfer-encoding", "chunked"), ("content-length", "9")];
        assert_eq!(status(&rule, &[]), 200);
        assert_eq!(status(&rule, &chunked), 200);
        assert_eq!(status(&rule.required(), &[]), 411);
        assert_eq!(status(&rule.required(), &chunked), 411);
        assert_eq!(of_length(&rule.required(), "4"), 200);
    }

    #[test]
    fn a_request_without_a_body_is_accepted() {
        let rule = content_length(1..=4)
            .required()
            .and(content_type(["image/png"]));
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = Request::builder().method(method);
            let head = RequestHead::from(request.body(String::new()).unwrap());
            assert!(rule.validate(&head).is_ok());
        }
        assert_eq!(of_length(&rule, "0"), 200);
        assert_eq!(of_length(&rule, "4"), 415);
    }

    #[test]
    fn an_unannounced_body_is_limited() {
        let limit = |rule: Rule<ContentLength>| {
            let accepted = rule.validate(&head(&[])).unwrap();
            accepted.into_request_parts(&mut Request::new(()).into_parts().0)
        };
        assert_eq!(limit(content_length(..=4)), Some(4));
        assert_eq!(limit(content_length(..4)), Some(3));
        assert_eq!(limit(content_length(4..)), None);
    }

    #[test]
    fn media_types_match_by_type_and_subtype_only() {
        let rule = content_type(["image/*", "multipart/form-data", "Application/PDF"]);
        let of_type = |value| status(&rule, &[("content-type", value)]);
        for taken in [
            "image/png",
            "IMAGE/svg+xml; charset=utf-8",
            "multipart/form-data; boundary=\"/x;\"",
            "application/pdf",
        ] {
            assert_eq!(of_type(taken), 200, "{taken}");
        }
        for rejected in [
            "text/plain",
            "imagex/png",
            "multipart/mixed",
            "image",
            "image/",
            "",
        ] {
            assert_eq!(of_type(rejected), 415, "{rejected}");
        }
        assert_eq!(
            status(&content_type(["*/*"]), &[("content-type", "a/b")]),
            200
        );
        assert_eq!(status(&content_type(["*/*"]), &[]), 415);
        let twice = [("content-type", "image/png"), ("content-type", "image/png")];
        assert_eq!(status(&rule, &twice), 415);
    }

    #[test]
    #[should_panic(expected = "\"png\" is not a media type or range")]
    fn a_type_that_is_none_panics_when_the_rule_is_made() {
        let _ = content_type(["image/png", "png"]);
    }
}
