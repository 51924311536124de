//! What tells how a proxy in front behaves.
//!
//! `/ask` checks the token of a request without a body, `/echo/…` answers with its own path,
//! `/hidden/…` notes that it was called, and `/called` lists those calls.

use std::sync::Mutex;

use axum::{
    http::{StatusCode, Uri},
    routing::any,
    Router,
};
use tower_expect::{rules, ExpectLayer};

static HIDDEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(crate) fn routes(token: &'static str) -> Router {
    let rule = ExpectLayer::new(rules::bearer(move |given| given == token));
    let ask = any(StatusCode::NO_CONTENT).layer(rule);
    Router::new()
        .route("/ask", ask)
        .route("/echo/{*rest}", any(echo))
        .route("/hidden/{*rest}", any(hidden))
        .route("/called", any(called))
}

async fn echo(uri: Uri) -> String {
    uri.path().to_owned()
}

async fn hidden(uri: Uri) {
    HIDDEN.lock().unwrap().push(uri.path().to_owned());
}

async fn called() -> String {
    HIDDEN.lock().unwrap().join("\n")
}
