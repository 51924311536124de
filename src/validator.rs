//! The trait for validators, which decide which requests are accepted.

mod asynchronous;

use std::sync::Arc;

pub use self::asynchronous::{AcceptedFuture, Async, AsyncValidator, BoxAsyncValidator};
use crate::{Accepted, Rejection, RequestHead};

/// Decides about a request from its head.
///
/// Implemented for closures, [`rules`](crate::rules), and `Arc`s and `Option`s of validators, also
/// `Arc<dyn Validator>`. `None` and `()` accept every request, and a [`Rejection`] rejects every request.
/// `Err` becomes the response; the inner service is not called, and the body is not polled.
///
/// Use the status that names the reason: 401, 403, 411, 413, 415, 429. Do not use 417: clients repeat the
/// request without its `Expect` header after it (RFC 9110 §10.1.1), and send the body.
///
/// ```
/// use tower_expect::{ExpectLayer, Rejection, RequestHead};
///
/// let layer = ExpectLayer::new(|head: &RequestHead| match head.bearer() {
///     Some("s3cr3t") => Ok(()),
///     _ => Err(Rejection::unauthorized("Bearer")),
/// });
/// # let _ = layer;
/// ```
///
/// [`Accepted::with`] passes a value, such as the user, to the application.
///
/// # Compile errors
///
/// * `type annotations needed`, `` implementation of `FnOnce` is not general enough ``: write the type of
///   the closure's parameter, `|head: &RequestHead|`.
/// * `` cannot infer type of the type parameter `T` declared on the enum `Result` `` for a closure that
///   always rejects: write `Err::<(), _>(…)`, or pass the [`Rejection`] itself.
/// * `` `Box<dyn Validator>` is not a validator ``: write `Arc<dyn Validator>`. A `Box` of a closure is a
///   closure itself, so there can be no implementation for `Box`es.
///
/// # Panics
///
/// A panic of a validator is one of `Service::call`. hyper closes that connection; the server keeps running.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a validator",
    label = "not a validator",
    note = "a validator is a closure such as `|head: &RequestHead| -> Result<(), Rejection> {{ Ok(()) }}`, or one of `tower_expect::rules`",
    note = "the type of `head` must be written out, the error must be a `Rejection` (`.into()` makes one of a `StatusCode`), and what the closure captures must be `Send + Sync + 'static`",
    note = "an `async fn check(head: RequestHead)` is passed as `ExpectLayer::new_async(|head: &RequestHead| check(head.clone()))`; a `Box<dyn Validator>` becomes an `Arc<dyn Validator>`"
)]
pub trait Validator: Send + Sync + 'static {
    /// Accepts or rejects a request.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] that becomes the response.
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection>;

    /// Rejects a request in which a header that this validator reads is malformed.
    ///
    /// Combinators that can accept a request without running this validator call at least this method.
    #[doc(hidden)]
    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        let _ = head;
        Ok(())
    }
}

// Not recommended: "expected a `Fn(&RequestHead)` closure" would hide what is said above.
#[diagnostic::do_not_recommend]
impl<F, D> Validator for F
where
    F: Fn(&RequestHead) -> D + Send + Sync + 'static,
    D: Decision,
{
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self(head).into_result()
    }
}

/// What closures return and their futures resolve to: a `Result<impl Into<Accepted>, Rejection>`.
///
/// A trait rather than that type, so that of a closure that returns another one, the compiler says that
/// it is no validator, with the notes above. From the one implementation it infers the error of `Ok(())`.
#[allow(unnameable_types, reason = "nobody else is to implement or call it")]
pub trait Decision {
    #[doc(hidden)]
    fn into_result(self) -> Result<Accepted, Rejection>;
}

impl<A: Into<Accepted>> Decision for Result<A, Rejection> {
    fn into_result(self) -> Result<Accepted, Rejection> {
        self.map(Into::into)
    }
}

/// Accepts every request.
impl Validator for () {
    fn validate(&self, _: &RequestHead) -> Result<Accepted, Rejection> {
        Ok(Accepted::new())
    }
}

/// Rejects every request with this rejection; see [`rules::when`](crate::rules::when).
impl Validator for Rejection {
    fn validate(&self, _: &RequestHead) -> Result<Accepted, Self> {
        Err(self.clone())
    }
}

/// `None` accepts every request.
impl<V: Validator> Validator for Option<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        match self {
            Some(validator) => validator.validate(head),
            None => Ok(Accepted::new()),
        }
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.as_ref().map_or(Ok(()), |v| v.check_syntax(head))
    }
}

impl<V: Validator + ?Sized> Validator for Arc<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        (**self).validate(head)
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        (**self).check_syntax(head)
    }
}
