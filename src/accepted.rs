//! What a validator returns when it accepts a request.

use std::fmt;

use http::{request::Parts, Extensions};

/// Acceptance of a request, with values for the application and a limit for the body.
///
/// `Ok(())` converts into this type. A validator that has looked up a user passes it to the application
/// with [`with`](Self::with), so that the token is looked up once:
///
/// ```
/// use tower_expect::{Accepted, ExpectLayer, Rejection, RequestHead};
///
/// #[derive(Clone)]
/// struct User(&'static str);
///
/// let layer = ExpectLayer::new(|head: &RequestHead| match head.bearer() {
///     Some("s3cr3t") => Ok(Accepted::new().with(User("alice"))),
///     _ => Err(Rejection::unauthorized("Bearer")),
/// });
///
/// // axum: the handler takes the user as an argument.
/// async fn store(axum::Extension(user): axum::Extension<User>) -> String {
///     format!("stored for {}", user.0)
/// }
/// # let app: axum::Router = axum::Router::new().route("/", axum::routing::put(store)).layer(layer);
/// ```
///
/// If rules are combined, the values of all that ran reach the application, and the smallest limit holds. Of
/// two values of one type, the later replaces the earlier: that of the second rule, and that of the inner
/// layer if layers nest.
///
/// `Accepted::new()` allocates nothing.
#[derive(Clone, Default)]
#[must_use = "a request is accepted when the validator returns this"]
pub struct Accepted {
    values: Extensions,
    max_body: Option<u64>,
}

impl Accepted {
    /// Creates an acceptance without values and without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value to the extensions of the request, where it replaces another of its type.
    pub fn with<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.values.insert(value);
        self
    }

    /// Sets the maximum length of the body, in bytes. The smallest limit holds if there are several.
    ///
    /// Beyond it, reading the body fails with [`http_body_util::LengthLimitError`]. axum's extractors, such as
    /// `Bytes` and `Json`, respond to that with 413; the layer's renderer is not involved. A handler that reads
    /// frames decides by itself. [`rules::content_length`](crate::rules::content_length) has the list. Reject a
    /// body whose `Content-Length` is larger in the validator, as that rule does; this limit is for the others.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = Some(self.max_body.map_or(bytes, |max| max.min(bytes)));
        self
    }

    /// Adds the acceptance of a validator that ran after this one.
    pub(crate) fn merge(self, later: Self) -> Self {
        let mut merged = match later.max_body {
            Some(bytes) => self.max_body(bytes),
            None => self,
        };
        merged.values.extend(later.values);
        merged
    }

    /// Puts the values into the request's extensions and returns the limit of its body, in bytes.
    pub(crate) fn into_request_parts(self, parts: &mut Parts) -> Option<u64> {
        if !self.values.is_empty() {
            parts.extensions.extend(self.values);
        }
        self.max_body
    }
}

/// An acceptance without values and without a limit.
impl From<()> for Accepted {
    fn from((): ()) -> Self {
        Self::new()
    }
}

/// Without the values: they may be secret, and need not be `Debug`.
impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("values", &self.values.len())
            .field("max_body", &self.max_body)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts() -> Parts {
        Request::new(()).into_parts().0
    }

    #[test]
    fn values_reach_the_extensions_and_leave_others_alone() {
        let mut parts = parts();
        parts.extensions.insert(1_u8);
        let limit = Accepted::new().with("user").into_request_parts(&mut parts);
        assert_eq!(limit, None);
        assert_eq!(parts.extensions.get(), Some(&"user"));
        assert_eq!(parts.extensions.get(), Some(&1_u8));
    }

    #[test]
    fn merged_values_are_those_of_both_and_the_later_replaces_the_earlier() {
        let earlier = Accepted::new().with(1_u8).with("earlier");
        let later = Accepted::new().with(2_u16).with("later");
        let mut parts = parts();
        earlier.merge(later).into_request_parts(&mut parts);
        assert_eq!(parts.extensions.get(), Some(&1_u8));
        assert_eq!(parts.extensions.get(), Some(&2_u16));
        assert_eq!(parts.extensions.get(), Some(&"later"));
    }

    #[test]
    fn the_smaller_limit_holds() {
        let limit = |accepted: Accepted| accepted.into_request_parts(&mut parts());
        assert_eq!(limit(Accepted::from(())), None);
        assert_eq!(limit(Accepted::new().max_body(5).max_body(7)), Some(5));
        assert_eq!(limit(Accepted::new().max_body(7).max_body(5)), Some(5));
        let five = || Accepted::new().max_body(5);
        assert_eq!(limit(five().merge(Accepted::new())), Some(5));
        assert_eq!(limit(Accepted::new().merge(five())), Some(5));
        assert_eq!(limit(five().merge(Accepted::new().max_body(4))), Some(4));
    }

    #[test]
    fn debug_shows_no_value() {
        let accepted = Accepted::new().with("hunter2").max_body(3);
        let shown = format!("{accepted:?}");
        assert_eq!(shown, "Accepted { values: 1, max_body: Some(3) }");
    }

    #[test]
    fn an_acceptance_is_small() {
        assert!(size_of::<Accepted>() <= 24);
    }
}
