//! What a validator returns instead of accepting a request.

mod advice;
mod convert;
mod statuses;

use std::{borrow::Cow, sync::OnceLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use self::advice::advice;

/// The final response to a request that is not accepted: a status, a message and headers.
///
/// The layer's [`Render`](crate::render::Render) makes the response of it; a complete response of yours
/// converts with `From<http::Response<Bytes>>`. The layer also inserts the rejection into the extensions of
/// the response, where outer layers find the reason.
///
/// ```
/// use http::{header, StatusCode};
/// use tower_expect::Rejection;
///
/// let rejection = Rejection::content_too_large(1 << 20);
/// assert_eq!(rejection.status(), StatusCode::PAYLOAD_TOO_LARGE);
/// assert_eq!(rejection.message(), "send at most 1048576 bytes");
///
/// let rejection = Rejection::from(StatusCode::CONFLICT)
///     .with_message("an upload of this file is under way; wait for it to end")
///     .with_header("x-upload-id", "42")
///     .with_extension("code", "upload_under_way");
/// assert_eq!(rejection.headers()["x-upload-id"], "42");
/// ```
///
/// # Which status
///
/// 401, 403, 405, 411, 413, 415, 429, a redirect or 503 for rules of yours. 417 is for an expectation
/// that cannot be met: clients repeat the request without `Expect` after it (RFC 9110 §10.1.1), and send
/// the body that you meant to reject.
///
/// A rejection is always final. A 1xx status or an invalid header makes it a 500 whose message names the
/// problem.
///
/// # Size
///
/// Headers, extensions and a complete response are behind one pointer, so that the `Result` of a validator
/// is small. A rejection with only a status and a static message allocates nothing.
#[derive(Clone, Debug)]
#[must_use]
pub struct Rejection {
    status: StatusCode,
    /// Whether a malformed header is the reason. Combinators then run no other rule.
    is_malformed: bool,
    message: Option<Cow<'static, str>>,
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    headers: HeaderMap,
    extensions: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// With headers of its own.
    whole: Option<Response<Bytes>>,
}

impl Rejection {
    /// Creates a rejection with a status and a default message for it.
    ///
    /// A 401 must have a `WWW-Authenticate` header (RFC 9110 §15.5.2): use
    /// [`unauthorized`](Self::unauthorized), or add it with [`with_header`](Self::with_header). Without
    /// it, browsers do not prompt for a password, and some clients report an error of their own.
    pub fn new(status: StatusCode) -> Self {
        if status.is_informational() {
            return Self::broken(format!("a rejection cannot have the status {status}"));
        }
        Self::plain(status, None)
    }

    /// Sets the message for the client: one sentence that says what to do next.
    ///
    /// Do not build it from bytes that the client sent: renderers escape it, but a log may not.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets a header, replacing those of the same name.
    ///
    /// An invalid name or value makes this a 500 rejection whose message names the problem.
    pub fn with_header<K, V>(self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.header(name, value, |headers, name, value| {
            headers.insert(name, value);
        })
    }

    /// Adds a header and keeps those of the same name, such as another challenge.
    ///
    /// An invalid name or value makes this a 500 rejection whose message names the problem.
    pub fn append_header<K, V>(self, name: K, value: V) -> Self
    where
        K: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.header(name, value, |headers, name, value| {
            headers.append(name, value);
        })
    }

    /// Adds a member for programs, such as an error code of your API: `("code", "quota_exceeded")`.
    ///
    /// [`ProblemJson`](crate::render::ProblemJson) writes it as a member of its object (RFC 9457 §3.2),
    /// also `type` and `instance`; a renderer of yours gets it with [`extension`](Self::extension). A second
    /// one of the same name replaces the first. `title`, `status` and `detail` are reserved: they make this a
    /// 500 rejection whose message names the problem.
    pub fn with_extension(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let name = name.into();
        if let "title" | "status" | "detail" = &*name {
            return Self::broken(format!("a rejection has an extension named {name}"));
        }
        let extensions = &mut self.more.get_or_insert_with(Box::default).extensions;
        extensions.retain(|(known, _)| *known != name);
        extensions.push((name, value.into()));
        self
    }

    /// Returns the status of the response, which is never a 1xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the message for the client: one sentence that says what to do next.
    #[must_use]
    pub fn message(&self) -> &str {
        self.message
            .as_deref()
            .unwrap_or_else(|| advice(self.status))
    }

    /// Returns the headers of the rejection.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        static NONE: OnceLock<HeaderMap> = OnceLock::new();
        match (self.whole(), &self.more) {
            (Some(whole), _) => whole.headers(),
            (None, Some(more)) => &more.headers,
            (None, None) => NONE.get_or_init(HeaderMap::new),
        }
    }

    /// Returns the member `name` that was added by [`with_extension`](Self::with_extension).
    #[must_use]
    pub fn extension(&self, name: &str) -> Option<&str> {
        self.extensions()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns the members that were added by [`with_extension`](Self::with_extension), in order.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &str)> {
        let extensions = self.more.iter().flat_map(|more| &more.extensions);
        extensions.map(|(name, value)| (&**name, &**value))
    }

    /// The complete response, if the rejection was made from one.
    pub(crate) fn whole(&self) -> Option<&Response<Bytes>> {
        self.more.as_deref()?.whole.as_ref()
    }

    /// The message, owned.
    pub(crate) fn owned_message(&self) -> Cow<'static, str> {
        let advice = || advice(self.status).into();
        self.message.clone().unwrap_or_else(advice)
    }

    pub(crate) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Marks the rejection as one for a malformed header.
    pub(crate) fn malformed(mut self) -> Self {
        self.is_malformed = true;
        self
    }

    fn header<K, V>(
        mut self,
        name: K,
        value: V,
        put: impl FnOnce(&mut HeaderMap, HeaderName, HeaderValue),
    ) -> Self
    where
        K: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let more = self.more.get_or_insert_with(Box::default);
        let headers = match &mut more.whole {
            None => &mut more.headers,
            Some(whole) => whole.headers_mut(),
        };
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => put(headers, name, value),
            (Ok(name), Err(_)) => {
                return Self::broken(format!("a rejection has an invalid value for {name}"));
            }
            (Err(_), _) => return Self::broken("a rejection has an invalid header name"),
        }
        self
    }

    /// Appends the lines of that name that `other` has.
    pub(crate) fn append_from(self, other: &Self, name: &HeaderName) -> Self {
        let values = other.headers().get_all(name).iter();
        values.fold(self, |this, value| this.append_header(name, value))
    }

    fn plain(status: StatusCode, message: Option<Cow<'static, str>>) -> Self {
        Self {
            status,
            is_malformed: false,
            message,
            more: None,
        }
    }

    /// What becomes of a rejection that cannot be sent. A panic would take the connection with it.
    fn broken(what: impl Into<Cow<'static, str>>) -> Self {
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, Some(what.into()))
    }
}

#[cfg(test)]
mod tests;
