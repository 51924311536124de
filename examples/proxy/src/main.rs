//! A reverse proxy that passes the expectation end to end: the client's 100 comes when the origin's has.
//!
//! Run with `cargo run -p proxy -- http://127.0.0.1:3000`, where `cargo run --example axum_upload` listens,
//! and in another terminal:
//!
//! ```console
//! $ head -c 20000000 /dev/urandom > big.bin
//! $ alias up="curl -sT big.bin -w '%{http_code}: %{size_upload} bytes sent\n'"
//! $ up http://127.0.0.1:8080/upload/big.bin      # 401 of the origin, 0 bytes sent
//! $ up -H 'Authorization: Bearer s3cr3t' -H 'Content-Type: image/png' http://127.0.0.1:8080/upload/big.bin
//! ```
//!
//! # What becomes of an expectation
//!
//! | the origin | an expecting client gets |
//! |---|---|
//! | sends a 100 | a 100 at that time |
//! | rejects | the rejection, before it has sent a byte |
//! | sends a 417 | what the origin responds to the request without `Expect` |
//! | is silent | a 100 after `--expect-timeout` |
//! | speaks HTTP/2 (`--http2`) | a 100 at once: hyper's client is told of none there |
//!
//! A request that does not expect is passed on without `Expect`. No body is stored here: the proxy reads
//! from the client what the origin takes.
//!
//! # Clients that leave
//!
//! An HTTP/2 client that resets its stream ends the origin's request at once. An HTTP/1 client that leaves
//! while it waits for a 100 is noticed when the proxy reads its body, so at the latest after
//! `--expect-timeout`; while it waits for its response, at once if it resets the connection, and after
//! `--half-close-timeout` if it closes it, since it may only have closed its sending side.
//!
//! # What it does not do
//!
//! TLS, on neither side; interim responses other than the 100, which hyper's server can't send; an upgrade
//! of a request with a body, or to h2c: such a request goes on without; `Max-Forwards`.

use std::{
    convert::Infallible,
    error::Error,
    fmt::Display,
    future::{poll_fn, Future},
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use http::{
    header::{
        Entry, HeaderName, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, FORWARDED,
        HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, VIA,
    },
    request, response,
    uri::{Authority, PathAndQuery, Scheme},
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version,
};
use http_body::Body;
use http_body_util::{combinators::UnsyncBoxBody, BodyExt, Either, Full};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{io::copy_bidirectional, net::TcpListener, sync::watch, time::sleep};
use tower::{Layer, Service, ServiceBuilder};
use tower_expect::{
    client::{
        ExpectContinue, ExpectContinueLayer, PatientConnector, ResponseBody, WaitingBody,
        WithheldError,
    },
    ExpectLayer,
};

type BoxError = Box<dyn Error + Send + Sync>;
type RequestBody = UnsyncBoxBody<Bytes, BoxError>;
type OriginBody = ResponseBody<Incoming>;
type Pool = legacy::Client<PatientConnector<HttpConnector>, WaitingBody<RequestBody>>;
type Client = ExpectContinue<Pool>;

/// Passes requests on to an origin, and their expectations with them.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Settings {
    /// Where the requests go: http://host:port
    origin: Uri,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The origin speaks HTTP/2, without TLS and by prior knowledge
    #[arg(long)]
    http2: bool,
    /// How long the origin may take to send a 100
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    expect_timeout: Duration,
    /// How long the origin may take to accept a connection
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    /// How long a request may stand still: nothing of its body moves, and no response comes
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    response_timeout: Duration,
    /// How long a client that has closed its sending side is waited for
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    half_close_timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, BoxError> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let settings = Settings::parse();
    let listener = TcpListener::bind(settings.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, settings).await
}

