//! Servers that reject and close.

use std::{future::IntoFuture, io, net::SocketAddr};

use axum::{http::StatusCode, routing::any, Router};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const TEXT: &str = "too large\n";
const MEBIBYTE: usize = 1 << 20;

/// Responds before it has read anything of the body.
pub(crate) async fn axum_app() -> io::Result<SocketAddr> {
    let app = Router::new().fallback(any(|| async { (StatusCode::PAYLOAD_TOO_LARGE, TEXT) }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}

/// Responds in the midst of the body; sends no 100.
pub(crate) async fn closing() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client that has gone away is none of its concern.
            tokio::spawn(async move { reject(socket).await.ok() });
        }
    });
    Ok(address)
}

async fn reject(mut socket: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    while read < MEBIBYTE {
        match socket.read(&mut buffer).await? {
            0 => return Ok(()),
            len => read += len,
        }
    }
    let length = TEXT.len();
    let head = format!("HTTP/1.1 413 Payload Too Large\r\ncontent-length: {length}\r\n\r\n");
    socket.write_all(format!("{head}{TEXT}").as_bytes()).await
}
