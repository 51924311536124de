//! Ready-made validators, and how they combine.
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
//! A layer asks its rules about every request. [`content_type`] and [`content_length`] accept a request
//! that has no body; the others hold for it, too, so that a GET and an empty PUT need the token. A rule
//! for some requests only is one of these:
//!
//! * for some routes: a layer on those routes, by the router. There is no rule for paths, since a
//!   pattern that the router reads in another way, `//admin`, `/%61dmin`, a nested router, would pass a
//!   request over;
//! * for some methods: [`for_methods`](Rule::for_methods);
//! * otherwise: [`when`], with a closure.
//!
//! CORS preflights carry no credentials: put tower-http's `CorsLayer` outside of this layer, where it
//! responds to them by itself.
//!
//! # Malformed headers
//!
//! A request in which a header that a rule reads is malformed, or occurs twice, is rejected, however the
//! rule is combined: [`or`](Rule::or) and [`any`] do not ask the other rules then, and [`when`] and
//! [`for_methods`](Rule::for_methods) reject it for other requests, too. A validator of yours takes part
//! if it returns the [`InvalidHeader`](crate::InvalidHeader) as its rejection, by `?`.
//!
//! # Limits
//!
//! [`content_length`] rejects by the length that a request announces. One that announces none, such as a
//! chunked one, is accepted with a limit on what it sends ([`Accepted::max_body`]). What the client gets
//! to see past it, and how axum's own limit of 2 MiB is raised, is with [`content_length`].

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

/// A validator that combines with others.
///
/// What the functions of this module return; [`Rule::new`] makes one of a closure. `Rule` without a
/// parameter is what [`boxed`](Self::boxed) returns: it can be named, as in `ExpectLayer<Rule>`, cloned,
/// and put into a list.
#[derive(Clone, Copy, Debug)]
#[must_use = "a rule does nothing until a layer asks it"]
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

    /// Both must accept; `other` is asked only if this one accepts.
    ///
    /// The values of both reach the application, and the smaller limit holds; see [`Accepted`].
    pub fn and<W: Validator>(self, other: W) -> Rule<impl Validator> {
        Rule(And(self.0, other))
    }

    /// One must accept; `other` is asked only if this one rejects.
    ///
    /// If both reject, the rejection is this one's; if both are 401, it carries the challenges of both.
    pub fn or<W: Validator>(self, other: W) -> Rule<impl Validator> {
        Rule(Or(self.0, other))
    }

    /// Holds for these methods only and accepts others.
    pub fn for_methods<M>(self, methods: M) -> Rule<impl Validator>
    where
        M: IntoIterator,
        M::Item: Borrow<Method>,
    {
        Rule(When(Methods::new(methods), self.0))
    }

    /// Rejects with this rejection instead of the rule's own.
    pub fn rejecting_with(self, rejection: Rejection) -> Rule<impl Validator> {
        Rule(RejectingWith(self.0, rejection))
    }

    /// Erases the type.
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

/// Accepts what all of these accept. None of them accepts everything.
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

/// Accepts what one of these accepts. None of them accepts nothing: 403.
///
/// If all reject, the rejection is that of the first; if others are 401 as well, it carries their
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

/// Holds for the requests for which the closure returns true, and accepts others.
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
/// Where there is a router, it knows paths better: put a layer on the routes.
pub fn when<P, V>(condition: P, validator: V) -> Rule<impl Validator>
where
    P: Fn(&RequestHead) -> bool + Send + Sync + 'static,
    V: Validator,
{
    Rule(When(condition, validator))
}

#[cfg(test)]
mod tests;
