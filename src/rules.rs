//! Ready-made validators, and how they combine.
//!
//! ```
//! use http::{Method, Request};
//! use tower_expect::{rules, RequestHead, Validator};
//!
//! let rule = rules::bearer(|token| token == "s3cr3t")
//!     .and(rules::content_type(["image/*", "application/pdf"]))
//!     .and(rules::content_length(..=10 << 20).required())
//!     .for_methods([Method::PUT, Method::POST]);
//!
//! let request = Request::put("/")
//!     .header("authorization", "Bearer s3cr3t")
//!     .header("content-type", "image/png")
//!     .header("content-length", "11000000")
//!     .body(())?;
//! let head = RequestHead::from(request.into_parts().0);
//! assert_eq!(rule.validate(&head).unwrap_err().status(), 413);
//! # Ok::<(), http::Error>(())
//! ```
//!
//! By default a layer asks its rules about requests with content only. Rules that guard more than the
//! upload, as `bearer` and `basic` mostly do, want
//! [`validate_when(ValidateWhen::Always)`](crate::ExpectLayer::validate_when): otherwise a PUT of an empty
//! file gets past them.
//!
//! Compare tokens in constant time, for example with the crate `subtle`, as the example
//! `axum_upload` does.
//!
//! Rules see the head only. A chunked request announces no length, so
//! [`content_length`] lets it pass unless [`required`](Rule::required); limit what such a request
//! sends with tower-http's `RequestBodyLimitLayer` or `http_body_util::Limited` *inside* this layer:
//!
//! ```
//! use http_body_util::Limited;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_expect::{rules, ExpectBody, ExpectLayer};
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::{BodyExt, Full};
//! # async fn store(body: Limited<ExpectBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
//! #     let status = if body.collect().await.is_ok() { 200 } else { 413 };
//! #     Ok(Response::builder().status(status).body(Full::default()).unwrap())
//! # }
//!
//! let service = ServiceBuilder::new()
//!     .layer(ExpectLayer::new(rules::content_length(..=1024)))
//!     .map_request(|request: Request<ExpectBody<_>>| {
//!         request.map(|body| Limited::new(body, 1024))
//!     })
//!     .service_fn(|request: Request<_>| store(request.into_body()));
//! # tokio_test::block_on(async {
//! # let chunked = Request::post("/").header("transfer-encoding", "chunked").body(Full::from(vec![0; 2048])).unwrap();
//! # assert_eq!(service.oneshot(chunked).await.unwrap().status(), 413);
//! # });
//! ```

mod auth;
mod content;
mod request;

pub use self::{
    auth::{basic, bearer, BasicAuth, BearerAuth},
    content::{content_length, content_type, ContentLength, ContentType},
    request::{method, path, Methods, Paths},
};

use std::borrow::Borrow;

use http::{header::WWW_AUTHENTICATE, Method, StatusCode};

use crate::{Rejection, RequestHead, Validator};

/// A validator that combines with others.
///
/// What the functions of this module return; [`Rule::new`] makes one of a closure.
#[derive(Clone, Copy, Debug)]
pub struct Rule<V>(V);

impl<V: Validator> Rule<V> {
    /// A rule of your own.
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

    /// Both must admit; `other` is asked only if this one does.
    pub fn and<W: Validator>(self, other: W) -> Rule<And<V, W>> {
        Rule(And(self.0, other))
    }

    /// One must admit. If neither does, the rejection is this one's; if both are 401, it carries the
    /// challenges of both.
    pub fn or<W: Validator>(self, other: W) -> Rule<Or<V, W>> {
        Rule(Or(self.0, other))
    }

    /// Holds for these methods only and admits others.
    pub fn for_methods<M>(self, methods: M) -> Rule<When<Rule<Methods>, V>>
    where
        M: IntoIterator,
        M::Item: Borrow<Method>,
    {
        Rule(When(method(methods), self.0))
    }

