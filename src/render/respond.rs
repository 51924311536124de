//! The complete response for a rejection, but for `Connection`.

use bytes::Bytes;
use http::{
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY},
    HeaderValue, Method, Response, StatusCode,
};

use super::{grpc, plain_text, Render};
use crate::{media_range::MediaRange, Rejection, RequestHead};

pub(crate) fn respond(
    renderer: &dyn Render,
    rejection: &Rejection,
    head: &RequestHead,
) -> Response<Bytes> {
    let mut response = match rejection.whole() {
        Some(whole) => whole.clone(),
        None if is_grpc(head) => grpc::respond(rejection),
        None => complete(renderer.render(rejection, head), rejection),
    };
    trim(&mut response, head.method == Method::HEAD);
    response
}

impl Rejection {
    /// Returns the response that the layer would send with [`PlainText`](super::PlainText) to a GET over
    /// HTTP/1.1, but for `Connection`.
    ///
    /// For a handler or a middleware of your own that responds in the same way. The rejection is in the
    /// response's extensions, as in that of the layer.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = match self.whole() {
            Some(whole) => whole.clone(),
            None => complete(plain_text(&self), &self),
        };
        trim(&mut response, false);
        response.extensions_mut().insert(self);
        response
    }
}

/// Adds to what was rendered what the rejection says.
fn complete(mut response: Response<Bytes>, rejection: &Rejection) -> Response<Bytes> {
    if response.status() == StatusCode::OK || response.status().is_informational() {
        *response.status_mut() = rejection.status();
    }
    let mut missing = None;
    for (name, value) in rejection.headers() {
        // A name that the renderer has set is left alone; of another, all lines are added. `Vary` is a
        // list of what either has looked at.
        if !response.headers().contains_key(name) || missing == Some(name) || name == VARY {
            response.headers_mut().append(name, value.clone());
            missing = Some(name);
        }
    }
    if is_cacheable(response.status()) && !response.headers().contains_key(CACHE_CONTROL) {
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
    }
    response
}

/// Whether a cache may keep responses with that status for as long as it likes (RFC 9110 §15.1). The
/// rejection of one request says nothing about another, with a token, say.
fn is_cacheable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// Takes away the body where there can be none, and says how long it would be where that is wanted.
fn trim(response: &mut Response<Bytes>, is_head: bool) {
    let length = match response.status() {
        // RFC 9110 §8.6 forbids it for a 204. It would be that of a 200 for a 304, which nobody knows.
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => None,
        StatusCode::RESET_CONTENT => Some(HeaderValue::from_static("0")),
        _ if is_head => {
            // A whole response may know better.
            let given = response.headers().get(CONTENT_LENGTH).cloned();
            Some(given.unwrap_or_else(|| response.body().len().into()))
        }
        _ => return,
    };
    *response.body_mut() = Bytes::new();
    let headers = response.headers_mut();
    match length {
        Some(length) => headers.insert(CONTENT_LENGTH, length),
        None => headers.remove(CONTENT_LENGTH),
    };
}

/// `application/grpc` and `application/grpc+…`, but not `application/grpc-web`.
fn is_grpc(head: &RequestHead) -> bool {
    let Some(value) = head.headers.get(CONTENT_TYPE) else {
        return false;
    };
    MediaRange::parse(value.as_bytes()).is_some_and(|found| {
        let is_grpc = |(format, rest): (&[u8], &[u8])| {
            format.eq_ignore_ascii_case(b"grpc") && (rest.is_empty() || rest.starts_with(b"+"))
        };
        found.main.eq_ignore_ascii_case(b"application")
            && found.sub.split_at_checked(4).is_some_and(is_grpc)
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::render::{Negotiate, PlainText};

    fn head(method: Method) -> RequestHead {
        let request = Request::builder().method(method).body(String::new());
        RequestHead::from(request.unwrap())
    }

    fn length(response: &Response<Bytes>) -> Option<&str> {
        response.headers().get(CONTENT_LENGTH)?.to_str().ok()
    }

    #[test]
    fn head_gets_the_headers_of_the_get_and_no_body() {
        let rejection = Rejection::forbidden();
        let get = respond(&PlainText, &rejection, &head(Method::GET));
        let response = respond(&PlainText, &rejection, &head(Method::HEAD));
        assert!(response.body().is_empty());
        let expected = get.body().len().to_string();
        assert_eq!(length(&response), Some(&*expected));
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            get.headers()[CONTENT_TYPE]
        );
        let whole = Response::builder()
            .status(403)
            .header(CONTENT_LENGTH, 1 << 20);
        let whole = whole.body(Bytes::new()).unwrap().into();
        let response = respond(&PlainText, &whole, &head(Method::HEAD));
        assert_eq!(length(&response), Some("1048576"));
    }

    #[test]
    fn statuses_that_have_no_body_get_none() {
        for (status, expected) in [(204, None), (304, None), (205, Some("0"))] {
            for method in [Method::GET, Method::HEAD, Method::PUT] {
                let rejection = Rejection::new(StatusCode::from_u16(status).unwrap());
                let whole = Response::builder().status(status);
                let whole = whole.header(CONTENT_LENGTH, 3).body("abc".into());
                for rejection in [rejection, Rejection::from(whole.unwrap())] {
                    let response = respond(&PlainText, &rejection, &head(method.clone()));
                    assert!(response.body().is_empty());
                    assert_eq!(length(&response), expected, "{method} {status}");
                }
            }
        }
    }

    #[test]
    fn what_caches_might_keep_says_that_they_must_not() {
        for status in [301, 308, 404, 405, 410, 414, 501] {
            let rejection = Rejection::new(StatusCode::from_u16(status).unwrap());
            let response = respond(&PlainText, &rejection, &head(Method::GET));
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{status}");
            let rejection = rejection.with_header(CACHE_CONTROL, "max-age=60");
            let response = respond(&PlainText, &rejection, &head(Method::GET));
            assert_eq!(response.headers()[CACHE_CONTROL], "max-age=60", "{status}");
        }
        let response = respond(&PlainText, &Rejection::forbidden(), &head(Method::GET));
        assert!(!response.headers().contains_key(CACHE_CONTROL));
    }

    #[test]
    fn vary_lists_what_either_has_looked_at() {
        let rejection = Rejection::forbidden().with_header(VARY, "origin");
        let response = respond(&Negotiate, &rejection, &head(Method::GET));
        let vary: Vec<_> = response.headers().get_all(VARY).iter().collect();
        assert_eq!(vary, ["accept", "origin"]);
    }

    #[test]
    fn a_rejection_becomes_a_response_by_itself() {
        let response = Rejection::unauthorized("Bearer").into_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(
            response.body(),
            "repeat the request with valid credentials\n"
        );
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.status(), 401);
        let response = Rejection::from(StatusCode::NO_CONTENT).into_response();
        assert!(response.body().is_empty());
    }
}
