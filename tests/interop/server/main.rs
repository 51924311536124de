//! The servers under test.
//!
//! ```text
//! interop_server MODE [PORT]
//! ```
//!
//! `bare` makes its checks in the handler, as an axum application does; the others have them in
//! an `ExpectLayer` with its default settings, `layer-empty` with refusals that have no content.
//! All on hyper, but for `serve`: that is `layer` on `tower_expect::serve`, which sends the 100 over
//! HTTP/2, too. HTTP/1.1 and HTTP/2 with prior knowledge on one port. `axum-linger` is `bare`, and
//! `layer-linger` is `layer`, by `axum::serve` on sockets that linger; `layer-axum` is `layer` by a plain
//! `axum::serve`. `slow-layer`, `slow-layer-linger` and `slow-serve` have a validator that takes 1.3
//! seconds, by which time clients that wait for the 100 have begun to send. `layer-drain-first` and
//! `serve-drain-first` drain unread bodies of up to 256 MiB before they respond. The first line printed is
//! the address.

mod checksum;
mod proxied;

use std::{convert::Infallible, error::Error, net::Ipv4Addr, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    handler::Handler,
    http::{
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, WWW_AUTHENTICATE},
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
    },
    response::{IntoResponse, Response},
    routing::any,
    serve::ListenerExt,
    Router,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tower::{Layer, Service};
use tower_expect::{
    render, rules, Async, AsyncValidator, ExpectLayer, Linger, LingerListener, Rejection,
    RequestHead, Validator,
};

use self::checksum::Adler32;

const USAGE: &str = "usage: interop_server MODE [PORT], where MODE is bare, layer, layer-empty, \
    axum-linger, layer-linger, layer-axum, serve, slow-layer, slow-layer-linger, slow-serve, \
    layer-drain-first or serve-drain-first";
