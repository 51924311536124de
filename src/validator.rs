//! What users write: the rule that says which requests are accepted.

mod asynchronous;

use std::sync::Arc;

pub use self::asynchronous::{AcceptedFuture, Async, AsyncValidator, BoxAsyncValidator};
use crate::{Accepted, Rejection, RequestHead};

/// Decides about a request from its head.
///
/// Implemented for closures, for [`rules`](crate::rules), for `()`, which accepts every request, for
/// `Option`s, of which `None` accepts every request, for a [`Rejection`], which rejects every request, and
/// for `Arc`s of validators, also `Arc<dyn Validator>`. `Err` becomes the response; neither the inner service nor the body is touched
/// then.
///
/// Pick the status that names the reason: 401, 403, 411, 413, 415, 429 and so on. Not 417: a client
/// takes it as word about its `Expect` header and repeats the request without it (RFC 9110 §10.1.1),
/// body and all.
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
/// What the validator has found out reaches the application by [`Accepted::with`].
///
/// # Compile errors
///
/// * `type annotations needed`, `` implementation of `FnOnce` is not general enough ``: write the type of
///   the closure's parameter, `|head: &RequestHead|`.
/// * `` cannot infer type of the type parameter `T` declared on the enum `Result` `` for a closure that
///   always rejects: it does not say what it would accept with. Write `Err::<(), _>(…)`, or pass the
///   [`Rejection`] itself.
/// * `` `Box<dyn Validator>` is not a validator ``: write `Arc<dyn Validator>`. A `Box` of a closure is a
///   closure itself, so there can be no implementation for `Box`es.
///
/// # Panics
///
/// A validator that panics panics in `Service::call`. hyper closes the connection then; the server
/// lives on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a validator",
    label = "not a validator",
    note = "a validator is a closure such as `|head: &RequestHead| -> Result<(), Rejection> {{ Ok(()) }}`, or one of `tower_expect::rules`",
    note = "the type of `head` must be written out, the error must be a `Rejection` (`.into()` makes one of a `StatusCode`), and what the closure captures must be `Send + Sync + 'static`",
    note = "an `async fn check(head: RequestHead)` is passed as `ExpectLayer::new_async(|head: &RequestHead| check(head.clone()))`; a `Box<dyn Validator>` becomes an `Arc<dyn Validator>`"
)]
pub trait Validator: Send + Sync + 'static {
    /// Accepts the request, or says how it is rejected.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] that becomes the response.
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection>;

    /// Rejects a request in which a header that this validator reads is malformed.
    ///
    /// Combinators that can accept a request without asking this validator ask at least for this.
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
