//! The servers that a browser asks.
//!
//! ```text
//! interop_browser
//! ```
//!
//! Prints a line for each: its name and its origin. `page` has nothing but a page. The others refuse
//! uploads with problem+json, those called `bare` in a handler, the others in an `ExpectLayer`. With
//! names that end in `-h2` they are on HTTP/2 over TLS, with a certificate that nobody trusts.

use std::{
    error::Error,
    future::{pending, IntoFuture},
    sync::Arc,
};

use axum::{
    body::Body,
    http::{header::CONTENT_TYPE, StatusCode},
    response::Html,
    routing::{get, put},
    Router,
};
use http_body_util::BodyExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tokio_rustls::{
    rustls::{pki_types::PrivateKeyDer, ServerConfig},
    TlsAcceptor,
};
use tower_expect::{render, rules, ExpectLayer, RequestHead, Validator};
use tower_http::cors::CorsLayer;

const LIMIT: u64 = 1024;
const PAGE: &str = "<!doctype html><title>uploads</title>";

fn checks() -> ExpectLayer<impl Validator> {
    let below = |path| move |head: &RequestHead| head.uri.path().starts_with(path);
    let token = rules::when(below("/401/"), rules::bearer_token("s3cr3t"));
    let limit = rules::when(below("/413/"), rules::content_length(..=LIMIT));
    ExpectLayer::new(token.and(limit)).render_with(render::ProblemJson)
}

fn page() -> Router {
    Router::new().route("/", get(|| async { Html(PAGE) }))
}

fn uploads() -> Router {
    page().route("/{status}/{name}", put(read_all))
}

async fn read_all(body: Body) -> String {
    let content = body.collect().await.expect("sent whole").to_bytes();
    format!("{} bytes\n", content.len())
}

/// As an application does it by itself.
fn bare() -> Router {
    let refuse = |status: StatusCode, detail: &'static str| {
        let problem = format!("{{\"status\":{},\"detail\":\"{detail}\"}}", status.as_u16());
        put(move || async move {
            (
                status,
                [(CONTENT_TYPE, "application/problem+json")],
                problem,
            )
        })
    };
    let unauthorized = refuse(StatusCode::UNAUTHORIZED, "repeat the request with a token");
    let too_large = refuse(StatusCode::PAYLOAD_TOO_LARGE, "send at most 1024 bytes");
    page()
        .route("/401/{name}", unauthorized)
        .route("/413/{name}", too_large)
        .route("/200/{name}", put(read_all))
}

/// Each name has its order of layers.
fn apps() -> [(&'static str, Router); 5] {
    let cors = CorsLayer::permissive;
    [
        ("page", page()),
        ("bare", bare()),
        ("bare-cors", bare().layer(cors())),
        // The layer added last is the outermost.
        ("layer", uploads().layer(checks()).layer(cors())),
        ("cors-inside", uploads().layer(cors()).layer(checks())),
    ]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for (name, app) in apps() {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{name} http://{}", listener.local_addr()?);
        tokio::spawn(axum::serve(listener, app).into_future());
    }
    let acceptor = acceptor()?;
    for (name, app) in apps() {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{name}-h2 https://{}", listener.local_addr()?);
        let acceptor = acceptor.clone();
        // The bare ones are to be without anything of this crate.
        if name.starts_with("bare") {
            tokio::spawn(serve_by_hyper(listener, acceptor, app));
        } else {
            let server = tower_expect::serve(listener, app);
            let server = server.with_acceptor(move |tcp| acceptor.accept(tcp));
            tokio::spawn(server.into_future());
        }
    }
    pending().await
}

async fn serve_by_hyper(listener: TcpListener, acceptor: TlsAcceptor, app: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, app) = (acceptor.clone(), app.clone());
        tokio::spawn(async move {
            _ = stream.set_nodelay(true);
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let server = auto::Builder::new(TokioExecutor::new());
            let app = TowerToHyperService::new(app);
            _ = server.serve_connection(TokioIo::new(stream), app).await;
        });
    }
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der())?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.into()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
