//! The list of cases.

use axum::middleware::from_fn;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{layer::util::Identity, Layer, Service};
use tower_expect::render;

use super::{
    bare::Bare,
    client,
    exchange::{stack, Exchange},
    in_runtime::in_runtime,
    neighbours::{by_hand, limit, set_header, validate},
    ours::{checking, checking_async, plain, rendering},
    requests::{
        expecting, expecting_routed, for_axum, get, get_by_browser, get_by_curl, get_by_go,
        over_http2, put, too_large, unauthorized, unknown_expectation,
    },
    Build, Case, BARE,
};

type AxumBody = axum::body::Body;

pub(crate) fn cases() -> Vec<Case> {
    let scenarios = [
        reading(),
        reading_by_others(),
        uploading(),
        accepting(),
        accepting_routed(),
        accepting_by_hand(),
        rejecting(),
        rejecting_over_http2(),
        rejecting_by_hand(),
        rejecting_expectation(),
        client::cases(),
    ];
    scenarios.into_iter().flatten().collect()
}

fn reading() -> Vec<Case> {
    let case = of("GET");
    vec![
        case(BARE, || on_bare(Identity::new(), get)),
        case("ExpectLayer", || on_bare(plain(), get)),
        case("ExpectLayer, rules", || on_bare(checking(), get)),
        case("limit", || on_bare(limit(), get)),
        case("validate header", || on_bare(validate(), get)),
        case("set header", || on_bare(set_header(), get)),
    ]
}

fn reading_by_others() -> Vec<Case> {
    let (curl, go, browser) = (of("GET by curl"), of("GET by Go"), of("GET by a browser"));
    vec![
        curl(BARE, || on_bare(Identity::new(), get_by_curl)),
        curl("ExpectLayer", || on_bare(plain(), get_by_curl)),
        curl("limit", || on_bare(limit(), get_by_curl)),
        go(BARE, || on_bare(Identity::new(), get_by_go)),
        go("ExpectLayer", || on_bare(plain(), get_by_go)),
        go("limit", || on_bare(limit(), get_by_go)),
        browser(BARE, || on_bare(Identity::new(), get_by_browser)),
        browser("ExpectLayer", || on_bare(plain(), get_by_browser)),
        browser("limit", || on_bare(limit(), get_by_browser)),
    ]
}

fn uploading() -> Vec<Case> {
    let case = of("PUT");
    vec![
        case(BARE, || on_bare(Identity::new(), put)),
        case("ExpectLayer", || on_bare(plain(), put)),
        case("ExpectLayer, rules", || on_bare(checking(), put)),
        case("ExpectLayer, no linger", || {
            on_bare(plain().no_linger(), put)
        }),
        case("ExpectLayer, rules, no linger", || {
            on_bare(checking().no_linger(), put)
        }),
        case("limit", || on_bare(limit(), put)),
        case("validate header", || on_bare(validate(), put)),
        case("set header", || on_bare(set_header(), put)),
    ]
}

fn accepting() -> Vec<Case> {
    let case = of("Expect, accepted");
    vec![
        case(BARE, || on_bare(Identity::new(), expecting)),
        case("ExpectLayer", || on_bare(checking(), expecting)),
        case("ExpectLayer, no linger", || {
            on_bare(checking().no_linger(), expecting)
        }),
        case("ExpectLayer, async", || {
            on_bare(checking_async(), expecting)
        }),
        case("limit", || on_bare(limit(), expecting)),
        case("validate header", || on_bare(validate(), expecting)),
    ]
}

fn accepting_routed() -> Vec<Case> {
    let case = of("Expect, accepted, routed");
    vec![
        case(BARE, || on_bare(Identity::new(), expecting_routed)),
        case("ExpectLayer", || on_bare(checking(), expecting_routed)),
        case("ExpectLayer, async", || {
            on_bare(checking_async(), expecting_routed)
        }),
        case("ExpectLayer, no linger", || {
            on_bare(checking().no_linger(), expecting_routed)
        }),
    ]
}

fn accepting_by_hand() -> Vec<Case> {
    let case = of("Expect, accepted, axum's bodies");
    vec![
        case(BARE, || on_axum(Identity::new(), expecting)),
        case("ExpectLayer", || on_axum(checking(), expecting)),
        case("from_fn", || on_axum(from_fn(by_hand), expecting)),
    ]
}

fn rejecting() -> Vec<Case> {
    let case = of("Expect, rejected");
    vec![
        case(BARE, || on_bare(Identity::new(), too_large)),
        case("ExpectLayer", || on_bare(checking(), too_large)),
        case("ExpectLayer, ProblemJson", || {
            on_bare(rendering(render::ProblemJson), too_large)
        }),
        case("ExpectLayer, Html", || {
            on_bare(rendering(render::Html), too_large)
        }),
        case("ExpectLayer, Negotiate", || {
            on_bare(rendering(render::Negotiate), too_large)
        }),
        case("ExpectLayer, Empty", || {
            on_bare(rendering(render::Empty), too_large)
        }),
        case("ExpectLayer, no linger", || {
            on_bare(checking().no_linger(), too_large)
        }),
        case("ExpectLayer, in a runtime", || {
            in_runtime(on_bare(checking(), too_large))
        }),
        case("ExpectLayer, 401", || on_bare(checking(), unauthorized)),
        case("limit", || on_bare(limit(), too_large)),
        case("validate header, 401", || on_bare(validate(), unauthorized)),
    ]
}

fn rejecting_over_http2() -> Vec<Case> {
    let case = of("Expect, rejected, HTTP/2");
    vec![
        case(BARE, || {
            on_bare(Identity::new(), || over_http2(too_large()))
        }),
        case("ExpectLayer", || {
            on_bare(checking(), || over_http2(too_large()))
        }),
    ]
}

fn rejecting_by_hand() -> Vec<Case> {
    let case = of("Expect, rejected, axum's bodies");
    vec![
        case(BARE, || on_axum(Identity::new(), too_large)),
        case("ExpectLayer", || on_axum(checking(), too_large)),
        case("from_fn", || on_axum(from_fn(by_hand), too_large)),
    ]
}

fn rejecting_expectation() -> Vec<Case> {
    let case = of("Expect, unknown");
    vec![
        case(BARE, || on_bare(Identity::new(), unknown_expectation)),
        case("ExpectLayer", || on_bare(checking(), unknown_expectation)),
    ]
}

fn of(scenario: &'static str) -> impl Fn(&'static str, Build) -> Case {
    move |layer, build| Case {
        scenario,
        layer,
        build,
    }
}

pub(super) fn on_bare<L, R, M>(layer: L, request: M) -> Box<dyn Exchange>
where
    M: Fn() -> Request<Full<Bytes>> + 'static,
    L: Layer<Bare<Full<Bytes>>>,
    L::Service: Service<Request<Full<Bytes>>, Response = Response<R>> + 'static,
{
    stack(layer.layer(Bare::new()), request)
}

/// With the bodies that `from_fn` takes and gives, and the layer straight on the same service: what
/// these bodies cost is in all of its scenario.
fn on_axum<L, R>(layer: L, request: fn() -> Request<Full<Bytes>>) -> Box<dyn Exchange>
where
    L: Layer<Bare<AxumBody>>,
    L::Service: Service<Request<AxumBody>, Response = Response<R>> + 'static,
{
    stack(layer.layer(Bare::new()), move || for_axum(request()))
}
