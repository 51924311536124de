//! What users write: the rule that says who may upload.

use std::{future::Future, sync::Arc};

use crate::{Rejection, RequestHead};

/// Decides about a request from its head.
///
/// Implemented for closures, for `()` (which admits all), for [`rules`](crate::rules) and for `Arc`s
/// of validators. `Err` becomes the response; neither the inner service nor the body is touched then.
///
/// Pick the status that names the reason: 401, 403, 411, 413, 415, 429 and so on. Not 417: a client
/// takes it as word about its `Expect` field and repeats the request without (RFC 9110 §10.1.1),
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
/// # Panics
///
/// A validator that panics panics in `Service::call`. hyper drops the connection then, the server
/// lives on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a validator",
    label = "not a validator",
    note = "a validator is a closure such as `|head: &RequestHead| -> Result<(), Rejection> {{ Ok(()) }}`",
    note = "the type of `head` must be written out; for an async closure use `ExpectLayer::new_async`"
)]
pub trait Validator {
    /// Admits the request, or says how it is refused.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] with which the request is answered.
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection>;
}

impl<F> Validator for F
where
    F: Fn(&RequestHead) -> Result<(), Rejection>,
{
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        self(head)
    }
}

/// Admits every request.
impl Validator for () {
    fn validate(&self, _: &RequestHead) -> Result<(), Rejection> {
        Ok(())
    }
}

impl<V: Validator + ?Sized> Validator for Arc<V> {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        (**self).validate(head)
    }
}

/// Decides about a request from its head, after asking elsewhere: a database, another service.
///
/// Implemented for closures. The future must not borrow from the head; copy what it needs.
///
/// ```
/// use tower_expect::{ExpectLayer, Rejection, RequestHead};
/// # async fn is_known(token: &str) -> bool { token == "s3cr3t" }
///
/// let layer = ExpectLayer::new_async(|head: &RequestHead| {
///     let token = head.bearer().map(str::to_owned);
///     async move {
///         match token {
///             Some(token) if is_known(&token).await => Ok(()),
///             _ => Err(Rejection::unauthorized("Bearer")),
///         }
///     }
/// });
/// # let _ = layer;
/// ```
///
/// # Cancel safety
///
/// The future is dropped where it stands if an outer layer gives up or, on HTTP/2, the client resets
/// the stream. On HTTP/1, hyper does not notice that a client is gone while its content is unread, so
/// set a limit by `decision_timeout` (feature `tokio`): a validator that hangs keeps the connection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an async validator",
    label = "not an async validator",
    note = "an async validator is a closure such as `|head: &RequestHead| {{ let token = head.bearer().map(str::to_owned); async move {{ Ok::<(), Rejection>(()) }} }}`",
    note = "the type of `head` must be written out, and the future must own what it uses of it"
)]
pub trait AsyncValidator {
    /// The decision under way.
    type Future: Future<Output = Result<(), Rejection>>;

    /// Begins to decide. The future resolves to `Ok` to admit the request.
    fn validate(&self, head: &RequestHead) -> Self::Future;
}

impl<F, Fut> AsyncValidator for F
where
    F: Fn(&RequestHead) -> Fut,
    Fut: Future<Output = Result<(), Rejection>>,
{
    type Future = Fut;

    fn validate(&self, head: &RequestHead) -> Fut {
        self(head)
    }
}

/// Marks the validator of a layer as asynchronous; see [`ExpectLayer::new_async`].
///
/// [`ExpectLayer::new_async`]: crate::ExpectLayer::new_async
#[derive(Clone, Debug)]
pub struct Async<V>(pub(crate) V);
