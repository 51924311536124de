//! The layer and its settings.

#[cfg(feature = "tokio")]
use std::time::Duration;
use std::{fmt, sync::Arc};

use tower_layer::Layer;

#[cfg(feature = "tokio")]
use crate::linger::Linger;
use crate::{
    decision::{ContinueUnavailable, ValidateWhen},
    expectation::is_token,
    observe::Observe,
    render::Render,
    service::Expect,
    settings::{Options, Settings},
    validator::{Async, AsyncValidator, Validator},
};

/// Decides about requests before their content is read.
///
/// See the [crate](crate) for what it does. A layer of the type `ExpectLayer<V>` can be named in a
/// struct field; for a closure, let `V` be a function pointer or an `Arc<dyn Validator>`, for rules
/// [`Rule`](crate::rules::Rule), for an async validator
/// [`Async<BoxAsyncValidator>`](crate::BoxAsyncValidator).
///
/// ```
/// use tower_expect::{ExpectLayer, Rejection, RequestHead};
///
/// struct Config {
///     uploads: ExpectLayer<fn(&RequestHead) -> Result<(), Rejection>>,
/// }
///
/// fn check(head: &RequestHead) -> Result<(), Rejection> {
///     Ok(())
/// }
///
/// let config = Config { uploads: ExpectLayer::new(check) };
/// # let _ = config.uploads;
/// ```
///
/// # Optional validation
///
/// An `Option` of a validator is a validator, and `None` accepts every request, while rejections of the
/// application still arrive:
///
/// ```
/// use tower_expect::{rules, ExpectLayer};
///
/// let token: Option<String> = None; // say, from the configuration
/// let layer = ExpectLayer::new(token.map(rules::bearer_token));
/// # let _ = layer;
/// ```
///
/// `tower::util::option_layer` and `ServiceBuilder::option_layer` do not take this layer, nor any other that
/// changes the type of the response body:
///
/// ```text
/// error[E0271]: type mismatch resolving `<Route as Service<Request<Body>>>::Response == Response<ResponseBody<Body>>`
/// ```
///
/// `option_layer` of axum-extra (0.12, feature `middleware`) does.
#[must_use = "a layer does nothing until it wraps a service"]
pub struct ExpectLayer<V = ()> {
    settings: Arc<Settings<V>>,
}

impl<V: Validator> ExpectLayer<V> {
    /// A layer that asks `validator`, which may be a closure, one of the [`rules`](crate::rules) or
    /// a type of yours.
    pub fn new(validator: V) -> Self {
        Self::with_validator(validator).validate_when(ValidateWhen::default())
    }
}

impl<V: AsyncValidator> ExpectLayer<Async<V>> {
    /// A layer that asks `validator` and waits for its answer, with the body untouched meanwhile.
    ///
    /// The inner service must be `Clone`: it stays behind for the next request while the instance
    /// that was made ready waits for the answer.
    pub fn new_async(validator: V) -> Self {
        Self::with_validator(Async(validator)).validate_when(ValidateWhen::default())
    }
}

/// Accepts every request. The grammar of `Expect`, `Connection: close` and the lingering still hold.
impl Default for ExpectLayer {
    fn default() -> Self {
        // Nobody is asked: a GET passes at the cost of a look.
        Self::with_validator(())
    }
}

impl<V> ExpectLayer<V> {
    fn with_validator(validator: V) -> Self {
        let settings = Settings {
            validator: Arc::new(validator),
            options: Arc::default(),
        };
        Self {
            settings: Arc::new(settings),
        }
    }

    fn options(&mut self) -> &mut Options {
        Arc::make_mut(&mut Arc::make_mut(&mut self.settings).options)
    }

    /// Which requests the validator is asked about; [`ValidateWhen::Always`] unless set.
    pub fn validate_when(mut self, scope: ValidateWhen) -> Self {
        self.options().policy.scope = Some(scope);
        self
    }

