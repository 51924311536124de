//! How a rejection looks to the client.
//!
//! The layer takes [`Standard`] unless told otherwise by
//! [`ExpectLayer::render_with`](crate::ExpectLayer::render_with):
//!
//! | renderer | content |
//! |---|---|
//! | [`Standard`] | plain text; over HTTP/2 none |
//! | [`PlainText`] | the sentence of the rejection |
//! | [`ProblemJson`] | `application/problem+json` (RFC 9457) |
//! | [`Html`] | a small page |
//! | [`Negotiate`] | one of these, by the request's `Accept` |
//! | [`Empty`] | none |
//! | a closure | what it returns |
//!
//! Whatever the renderer, a gRPC request gets a trailers-only response with `grpc-status`, since a
//! gRPC client reads any content as a message; the answer to HEAD has no content; and a whole
//! response in the rejection is sent as it is.
//!
//! [`Empty`] helps two kinds of clients: Java 17's `HttpClient` with `expectContinue(true)` hangs
//! on a refusal with content (JDK-8286171), and curl over HTTP/2 loses a few in a thousand of them:
//! it ends its upload when it has the head, which is a stream error by its announced length, and the
//! reset that follows may overtake the content. So the standard has none there.
//!
//! ```
//! use bytes::Bytes;
//! use http::Response;
//! use tower_expect::{render, ExpectLayer, Rejection, RequestHead};
//!
//! let json = ExpectLayer::default().render_with(render::ProblemJson);
//!
//! let own = ExpectLayer::default().render_with(|rejection: &Rejection, _: &RequestHead| {
//!     Response::new(Bytes::from(format!("upload refused: {}\n", rejection.message())))
//! });
//! # let _ = (json, own);
//! ```

mod accept;
mod grpc;

use bytes::Bytes;
use http::{
    header::{CONTENT_TYPE, VARY},
    HeaderValue, Method, Response, StatusCode, Version,
};

use crate::{media_range::MediaRange, Rejection, RequestHead};

/// Makes the response to a rejected request.
///
/// Implemented for closures `|rejection: &Rejection, head: &RequestHead| -> Response<Bytes>`.
///
/// The layer completes what is returned: the status is that of the rejection if the renderer has
/// left it at 200, and the rejection's header fields are added where the renderer has not set them.
/// `Connection` is the layer's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not render rejections",
    label = "not a renderer",
    note = "a renderer is a closure such as `|rejection: &Rejection, head: &RequestHead| -> Response<Bytes> {{ Response::new(Bytes::new()) }}`"
)]
pub trait Render: Send + Sync + 'static {
    /// The content of the response and the fields that describe it.
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

/// [`PlainText`], but [`Empty`] over HTTP/2. The default.
///
/// Over HTTP/2, curl loses a few in a thousand refusals that have content and none that have not.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Standard;

impl Render for Standard {
    fn render(&self, rejection: &Rejection, head: &RequestHead) -> Response<Bytes> {
        match head.version {
            Version::HTTP_2 => Empty.render(rejection, head),
            _ => PlainText.render(rejection, head),
        }
    }
}

/// `text/plain`: the sentence of the rejection and a line feed.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct PlainText;

impl Render for PlainText {
    fn render(&self, rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
        let text = [rejection.message(), "\n"].concat();
        content("text/plain; charset=utf-8", text)
    }
}

/// `application/problem+json` (RFC 9457) with the members `title`, `status` and `detail`.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct ProblemJson;

impl Render for ProblemJson {
    fn render(&self, rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
        let status = rejection.status();
        let title = escape_json(reason(status));
        let detail = escape_json(rejection.message());
        let json = format!(
            "{{\"title\":\"{title}\",\"status\":{},\"detail\":\"{detail}\"}}",
            status.as_u16()
        );
        content("application/problem+json", json)
    }
}

/// `text/html`: a page with the status as its heading.
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

/// No content.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "to be written as a value")]
pub struct Empty;

impl Render for Empty {
    fn render(&self, _: &Rejection, _: &RequestHead) -> Response<Bytes> {
        Response::new(Bytes::new())
    }
}

/// Plain text, HTML or `application/problem+json`, whichever the `Accept` field of the request
/// prefers (RFC 9110 §12.5.1).
///
/// Plain text if the field is absent or malformed, prefers none of them or accepts none.
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

/// The complete response for a rejection, but for `Connection`.
pub(crate) fn respond(
    renderer: &dyn Render,
    rejection: &Rejection,
    head: &RequestHead,
) -> Response<Bytes> {
    if let Some(whole) = rejection.whole() {
        return whole.clone();
    }
    if is_grpc(head) {
        return grpc::respond(rejection);
    }
    let mut response = renderer.render(rejection, head);
    if response.status() == StatusCode::OK || response.status().is_informational() {
        *response.status_mut() = rejection.status();
    }
    let given = rejection.headers().into_iter().flatten();
    let mut missing = None;
    for (name, value) in given {
        // A name that the renderer has set is left alone; of another, all lines are added.
        if !response.headers().contains_key(name) || missing == Some(name) {
            response.headers_mut().append(name, value.clone());
            missing = Some(name);
        }
    }
    if head.method == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
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

fn content(media_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Request refused")
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
