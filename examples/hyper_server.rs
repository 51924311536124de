//! Plain hyper with a tower `ServiceBuilder`, no framework.
//!
//! Run with `cargo run --example hyper_server`, and try
//!
//! ```text
//! head -c 5000000 /dev/urandom > some.bin
//! curl -v -T some.bin http://127.0.0.1:3000/                   # 200, after a 100
//! curl -v -T - http://127.0.0.1:3000/ < some.bin                 # 411: sent in chunks
//! curl -v -T some.bin -X POST http://127.0.0.1:3000/           # 405
//! truncate -s 20M some.bin
//! curl -v -T some.bin http://127.0.0.1:3000/                   # 413
//! ```

use std::{convert::Infallible, env, io};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{util::BoxCloneService, ServiceBuilder};
use tower_expect::{rules, ExpectBody, ExpectLayer, ResponseBody};

type App = BoxCloneService<Request<Incoming>, Response<ResponseBody<Full<Bytes>>>, Infallible>;

pub(crate) fn app() -> App {
    let rule = rules::method([Method::PUT]).and(rules::content_length(..=10 << 20).required());
    ServiceBuilder::new()
        .boxed_clone()
        .layer(ExpectLayer::new(rule))
        .service_fn(upload)
}

async fn upload(
    request: Request<ExpectBody<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let mut cut_short = Response::default();
            *cut_short.status_mut() = StatusCode::BAD_REQUEST;
            return Ok(cut_short);
        };
        received += frame.data_ref().map_or(0, Bytes::len);
    }
    let receipt = format!("received {received} bytes\n");
    Ok(Response::new(Full::from(receipt)))
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let service = TowerToHyperService::new(app());
    loop {
        let (socket, _) = listener.accept().await?;
        let _ = socket.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), service.clone());
        tokio::spawn(async {
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener).await
}
