//! Validators that wait for something before they decide.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};

use pin_project_lite::pin_project;

use super::Decision;
use crate::{Accepted, Rejection, RequestHead};

/// Decides about a request from its head asynchronously, for example after a query to a database.
///
/// Implemented for closures, and for `Option`s and `Arc`s of async validators. The future must not
/// borrow from the head: it owns what it needs.
///
/// ```
/// use tower_expect::{Accepted, ExpectLayer, Rejection, RequestHead};
/// # #[derive(Clone)] struct User;
/// # async fn find_user(token: &str) -> Option<User> { (token == "s3cr3t").then_some(User) }
///
/// let layer = ExpectLayer::new_async(|head: &RequestHead| {
///     let token = head.bearer().map(str::to_owned);
///     async move {
///         let token = token.ok_or_else(|| Rejection::unauthorized("Bearer"))?;
///         match find_user(&token).await {
///             Some(user) => Ok(Accepted::new().with(user)),
///             None => Err(Rejection::unauthorized("Bearer error=\"invalid_token\"")),
///         }
///     }
/// });
/// # let _ = layer;
/// ```
///
/// An `async fn` takes the head by value, which clones it:
///
/// ```
/// use tower_expect::{ExpectLayer, Rejection, RequestHead};
///
/// async fn check(head: RequestHead) -> Result<(), Rejection> {
///     Ok(())
/// }
///
/// let layer = ExpectLayer::new_async(|head: &RequestHead| check(head.clone()));
/// # let _ = layer;
/// ```
///
/// # Compile errors
///
/// * `mismatched types`, `one type is more general than the other`, `lifetime may not live long enough`:
///   the future borrows from the head, as that of `async fn check(head: &RequestHead)`, of
///   `async |head: &RequestHead|` and of `|head: &RequestHead| async move { … }` with `head` inside does.
///   Write one of the two forms above.
///
/// # Cancel safety
///
/// The future is dropped at any `await` if an outer layer drops its own or, on HTTP/2, the client resets
/// the stream. On HTTP/1, hyper does not notice that a client is gone while its body is unread, so a
/// validator that hangs keeps the connection: set `decision_timeout` (feature `tokio`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an async validator",
    label = "not an async validator",
    note = "an async validator is a closure such as `|head: &RequestHead| {{ let token = head.bearer().map(str::to_owned); async move {{ Ok::<(), Rejection>(()) }} }}`",
    note = "the type of `head` must be written out, and the future must own what it uses of it: `async fn check(head: RequestHead)` is passed as `|head: &RequestHead| check(head.clone())`",
    note = "it returns `Result<(), Rejection>` or `Result<Accepted, Rejection>`; rules are not async: they go into `ExpectLayer::new`, as a layer of their own"
)]
pub trait AsyncValidator: Send + Sync + 'static {
    /// The future that resolves to the decision.
    type Future: Future<Output = Result<Accepted, Rejection>>;

    /// Starts to decide about a request. The future resolves to `Ok` if the request is accepted.
    fn validate(&self, head: &RequestHead) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F, Fut, D> AsyncValidator for F
where
    F: Fn(&RequestHead) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = D>,
    D: Decision,
{
    type Future = AcceptedFuture<Fut>;

    fn validate(&self, head: &RequestHead) -> Self::Future {
        AcceptedFuture {
            inner: Some(self(head)),
        }
    }
}

/// `None` accepts every request.
impl<V: AsyncValidator> AsyncValidator for Option<V> {
    type Future = AcceptedFuture<V::Future>;

    fn validate(&self, head: &RequestHead) -> Self::Future {
        AcceptedFuture {
            inner: self.as_ref().map(|validator| validator.validate(head)),
        }
    }
}

impl<V: AsyncValidator + ?Sized> AsyncValidator for Arc<V> {
    type Future = V::Future;

    fn validate(&self, head: &RequestHead) -> Self::Future {
        (**self).validate(head)
    }
}

pin_project! {
    /// Future of an [`AsyncValidator`] that is a closure or an `Option`.
    pub struct AcceptedFuture<F> {
        // `None` accepts at once.
        #[pin]
        inner: Option<F>,
    }
}

impl<F, D> Future for AcceptedFuture<F>
where
    F: Future<Output = D>,
    D: Decision,
{
    type Output = Result<Accepted, Rejection>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.as_pin_mut() {
            Some(inner) => Poll::Ready(ready!(inner.poll(cx)).into_result()),
            None => Poll::Ready(Ok(Accepted::new())),
        }
    }
}

impl<F> fmt::Debug for AcceptedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedFuture").finish_non_exhaustive()
    }
}

/// An [`AsyncValidator`] whose type is erased, for a layer that is named in a struct field.
///
/// ```
/// use tower_expect::{Async, BoxAsyncValidator, ExpectLayer, RequestHead};
///
/// struct Config {
///     uploads: ExpectLayer<Async<BoxAsyncValidator>>,
/// }
///
/// let validator = BoxAsyncValidator::new(|_: &RequestHead| async { Ok(()) });
/// let config = Config { uploads: ExpectLayer::new_async(validator) };
/// # let _ = config.uploads;
/// ```
#[derive(Clone)]
pub struct BoxAsyncValidator(Arc<Erased>);

type Erased = dyn Fn(&RequestHead) -> BoxFuture + Send + Sync;
type BoxFuture = Pin<Box<dyn Future<Output = Result<Accepted, Rejection>> + Send>>;

impl BoxAsyncValidator {
    /// Creates a validator that boxes the futures of `validator`.
    pub fn new<V>(validator: V) -> Self
    where
        V: AsyncValidator,
        V::Future: Send + 'static,
    {
        Self(Arc::new(move |head| Box::pin(validator.validate(head))))
    }
}

impl AsyncValidator for BoxAsyncValidator {
    type Future = BoxFuture;

    fn validate(&self, head: &RequestHead) -> BoxFuture {
        (self.0)(head)
    }
}

impl fmt::Debug for BoxAsyncValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxAsyncValidator").finish_non_exhaustive()
    }
}

/// Marks the validator of a layer as asynchronous; see [`ExpectLayer::new_async`].
///
/// [`ExpectLayer::new_async`]: crate::ExpectLayer::new_async
#[derive(Clone, Debug)]
pub struct Async<V>(pub(crate) V);