const TOKEN: &str = "s3cr3t";
const LIMIT: u64 = 1024;
const TEXT: &str = "refused\n";
/// Longer than the second for which clients wait for the 100.
const SLOW: Duration = Duration::from_millis(1300);
/// Enough for the longest upload of the measurements.
const DRAIN_FIRST: (u64, Duration) = (256 << 20, Duration::from_secs(30));

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mode = args.next().unwrap_or_default();
    let port = args.next().map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("{}", listener.local_addr()?);
    match mode.as_str() {
        "bare" => serve(listener, app(checked_upload, TEXT)).await,
        "layer" => serve(listener, checks().layer(app(upload, TEXT))).await,
        "layer-empty" => {
            let checks = checks().render_with(render::Empty);
            serve(listener, checks.layer(app(upload, ""))).await
        }
        "axum-linger" => {
            let listener = LingerListener::new(listener.tap_io(no_delay));
            Ok(axum::serve(listener, app(checked_upload, TEXT)).await?)
        }
        "layer-linger" => {
            let linger = Linger::at_socket();
            let listener = LingerListener::new(listener.tap_io(no_delay)).bounds(linger.clone());
            let app = app(upload, TEXT).layer(checks().linger(linger));
            Ok(axum::serve(listener, app).await?)
        }
        "layer-axum" => {
            let app = app(upload, TEXT).layer(checks());
            Ok(axum::serve(listener.tap_io(no_delay), app).await?)
        }
        "serve" => {
            tower_expect::serve(listener, checks().layer(app(upload, TEXT))).await?;
            Ok(())
        }
        "slow-layer" => serve(listener, slow_checks().layer(app(upload, TEXT))).await,
        "slow-layer-linger" => {
            let linger = Linger::at_socket();
            let listener = LingerListener::new(listener.tap_io(no_delay)).bounds(linger.clone());
            let app = app(upload, TEXT).layer(slow_checks().linger(linger));
            Ok(axum::serve(listener, app).await?)
        }
        "slow-serve" => {
            tower_expect::serve(listener, slow_checks().layer(app(upload, TEXT))).await?;
            Ok(())
        }
        "layer-drain-first" => {
            let checks = checks().linger(drain_first());
            serve(listener, checks.layer(app(upload, TEXT))).await
        }
        "serve-drain-first" => {
            let checks = checks().linger(drain_first());
            tower_expect::serve(listener, checks.layer(app(upload, TEXT))).await?;
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

fn no_delay(stream: &mut TcpStream) {
    stream.set_nodelay(true).expect("a TCP socket");
}

fn drain_first() -> Linger {
    let (bytes, total) = DRAIN_FIRST;
    Linger::default().drain_before_response(bytes, total)
}

fn checks() -> ExpectLayer<impl Validator> {
    ExpectLayer::new(validator())
}

fn slow_checks() -> ExpectLayer<Async<impl AsyncValidator<Future: Send>>> {
    let validator = validator();
    ExpectLayer::new_async(move |head: &RequestHead| {
        let decision = validator.validate(head);
        async move {
            sleep(SLOW).await;
            decision
        }
    })
}

fn validator() -> impl Validator {
    let never = Rejection::expectation_failed("do not upload here");
    let token = |head: &RequestHead| below(head, "/accept/") || below(head, "/r401/");
    let limit = rules::content_length(..=LIMIT);
    rules::when(token, rules::bearer(|token| token == TOKEN))
        .and(rules::when(|head| below(head, "/r413/"), limit))
        .and(rules::when(|head| below(head, "/r417/"), never))
}

fn below(head: &RequestHead, path: &str) -> bool {
    head.uri.path().starts_with(path)
}

fn app<H, T>(upload: H, content: &'static str) -> Router
where
    H: Handler<T, ()>,
    T: 'static,
{
    let refuse_itself = move |headers: HeaderMap| async move {
        match is_grpc(&headers) {
            true => grpc("16", None),
            false => refuse(StatusCode::UNAUTHORIZED, content),
        }
    };
    Router::new()
        .route("/handler401/{*rest}", any(refuse_itself))
        .merge(proxied::routes(TOKEN))
        .fallback(upload)
}

async fn checked_upload(request: Request<Body>) -> Response {
    match check(request.headers(), request.uri().path()) {
        Some(status) => refuse(status, TEXT),
        None => upload(request).await,
    }
}

fn check(headers: &HeaderMap, path: &str) -> Option<StatusCode> {
    let field = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let understood = field(EXPECT).is_none_or(|value| value.eq_ignore_ascii_case("100-continue"));
    if path.starts_with("/r417/") || !understood {
        return Some(StatusCode::EXPECTATION_FAILED);
    }
    if path.starts_with("/r413/") {
        let length = field(CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
        return (length > Some(LIMIT)).then_some(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let token = field(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    (token != Some(TOKEN)).then_some(StatusCode::UNAUTHORIZED)
}

/// Reads all and answers with the number of bytes and their checksum.
async fn upload(request: Request<Body>) -> Response {
    let is_grpc = is_grpc(request.headers());
    let mut body = request.into_body();
    let (mut bytes, mut checksum) = (0, Adler32::default());
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.data_ref().map_or(&[][..], |data| data);
                bytes += data.len();
                checksum.add(data);
            }
            Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        }
    }
    // XML, since an S3 client takes anything else for a broken answer.
    let uploaded = format!("<Uploaded>{bytes} {}</Uploaded>\n", checksum.value());
    match is_grpc {
        true => grpc("0", Some(&[0; 5])),
        false => uploaded.into_response(),
    }
}

fn refuse(status: StatusCode, content: &'static str) -> Response {
    let mut response = (status, content).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == "application/grpc")
}

/// One message and trailers, or trailers only.
fn grpc(status: &'static str, message: Option<&'static [u8]>) -> Response {
    let status = ("grpc-status", HeaderValue::from_static(status));
    let content_type = [("content-type", "application/grpc")];
    let Some(message) = message else {
        return ([status], content_type, ()).into_response();
    };
    let trailers = HeaderMap::from_iter([(HeaderName::from_static(status.0), status.1)]);
    let body = Full::from(message).with_trailers(async { Some(Ok(trailers)) });
    (content_type, Body::new(body)).into_response()
}

async fn serve<S, B>(listener: TcpListener, service: S) -> Result<(), Box<dyn Error>>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes, Error = axum::Error> + Send + 'static,
{
    let mut server = auto::Builder::new(TokioExecutor::new());
    // Each client that gives up an upload it was refused counts as an error of the connection.
    server.http2().max_local_error_reset_streams(None);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(service.clone());
        let connection = server
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        tokio::spawn(connection);
    }
}
