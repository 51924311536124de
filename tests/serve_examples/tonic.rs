//! `serve_tonic`: tonic's client, and curl on the same port.

use tokio::net::TcpListener;
use tonic::{transport::Endpoint, Code};

use crate::{serve_tonic, tools::curl};

async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(serve_tonic::serve(listener));
    format!("http://{address}")
}

#[tokio::test]
async fn tonics_client_is_known_by_its_address_and_rejected_with_a_status() {
    let endpoint = Endpoint::try_from(start().await).expect("a URL");
    let channel = endpoint.connect().await.expect("open");
    let rejected = serve_tonic::add(channel.clone(), "wrong", 10).await;
    assert_eq!(rejected.unwrap_err().code(), Code::Unauthenticated);
    let accepted = serve_tonic::add(channel, "s3cr3t", 1_000).await;
    let (sum, client) = accepted.expect("accepted");
    assert_eq!((sum, client.as_str()), (500_500, "127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_asks_for_the_health_by_both_versions() {
    let url = format!("{}/health", start().await);
    let token = "Authorization: Bearer s3cr3t";
    for (version, number) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        let Some(printed) = curl(&[version, "--header", token], &url) else {
            return;
        };
        assert_eq!(printed, format!("fine\n{number} 200 0"));
    }
    let rejected = curl(&[], &url).expect("there");
    assert!(rejected.ends_with(" 401 0"), "{rejected}");
}
