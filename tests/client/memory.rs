//! Hosts that were asked in vain are not asked again for a while.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{Empty, Full};
use tower::{service_fn, Layer, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, WaitingBody};

use crate::support::Notes;

/// Asks each of `uris` in turn, of which those that are asked fail in one way, and says which were.
async fn asked(layer: &ExpectContinueLayer, fault: Fault, uris: &[&str]) -> Vec<bool> {
    let notes = Notes::default();
    for uri in uris {
        let notes = notes.clone();
        let service = service_fn(move |request: Request<WaitingBody<Full<Bytes>>>| {
            let asks = request.headers().contains_key("expect");
            notes.note(asks);
            fault.of(asks, request)
        });
        let request = Request::put(*uri).header("host", "from.field");
        let request = request.body(Full::from("hello")).unwrap();
        layer.layer(service).oneshot(request).await.unwrap();
    }
    notes.wait_for(uris.len()).await
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Refuses,
    IsSilent,
    SpeaksHttp2,
    None,
}

impl Fault {
    async fn of(
        self,
        asks: bool,
        request: Request<WaitingBody<Full<Bytes>>>,
    ) -> Result<Response<Empty<Bytes>>, Infallible> {
        let mut response = Response::new(Empty::new());
        match self {
            Self::Refuses if asks => *response.status_mut() = StatusCode::EXPECTATION_FAILED,
            Self::SpeaksHttp2 => *response.version_mut() = Version::HTTP_2,
            Self::IsSilent => {
                // What could call back stays.
                let (_head, body) = request.into_parts();
                let body = http_body_util::BodyExt::collect(body).await.unwrap();
                assert_eq!(body.to_bytes(), "hello");
            }
            Self::Refuses | Self::None => {}
        }
        Ok(response)
    }
}

fn layer() -> ExpectContinueLayer {
    ExpectContinueLayer::new().min_length(0)
}

#[tokio::test(start_paused = true)]
async fn a_host_is_remembered_for_each_fault_and_none_without() {
    for (fault, expected) in [
        (Fault::Refuses, vec![true, false, false]),
        (Fault::IsSilent, vec![true, false]),
        (Fault::SpeaksHttp2, vec![true, false]),
        (Fault::None, vec![true, true]),
    ] {
        // A 417 is repeated, hence three.
        let found = asked(&layer(), fault, &["http://a/"; 2]).await;
        assert_eq!(found, expected, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_forgotten_after_the_time() {
    let layer = layer().remember_for(Duration::from_secs(60));
    let fault = Fault::SpeaksHttp2;
    assert_eq!(asked(&layer, fault, &["http://a/"]).await, [true]);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(asked(&layer, fault, &["http://a/"]).await, [false]);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(
        asked(&layer, fault, &["http://a/", "http://a/"]).await,
        [true, false]
    );
}

#[tokio::test(start_paused = true)]
async fn five_minutes_are_the_default_and_the_longest_time_is_for_good() {
    for (layer, time, asks) in [
        (layer(), 299, false),
        (layer(), 300, true),
        (layer().remember_for(Duration::MAX), 1 << 30 >> 3, false),
        (layer().remember_for(Duration::ZERO), 0, true),
        (layer().no_memory(), 0, true),
    ] {
        assert_eq!(
            asked(&layer, Fault::SpeaksHttp2, &["http://a/"]).await,
            [true]
        );
        tokio::time::advance(Duration::from_secs(time)).await;
        assert_eq!(
            asked(&layer, Fault::SpeaksHttp2, &["http://a/"]).await,
            [asks]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_differ_by_scheme_name_and_port_and_are_named_by_the_host_field_in_origin_form() {
    let uris = [
        "http://a/",
        "https://a/",
        "http://a:81/",
        "http://b/",
        "/",
        "http://from.field/",
    ];
    let found = asked(&layer(), Fault::SpeaksHttp2, &uris).await;
    assert_eq!(found, [true, true, true, true, true, false]);
    let layer = layer();
    let found = asked(&layer, Fault::SpeaksHttp2, &["http://a/x", "http://A/y?z"]).await;
    assert_eq!(found, [true, false]);
}

#[tokio::test(start_paused = true)]
async fn the_one_that_would_be_forgotten_first_makes_room() {
    let layer = layer().max_hosts(2);
    let fault = Fault::SpeaksHttp2;
    for uri in ["http://a/", "http://b/", "http://c/"] {
        assert_eq!(asked(&layer, fault, &[uri]).await, [true]);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let found = asked(&layer, fault, &["http://c/", "http://b/", "http://a/"]).await;
    assert_eq!(found, [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_header_of_the_callers_is_left_out_too() {
    let layer = layer();
    let service = service_fn(|request: Request<WaitingBody<Full<Bytes>>>| {
        let asks = request.headers().contains_key("expect");
        let mut response = Response::new(Empty::<Bytes>::new());
        *response.version_mut() = Version::HTTP_2;
        response.extensions_mut().insert(asks);
        async { Ok::<_, Infallible>(response) }
    });
    for asks in [true, false] {
        let request = Request::put("http://a/").header("expect", "100-continue");
        let request = request.body(Full::from("hello")).unwrap();
        let response = layer.layer(service).oneshot(request).await.unwrap();
        assert_eq!(response.extensions().get::<bool>(), Some(&asks));
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_tells_nothing_about_a_host() {
    let layer = ExpectContinueLayer::new()
        .min_length(1)
        .timeout(Duration::ZERO);
    let uris = ["http://a/"; 3];
    assert_eq!(asked(&layer, Fault::IsSilent, &uris).await, [true; 3]);
}

#[tokio::test(start_paused = true)]
async fn credentials_in_the_uri_name_no_other_host() {
    let layer = ExpectContinueLayer::new().min_length(1);
    let uris = ["http://u:p@a/", "http://v:q@a/", "http://a/", "http://b/"];
    let asked = asked(&layer, Fault::IsSilent, &uris).await;
    assert_eq!(asked, [true, false, false, true]);
}
