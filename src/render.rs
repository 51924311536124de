//! Renderers, which make the responses of rejections.
//!
//! The default is [`Standard`]; [`ExpectLayer::render_with`](crate::ExpectLayer::render_with) sets another:
//!
//! | renderer | body |
//! |---|---|
//! | [`Standard`] | plain text; none over HTTP/2, and none for expecting requests of Java |
//! | [`PlainText`] | the message of the rejection |
//! | [`ProblemJson`] | `application/problem+json` (RFC 9457) |
//! | [`Html`] | a small page |
//! | [`Negotiate`] | one of these, by the request's `Accept` |
//! | [`Empty`] | none |
//! | a closure | what it returns |
//!
//! With every renderer:
//!
//! * a gRPC request gets a trailers-only response with `grpc-status`, since a gRPC client reads any body
//!   as a message;
//! * the response to HEAD has the headers of that to GET, `Content-Length` included, and no body; a 204,
//!   205 or 304 has no body either;
//! * a status that caches may keep by themselves, such as 404 or 405 (RFC 9110 §15.1), gets
//!   `Cache-Control: no-store` unless the renderer or the rejection has set that header;
//! * a complete response in the rejection is sent as it is, except for such a body.
//!
//! [`Empty`] is for two kinds of clients. Java's `HttpClient` with `expectContinue(true)` hangs on a
//! rejection with a body (JDK-8286171). curl over HTTP/2 loses a few in a thousand of them: it ends its
//! request when it has the head, which is a stream error if a longer `Content-Length` was sent, and the reset
//! that follows may overtake the body. [`Standard`] has no body in these cases.
//!
//! ```
//! use bytes::Bytes;
//! use http::Response;
//! use tower_expect::{render, ExpectLayer, Rejection, RequestHead};
//!
//! let json = ExpectLayer::default().render_with(render::ProblemJson);
//!
//! let own = ExpectLayer::default().render_with(|rejection: &Rejection, _: &RequestHead| {
//!     Response::new(Bytes::from(format!("rejected: {}\n", rejection.message())))
//! });
//! # let _ = (json, own);
//! ```

mod accept;
mod grpc;
mod respond;

use bytes::Bytes;
use http::{
    header::{CONTENT_TYPE, USER_AGENT, VARY},
    HeaderValue, Response, StatusCode, Version,
};

pub(crate) use self::respond::respond;
use crate::{Rejection, RequestHead};

/// Makes the response to a rejected request.
///
/// Implemented for closures `|rejection: &Rejection, head: &RequestHead| -> Response<Bytes>`.
///
/// The layer completes the response: a status of 200 is replaced by that of the rejection, and the
/// rejection's headers are added where the renderer has not set them. The layer sets `Connection`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not render rejections",
    label = "not a renderer",
    note = "a renderer is a closure such as `|rejection: &Rejection, head: &RequestHead| -> Response<Bytes> {{ Response::new(Bytes::new()) }}`"
)]
pub trait Render: Send + Sync + 'static {
    /// Returns the body of the response and the headers that describe it.
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes>;
}

impl<F> Render for F
where
    F: Fn(&Rejection, &RequestHead) -> Response<Bytes> + Send + Sync + 'static,
{
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes> {
        self(rejection, head)
    }
}

/// The default renderer: [`PlainText`], but [`Empty`] over HTTP/2 and for expecting requests of Java.
///
/// Over HTTP/2, curl loses a few in a thousand rejections that have a body, and none without. Java's
/// `HttpClient`, `User-Agent: Java-http-client/…`, hangs on a body in place of a 100 (JDK-8286171).
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Standard;

impl Render for Standard {
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes> {
        match head.version == Version::HTTP_2 || is_expecting_java(head) {
            true => Empty.render(rejection, head),
            false => PlainText.render(rejection, head),
        }
    }
}

fn is_expecting_java(head: &RequestHead) -> bool {
    let agent = || head.headers.get(USER_AGENT);
    head.is_expecting() && agent().is_some_and(|a| a.as_bytes().starts_with(b"Java-http-client"))
}

/// Renders `text/plain`: the message of the rejection and a line feed.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct PlainText;

impl Render for PlainText {
    fn render(&self, rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
        plain_text(rejection)
    }
}

fn plain_text(rejection: &Rejection) -> Response<Bytes> {
    let text = [rejection.message(), "\n"].concat();
    content("text/plain; charset=utf-8", text)
}

/// Renders `application/problem+json` (RFC 9457) with the members `title`, `status` and `detail`, and those
/// of [`Rejection::with_extension`].
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct ProblemJson;

impl Render for ProblemJson {
    fn render(&self, rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
        let status = rejection.status();
        let title = escape_json(reason(status));
        let detail = escape_json(rejection.message());
        let mut json = format!(
            "{{\"title\":\"{title}\",\"status\":{},\"detail\":\"{detail}\"",
            status.as_u16()
        );
        for (name, value) in rejection.extensions() {
            let member = [
                ",\"",
                &*escape_json(name),
                "\":\"",
                &*escape_json(value),
                "\"",
            ];
            json.extend(member);
        }
        json.push('}');
        content("application/problem+json", json)
    }
}

/// Renders `text/html`: a page with the status as its heading.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Html;

impl Render for Html {
    fn render(&self, rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
        let status = rejection.status();
        let (code, title) = (status.as_u16(), reason(status));
        let message = escape_html(rejection.message());
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{code} {title}</title>\n\
             <h1>{code} {title}</h1>\n<p>{message}</p></html>\n"
        );
        content("text/html; charset=utf-8", page)
    }
}

/// Renders no body.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Empty;

impl Render for Empty {
    fn render(&self, _: &Rejection, _: &RequestHead) -> Response<Bytes> {
        Response::new(Bytes::new())
    }
}

/// Renders plain text, HTML or `application/problem+json`, whichever the `Accept` header of the request
/// prefers (RFC 9110 §12.5.1).
///
/// Renders plain text if the header is absent or malformed, prefers none of them or accepts none.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Negotiate;

impl Render for Negotiate {
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes> {
        let mut response = match accept::preferred(&head.headers) {
            accept::Format::PlainText => PlainText.render(rejection, head),
            accept::Format::ProblemJson => ProblemJson.render(rejection, head),
            accept::Format::Html => Html.render(rejection, head),
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

fn content(media_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Request rejected")
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn escape_json(text: &str) -> String {
    use std::fmt::Write;

    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            control if control < ' ' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
