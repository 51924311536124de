//! An axum app that accepts or rejects uploads before they are sent: by token, media type and length.
//!
//! Run with `cargo run --example axum_upload`, or `… -- 127.0.0.1:0` for any free port, and try
//!
//! ```text
//! head -c 20000000 /dev/urandom > big.bin
//! alias up="curl -sT big.bin -w '%{http_code}: %{size_upload} bytes sent\n'"
//! token='Authorization: Bearer s3cr3t' png='Content-Type: image/png'
//! url=http://127.0.0.1:3000/upload
//!
//! up -H "$token" -H "$png" $url/big.bin                     # 200, after a 100: see it with -v
//! up -H "$png" $url/big.bin                                 # 401, 0 bytes sent
//! up -H "$token" $url/big.bin                               # 415, 0 bytes sent
//! up -H "$token" -H "$png" -H 'Expect: 100-continue, 200-ok' $url/big.bin   # 417, 0 bytes sent
//! up -H "$token" -H "$png" $url/taken.bin                   # 409 from the handler, 0 bytes sent
//! up -H "$token" -H "$png" -H 'Expect:' $url/taken.bin      # 409, though curl does not wait
//! truncate -s 200M big.bin
//! up -H "$token" -H "$png" $url/big.bin                     # 413, 0 bytes sent
//! up -H "$token" -H "$png" -H 'Transfer-Encoding: chunked' $url/big.bin     # 413, at 100 MiB
//! ```

use std::{env, io};

use axum::body::{Body, Bytes};
use axum::{extract::Path, http::StatusCode, routing::put, serve::ListenerExt, Router};
use http_body_util::{BodyExt, LengthLimitError};
use tokio::net::TcpListener;
use tower_expect::{rules, ExpectLayer};

const LIMIT: u64 = 100 << 20;

pub(crate) fn app() -> Router {
    let rule = rules::bearer_token("s3cr3t")
        .and(rules::content_type(["image/*", "application/pdf"]))
        // Also limits chunked requests, whose length is not known beforehand.
        .and(rules::content_length(..=LIMIT));
    let layer = ExpectLayer::new(rule);
    Router::new().route("/upload/{name}", put(upload).layer(layer))
}

type Error = (StatusCode, String);

async fn upload(Path(name): Path<String>, mut body: Body) -> Result<String, Error> {
    // A response before the body is read is not lost: the layer drains the body.
    if name == "taken.bin" {
        return Err((StatusCode::CONFLICT, format!("{name} is there already\n")));
    }
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(error)?;
        received += frame.data_ref().map_or(0, Bytes::len); // your storage takes it here
    }
    Ok(format!("{name}: {received} bytes\n"))
}

fn error(error: axum::Error) -> Error {
    match error.into_inner().is::<LengthLimitError>() {
        true => (StatusCode::PAYLOAD_TOO_LARGE, "too long\n".into()),
        false => (StatusCode::BAD_REQUEST, "cut short\n".into()),
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app()).await
}
