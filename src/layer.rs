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

/// Layer that applies [`Expect`]: it decides about requests before their bodies are read, and makes early
/// responses arrive.
///
/// See the [crate](crate) for the decision and the [guide](crate::guide) for recipes. The type can be
/// named in a struct field: `V` is a function pointer or an `Arc<dyn Validator>` for closures,
/// [`Rule`](crate::rules::Rule) for rules, and [`Async<BoxAsyncValidator>`](crate::BoxAsyncValidator) for
/// async validators.
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
    /// Creates a layer with a validator: a closure, one of the [`rules`](crate::rules) or a type of yours.
    pub fn new(validator: V) -> Self {
        Self::with_validator(validator).validate_when(ValidateWhen::default())
    }
}

impl<V: AsyncValidator> ExpectLayer<Async<V>> {
    /// Creates a layer with an asynchronous validator. The body is not polled while it decides.
    ///
    /// The inner service must be `Clone`: the clone takes the next request, while the instance that was made
    /// ready waits for the decision. Set a [`decision_timeout`](Self::decision_timeout), too.
    pub fn new_async(validator: V) -> Self {
        Self::with_validator(Async(validator)).validate_when(ValidateWhen::default())
    }
}

/// Creates a layer without a validator: every request with a well-formed `Expect` header is accepted, and
/// early responses arrive.
impl Default for ExpectLayer {
    fn default() -> Self {
        // Without a validator to run, a GET costs one comparison.
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

    /// Sets which requests the validator runs for. The default is [`ValidateWhen::Always`].
    pub fn validate_when(mut self, scope: ValidateWhen) -> Self {
        self.options().policy.scope = Some(scope);
        self
    }

    /// Declares that the application understands the expectation `name`, in any case, with any value and
    /// parameters. Undeclared expectations are rejected with 417.
    ///
    /// A validator finds it in [`RequestHead::expectations`](crate::RequestHead::expectations), and the
    /// application with [`Expectations::parse`](crate::expectation::Expectations::parse). On HTTP/1.1 the
    /// client must send it in a line of its own, ahead of `100-continue`: hyper sends a 100 only if the last
    /// line is exactly `100-continue`.
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

    /// Sets what happens on HTTP/2 and HTTP/3 if nothing can send the 100. The default is
    /// [`ContinueUnavailable::Forward`].
    pub fn when_continue_unavailable(mut self, continue_unavailable: ContinueUnavailable) -> Self {
        self.options().policy.continue_unavailable = continue_unavailable;
        self
    }

    /// Sets the renderer of rejections. The default is [`render::Standard`](crate::render::Standard): plain
    /// text, and no body over HTTP/2.
    pub fn render_with(mut self, renderer: impl Render) -> Self {
        self.options().renderer = Arc::new(renderer);
        self
    }

    /// Removes the `Expect` header from accepted requests.
    ///
    /// Use it if an inner service would act on the header a second time. By default it stays, so that a
    /// nested layer sees it.
    pub fn strip_expect(mut self) -> Self {
        self.options().strip_expect = true;
        self
    }

    /// Adds an observer that receives an [`Event`](crate::Event) for each decision. Observers are called in
    /// the order in which they were added.
    pub fn observe(mut self, observer: impl Observe) -> Self {
        self.options().observers.add(observer);
        self
    }
}

#[cfg(feature = "tokio")]
impl<V: AsyncValidator> ExpectLayer<Async<V>> {
    /// Sets the time limit of the validator. After it, the validator's future is dropped, and the response is
    /// 503 with `Retry-After: 1`; the body is never polled.
    ///
    /// There is no limit by default. Set one: on HTTP/1, hyper does not notice that a client is gone while
    /// its body is unread, so a validator that hangs keeps the connection.
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
    /// Sets the limits for draining unread bodies; see [`Linger`].
    pub fn linger(mut self, linger: Linger) -> Self {
        self.options().linger = Some(Arc::new(linger));
        self
    }

    /// Drops unread bodies at once, rather than draining them.
    ///
    /// Most clients that are sending then lose the response to a connection reset, unless the socket
    /// lingers: see [`Linger::at_socket`]. Responses to expecting requests still carry `Connection: close`.
    pub fn no_linger(mut self) -> Self {
        self.options().linger = None;
        self
    }
}

impl<V, S> Layer<S> for ExpectLayer<V> {
    type Service = Expect<S, V>;

    fn layer(&self, inner: S) -> Self::Service {
        // Must not allocate: axum applies the layer to each route again for each connection.
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
