//! Requests per second against those of hyper, by h2load (package nghttp2-client).
//!
//! `cargo test --release -p tests-http2 -- --ignored --nocapture throughput`

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower_expect::http2::Builder;

const ROUNDS: usize = 9;

/// Reads the content to its end and says how long it was.
pub(crate) async fn measure<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut body = request.into_body();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        len += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(Response::new(Full::from(format!("{len} bytes"))))
}

async fn serve(with_hyper: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            stream.set_nodelay(true).expect("a TCP socket");
            if with_hyper {
                let service = TowerToHyperService::new(tower::service_fn(measure));
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new()).http2_only();
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            } else {
                let service = tower::service_fn(measure);
                tokio::spawn(Builder::new().serve_connection(stream, service));
            }
        }
    });
    address
}

struct Load {
    /// Requests per second.
    rate: f64,
    /// Ticks of the processor that the server took.
    cost: u64,
}

fn load(address: SocketAddr, requests: usize, content: usize) -> Load {
    let file = std::env::temp_dir().join(format!("tower-expect-{}", std::process::id()));
    let mut h2load = Command::new("h2load");
    h2load.args(["-n", &requests.to_string(), "-c", "8", "-m", "10"]);
    if content > 0 {
        std::fs::write(&file, vec![7; content]).expect("a temporary file");
        h2load.arg("-d").arg(&file);
    }
    let before = processor_ticks();
    let output = h2load
        .arg(format!("http://{address}/"))
        .stderr(Stdio::inherit())
        .output()
        .expect("h2load");
    let cost = processor_ticks() - before;
    let _ = std::fs::remove_file(&file);
    let output = String::from_utf8(output.stdout).expect("UTF-8");
    let all = format!(" {requests} succeeded, 0 failed");
    assert!(output.contains(&all), "{output}");
    let before_unit = output.split(" req/s").next().expect("a rate");
    let rate = before_unit.split(' ').next_back().expect("a rate");
    let rate = rate.parse().expect("a number");
    Load { rate, cost }
}

/// Of this process, without its children.
fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<_> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
    ticks(11) + ticks(12)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes, wants a release build and h2load"]
#[allow(clippy::cast_precision_loss, reason = "ticks are few")]
async fn throughput_is_that_of_hyper() {
    let servers = [serve(false).await, serve(true).await];
    for (name, requests, content) in [
        ("GET", 100_000, 0),
        ("64 KiB", 10_000, 64 << 10),
        ("8 MiB", 160, 8 << 20),
    ] {
        let (mut rates, mut rate_ratios, mut cost_ratios) = (vec![], vec![], vec![]);
        for round in 0..ROUNDS {
            // Whoever comes second may find the machine in another mood.
            let first = round % 2;
            let measured = tokio::task::block_in_place(|| {
                [first, 1 - first].map(|server| load(servers[server], requests, content))
            });
            let (ours, hypers) = (&measured[first], &measured[1 - first]);
            rates.push(ours.rate);
            rate_ratios.push(ours.rate / hypers.rate);
            cost_ratios.push(hypers.cost as f64 / ours.cost as f64);
        }
        let (rate, ratio, saved) = (median(rates), median(rate_ratios), median(cost_ratios));
        println!(
            "{name}: {rate:.0} requests/s, {ratio:.3} of hyper's; per tick {saved:.3} of hyper's"
        );
        // The processor's time tells more than the clock where others are at work, too.
        assert!(ratio.max(saved) >= 0.95, "{name}");
    }
}
