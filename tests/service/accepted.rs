//! What validators accept with, and in how many ways they can be written.

use std::{
    convert::Infallible,
    future::{ready, Ready},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode, Version};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_expect::{
    rules::{self, Rule},
    Accepted, BoxAsyncValidator, Expect, ExpectLayer, Rejection, RequestHead, ResponseBody,
    Validator,
};

use crate::support::{at_once, post, reply, PanicBody};

#[derive(Clone, Debug, PartialEq, Eq)]
struct User(&'static str);

#[derive(Clone, Default)]
struct Inner(Arc<Mutex<Option<Extensions>>>);

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Full<Bytes>>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        Ok(()).into()
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        *self.0.lock().unwrap() = Some(request.into_parts().0.extensions);
        ready(Ok(reply()))
    }
}

fn request() -> Request<PanicBody> {
    let request = post(Version::HTTP_11).extension(7_u8);
    request.body(PanicBody { ended: false }).unwrap()
}

/// What reaches the application, if anything does.
fn through<V>(layer: &ExpectLayer<V>) -> Option<Extensions>
where
    Expect<Inner, V>: Service<
        Request<PanicBody>,
        Response = Response<ResponseBody<Full<Bytes>>>,
        Error = Infallible,
    >,
{
    let inner = Inner::default();
    at_once(layer.layer(inner.clone()), request());
    let extensions = inner.0.lock().unwrap().take();
    extensions
}

fn alice() -> Accepted {
    Accepted::new().with(User("alice"))
}

#[test]
fn what_a_validator_has_found_out_reaches_the_application() {
    let boxed = BoxAsyncValidator::new(|_: &RequestHead| async { Ok(alice()) });
    let dynamic: Arc<dyn Validator> = Arc::new(|_: &RequestHead| Ok(alice()));
    for extensions in [
        through(&ExpectLayer::new(|_: &RequestHead| Ok(alice()))),
        through(&ExpectLayer::new_async(|_: &RequestHead| {
            ready(Ok(alice()))
        })),
        through(&ExpectLayer::new_async(|_: &RequestHead| async {
            Ok(alice())
        })),
        through(&ExpectLayer::new_async(Some(boxed.clone()))),
        through(&ExpectLayer::new_async(Arc::new(boxed))),
        through(&ExpectLayer::new(dynamic.clone())),
        through(&ExpectLayer::new(Some(dynamic))),
        through(&ExpectLayer::new(
            Rule::new(|_: &RequestHead| Ok(alice())).and(()),
        )),
    ] {
        let extensions = extensions.expect("accepted");
        assert_eq!(extensions.get(), Some(&User("alice")));
        assert_eq!(extensions.get(), Some(&7_u8));
    }
}

#[test]
fn nothing_need_be_found_out() {
    let none: Option<Rule> = None;
    for extensions in [
        through(&ExpectLayer::default()),
        through(&ExpectLayer::new(())),
        through(&ExpectLayer::new(none)),
        through(&ExpectLayer::new(|_: &RequestHead| Ok(()))),
        through(&ExpectLayer::new_async(|_: &RequestHead| async { Ok(()) })),
        through(&ExpectLayer::new_async(None::<BoxAsyncValidator>)),
    ] {
        let extensions = extensions.expect("accepted");
        assert_eq!(extensions.get(), None::<&User>);
        assert_eq!(extensions.get(), Some(&7_u8));
    }
}

#[test]
fn a_rejection_is_a_validator_that_rejects() {
    assert!(through(&ExpectLayer::new(Rejection::forbidden())).is_none());
    assert!(through(&ExpectLayer::new(Some(Rejection::forbidden()))).is_none());
}

#[test]
fn errors_of_the_head_are_rejections_by_a_question_mark() {
    let layer = ExpectLayer::new(|head: &RequestHead| {
        let length = head.content_length()?;
        let allowed = head.try_bearer()?.is_some() && length.is_some();
        match allowed {
            true => Ok(()),
            false => Err(StatusCode::FORBIDDEN.into()),
        }
    });
    let mut request = request();
    let malformed = "1x".parse().unwrap();
    request.headers_mut().insert("content-length", malformed);
    assert_eq!(crate::support::rejected(&layer, request).status(), 400);
    assert_eq!(
        crate::support::rejected(&layer, self::request()).status(),
        403
    );
}

#[test]
fn the_value_of_the_inner_layer_replaces_that_of_the_outer() {
    let outer = ExpectLayer::new(|_: &RequestHead| Ok(alice().with("outer")));
    let inner = ExpectLayer::new(|head: &RequestHead| {
        assert_eq!(head.extensions.get(), Some(&User("alice")));
        Ok(Accepted::new().with(User("bob")))
    });
    let application = Inner::default();
    at_once(outer.layer(inner.layer(application.clone())), request());
    let extensions = application.0.lock().unwrap().take().unwrap();
    assert_eq!(extensions.get(), Some(&User("bob")));
    assert_eq!(extensions.get(), Some(&"outer"));
}

#[test]
fn by_default_every_request_is_validated() {
    let layer = ExpectLayer::new(rules::bearer_token("s3cr3t"));
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "REPORT",
    ] {
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            for ended in [true, false] {
                let request = Request::builder().method(method).version(version);
                let request = request.body(PanicBody { ended }).unwrap();
                let response = crate::support::rejected(&layer, request);
                assert_eq!(response.status(), 401, "{method} {version:?} {ended}");
            }
        }
    }
}

#[test]
fn a_declared_expectation_is_a_token_other_than_100_continue() {
    for name in [
        "",
        "100-continue",
        "100-Continue",
        "a b",
        "a=b",
        "ü",
        "\"a\"",
    ] {
        let result = std::panic::catch_unwind(|| ExpectLayer::default().support(name));
        assert!(result.is_err(), "{name}");
    }
    let _ = ExpectLayer::default().support("x-checksum");
}
