//! tonic's `Routes` on this crate's server, beside plain HTTP on the same port.
//!
//! Run with `cargo run -p tonic_examples --bin serve_tonic`: a client calls the service, first with a
//! wrong token. Then the server goes on, until Ctrl-C:
//!
//! ```console
//! $ curl -H 'Authorization: Bearer s3cr3t' http://127.0.0.1:3000/health                          # by HTTP/1.1
//! $ curl -H 'Authorization: Bearer s3cr3t' --http2-prior-knowledge http://127.0.0.1:3000/health  # by HTTP/2
//! ```

mod sum;

use std::{error::Error, io};

use axum::{http::uri::PathAndQuery, routing::get};
use tokio::net::{TcpListener, TcpStream};
use tonic::{
    service::Routes,
    transport::{server::Connected, Channel, Endpoint},
    Request, Status,
};
use tonic_prost::ProstCodec;
use tower::Layer;
use tower_expect::{rules, ExpectLayer};

use self::sum::Sum;

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let health = Routes::default()
        .into_axum_router()
        .route("/health", get(|| async { "fine\n" }));
    let routes = Routes::from(health).add_service(Sum).prepare();
    let service = ExpectLayer::new(rules::bearer_token("s3cr3t")).layer(routes);
    tower_expect::serve(listener, service)
        // For tonic's `Request::remote_addr` and `local_addr`.
        .with_stream_info(TcpStream::connect_info)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
}

/// The sum, and the address that the server has seen.
pub(crate) async fn add(
    channel: Channel,
    token: &str,
    numbers: u64,
) -> Result<(u64, String), Status> {
    let mut client = tonic::client::Grpc::new(channel);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(tokio_stream::iter(1..=numbers));
    let token = format!("Bearer {token}").parse();
    let token = token.map_err(|_| Status::invalid_argument("no token for a header"))?;
    request.metadata_mut().insert("authorization", token);
    let path = PathAndQuery::from_static("/example.Sum/Add");
    let codec = ProstCodec::<u64, u64>::default();
    let response = client.client_streaming(request, path, codec).await?;
    let seen = response.metadata().get("client");
    let seen = seen.and_then(|client| client.to_str().ok());
    let seen = seen.unwrap_or("unknown").to_owned();
    Ok((response.into_inner(), seen))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(serve(listener));

    let channel = Endpoint::try_from(address.clone())?.connect().await?;
    for token in ["wrong", "s3cr3t"] {
        match add(channel.clone(), token, 1_000).await {
            Ok((sum, client)) => println!("the sum for {client} is {sum}"),
            Err(status) => println!("rejected: {status}"),
        }
    }
    drop(channel);
    println!("listening on {address}");
    Ok(server.await??)
}
