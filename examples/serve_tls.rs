//! The same over TLS, by an acceptor.
//!
//! Run with `cargo run --features serve --example http2_axum_tls`, and in another terminal:
//!
//! ```console
//! $ head -c 1000000 /dev/zero > file
//! $ curl -k -T file https://localhost:3443/upload            # by HTTP/2, by ALPN
//! $ curl -k --http1.1 -T file https://localhost:3443/upload
//! ```

use std::{error::Error, sync::Arc};

use axum::{body::Bytes, routing::put, Router};
use tokio::net::TcpListener;
use tokio_rustls::{
    rustls::{pki_types::PrivateKeyDer, ServerConfig},
    TlsAcceptor,
};
use tower_expect::{rules, ExpectLayer};

fn app() -> Router {
    let upload = |content: Bytes| async move { format!("{} bytes\n", content.len()) };
    Router::new()
        .route("/upload", put(upload))
        .layer(ExpectLayer::new(rules::content_length(..=1 << 20)))
}

/// With a certificate that nobody trusts, made anew each time.
fn acceptor() -> Result<TlsAcceptor, Box<dyn Error>> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der())?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.into()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:3443").await?;
    println!("listening on https://localhost:3443");
    let acceptor = acceptor()?;
    tower_expect::serve(listener, app())
        .with_acceptor(move |tcp| acceptor.accept(tcp))
        .await?;
    Ok(())
}
