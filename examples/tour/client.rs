//! A client that writes and reads plain bytes, and records them.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{timeout, Instant},
};

use super::{
    exchange::Exchange,
    record::{Bytes, Record, Side},
};

pub(crate) async fn play(server: SocketAddr, exchange: &Exchange) -> io::Result<Record> {
    let socket = TcpStream::connect(server).await?;
    socket.set_nodelay(true)?;
    let mut record = Record::default();
    let talk = talk(BufReader::new(socket), exchange, &mut record);
    record.failure = match timeout(Duration::from_secs(10), talk).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("nothing arrived for 10 s".into()),
    };
    Ok(record)
}

async fn talk(
    mut socket: BufReader<TcpStream>,
    exchange: &Exchange,
    record: &mut Record,
) -> io::Result<()> {
    let start = Instant::now();
    let head = exchange.head();
    socket.write_all(head.as_bytes()).await?;
    record.add(start.elapsed(), Side::Client, Bytes::Text(head));
    let mut may_send = !exchange.waits;
    loop {
        if may_send && record.sent < exchange.body {
            let what = Bytes::Body(exchange.body);
            record.add(start.elapsed(), Side::Client, what);
            let body = vec![0; exchange.body];
            while record.sent < exchange.body {
                record.sent += socket.write(&body[record.sent..]).await?;
            }
        }
        let response = receive(&mut socket).await?;
        may_send = response.starts_with("HTTP/1.1 100 ");
        record.took = start.elapsed();
        record.add_response(record.took, response);
        if !may_send {
            break;
        }
        record.continued = Some(record.took);
    }
    socket.shutdown().await?;
    // Nothing may arrive after the final response.
    while !socket.fill_buf().await?.is_empty() {
        let stray = receive(&mut socket).await?;
        record.add_response(start.elapsed(), stray);
    }
    Ok(())
}

/// Reads a response with its body.
async fn receive(socket: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut response = String::new();
    while !response.ends_with("\r\n\r\n") {
        if socket.read_line(&mut response).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut fields = response.lines();
    let length = fields.find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(Ok(0), str::parse).map_err(io::Error::other)?;
    socket.take(length).read_to_string(&mut response).await?;
    Ok(response)
}
