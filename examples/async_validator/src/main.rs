//! A rule that asks a database: who is this, and how many uploads are left?
//!
//! Run with `cargo run -p async_validator`, and try
//!
//! ```text
//! head -c 5000000 /dev/urandom > some.bin
//! alias up="curl -sT some.bin -w '%{http_code}: %{size_upload} bytes sent\n'"
//!
//! up http://127.0.0.1:3000/                                      # 401
//! up -H 'Authorization: Bearer unknown' http://127.0.0.1:3000/   # 401
//! up -H 'Authorization: Bearer spent' http://127.0.0.1:3000/     # 429
//! up -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:3000/    # 200, then 200, then 429
//! ```

use std::{env, error::Error, time::Duration};

use axum::body::{Body, Bytes};
use axum::{http::StatusCode, routing::put, serve::ListenerExt, Router};
use http_body_util::BodyExt;
use sqlx::{sqlite::SqlitePoolOptions, SqlitePool};
use tokio::net::TcpListener;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

pub(crate) async fn app() -> Result<Router, sqlx::Error> {
    // One connection for ever: each one to `:memory:` has a database of its own.
    let options = SqlitePoolOptions::new().max_connections(1);
    let options = options.idle_timeout(None).max_lifetime(None);
    let tokens = options.connect("sqlite::memory:").await?;
    sqlx::raw_sql(
        "CREATE TABLE tokens (token TEXT PRIMARY KEY, uploads_left INTEGER NOT NULL);
         INSERT INTO tokens VALUES ('s3cr3t', 2), ('spent', 0);",
    )
    .execute(&tokens)
    .await?;
    let layer = ExpectLayer::new_async(move |head: &RequestHead| {
        let token = head.bearer().map(str::to_owned);
        let tokens = tokens.clone();
        async move { take_one(&tokens, token.as_deref()).await }
    });
    Ok(Router::new().route("/{name}", put(upload)).layer(layer))
}

async fn take_one(tokens: &SqlitePool, token: Option<&str>) -> Result<(), Rejection> {
    // One statement, so that two uploads at a time cannot both take the last one.
    let take = "UPDATE tokens SET uploads_left = max(uploads_left, 0) - 1
                WHERE token = ? RETURNING uploads_left";
    let take = sqlx::query_scalar::<_, i64>(take).bind(token);
    match take.fetch_optional(tokens).await {
        Ok(Some(0..)) => Ok(()),
        Ok(Some(_)) => Err(Rejection::too_many_requests(Duration::from_secs(3600))),
        Ok(None) => Err(Rejection::unauthorized("Bearer")),
        Err(error) => {
            eprintln!("{error}");
            Err(Rejection::service_unavailable(Duration::from_secs(1)))
        }
    }
}

async fn upload(mut body: Body) -> Result<String, StatusCode> {
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        received += frame.data_ref().map_or(0, Bytes::len);
    }
    Ok(format!("received {received} bytes\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    Ok(axum::serve(listener, app().await?).await?)
}
