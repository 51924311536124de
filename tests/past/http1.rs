//! The request of a cell as bytes of HTTP/1.

use std::{fmt::Write, net::SocketAddr};

use tokio::io::AsyncWriteExt;

use crate::{
    cell::{Cell, Version},
    oracle::End,
    support::Wire,
};

fn bytes(cell: &Cell, number: usize) -> String {
    let target = match cell.method {
        "CONNECT" => "a:80",
        _ => "/",
    };
    let version = match cell.version {
        Version::Http10 => "1.0",
        _ => "1.1",
    };
    let mut bytes = format!("{} {target} HTTP/{version}\r\nhost: a\r\n", cell.method);
    for (name, value) in cell.headers(number) {
        write!(bytes, "{name}: {value}\r\n").unwrap();
    }
    let data = "x".repeat(cell.framing.data.try_into().unwrap());
    if !cell.framing.chunked {
        return bytes + "\r\n" + &data;
    }
    bytes += "transfer-encoding: chunked\r\n\r\n";
    // Each piece alone is within the limit.
    for piece in data.as_bytes().chunks(5) {
        write!(
            bytes,
            "{:x}\r\n{}\r\n",
            piece.len(),
            "x".repeat(piece.len())
        )
        .unwrap();
    }
    let trailers = match cell.framing.trailers {
        true => "x-late: 1\r\n",
        false => "",
    };
    bytes + "0\r\n" + trailers + "\r\n"
}

/// Sends all at once, whatever the server says. Goes on with the connection if that may be.
pub(crate) async fn run(
    address: SocketAddr,
    open: &mut Option<Wire>,
    cell: &Cell,
    number: usize,
) -> End {
    let mut wire = match open.take() {
        Some(wire) => wire,
        None => Wire::to(address).await,
    };
    // A server that has rejected the head may have closed already.
    _ = wire.try_send(bytes(cell, number)).await;
    let framing = cell.framing;
    let length = framing.length.filter(|_| !framing.chunked);
    if length > Some(framing.data) {
        _ = wire.stream.shutdown().await;
    }
    loop {
        match wire.try_parse(false).await {
            None => return End::Cut,
            Some(message) if message.status() < 200 => {}
            Some(message) => {
                // What was sent beyond the length is no request.
                let is_whole = length.is_none_or(|length| length == framing.data);
                let goes_on = message.field("connection").is_none()
                    && message.status() == 200
                    && is_whole
                    && cell.version == Version::Http11
                    && cell.method != "CONNECT";
                *open = goes_on.then_some(wire);
                return End::Status(message.status());
            }
        }
    }
}
