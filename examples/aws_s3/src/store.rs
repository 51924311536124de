//! A store that takes S3's PutObject, for want of a bucket: any path, one key.

use std::{
    future::IntoFuture,
    io,
    net::SocketAddr,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};

use axum::{
    body::{Body, Bytes},
    http::{
        header::{CONTENT_TYPE, ETAG},
        HeaderValue, Response, StatusCode,
    },
    response::IntoResponse,
    routing::any,
    Router,
};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

/// The id of the key that it takes; signatures are not checked.
pub const KEY: &str = "AKIAEXAMPLE";

const FORBIDDEN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>InvalidAccessKeyId</Code><Message>There is no such key</Message></Error>"#;

/// A store that runs until the runtime ends.
#[derive(Clone, Debug)]
pub struct Store {
    address: SocketAddr,
    received: Arc<AtomicU64>,
}

impl Store {
    /// Starts a store on a free port of loopback.
    ///
    /// # Errors
    ///
    /// When there is no such port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let store = Self {
            address: listener.local_addr()?,
            received: Arc::default(),
        };
        let put = store.clone();
        let app = Router::new()
            .fallback(any(move |body: Body| async move { put.object(body).await }))
            .layer(ExpectLayer::new(known_key));
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(store)
    }

    /// The URL to be given to the SDK.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many bytes of bodies have come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    async fn object(&self, mut body: Body) -> Response<Body> {
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => {
                    let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                    self.received.fetch_add(bytes, Ordering::Relaxed);
                }
                Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            }
        }
        [(ETAG, r#""stored""#)].into_response()
    }
}

fn known_key(head: &RequestHead) -> Result<(), Rejection> {
    let ours = format!("Credential={KEY}/");
    let authorization = head.headers.get("authorization");
    match authorization.and_then(|value| value.to_str().ok()) {
        Some(value) if value.contains(&ours) => Ok(()),
        _ => Err(forbidden().into()),
    }
}

fn forbidden() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(FORBIDDEN.as_bytes()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(CONTENT_TYPE, xml);
    response
}
