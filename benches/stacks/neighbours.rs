//! Layers beside ours, doing some of its work.

use axum::{
    extract::Request as AxumRequest,
    http::{header, HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response as AxumResponse},
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use tower_http::{
    limit::RequestBodyLimitLayer, set_header::SetRequestHeaderLayer,
    validate_request::ValidateRequestHeaderLayer,
};

use super::requests::{MAX_LENGTH, MEDIA_TYPES, TOKEN};

pub(crate) fn limit() -> RequestBodyLimitLayer {
    RequestBodyLimitLayer::new(1 << 30)
}

pub(crate) fn set_header() -> SetRequestHeaderLayer<HeaderValue> {
    SetRequestHeaderLayer::overriding(header::ACCEPT, HeaderValue::from_static("*/*"))
}

type Check<B> = fn(&mut Request<B>) -> Result<(), Response<Full<Bytes>>>;

/// The bearer token alone.
pub(crate) fn validate<B>() -> ValidateRequestHeaderLayer<Check<B>> {
    ValidateRequestHeaderLayer::custom(check_token)
}

#[allow(clippy::result_large_err, reason = "what the layer asks for")]
fn check_token<B>(request: &mut Request<B>) -> Result<(), Response<Full<Bytes>>> {
    if has_token(request.headers()) {
        return Ok(());
    }
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Err(response)
}

/// For `axum::middleware::from_fn`: the checks of the layer's rules, by hand.
pub(crate) async fn by_hand(request: AxumRequest, next: Next) -> AxumResponse {
    let headers = request.headers();
    if !has_token(headers) {
        return (StatusCode::UNAUTHORIZED, "repeat with a valid token\n").into_response();
    }
    if !has_media_type(headers) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send an image\n").into_response();
    }
    if !has_length(headers) {
        return (StatusCode::PAYLOAD_TOO_LARGE, "send less\n").into_response();
    }
    next.run(request).await
}

fn has_token(headers: &HeaderMap) -> bool {
    text(headers, &header::AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token == TOKEN)
}

fn has_media_type(headers: &HeaderMap) -> bool {
    text(headers, &header::CONTENT_TYPE).is_some_and(|value| {
        let found = value.split(';').next().unwrap_or(value).trim();
        let covers = |range: &&str| match range.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == *range,
        };
        MEDIA_TYPES.iter().any(covers)
    })
}

fn has_length(headers: &HeaderMap) -> bool {
    text(headers, &header::CONTENT_LENGTH)
        .and_then(|value| value.parse().ok())
        .is_some_and(|length: u64| length <= MAX_LENGTH)
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
