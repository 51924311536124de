//! actix-http, with its `expect` handler; refuses long uploads by their `Content-Length`.
//!
//! The first line printed is the address.

use std::{io, net::TcpListener};

use actix_http::{
    body::BoxBody, header::CONTENT_LENGTH, Error, HttpService, Request, Response, StatusCode,
};
use actix_server::Server;
use futures_util::StreamExt;

const LIMIT: u64 = 2 << 20;

fn main() -> io::Result<()> {
    actix_rt::System::new().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("{}", listener.local_addr()?);
        let service = || {
            HttpService::build()
                .expect(|request: Request| async move {
                    match is_too_long(&request) {
                        true => Err(TooLong),
                        false => Ok(request),
                    }
                })
                .finish(upload)
                .tcp()
        };
        Server::build()
            .workers(1)
            .listen("refusals", listener, service)?
            .run()
            .await
    })
}

fn is_too_long(request: &Request) -> bool {
    let announced = request.head().headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    announced > Some(LIMIT)
}

async fn upload(mut request: Request) -> Result<Response<BoxBody>, Error> {
    if is_too_long(&request) {
        return Ok(too_long());
    }
    let mut bytes = 0;
    let mut content = request.take_payload();
    while let Some(Ok(data)) = content.next().await {
        bytes += data.len();
    }
    Ok(Response::ok().set_body(BoxBody::new(format!("{bytes} bytes\n"))))
}

fn too_long() -> Response<BoxBody> {
    Response::with_body(StatusCode::PAYLOAD_TOO_LARGE, BoxBody::new("too large\n"))
}

#[derive(Debug)]
struct TooLong;

impl From<TooLong> for Response<BoxBody> {
    fn from(_: TooLong) -> Self {
        too_long()
    }
}
