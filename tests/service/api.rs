//! Promises that the compiler checks.

use std::{
    convert::Infallible,
    fmt::Debug,
    future::{Future, Ready},
    panic::UnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body_util::{combinators::UnsyncBoxBody, Full};
use tower::Layer;
use tower_expect::{
    expectation::{Expectation, Expectations, MalformedExpect},
    render, rules, Accepted, AsyncResponseFuture, AsyncValidator, Authorization, Basic,
    ContinueSignal, ContinueUnavailable, Expect, ExpectBody, ExpectLayer, InvalidHeader, Rejection,
    RequestHead, ResponseBody, ResponseFuture, ValidateWhen, Validator,
};

use crate::support::{at_once, post, rejected, within_a_turn, NotCalled, PanicBody};

fn send<T: Send>() {}
fn shared<T: Send + Sync>() {}
fn unpin<T: Unpin>() {}
fn clone<T: Clone>() {}
fn debug<T: Debug>() {}
fn copy<T: Copy + Eq + Default>() {}
fn default<T: Default>() {}
fn renderer<T: render::Render + Copy + Debug + Default>() {}
fn is_error<T: std::error::Error + Send + Sync + UnwindSafe + 'static>() {}

type Check = fn(&RequestHead) -> Result<(), Rejection>;
type Erased = Arc<dyn Validator>;
type Body = Full<Bytes>;
type Answer = Ready<Result<Response<Body>, Infallible>>;
type Decision = Ready<Result<Accepted, Rejection>>;
type AsyncFuture = AsyncResponseFuture<Decision, (), Answer, Body>;

/// `Send` but not `Sync`, as many bodies are.
type OnlySend = UnsyncBoxBody<Bytes, Infallible>;

#[test]
fn all_that_crosses_threads_may() {
    shared::<ExpectLayer<Check>>();
    shared::<ExpectLayer<Erased>>();
    shared::<Expect<(), Check>>();
    shared::<Expect<(), Erased>>();
    shared::<ExpectBody<Body>>();
    send::<ExpectBody<OnlySend>>();
    send::<ResponseBody<OnlySend>>();
    shared::<ResponseBody<Body>>();
    shared::<ResponseFuture<Answer>>();
    shared::<AsyncFuture>();
    shared::<Rejection>();
    shared::<RequestHead>();
    shared::<Expectations>();
    shared::<Expectation<'_>>();
    shared::<ContinueSignal>();
    shared::<Authorization<'_>>();
    shared::<Basic>();
    shared::<ValidateWhen>();
    shared::<ContinueUnavailable>();
    is_error::<MalformedExpect>();
    is_error::<InvalidHeader>();
}

#[test]
fn nothing_is_pinned_that_was_not() {
    unpin::<ExpectBody<Body>>();
    unpin::<ResponseBody<Body>>();
    unpin::<ResponseFuture<Answer>>();
    unpin::<AsyncFuture>();
    unpin::<Expect<(), Check>>();
}

#[test]
fn what_servers_clone_is_clone() {
    struct NotClone;

    clone::<ExpectLayer<NotClone>>();
    clone::<Expect<(), NotClone>>();
    clone::<Rejection>();
    clone::<ContinueSignal>();
    clone::<Expectations>();
    clone::<MalformedExpect>();
    copy::<ValidateWhen>();
    copy::<ContinueUnavailable>();
    default::<ExpectLayer>();
    default::<Expectations>();
}

#[test]
fn all_is_debug() {
    struct NotDebug;

    impl Future for NotDebug {
        type Output = Result<Response<Body>, Self>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            unreachable!()
        }
    }

    debug::<ExpectLayer<NotDebug>>();
    debug::<Expect<(), NotDebug>>();
    debug::<ExpectBody<NotDebug>>();
    debug::<ResponseBody<Body>>();
    debug::<ResponseFuture<NotDebug>>();
    debug::<AsyncResponseFuture<NotDebug, NotDebug, NotDebug, NotDebug>>();
    debug::<RequestHead>();
    debug::<Rejection>();
    debug::<ContinueSignal>();
    debug::<Expectations>();
    debug::<Expectation<'_>>();
    debug::<Authorization<'_>>();
    debug::<Basic>();
    debug::<ValidateWhen>();
    debug::<ContinueUnavailable>();
}

#[cfg(feature = "tokio")]
#[test]
fn linger_is_an_ordinary_value() {
    use tower_expect::Linger;

    shared::<Linger>();
    unpin::<Linger>();
    clone::<Linger>();
    debug::<Linger>();
    default::<Linger>();
}

#[test]
fn renderers_are_ordinary_values() {
    renderer::<render::Standard>();
    renderer::<render::PlainText>();
    renderer::<render::ProblemJson>();
    renderer::<render::Html>();
    renderer::<render::Negotiate>();
    renderer::<render::Empty>();
}

fn upload() -> Request<PanicBody> {
    let request = post(Version::HTTP_11).header("content-length", "11");
    request.body(PanicBody { ended: false }).unwrap()
}