    /// Holds for these paths only, in the form that [`path`] takes, and admits others.
    pub fn for_paths<P>(self, paths: P) -> Rule<When<Rule<Paths>, V>>
    where
        P: IntoIterator,
        P::Item: AsRef<str>,
    {
        Rule(When(request::paths(paths), self.0))
    }

    /// Refuses with this rejection instead of the rule's own.
    pub fn rejecting_with(self, rejection: Rejection) -> Rule<RejectingWith<V>> {
        Rule(RejectingWith(self.0, rejection))
    }
}

impl<V: Validator> Validator for Rule<V> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.validate(head)
    }
}

/// Whether a request is of a kind, for [`when`].
///
/// Implemented for closures `|head: &RequestHead| -> bool` and for rules, which are met by the
/// requests that they admit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a predicate",
    label = "not a predicate",
    note = "a predicate is a rule, or a closure such as `|head: &RequestHead| head.is_expecting()`"
)]
pub trait Predicate {
    /// Whether it is.
    fn is_met(&self, head: &RequestHead) -> bool;
}

impl<F: Fn(&RequestHead) -> bool> Predicate for F {
    fn is_met(&self, head: &RequestHead) -> bool {
        self(head)
    }
}

impl<V: Validator> Predicate for Rule<V> {
    fn is_met(&self, head: &RequestHead) -> bool {
        self.0.validate(head).is_ok()
    }
}

/// Holds where the predicate is met and admits other requests.
///
/// ```
/// use http::Method;
/// use tower_expect::{rules, RequestHead};
///
/// let rule = rules::when(
///     |head: &RequestHead| head.method != Method::OPTIONS,
///     rules::bearer(|token| token == "s3cr3t"),
/// );
/// # let _ = rule;
/// ```
pub fn when<P: Predicate, V: Validator>(predicate: P, rule: V) -> Rule<When<P, V>> {
    Rule(When(predicate, rule))
}

/// Refuses what `rule` admits, with 403 unless [`rejecting_with`](Rule::rejecting_with) says
/// otherwise, and admits what it refuses.
pub fn not<V: Validator>(rule: V) -> Rule<Not<V>> {
    Rule(Not(rule))
}

/// What [`Rule::and`] makes.
#[derive(Clone, Copy, Debug)]
pub struct And<V, W>(V, W);

impl<V: Validator, W: Validator> Validator for And<V, W> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.validate(head)?;
        self.1.validate(head)
    }
}

/// What [`Rule::or`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Or<V, W>(V, W);

impl<V: Validator, W: Validator> Validator for Or<V, W> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        let Err(first) = self.0.validate(head) else {
            return Ok(());
        };
        let Err(second) = self.1.validate(head) else {
            return Ok(());
        };
        let challenge = |r: &Rejection| r.status() == StatusCode::UNAUTHORIZED;
        if challenge(&first) && challenge(&second) {
            return Err(first.append_from(&second, &WWW_AUTHENTICATE));
        }
        Err(first)
    }
}

/// What [`not`] makes.
#[derive(Clone, Copy, Debug)]
pub struct Not<V>(V);

impl<V: Validator> Validator for Not<V> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        match self.0.validate(head) {
            Ok(()) => Err(Rejection::forbidden()),
            Err(_) => Ok(()),
        }
    }
}

/// What [`when`], [`Rule::for_methods`] and [`Rule::for_paths`] make.
#[derive(Clone, Copy, Debug)]
pub struct When<P, V>(P, V);

impl<P: Predicate, V: Validator> Validator for When<P, V> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        match self.0.is_met(head) {
            true => self.1.validate(head),
            false => Ok(()),
        }
    }
}

/// What [`Rule::rejecting_with`] makes.
#[derive(Clone, Debug)]
pub struct RejectingWith<V>(V, Rejection);

impl<V: Validator> Validator for RejectingWith<V> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.validate(head).map_err(|_| self.1.clone())
    }
}
