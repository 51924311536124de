//! A store of one file, which each PUT replaces.

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{body::Bytes, extract::DefaultBodyLimit, routing::any, Router};
use http::{Method, StatusCode};
use tower_expect::{ExpectLayer, Validator};

use crate::support::listen;

/// The lengths of all that was stored, in bytes.
#[derive(Clone, Default)]
pub(super) struct Store(Arc<Mutex<Vec<usize>>>);

impl Store {
    pub(super) fn stored(&self) -> Vec<usize> {
        self.0.lock().unwrap().clone()
    }

    /// WebDAV clients look at the collection first.
    fn respond(
        &self,
        method: &Method,
        body: &Bytes,
    ) -> (StatusCode, [(&'static str, &'static str); 2], &'static str) {
        let headers = [("dav", "1"), ("content-type", "application/xml")];
        match method.as_str() {
            "PUT" => {
                self.0.lock().unwrap().push(body.len());
                (StatusCode::CREATED, headers, "")
            }
            "PROPFIND" => (StatusCode::MULTI_STATUS, headers, COLLECTION),
            "OPTIONS" => (StatusCode::OK, headers, ""),
            _ => (StatusCode::NOT_FOUND, headers, ""),
        }
    }

    /// Under `axum::serve` and under `serve`.
    pub(super) async fn servers(&self, validator: impl Validator + Clone) -> [SocketAddr; 2] {
        let store = self.clone();
        let app = Router::new()
            .fallback(any(move |method: Method, body: Bytes| async move {
                store.respond(&method, &body)
            }))
            .layer(DefaultBodyLimit::disable())
            .layer(ExpectLayer::new(validator));
        let (axum, axum_address) = listen().await;
        tokio::spawn(axum::serve(axum, app.clone()).into_future());
        let (own, own_address) = listen().await;
        tokio::spawn(tower_expect::serve(own, app).into_future());
        [axum_address, own_address]
    }
}

const COLLECTION: &str = r#"<?xml version="1.0"?>
<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat>
<D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>
<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>
"#;
