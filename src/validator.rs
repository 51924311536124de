//! What users write: the rule that says which requests are accepted.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{ready, Context, Poll},
};

use pin_project_lite::pin_project;

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

/// Decides about a request from its head, after asking elsewhere: a database, another service.
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
/// The future is dropped where it stands if an outer layer gives up or, on HTTP/2, the client resets
/// the stream. On HTTP/1, hyper does not notice that a client is gone while its body is unread, so
/// set a limit by `decision_timeout` (feature `tokio`): a validator that hangs keeps the connection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an async validator",
    label = "not an async validator",
    note = "an async validator is a closure such as `|head: &RequestHead| {{ let token = head.bearer().map(str::to_owned); async move {{ Ok::<(), Rejection>(()) }} }}`",
    note = "the type of `head` must be written out, and the future must own what it uses of it: `async fn check(head: RequestHead)` is passed as `|head: &RequestHead| check(head.clone())`"
)]
pub trait AsyncValidator: Send + Sync + 'static {
    /// The decision under way.
    type Future: Future<Output = Result<Accepted, Rejection>>;

    /// Begins to decide. The future resolves to `Ok` if the request is accepted.
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
    /// The future of an [`AsyncValidator`] that is a closure or an `Option`.
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

/// An [`AsyncValidator`] of whatever type, for a layer that is named in a struct field.
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
    /// Boxes the futures of `validator`.
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
