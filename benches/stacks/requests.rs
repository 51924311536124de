//! Requests with the fields that curl and the AWS SDKs send.

use bytes::Bytes;
use http::{header::EXPECT, HeaderName, HeaderValue, Method, Request, Version};
use http_body_util::Full;

/// More than a connection is kept open for after a rejection.
pub(super) const CONTENT: &[u8] = &[b'x'; 256 << 10];

const FIELDS: [(&str, &str); 6] = [
    ("host", "bucket.storage.example.com"),
    (
        "user-agent",
        "aws-sdk-rust/1.3.10 os/linux lang/rust/1.95.0",
    ),
    ("accept", "*/*"),
    ("x-amz-date", "20260102T030405Z"),
    (
        "x-amz-content-sha256",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        "amz-sdk-invocation-id",
        "3f2c1b7e-5a0d-4c6f-9b1e-2d8a7c4e5f60",
    ),
];
const ADMITTED: (&str, &str) = ("authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA");
const STRANGER: (&str, &str) = ("authorization", "Bearer mF9zB5f4Q1JqM8sLx7TcVw");

pub(crate) const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
pub(crate) const MEDIA_TYPES: [&str; 2] = ["application/pdf", "image/*"];
pub(crate) const MAX_LENGTH: u64 = 1 << 30;

pub(crate) fn get() -> Request<Full<Bytes>> {
    request(Method::GET, Full::default(), &[ADMITTED])
}

/// The fields of other clients. Where a field lies in the table of a `HeaderMap`, and so what it costs
/// to find that it is not there, is a matter of chance.
pub(crate) fn get_by_curl() -> Request<Full<Bytes>> {
    get_with(&[
        ("host", "example.com"),
        ("user-agent", "curl/8.14.1"),
        ("accept", "*/*"),
    ])
}

pub(crate) fn get_by_go() -> Request<Full<Bytes>> {
    get_with(&[
        ("host", "example.com"),
        ("user-agent", "Go-http-client/1.1"),
        ("authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA"),
        ("accept-encoding", "gzip"),
    ])
}

pub(crate) fn get_by_browser() -> Request<Full<Bytes>> {
    get_with(&[
        ("host", "example.com"),
        ("connection", "keep-alive"),
        ("sec-ch-ua-platform", "\"Linux\""),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        ),
        (
            "accept",
            "image/avif,image/webp,image/apng,image/*,*/*;q=0.8",
        ),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "image"),
        ("referer", "https://example.com/photos"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("accept-language", "en-GB,en;q=0.9"),
        ("cookie", "session=3f2c1b7e5a0d4c6f9b1e2d8a7c4e5f60"),
    ])
}

fn get_with(fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    with(Method::GET, Full::default(), fields)
}

pub(crate) fn put() -> Request<Full<Bytes>> {
    upload(ADMITTED, "262144", None)
}

pub(crate) fn expecting() -> Request<Full<Bytes>> {
    upload(ADMITTED, "262144", Some("100-continue"))
}

/// With something in its extensions, as any request has that axum has routed.
pub(crate) fn expecting_routed() -> Request<Full<Bytes>> {
    let mut request = expecting();
    request.extensions_mut().insert(Routed);
    request
}

#[derive(Clone)]
struct Routed;

/// With a token that nobody knows.
pub(crate) fn unauthorized() -> Request<Full<Bytes>> {
    upload(STRANGER, "262144", Some("100-continue"))
}

/// Announces more than is taken.
pub(crate) fn too_large() -> Request<Full<Bytes>> {
    upload(ADMITTED, "2147483648", Some("100-continue"))
}

pub(crate) fn unknown_expectation() -> Request<Full<Bytes>> {
    upload(ADMITTED, "262144", Some("approval=yes"))
}

pub(crate) fn over_http2(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    *request.version_mut() = Version::HTTP_2;
    request
}

/// With the body that axum's middleware takes.
pub(crate) fn for_axum(request: Request<Full<Bytes>>) -> Request<axum::body::Body> {
    request.map(axum::body::Body::new)
}

fn upload(authorization: (&str, &str), length: &str, expect: Option<&str>) -> Request<Full<Bytes>> {
    let mut fields = vec![
        authorization,
        ("content-type", "image/png"),
        ("content-length", length),
    ];
    fields.extend(expect.map(|value| ("expect", value)));
    let body = Full::new(Bytes::from_static(CONTENT));
    request(Method::PUT, body, &fields)
}

/// With so many fields.
pub(super) fn with_fields(mut request: Request<Full<Bytes>>, count: usize) -> Request<Full<Bytes>> {
    let headers = request.headers_mut();
    for number in headers.len()..count {
        let name = HeaderName::try_from(format!("x-field-{number}")).expect("a name");
        headers.append(name, HeaderValue::from_static("value"));
    }
    request
}

/// With these `Expect` field lines, in place of any other.
pub(super) fn with_expect(
    mut request: Request<Full<Bytes>>,
    lines: impl IntoIterator<Item = String>,
) -> Request<Full<Bytes>> {
    let headers = request.headers_mut();
    headers.remove(EXPECT);
    for line in lines {
        let value = Bytes::from(line);
        // Shared bytes, as hyper's are.
        let value = HeaderValue::from_maybe_shared(value.clone());
        headers.append(EXPECT, value.expect("a value"));
    }
    request
}

fn request(method: Method, body: Full<Bytes>, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    with(method, body, &[&FIELDS, fields].concat())
}

fn with(method: Method, body: Full<Bytes>, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = "/photos/2026/01/boat.png".parse().expect("a path");
    // The values share one buffer, as hyper's do.
    let mut values = Bytes::from(fields.iter().map(|field| field.1).collect::<String>());
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        let value = HeaderValue::from_maybe_shared(values.split_to(value.len()));
        request.headers_mut().append(name, value.expect("a value"));
    }
    request
}
