//! The request of a cell as frames of HTTP/2.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use crate::{cell::Cell, frames::Connection, oracle::End};

/// Sends all at once, whatever the server says.
pub(crate) async fn run(connection: &Connection, cell: &Cell, number: usize) -> End {
    let uri = match cell.method {
        "CONNECT" => "a:80",
        _ => "http://a/",
    };
    let mut request = Request::builder().method(cell.method).uri(uri);
    for (name, value) in cell.headers(number) {
        request = request.header(name, value);
    }
    let framing = cell.framing;
    let mut exchange = connection.open(request, framing.ended).await;
    if !framing.ended {
        send(&mut exchange.body, framing.data, framing.trailers);
    }
    match exchange.try_receive().await {
        Ok(received) => End::Status(received.response.status().as_u16()),
        Err(error) => {
            // hyper ends the connection of a CONNECT with a length (1.12.0, src/proto/h2/server.rs:291).
            assert!(
                error.is_reset() || cell.method == "CONNECT",
                "{cell:?}: {error}"
            );
            End::Cut
        }
    }
}

/// Each piece alone is within the limit. A stream that was reset takes no more.
fn send(body: &mut h2::SendStream<Bytes>, data: u64, trailers: bool) {
    let data = vec![b'x'; data.try_into().unwrap()];
    for piece in data.chunks(5) {
        _ = body.send_data(Bytes::copy_from_slice(piece), false);
    }
    if trailers {
        let late = HeaderValue::from_static("1");
        _ = body.send_trailers(HeaderMap::from_iter([("x-late".parse().unwrap(), late)]));
    } else {
        _ = body.send_data(Bytes::new(), true);
    }
}
