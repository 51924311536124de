//! Rules: validators for common headers, which can be combined.
//!
//! ```
//! use http::{Method, Request};
//! use tower_expect::{rules, RequestHead, Validator};
//!
//! let rule = rules::bearer_token("s3cr3t")
//!     .and(rules::content_type(["image/*", "application/pdf"]))
//!     .and(rules::content_length(..=10 << 20).required());
//!
//! let request = Request::put("/")
//!     .header("authorization", "Bearer s3cr3t")
//!     .header("content-type", "image/png")
//!     .header("content-length", "11000000")
//!     .body(String::new())?;
//! assert_eq!(rule.validate(&RequestHead::from(request)).unwrap_err().status(), 413);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! # Which requests a rule holds for
//!
//! A layer runs its rules for every request. [`content_type`] and [`content_length`] accept requests that
//! have no body; the others hold for them, too, so that a GET and an empty PUT need the token. To apply a
//! rule to some requests only:
//!
//! * to some routes: add a layer to those routes with the router. There is no rule for paths, because a
//!   pattern that the router reads in another way (`//admin`, `/%61dmin`, a nested router) would let a
//!   request skip the rule;
//! * to some methods: use [`for_methods`](Rule::for_methods);
//! * otherwise: use [`when`] with a closure.
//!
//! CORS preflights carry no credentials: put tower-http's `CorsLayer` outside of this layer, where it
//! responds to them by itself.
//!
//! # Malformed headers
//!
//! A request is rejected if a header that a rule reads is malformed or occurs twice, however the rule is
//! combined: [`or`](Rule::or) and [`any`] do not run other rules then, and [`when`] and
//! [`for_methods`](Rule::for_methods) reject such requests for which the rule does not hold, too. A validator
//! of yours behaves alike if it returns [`InvalidHeader`](crate::InvalidHeader) with `?`.
//!
//! # Limits
//!
//! [`content_length`] rejects by the `Content-Length` of a request. A request without one, such as a chunked
//! one, is accepted with a limit for its body ([`Accepted::max_body`]). [`content_length`] lists what the
//! client receives beyond the limit, and shows how to raise axum's own limit of 2 MiB.

mod auth;
mod combine;
mod content;
mod request;

pub use self::{
    auth::{basic, bearer, bearer_token, BasicAuth, BearerAuth},
    content::{content_length, content_type, ContentLength},
    request::method,
};

use std::{borrow::Borrow, sync::Arc};

use http::Method;

use self::{
    combine::{All, And, Any, Or, RejectingWith, When},
    request::Methods,
};
use crate::{Accepted, Rejection, RequestHead, Validator};

/// A validator that can be combined with others.
///
/// The functions of this module return rules; [`Rule::new`] creates one from a closure. [`boxed`](Self::boxed)
/// returns a `Rule` without a parameter, which can be named, as in `ExpectLayer<Rule>`, cloned, and put into a
/// list.
#[derive(Clone, Copy, Debug)]
#[must_use = "a rule does nothing until a layer runs it"]
pub struct Rule<V = Arc<dyn Validator>>(V);

impl<V: Validator> Rule<V> {
    /// Creates a rule from a validator of yours.
    ///
    /// ```
    /// use tower_expect::{rules::{self, Rule}, Rejection, RequestHead};
    ///
    /// let rule = Rule::new(|head: &RequestHead| match head.headers.contains_key("x-upload-id") {
    ///     true => Ok(()),
    ///     false => Err(Rejection::forbidden()),
    /// });
    /// let rule = rule.and(rules::content_length(..1024));
    /// # let _ = rule;
    /// ```
    pub fn new(validator: V) -> Self {
        Self(validator)
    }

    /// Accepts what both rules accept. `other` runs only if this rule accepts.
    ///
    /// The values of both reach the application, and the smaller limit holds; see [`Accepted`].
    pub fn and<W: Validator>(self, other: W) -> Rule<impl Validator> {
        Rule(And(self.0, other))
    }

    /// Accepts what one of the two rules accepts. `other` runs only if this rule rejects.
    ///
    /// If both reject, the rejection is that of this rule; if both are 401, it carries the challenges of both.
    pub fn or<W: Validator>(self, other: W) -> Rule<impl Validator> {
        Rule(Or(self.0, other))
    }

    /// Applies the rule to these methods only, and accepts others.
    pub fn for_methods<M>(self, methods: M) -> Rule<impl Validator>
    where
        M: IntoIterator,
        M::Item: Borrow<Method>,
    {
        Rule(When(Methods::new(methods), self.0))
    }

    /// Replaces the rejection of the rule.
    pub fn rejecting_with(self, rejection: Rejection) -> Rule<impl Validator> {
        Rule(RejectingWith(self.0, rejection))
    }

    /// Erases the type of the rule.
    ///
    /// ```
    /// use tower_expect::{rules::{self, Rule}, ExpectLayer};
    ///
    /// struct Config {
    ///     uploads: ExpectLayer<Rule>,
    /// }
    ///
    /// let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=1 << 20));
    /// let config = Config { uploads: ExpectLayer::new(rule.boxed()) };
    /// # let _ = config.uploads;
    /// ```
    pub fn boxed(self) -> Rule {
        Rule(Arc::new(self.0))
    }
}

impl<V: Validator> Validator for Rule<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self.0.validate(head)
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.check_syntax(head)
    }
}

/// Accepts what all of these rules accept. An empty list accepts every request.
///
/// ```
/// use tower_expect::rules;
///
/// let mut rules = vec![rules::bearer_token("s3cr3t").boxed()];
/// if let Some(limit) = Some(1 << 20) {
///     rules.push(rules::content_length(..=limit).boxed());
/// }
/// let rule = rules::all(rules);
/// # let _ = rule;
/// ```
pub fn all<I>(validators: I) -> Rule<impl Validator>
where
    I: IntoIterator,
    I::Item: Validator,
{
    Rule(All(validators.into_iter().collect()))
}

/// Accepts what one of these rules accepts. An empty list rejects every request with 403.
///
/// If all reject, the rejection is that of the first rule; if others are 401 as well, it carries their
/// challenges, too.
///
/// ```
/// use tower_expect::rules;
///
/// let rule = rules::any(["s3cr3t", "t0k3n"].map(rules::bearer_token));
/// # let _ = rule;
/// ```
pub fn any<I>(validators: I) -> Rule<impl Validator>
where
    I: IntoIterator,
    I::Item: Validator,
{
    Rule(Any(validators.into_iter().collect()))
}

/// Applies a rule to the requests for which the closure returns true, and accepts others.
///
/// ```
/// use tower_expect::rules;
///
/// let rule = rules::when(
///     |head| head.uri.path().starts_with("/internal/"),
///     rules::bearer_token("s3cr3t"),
/// );
/// # let _ = rule;
/// ```
///
/// A [`Rejection`] is a validator as well: `when(|head| …, Rejection::forbidden())`.
///
/// For paths, prefer a layer on the routes of a router.
pub fn when<P, V>(condition: P, validator: V) -> Rule<impl Validator>
where
    P: Fn(&RequestHead) -> bool + Send + Sync + 'static,
    V: Validator,
{
    Rule(When(condition, validator))
}

#[cfg(test)]
mod tests;
