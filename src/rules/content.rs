//! What may be uploaded: length and media type of the content.

use std::ops::{Bound, RangeBounds};

use super::Rule;
use crate::{
    field_value::IntoFieldValue, head::single, media_range::MediaRange, Rejection, RequestHead,
    Validator,
};
use http::{header::CONTENT_TYPE, HeaderValue, StatusCode};

/// Admits requests whose content has a length, in bytes, within `range`.
///
/// 413 above the range, 400 below it and for a malformed `Content-Length`. A request of unknown
/// length, such as a chunked one, passes, unless a length is [`required`](Rule::required); see the
/// [module](crate::rules) for how to limit that one.
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

/// What [`content_length`] makes.
#[derive(Clone, Copy, Debug)]
pub struct ContentLength {
    min: u64,
    max: u64,
    required: bool,
}

impl Rule<ContentLength> {
    /// Refuses requests of unknown length with 411.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.required = true;
        self
    }
}

impl Validator for ContentLength {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        let announced = head.content_length().map_err(|error| {
            Rejection::new(StatusCode::BAD_REQUEST).with_message(error.to_string())
        })?;
        // A body in memory knows its length although no field says it.
        match announced.or_else(|| head.size_hint().exact()) {
            Some(length) if length > self.max => Err(Rejection::content_too_large(self.max)),
            Some(length) if length < self.min => {
                let message = format!("send at least {} bytes", self.min);
                Err(Rejection::new(StatusCode::BAD_REQUEST).with_message(message))
            }
            None if self.required => Err(Rejection::length_required()),
            _ => Ok(()),
        }
    }
}

/// Admits requests whose `Content-Type` is one of these: `"image/png"`, `"image/*"`, `"*/*"`.
///
/// 415 otherwise, also if the field is absent or malformed, with an `Accept` field that lists what
/// would be taken. Case does not matter, parameters such as `charset` and `boundary` are ignored.
///
/// # Panics
///
/// If one of the types is not of the form `type/subtype`.
pub fn content_type<T>(accepted: T) -> Rule<ContentType>
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
    // Tokens are ASCII.
    let accept = (&accepted).into_field_value();
    let accept = accept.unwrap_or(HeaderValue::from_static("*/*"));
    Rule(ContentType { accepted, accept })
}

/// What [`content_type`] makes.
#[derive(Clone, Debug)]
pub struct ContentType {
    accepted: Vec<String>,
    accept: HeaderValue,
}

impl Validator for ContentType {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        let refuse =
            |message| Err(Rejection::unsupported_media_type(&self.accept).with_message(message));
        let Some(line) = single(&head.headers, CONTENT_TYPE).transpose() else {
            return refuse(
                "repeat the request with a Content-Type field that the Accept field lists",
            );
        };
        let line = line.ok();
        let Some(found) = line.and_then(|line| MediaRange::parse(line.as_bytes())) else {
            return refuse(
                "the Content-Type field is malformed; see the Accept field for what is taken",
            );
        };
        let mut accepted = self.accepted.iter();
        let covers = |range: &String| {
            MediaRange::split(range.as_bytes()).is_some_and(|range| range.covers(found))
        };
        match accepted.any(covers) {
            true => Ok(()),
            false => Err(Rejection::unsupported_media_type(&self.accept)),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn status(rule: &impl Validator, fields: &[(&str, &str)]) -> u16 {
        let mut request = Request::put("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let head = RequestHead::from(request.body(()).unwrap().into_parts().0);
        match rule.validate(&head) {
            Ok(()) => 200,
            Err(rejection) => rejection.status().as_u16(),
        }
    }

    fn of_length(rule: &impl Validator, length: &str) -> u16 {
        status(rule, &[("content-length", length)])
    }

    #[test]
    fn lengths_within_the_range_pass_and_its_ends_count() {
        let rule = content_length(2..=4);
        let statuses = ["1", "2", "4", "5", "x"].map(|length| of_length(&rule, length));
        assert_eq!(statuses, [400, 200, 200, 413, 400]);
        assert_eq!(of_length(&content_length(..4), "4"), 413);
        assert_eq!(of_length(&content_length(..4), "3"), 200);
        assert_eq!(of_length(&content_length(..), "18446744073709551615"), 200);
        assert_eq!(of_length(&content_length(..0), "1"), 413);
    }

    #[test]
    fn an_unknown_length_passes_unless_one_is_required() {
        let rule = content_length(..=4);
        let chunked = [("transfer-encoding", "chunked"), ("content-length", "9")];
        assert_eq!(status(&rule, &[]), 200);
        assert_eq!(status(&rule, &chunked), 200);
        assert_eq!(status(&rule.required(), &[]), 411);
        assert_eq!(status(&rule.required(), &chunked), 411);
        assert_eq!(of_length(&rule.required(), "4"), 200);
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
        for refused in [
            "text/plain",
            "imagex/png",
            "multipart/mixed",
            "image",
            "image/",
            "",
        ] {
            assert_eq!(of_type(refused), 415, "{refused}");
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
    fn a_type_that_is_none_is_refused_when_the_rule_is_made() {
        content_type(["image/png", "png"]);
    }
}
