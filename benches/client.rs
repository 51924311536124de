//! Requests a second over loopback: by hyper-util's client alone, and with the client's half around it.
//!
//! `cargo bench -p benches --bench client`. Depends on the machine and what else it does; the instructions,
//! which `cost` counts, do not. So the ways take turns. What else the machine does only slows a round down: the
//! fastest counts, and is set against the bare client's.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use axum::{body::Bytes, routing::put, serve::ListenerExt, Router};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{
        connect::{Connect, HttpConnector},
        Client,
    },
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};
use tower::{Layer, Service, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, PatientConnector};

type Upload = Full<Bytes>;

const ROUNDS: usize = 21;
const ROUND: Duration = Duration::from_millis(250);
const AT_ONCE: usize = 8;
const CONTENT: &[u8] = &[b'x'; 64 << 10];

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("`cargo bench -p benches --bench client` measures requests a second");
        return;
    }
    let (tell, address) = std::sync::mpsc::channel();
    thread::spawn(move || runtime().block_on(serve(|address| tell.send(address).unwrap())));
    let address = address.recv().expect("the server's address");
    let runtime = runtime();
    let head = "requests a second, loopback";
    println!("{head:48} {:>10} {:>10}", "fastest", "median");
    for (scenario, ways) in scenarios() {
        let mut rates = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for (way, rates) in ways.iter().zip(&mut rates) {
                rates.push(runtime.block_on(way.rate(address)));
            }
        }
        println!("{scenario}");
        let mut bare = None;
        for (way, rates) in ways.iter().zip(&mut rates) {
            rates.sort_by(f64::total_cmp);
            let (median, fastest) = (rates[ROUNDS / 2], rates[ROUNDS - 1]);
            let ratio = fastest / *bare.get_or_insert(fastest);
            let name = way.name;
            println!("  {name:46} {fastest:>10.0} {median:>10.0}  x {ratio:.2}");
        }
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

async fn serve(tell: impl FnOnce(SocketAddr)) {
    let upload = |body: Bytes| async move { body.len().to_string() };
    let app = Router::new().route("/", put(upload).get(|| async { "done" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    tell(listener.local_addr().expect("its address"));
    let listener = listener.tap_io(|io| io.set_nodelay(true).expect("a TCP socket"));
    axum::serve(listener, app).await.expect("a server");
}

#[derive(Clone, Copy)]
enum Wrapping {
    Nothing,
    PatientSockets,
    /// With the default settings: 64 KiB are too short to ask.
    Layer,
    LayerAsking,
}

struct Way {
    name: &'static str,
    wrapping: Wrapping,
    content: &'static [u8],
}

fn scenarios() -> [(&'static str, Vec<Way>); 2] {
    let reading = [
        ("bare client", Wrapping::Nothing),
        ("PatientConnector", Wrapping::PatientSockets),
        ("ExpectContinueLayer, PatientConnector", Wrapping::Layer),
    ];
    let uploading = [
        ("bare client", Wrapping::Nothing),
        ("PatientConnector", Wrapping::PatientSockets),
        ("ExpectContinueLayer, PatientConnector", Wrapping::Layer),
        ("the same, asking, continued", Wrapping::LayerAsking),
    ];
    let ways = |content, ways: &[(&'static str, Wrapping)]| {
        let ways = ways.iter().map(|&(name, wrapping)| Way {
            name,
            wrapping,
            content,
        });
        ways.collect()
    };
    [
        ("GET", ways(&[], &reading)),
        ("PUT of 64 KiB", ways(CONTENT, &uploading)),
    ]
}

impl Way {
    async fn rate(&self, address: SocketAddr) -> f64 {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let patient = PatientConnector::new(connector.clone());
        let layer = ExpectContinueLayer::new();
        match self.wrapping {
            Wrapping::Nothing => self.load(client(connector), address).await,
            Wrapping::PatientSockets => self.load(client(patient), address).await,
            Wrapping::Layer => self.load(layer.layer(client(patient)), address).await,
            Wrapping::LayerAsking => {
                let layer = layer.min_length(0).no_memory();
                self.load(layer.layer(client(patient)), address).await
            }
        }
    }

    async fn load<S, R>(&self, service: S, address: SocketAddr) -> f64
    where
        S: Service<Request<Upload>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: std::fmt::Debug,
        R: Body<Data: Send, Error: std::fmt::Debug> + Send,
    {
        let start = Instant::now();
        let content = self.content;
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            let service = service.clone();
            tasks.spawn(async move {
                let mut done = 0_u32;
                while start.elapsed() < ROUND {
                    let request = request(content, address);
                    let response = service.clone().oneshot(request).await;
                    let response = response.expect("a response");
                    assert!(response.status().is_success(), "{}", response.status());
                    response.into_body().collect().await.expect("its body");
                    done += 1;
                }
                done
            });
        }
        let done: u32 = tasks.join_all().await.into_iter().sum();
        f64::from(done) / start.elapsed().as_secs_f64()
    }
}

fn request(content: &'static [u8], address: SocketAddr) -> Request<Upload> {
    let uri = format!("http://{address}/");
    let request = match content {
        [] => Request::get(uri),
        _ => Request::put(uri),
    };
    let body = Full::new(Bytes::from_static(content));
    request.body(body).expect("a request")
}

fn client<C, B>(connector: C) -> Client<C, B>
where
    C: Connect + Clone,
    B: Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build(connector)
}
