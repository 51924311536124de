//! An async validator looks the token up once, before the body is sent, and passes the user to the handler.
//!
//! Run with `cargo run --example axum_auth`, and try
//!
//! ```text
//! head -c 5000000 /dev/urandom > some.bin
//! alias up="curl -isT some.bin -w '%{size_upload} bytes sent\n'"
//!
//! curl http://127.0.0.1:3000/                                           # 200: anyone may read
//! up http://127.0.0.1:3000/files                                        # 401, 0 bytes sent
//! up -H 'Authorization: Bearer wrong' http://127.0.0.1:3000/files       # 401, 0 bytes sent
//! up -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:3000/files      # 200: stored for alice
//! truncate -s 20M some.bin
//! up -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:3000/files      # 413, 0 bytes sent
//! ```

use std::{collections::HashMap, env, io, sync::Arc};

use axum::{
    body::Bytes,
    extract::DefaultBodyLimit,
    http::Response,
    routing::{get, put},
    Extension, Json, Router,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::RwLock};
use tower_expect::{rules, Accepted, ExpectLayer, Rejection, RequestHead};

const LIMIT: usize = 10 << 20;

#[derive(Clone)]
pub(crate) struct User {
    name: String,
}

/// In place of a database.
type Tokens = Arc<RwLock<HashMap<String, User>>>;

async fn find(tokens: &Tokens, token: Option<String>) -> Result<User, Rejection> {
    let Some(token) = token else {
        return Err(Rejection::unauthorized("Bearer").with_extension("code", "no_token"));
    };
    let user = tokens.read().await.get(&token).cloned();
    user.ok_or_else(|| {
        Rejection::unauthorized("Bearer error=\"invalid_token\"")
            .with_extension("code", "unknown_token")
    })
}

/// Errors in the app's own JSON.
fn render(rejection: &Rejection, _: &RequestHead) -> Response<Bytes> {
    let code = rejection.extension("code").unwrap_or("rejected");
    let body = json!({ "error": { "code": code, "message": rejection.message() } });
    let response = Response::builder().header("content-type", "application/json");
    let body = Bytes::from(body.to_string());
    response.body(body).expect("a valid header")
}

pub(crate) fn app() -> Router {
    let alice = User {
        name: "alice".to_owned(),
    };
    let tokens = Tokens::new(HashMap::from([("s3cr3t".to_owned(), alice)]).into());
    let who = move |head: &RequestHead| {
        let (tokens, token) = (Arc::clone(&tokens), head.bearer().map(str::to_owned));
        async move { Ok(Accepted::new().with(find(&tokens, token).await?)) }
    };
    let how_much = rules::content_length(..=LIMIT as u64);
    Router::new()
        .route("/files", put(store))
        .layer(DefaultBodyLimit::max(LIMIT)) // axum's own is 2 MiB
        .layer(ExpectLayer::new(how_much).render_with(render))
        .layer(ExpectLayer::new_async(who).render_with(render))
        // Routes added below are outside of the layers.
        .route("/", get(|| async { "PUT something to /files\n" }))
}

async fn store(Extension(user): Extension<User>, body: Bytes) -> Json<serde_json::Value> {
    Json(json!({ "stored_for": user.name, "bytes": body.len() }))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app()).await
}
