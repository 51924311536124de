//! Clients that end a rejected upload early, as curl does over HTTP/2, cost the server a local stream
//! error each. h2 ends the connection at hyper's limit of them.

use bytes::Bytes;
use h2::{client::SendRequest, Reason};
use http::{Request, StatusCode};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::task::JoinHandle;
use tower_expect::Linger;

use crate::support::{connect, listen, rejecting, within};

const REJECTIONS: usize = 5_000;

enum Limit {
    Hypers,
    Lifted,
}

type Connection = JoinHandle<Result<(), h2::Error>>;

async fn serve(limit: Limit) -> (SendRequest<Bytes>, Connection) {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        stream.set_nodelay(true).expect("a TCP socket");
        let mut server = auto::Builder::new(TokioExecutor::new()).http2_only();
        server.http2().timer(TokioTimer::new());
        if let Limit::Lifted = limit {
            server.http2().max_local_error_reset_streams(None);
        }
        let service = TowerToHyperService::new(rejecting(Linger::default()));
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    });
    let (client, connection) = h2::client::handshake(connect(address).await)
        .await
        .expect("h2");
    (client, tokio::spawn(connection))
}

/// Announces 100 bytes, sends `len` once the rejection is there, and ends the stream.
async fn upload(client: SendRequest<Bytes>, len: usize) -> Result<StatusCode, h2::Error> {
    let request = Request::put("http://a/")
        .header("content-length", "100")
        .body(());
    let mut client = client.ready().await?;
    let (response, mut content) = client.send_request(request.expect("valid"), false)?;
    let response = within(5, response).await?;
    content.send_data(Bytes::from(vec![0; len]), true)?;
    Ok(response.status())
}

async fn rejections_before_the_connection_ends(client: SendRequest<Bytes>, len: usize) -> usize {
    for seen in 0..REJECTIONS {
        match upload(client.clone(), len).await {
            Ok(status) => assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => return seen,
        }
    }
    REJECTIONS
}

#[tokio::test]
async fn thousands_of_uploads_that_end_early_need_hypers_limit_lifted() {
    let (client, _connection) = serve(Limit::Lifted).await;
    assert_eq!(
        rejections_before_the_connection_ends(client, 10).await,
        REJECTIONS
    );
}

#[tokio::test]
async fn with_hypers_own_limit_they_end_the_connection_after_a_thousand() {
    let (client, connection) = serve(Limit::Hypers).await;
    let seen = rejections_before_the_connection_ends(client, 10).await;
    assert!((1_024..1_100).contains(&seen), "{seen}");
    let ended = within(5, connection).await.expect("no panic");
    assert_eq!(ended.unwrap_err().reason(), Some(Reason::ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn uploads_that_are_sent_whole_need_nothing() {
    let (client, _connection) = serve(Limit::Hypers).await;
    assert_eq!(
        rejections_before_the_connection_ends(client, 100).await,
        REJECTIONS
    );
}
