//! tonic's `Routes` on this crate's server, beside plain HTTP on the same port.
//!
//! Run with `cargo run --features serve --example http2_tonic`: server and client are in one process.

mod sum;

use std::{error::Error, future::IntoFuture};

use axum::{http::uri::PathAndQuery, routing::get};
use tokio::net::TcpListener;
use tonic::{
    service::Routes,
    transport::{Channel, Endpoint},
    Request,
};
use tonic_prost::ProstCodec;
use tower::Layer;
use tower_expect::{rules, ExpectLayer};

use self::sum::Sum;

async fn add(channel: Channel, token: &str, numbers: u64) -> Result<u64, Box<dyn Error>> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let mut request = Request::new(tokio_stream::iter(1..=numbers));
    let token = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", token);
    let path = PathAndQuery::from_static("/example.Sum/Add");
    let codec = ProstCodec::<u64, u64>::default();
    Ok(client
        .client_streaming(request, path, codec)
        .await?
        .into_inner())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let health = Routes::default()
        .into_axum_router()
        .route("/health", get(|| async {}));
    let routes = Routes::from(health).add_service(Sum).prepare();
    let service = ExpectLayer::new(rules::bearer_token("s3cr3t")).layer(routes);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(tower_expect::serve(listener, service).into_future());

    let channel = Endpoint::try_from(address)?.connect().await?;
    for token in ["wrong", "s3cr3t"] {
        match add(channel.clone(), token, 1_000).await {
            Ok(sum) => println!("the sum is {sum}"),
            Err(error) => println!("rejected: {error}"),
        }
    }
    Ok(())
}