pub(crate) async fn serve(listener: TcpListener, settings: Settings) -> Result<(), BoxError> {
    let half_close_timeout = settings.half_close_timeout;
    let proxy = Proxy::new(settings)?;
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .service_fn(move |request| {
            let proxy = proxy.clone();
            async move { Ok::<_, Infallible>(proxy.respond(request).await) }
        });
    tower_expect::serve(listener, service)
        .with_connect_info(|address: SocketAddr| ClientIp(address.ip()))
        .half_close_timeout(half_close_timeout)
        .await?;
    Ok(())
}

#[derive(Clone, Copy)]
struct ClientIp(IpAddr);

/// Why the proxy responds by itself, and what it says.
struct Failure(StatusCode, String);

#[derive(Clone)]
struct Proxy {
    client: Client,
    origin: Authority,
    settings: Settings,
}

impl Proxy {
    fn new(settings: Settings) -> Result<Self, BoxError> {
        let is_http = settings.origin.scheme() == Some(&Scheme::HTTP);
        let origin = settings.origin.authority().filter(|_| is_http).cloned();
        let origin = origin.ok_or("the origin is no http://host:port")?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(settings.connect_timeout));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(32)
            .http2_only(settings.http2)
            .build(PatientConnector::new(connector));
        let asks = ExpectContinueLayer::new()
            .timeout(settings.expect_timeout)
            // One slow resource must not cost the others their expectations.
            .no_memory();
        Ok(Self {
            client: asks.layer(pool),
            origin,
            settings,
        })
    }

    async fn respond<B>(&self, request: Request<B>) -> Response<Either<OriginBody, Full<Bytes>>>
    where
        B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
    {
        match self.forward(request).await {
            Ok(response) => response.map(Either::Left),
            Err(Failure(status, text)) => {
                let mut response = Response::new(Either::Right(Full::from(text + "\n")));
                *response.status_mut() = status;
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, plain);
                response
            }
        }
    }

    async fn forward<B>(&self, request: Request<B>) -> Result<Response<OriginBody>, Failure>
    where
        B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
    {
        let (mut head, body) = request.into_parts();
        let upgrade = self.rewrite(&mut head, &body)?;
        let on_upgrade = head.extensions.remove::<OnUpgrade>();
        let mut outgoing = Request::new(());
        *outgoing.method_mut() = head.method;
        *outgoing.uri_mut() = head.uri;
        *outgoing.headers_mut() = head.headers;

        let response = self.call(outgoing, body).await?;
        let (mut head, body) = response.into_parts();
        let switched = head.status == StatusCode::SWITCHING_PROTOCOLS;
        let tunnel = match (switched, upgrade, on_upgrade) {
            (false, ..) => None,
            (true, Some(offered), Some(client)) if has_offered(&offered, &head.headers) => {
                Some((client, head.extensions.remove()))
            }
            (true, ..) => return Err(bad_gateway("switches protocols without being asked to")),
        };
        rewrite_response(&mut head, tunnel.is_some())?;
        if let Some((client, Some(origin))) = tunnel {
            tokio::spawn(carry(client, origin));
        }
        // The extensions stay behind, and with them the body that was not sent: it is dropped here.
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    /// Makes the client's request that of the proxy. Returns the protocol to upgrade to.
    fn rewrite(
        &self,
        head: &mut request::Parts,
        body: &impl Body,
    ) -> Result<Option<HeaderValue>, Failure> {
        if head.method == Method::CONNECT {
            return Err(failure(
                StatusCode::NOT_IMPLEMENTED,
                "no tunnels by CONNECT",
            ));
        }
        let host = host(head)?;
        let version = head.version;
        let has_body = !body.is_end_stream();
        let upgrade = protocol(&head.headers)
            .filter(|_| !has_body && version == Version::HTTP_11 && !self.settings.http2);
        let trailers = members(&head.headers, &TE).any(|member| member == b"trailers");

        let headers = &mut head.headers;
        if version == Version::HTTP_10 {
            headers.remove(EXPECT);
        }
        if remove_hop_by_hop(headers) == Codings::Unknown {
            let text = "no transfer codings but chunked";
            return Err(failure(StatusCode::NOT_IMPLEMENTED, text));
        }
        // hyper-util makes it of the URI, where HTTP/2 has it.
        headers.remove(HOST);
        // An empty one: the client layer asks for nobody but the client.
        headers
            .entry(EXPECT)
            .or_insert(HeaderValue::from_static(""));
        if !self.settings.http2 {
            let mut options = Vec::new();
            if trailers {
                options.push("te");
            }
            if let Some(protocol) = &upgrade {
                options.push("upgrade");
                headers.insert(UPGRADE, protocol.clone());
            }
            if !options.is_empty() {
                headers.insert(CONNECTION, value(options.join(", ")));
            }
            // Without it, hyper's client sends no body of unknown length with a GET.
            if has_body && body.size_hint().exact().is_none() {
                headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
        if trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        // HTTP/2 lets clients part it into lines, and HTTP/1.1 does not (RFC 9113 §8.2.3).
        if let Entry::Occupied(mut cookies) = headers.entry(COOKIE) {
            let lines: Vec<_> = cookies.iter().map(HeaderValue::as_bytes).collect();
            let line = HeaderValue::from_bytes(&lines.join(&b"; "[..]));
            cookies.insert(line.expect("made of values"));
        }
        let client = head.extensions.get().map(|ClientIp(ip)| *ip);
        forwarded(headers, client, host.as_ref());
        add(headers, VIA, &via(version));

        let path = head.uri.path_and_query().cloned();
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.origin.clone())
            .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
            .build();
        head.uri = uri.map_err(|_| failure(StatusCode::BAD_REQUEST, "no such target"))?;
        Ok(upgrade)
    }

    async fn call<B>(&self, head: Request<()>, body: B) -> Result<Response<OriginBody>, Failure>
    where
        B: Body<Data = Bytes, Error = BoxError> + Send + 'static,
    {
        // With `Expect`, the layer repeats what a dead connection has taken; this is for the others.
        let again = (body.is_end_stream() && head.method().is_idempotent()).then(|| head.clone());
        let (progress, moves) = watch::channel(());
        let body = body.inspect_frame(move |_| _ = progress.send(()));
        let limit = self.settings.response_timeout;
        let send = |request| within(limit, moves.clone(), self.send(request));

        let mut result = send(head.map(|()| body.boxed_unsync())).await;
        if let (Some(head), Some(Err(error))) = (again, &result) {
            if is_dead(error) {
                let empty = Full::default().map_err(|never: Infallible| match never {});
                result = send(head.map(|()| empty.boxed_unsync())).await;
            }
        }
        match result {
            None => {
                let text = "no response of the origin in time";
                Err(failure(StatusCode::GATEWAY_TIMEOUT, text))
            }
            Some(Err(error)) => Err(explain(&error)),
            Some(Ok(response)) => Ok(response),
        }
    }

    // `ServiceExt::oneshot` does, too, but a task with it is not `Send` (rust-lang/rust#110338).
    async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<OriginBody>, legacy::Error> {
        let mut client = self.client.clone();
        poll_fn(|cx| Service::<Request<RequestBody>>::poll_ready(&mut client, cx)).await?;
        client.call(request).await
    }
}

/// `None` if for that long there is neither a response nor a move of the body.
async fn within<F: Future>(
    limit: Duration,
    mut moves: watch::Receiver<()>,
    response: F,
) -> Option<F::Output> {
    let mut response = pin!(response);
    loop {
        tokio::select! {
            result = &mut response => return Some(result),
            Ok(()) = moves.changed() => {}
            () = sleep(limit) => return None,
        }
    }
}

/// Carries bytes between the client and the origin after a 101, until both have closed.
async fn carry(client: OnUpgrade, origin: OnUpgrade) {
    if let (Ok(client), Ok(origin)) = tokio::join!(client, origin) {
        let (mut client, mut origin) = (TokioIo::new(client), TokioIo::new(origin));
        // An error is the end of either, and closes the other.
        let _ = copy_bidirectional(&mut client, &mut origin).await;
    }
}

fn rewrite_response(head: &mut response::Parts, is_upgrade: bool) -> Result<(), Failure> {
    let version = head.version;
    let upgrade = head.headers.get(UPGRADE).filter(|_| is_upgrade).cloned();
    if remove_hop_by_hop(&mut head.headers) == Codings::Unknown {
        return Err(bad_gateway("uses an unknown transfer coding"));
    }
    if is_upgrade {
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if let Some(protocol) = upgrade {
        head.headers.insert(UPGRADE, protocol);
    }
    add(&mut head.headers, VIA, &via(version));
    Ok(())
}

/// Whom the request is for. Only HTTP/1.0 may leave it out, and nobody may say it twice (RFC 9112 §3.2).
fn host(head: &request::Parts) -> Result<Option<Authority>, Failure> {
    let mut lines = head.headers.get_all(HOST).iter();
    let host = lines
        .next()
        .map(|line| Authority::try_from(line.as_bytes()));
    let host = match (head.uri.authority().cloned(), host, lines.next()) {
        (_, _, Some(_)) | (None, Some(Err(_)), _) => None,
        (Some(authority), ..) | (None, Some(Ok(authority)), _) => Some(authority),
        (None, None, None) if head.version == Version::HTTP_10 => return Ok(None),
        (None, None, None) => None,
    };
    match host {
        Some(host) if !host.as_str().contains('@') => Ok(Some(host)),
        _ => Err(failure(StatusCode::BAD_REQUEST, "no valid Host header")),
    }
}

/// The protocol that the sender wants to switch to. Not h2c, which hides requests from proxies.
fn protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_option = members(headers, &CONNECTION).any(|option| option == b"upgrade");
    let is_hidden = members(headers, &UPGRADE).any(|protocol| protocol == b"h2c");
    let protocol = headers.get(UPGRADE).filter(|_| is_option && !is_hidden);
    protocol.cloned()
}

/// Whether the response switches to protocols that the client has offered (RFC 9110 §7.8).
fn has_offered(offered: &HeaderValue, response: &HeaderMap) -> bool {
    let offered = offered.as_bytes().to_ascii_lowercase();
    let mut offered = offered.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let mut chosen = members(response, &UPGRADE).peekable();
    chosen.peek().is_some() && chosen.all(|chosen| offered.any(|offered| offered == chosen))
}

#[derive(PartialEq)]
enum Codings {
    Known,
    Unknown,
}

/// Removes what is meant for the proxy alone (RFC 9110 §7.6.1).
fn remove_hop_by_hop(headers: &mut HeaderMap) -> Codings {
    let codings: Vec<_> = members(headers, &TRANSFER_ENCODING).collect();
    if headers.contains_key(TRANSFER_ENCODING) {
        // Of the two, that one counts (RFC 9112 §6.3).
        headers.remove(CONTENT_LENGTH);
    }
    let named = members(headers, &CONNECTION).filter_map(|name| HeaderName::from_bytes(&name).ok());
    let always = [
        CONNECTION,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in named.chain(always).collect::<Vec<_>>() {
        headers.remove(name);
    }
    match codings.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] {
        [] | [b"chunked"] => Codings::Known,
        _ => Codings::Unknown,
    }
}

/// The members of a list over all lines of a header, in lower case and without parameters.
fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Vec<u8>> + 'a {
    let lines = headers.get_all(name).into_iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.filter_map(|member| {
        let name = member.split(|byte| *byte == b';').next()?.trim_ascii();
        (!name.is_empty()).then(|| name.to_ascii_lowercase())
    })
}

