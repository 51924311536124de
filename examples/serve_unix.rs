//! An axum application on a Unix socket, with the credentials of each client from the kernel.
//!
//! Run with `cargo run --features serve --example serve_unix`, and in another terminal:
//!
//! ```console
//! $ head -c 1000000 /dev/zero > file
//! $ curl --unix-socket /tmp/tower-expect.sock -T file http://localhost/upload
//! $ curl --unix-socket /tmp/tower-expect.sock --http2-prior-knowledge -T file http://localhost/upload
//! ```

#[cfg(unix)]
pub(crate) mod unix {
    use std::{fs, io, os::unix::fs::FileTypeExt, path::Path};

    use axum::{body::Bytes, extract::Extension, http::StatusCode, routing::put, Router};
    use tokio::net::{unix::UCred, UnixListener, UnixStream};
    use tower_expect::{rules, ExpectLayer};

    /// The process of the client when it connected; `None` if the kernel does not provide it.
    #[derive(Clone)]
    struct Peer(Option<UCred>);

    async fn upload(
        Extension(Peer(peer)): Extension<Peer>,
        body: Bytes,
    ) -> Result<String, StatusCode> {
        let peer = peer.ok_or(StatusCode::FORBIDDEN)?;
        let (length, user) = (body.len(), peer.uid());
        Ok(format!("{length} bytes from user {user}\n"))
    }

    fn app() -> Router {
        Router::new()
            .route("/upload", put(upload))
            .layer(ExpectLayer::new(rules::content_length(..=1 << 20)))
    }

    pub(crate) async fn serve(listener: UnixListener) -> io::Result<()> {
        tower_expect::serve(listener, app())
            .with_stream_info(|stream: &UnixStream| Peer(stream.peer_cred().ok()))
            .await
    }

    /// Replaces the socket file of an earlier run.
    pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
        let is_socket = fs::metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket {
            fs::remove_file(path)?;
        }
        UnixListener::bind(path)
    }
}

#[cfg(unix)]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let path = std::path::Path::new("/tmp/tower-expect.sock");
    let listener = unix::bind(path)?;
    println!("listening on {}", path.display());
    unix::serve(listener).await
}

#[cfg(not(unix))]
fn main() {
    println!("there are no Unix sockets here");
}
