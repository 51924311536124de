//! Uploads that ask for a 100 and get it, one after the other on each connection.

use std::{io, time::Instant};

use serde_json::{json, Value};
use tokio::{io::AsyncWriteExt, task::JoinSet};

use crate::{
    connection::{connect, put, Heads},
    latencies::Latencies,
    Failure, Load,
};

pub(crate) async fn run(load: Load) -> Result<Value, Failure> {
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..load.connections {
        clients.spawn(upload_until(load, started));
    }
    let mut latencies = Latencies::default();
    while let Some(of_one) = clients.join_next().await {
        latencies.append(of_one??);
    }
    Ok(json!({
        "requests": latencies.count(),
        "seconds": started.elapsed().as_secs_f64(),
        "p50_us": latencies.percentile(50),
        "p99_us": latencies.percentile(99),
    }))
}

async fn upload_until(load: Load, started: Instant) -> io::Result<Latencies> {
    let mut latencies = Latencies::default();
    let request = put("/upload", true, load.length);
    let content = vec![0; load.length];
    let mut stream = connect(load.address).await?;
    let mut heads = Heads::default();
    while started.elapsed() < load.time {
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        let head = heads.next(&mut stream).await?;
        if head.status != 100 {
            return Err(io::Error::other(format!("{} and not 100", head.status)));
        }
        stream.write_all(&content).await?;
        let head = heads.last(&mut stream).await?;
        if head.status != 200 {
            return Err(io::Error::other(format!("{} and not 200", head.status)));
        }
        heads.skip_content(&head, &mut stream).await?;
        latencies.add(begun.elapsed());
    }
    Ok(latencies)
}
