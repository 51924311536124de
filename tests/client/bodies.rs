//! Bodies are passed on whole: frames, trailers, size hints, ends and errors.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use tower::{service_fn, Layer, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, Unsent, WaitingBody};

type Polled = Result<Frame<Bytes>, io::Error>;

/// Frames as scripted. Then it errs, as a stream that was reset does.
struct Scripted(VecDeque<Polled>);

impl Scripted {
    fn new(frames: impl IntoIterator<Item = Polled>) -> Self {
        Self(frames.into_iter().collect())
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let reset = || Err(io::Error::other("polled behind its end"));
        Poll::Ready(Some(self.0.pop_front().unwrap_or_else(reset)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.0.len() as u64);
        hint.set_upper(100);
        hint
    }
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

fn trailers() -> Frame<Bytes> {
    let mut fields = HeaderMap::new();
    fields.insert("x-sum", HeaderValue::from_static("1"));
    Frame::trailers(fields)
}

/// Asks, or does not.
const LEAST: [u64; 2] = [0, u64::MAX];

fn request(layer: &ExpectContinueLayer, body: Scripted) -> Request<Scripted> {
    let asks = format!("{layer:?}").contains("min_length: 0");
    let mut request = Request::put("http://a/").body(body).unwrap();
    if !asks {
        // Of unknown length, it would.
        request
            .headers_mut()
            .insert("expect", HeaderValue::from_static(""));
    }
    request
}

#[tokio::test]
async fn the_requests_frames_trailers_hints_and_errors_are_passed_on() {
    for least in LEAST {
        let service = service_fn(|request: Request<WaitingBody<Scripted>>| async move {
            let mut body = request.into_body();
            assert_eq!(
                (body.size_hint().lower(), body.size_hint().upper()),
                (3, Some(100))
            );
            assert!(!body.is_end_stream());
            assert_eq!(
                body.frame().await.unwrap().unwrap().into_data().unwrap(),
                "ab"
            );
            assert_eq!(body.size_hint().lower(), 2);
            let fields = body
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_trailers()
                .unwrap();
            assert_eq!(fields["x-sum"], "1");
            let error = body.frame().await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "broken");
            assert!(body.is_end_stream());
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let layer = ExpectContinueLayer::new().min_length(least);
        let body = Scripted::new([
            Ok(data("ab")),
            Ok(trailers()),
            Err(io::Error::other("broken")),
        ]);
        let response = layer.layer(service).oneshot(request(&layer, body));
        response.await.unwrap();
    }
}

/// The end of a withheld body may reset the stream that the response has come on.
#[tokio::test]
async fn the_responses_end_is_its_end_where_the_requests_body_is_withheld() {
    for frames in [vec!["no"], vec!["n", "o"], vec![]] {
        let whole = frames.concat();
        let service = service_fn(move |request: Request<WaitingBody<Scripted>>| {
            let body = Scripted::new(frames.iter().map(|text| Ok(data(text))));
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::FORBIDDEN;
            async move {
                drop(request);
                Ok::<_, Infallible>(response)
            }
        });
        let layer = ExpectContinueLayer::new().min_length(0);
        let body = Scripted::new([Ok(data("ab"))]);
        let response = layer
            .layer(service)
            .oneshot(request(&layer, body))
            .await
            .unwrap();
        assert!(response.extensions().get::<Unsent<Scripted>>().is_some());
        let body = response.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), whole);
    }
}