fn forwarded(headers: &mut HeaderMap, client: Option<IpAddr>, host: Option<&Authority>) {
    let node = match client {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => format!("\"[{ip}]\""),
        None => "unknown".to_owned(),
    };
    let host = host.map(Authority::as_str);
    let named = host.map_or_else(String::new, |host| format!("host=\"{host}\";"));
    if let Some(host) = host {
        let name = HeaderName::from_static("x-forwarded-host");
        headers.insert(name, value(host));
    }
    // A quoted string that the client leaves open would swallow what is added.
    if !headers.get_all(FORWARDED).iter().all(closes_its_quotes) {
        headers.remove(FORWARDED);
    }
    let element = format!("for={node};{named}proto=http");
    add(headers, FORWARDED, &element);
    if let Some(ip) = client {
        let name = HeaderName::from_static("x-forwarded-for");
        add(headers, name, &ip.to_string());
    }
    let proto = HeaderName::from_static("x-forwarded-proto");
    headers.insert(proto, HeaderValue::from_static("http"));
}

fn closes_its_quotes(value: &HeaderValue) -> bool {
    let mut bytes = value.as_bytes().iter();
    let mut is_open = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_open = !is_open,
            b'\\' if is_open && bytes.next().is_none() => return false,
            _ => {}
        }
    }
    !is_open
}