    /// Declares that the application understands an expectation of that name, in any case, with any
    /// value and parameters. Without this, the response is 417.
    ///
    /// The application finds it in [`RequestHead::expectations`](crate::RequestHead::expectations),
    /// or parses the field by [`Expectations::parse`](crate::expectation::Expectations::parse). On HTTP/1.1 it
    /// must stand in a field line of its own before that of `100-continue`: hyper sends a 100 only
    /// if the last line is exactly that.
    ///
    /// # Panics
    ///
    /// If the name is not a token (RFC 9110 §5.6.2), or is `100-continue`, which is always supported.
    #[track_caller]
    pub fn support(mut self, name: impl Into<String>) -> Self {
        let name: String = name.into();
        assert!(
            is_token(name.as_bytes()) && !name.eq_ignore_ascii_case("100-continue"),
            "{name:?} is not an expectation to declare: write a token other than `100-continue`"
        );
        self.options().policy.supported.push(name.into_boxed_str());
        self
    }

    /// What to do on HTTP/2 and HTTP/3 where nothing can send the 100; [`ContinueUnavailable::Forward`]
    /// unless set.
    pub fn when_continue_unavailable(mut self, continue_unavailable: ContinueUnavailable) -> Self {
        self.options().policy.continue_unavailable = continue_unavailable;
        self
    }

    /// Sets how rejections look; [`render::Standard`](crate::render::Standard) unless set: plain text, and no
    /// body over HTTP/2.
    pub fn render_with(mut self, renderer: impl Render) -> Self {
        self.options().renderer = Arc::new(renderer);
        self
    }

    /// Removes the `Expect` field from requests that are let in.
    ///
    /// For inner services that would act on it a second time, such as a proxy. Without this it stays,
    /// so that a nested layer sees it.
    pub fn strip_expect(mut self) -> Self {
        self.options().strip_expect = true;
        self
    }

    /// Has `observer` told of what becomes of requests; see [`Event`](crate::Event). A second one is
    /// told after the first.
    pub fn observe(mut self, observer: impl Observe) -> Self {
        self.options().observers.add(observer);
        self
    }
}

#[cfg(feature = "tokio")]
impl<V: AsyncValidator> ExpectLayer<Async<V>> {
    /// How long the validator may take. Then its future is dropped and the request answered with 503
    /// and `Retry-After: 1`, with the body never polled.
    ///
    /// There is no limit unless you set one. Set it: on HTTP/1, hyper does not notice that a client
    /// is gone while its content is unread, so a validator that hangs keeps the connection.
    ///
    /// # Panics
    ///
    /// Requests panic outside of a tokio runtime with its time driver on.
    pub fn decision_timeout(mut self, timeout: Duration) -> Self {
        self.options().decision_timeout = Some(timeout);
        self
    }
}

#[cfg(feature = "tokio")]
impl<V> ExpectLayer<V> {
    /// Sets how long and how much unread bodies are drained, so that rejections arrive; see [`Linger`].
    pub fn linger(mut self, linger: Linger) -> Self {
        self.options().linger = Some(Arc::new(linger));
        self
    }

    /// Drops unread bodies at once.
    ///
    /// Clients that are already sending lose the response to a connection reset then, in most cases,
    /// unless the socket below lingers: see [`Linger::at_socket`]. Responses to requests that expect still
    /// carry `Connection: close`.
    pub fn no_linger(mut self) -> Self {
        self.options().linger = None;
        self
    }
}

impl<V, S> Layer<S> for ExpectLayer<V> {
    type Service = Expect<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        // Nothing is allocated: axum layers each route anew for each connection.
        Expect::new(inner, Arc::clone(&self.settings))
    }
}

/// Not derived: the validator need not be `Clone`.
impl<V> Clone for ExpectLayer<V> {
    fn clone(&self) -> Self {
        Self {
            settings: Arc::clone(&self.settings),
        }
    }
}

/// Not derived: closures are not `Debug`.
impl<V> fmt::Debug for ExpectLayer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpectLayer")
            .field("options", &self.settings.options)
            .finish_non_exhaustive()
    }
}