#[test]
fn a_layer_can_be_named_in_a_struct_field() {
    struct Config {
        function: ExpectLayer<Check>,
        erased: ExpectLayer<Erased>,
    }

    fn check(_: &RequestHead) -> Result<(), Rejection> {
        Err(Rejection::length_required())
    }

    let config = Config {
        function: ExpectLayer::new(check),
        erased: ExpectLayer::new(Arc::new(check)),
    };
    assert_eq!(rejected(&config.function, upload()).status(), 411);
    assert_eq!(rejected(&config.erased, upload()).status(), 411);
}

#[test]
fn closures_infer_with_the_type_of_head_written_out() {
    let layer = ExpectLayer::new(|head: &RequestHead| match head.method {
        Method::PUT => Ok(()),
        _ => Err(Rejection::method_not_allowed(["PUT"])),
    });
    assert_eq!(rejected(&layer, upload()).status(), 405);
    let _ = ExpectLayer::new(|_: &RequestHead| Ok(()));
    let layer = ExpectLayer::new_async(|head: &RequestHead| {
        let method = head.method.clone();
        async move {
            match method {
                Method::PUT => Ok(()),
                _ => Err(Rejection::method_not_allowed(["PUT"])),
            }
        }
    });
    let response = within_a_turn(layer.layer(NotCalled), upload());
    assert_eq!(response.status(), 405);
    let _ = ExpectLayer::new_async(|_: &RequestHead| async { Ok(()) });
}

#[test]
fn a_type_of_ones_own_can_be_a_validator() {
    struct AtMost(u64);

    impl Validator for AtMost {
        fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
            match head.content_length() {
                Ok(Some(length)) if length <= self.0 => Ok(Accepted::new()),
                _ => Err(Rejection::content_too_large(self.0)),
            }
        }
    }

    impl AsyncValidator for AtMost {
        type Future = Decision;

        fn validate(&self, head: &RequestHead) -> Decision {
            std::future::ready(Validator::validate(self, head))
        }
    }

    assert_eq!(
        rejected(&ExpectLayer::new(AtMost(10)), upload()).status(),
        413
    );
    let layer = ExpectLayer::new_async(AtMost(10));
    let response = within_a_turn(layer.layer(NotCalled), upload());
    assert_eq!(response.status(), 413);
}

#[test]
fn rules_are_validators() {
    let layer = ExpectLayer::new(rules::content_length(..=10));
    assert_eq!(rejected(&layer, upload()).status(), 413);
    let rule = rules::content_length(..=11).and(rules::bearer(|token| token == "known"));
    assert_eq!(rejected(&ExpectLayer::new(rule), upload()).status(), 401);
    let rule = rules::method([Method::PUT]).or(rules::content_length(..10));
    assert_eq!(rejected(&ExpectLayer::new(rule), upload()).status(), 405);
}

#[test]
fn clones_of_a_layer_share_the_validator() {
    struct Shared {
        _count: Arc<()>,
    }

    impl Validator for Shared {
        fn validate(&self, _: &RequestHead) -> Result<Accepted, Rejection> {
            Ok(Accepted::new())
        }
    }

    let shared = Arc::new(());
    let layer = ExpectLayer::new(Shared {
        _count: Arc::clone(&shared),
    });
    let services: Vec<_> = (0..3).map(|_| layer.clone().layer(())).collect();
    let more: Vec<_> = services.iter().map(Clone::clone).collect();
    assert_eq!(Arc::strong_count(&shared), 2);
    drop((layer, services, more));
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn the_inner_service_is_at_hand() {
    let mut service = ExpectLayer::default().layer(1);
    *service.get_mut() += 1;
    assert_eq!(*service.get_ref(), 2);
    assert_eq!(service.into_inner(), 2);
}

#[test]
fn settings_of_a_clone_leave_the_original_alone() {
    let layer = ExpectLayer::default();
    let clone = layer.clone().support("foo");
    let request = || {
        let request = post(Version::HTTP_11).header("expect", "foo");
        request.body(PanicBody { ended: true }).unwrap()
    };
    assert_eq!(rejected(&layer, request()).status(), 417);
    let inner = tower::service_fn(|_: Request<ExpectBody<PanicBody>>| {
        std::future::ready(Ok::<_, Infallible>(crate::support::reply()))
    });
    assert_eq!(at_once(clone.layer(inner), request()).status(), 200);
}

#[test]
fn debug_output_shows_no_field_of_the_client() {
    let request = Request::post("/").header("authorization", "Bearer hunter2");
    let head = RequestHead::from(request.body(String::new()).unwrap());
    assert!(!format!("{head:?}").contains("hunter2"));
    let layer = ExpectLayer::new(|_: &RequestHead| Ok(())).support("foo");
    assert!(format!("{layer:?}").contains("foo"));
    assert!(format!("{:?}", layer.layer(())).contains("foo"));
}

#[test]
fn a_renderer_of_a_malformed_expectation_knows_the_length_of_the_body() {
    let render = |_: &Rejection, head: &RequestHead| {
        let length = head.size_hint().exact();
        Response::new(Bytes::from(format!("{length:?}")))
    };
    let layer = ExpectLayer::default().render_with(render);
    let request = Request::post("/").header("expect", "y 100-continue");
    let response = rejected(&layer, request.body(Full::<Bytes>::from("hello")).unwrap());
    assert_eq!(crate::support::content(response.into_body()), "Some(5)");
}