/// Adds a member to a list, and makes one line of it: not everybody reads more.
fn add(headers: &mut HeaderMap, name: HeaderName, member: &str) {
    let mut line = Vec::new();
    for earlier in headers.get_all(&name) {
        line.extend_from_slice(earlier.as_bytes());
        line.extend_from_slice(b", ");
    }
    line.extend_from_slice(member.as_bytes());
    let line = HeaderValue::from_bytes(&line).expect("made of values");
    headers.insert(name, line);
}

fn via(version: Version) -> String {
    let number = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    };
    format!("{number} tower-expect")
}

fn value(text: impl AsRef<str>) -> HeaderValue {
    HeaderValue::from_str(text.as_ref()).expect("printable")
}

fn failure(status: StatusCode, text: impl Display) -> Failure {
    Failure(status, text.to_string())
}

fn bad_gateway(what: impl Display) -> Failure {
    failure(StatusCode::BAD_GATEWAY, format!("the origin {what}"))
}

/// The connection has failed before a response; the pool may have kept one that the origin has closed.
fn is_dead(error: &legacy::Error) -> bool {
    let kinds = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
    causes(error).any(|error| {
        let hyper = error.downcast_ref::<hyper::Error>();
        let io = error.downcast_ref::<io::Error>();
        hyper.is_some_and(hyper::Error::is_incomplete_message)
            || io.is_some_and(|error| kinds.contains(&error.kind()))
    })
}

fn explain(error: &legacy::Error) -> Failure {
    let is_timeout = |error: &(dyn Error + 'static)| {
        let io = error.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    };
    let is_user = |error: &(dyn Error + 'static)| {
        let hyper = error.downcast_ref::<hyper::Error>();
        hyper.is_some_and(hyper::Error::is_user)
    };
    if error.is_connect() {
        return match causes(error).any(is_timeout) {
            true => failure(
                StatusCode::GATEWAY_TIMEOUT,
                "the origin accepts no connection in time",
            ),
            false => bad_gateway("can't be reached"),
        };
    }
    let is_withheld = |error: &(dyn Error + 'static)| error.is::<WithheldError>();
    if causes(error).any(is_withheld) {
        return bad_gateway("sends interim responses without end");
    }
    // What fails on the user's side is the body, which is the client's.
    if causes(error).any(is_user) {
        return failure(
            StatusCode::BAD_REQUEST,
            "the body of the request breaks off",
        );
    }
    match is_dead(error) {
        true => bad_gateway("has closed the connection without a response"),
        false => bad_gateway("has sent what is no HTTP"),
    }
}

fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    std::iter::successors(Some(error), |error| (*error).source())
}
