//! Connections that ask for a 100 and wait, until standard input ends.

use std::{
    io::{self, Read},
    net::SocketAddr,
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use crate::{
    connection::{connect, put},
    Failure,
};

const LENGTH: usize = 1 << 20;

/// Opens them, prints a line when the server has all of the requests, and keeps them.
pub(crate) async fn run(
    address: SocketAddr,
    path: String,
    connections: usize,
) -> Result<(), Failure> {
    let request = put(&path, true, LENGTH);
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut stream = connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        open.push(stream);
    }
    while waiting(address).await? < connections {
        sleep(Duration::from_millis(20)).await;
    }
    println!("{}", json!({ "waiting": connections }));
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    drop(open);
    Ok(())
}

/// How many requests wait inside the server.
async fn waiting(address: SocketAddr) -> Result<usize, Failure> {
    let mut stream = connect(address).await?;
    let request = "GET /waiting HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    let count = response.rsplit("\r\n").next().unwrap_or_default();
    Ok(count.parse()?)
}
