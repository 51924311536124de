//! Uploads by the clients of hyper, tonic and this crate.
//!
//! ```text
//! interop_client CLIENT [URL BYTES EXPECT TOKEN RUNS]
//! ```
//!
//! CLIENT is hyper, hyper-h2, tonic, our-client, our-client-kept or our-client-no-expect. EXPECT is for the
//! first two; a client that is kept does all uploads of the process.
//!
//! Without the job on the command line, jobs are read from the standard input, one a line. One line
//! a run tells what the caller of the library saw.

mod ours;

use std::{error::Error, io};

use axum::http::{
    header::{AUTHORIZATION, EXPECT},
    uri::PathAndQuery,
    Request, Uri,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::{client::Grpc, transport::Endpoint, Code};
use tonic_prost::ProstCodec;

use self::ours::Asking;

type Outcome = Result<u16, Box<dyn Error>>;

struct Job {
    url: Uri,
    body: Bytes,
    expect: bool,
    token: String,
    runs: usize,
}

impl Job {
    fn parse(words: &[&str]) -> Result<Self, Box<dyn Error>> {
        let &[url, bytes, expect, token, runs] = words else {
            return Err("a job is: URL BYTES EXPECT TOKEN RUNS".into());
        };
        Ok(Self {
            url: url.parse()?,
            body: Bytes::from(vec![0; bytes.parse()?]),
            expect: expect == "1",
            token: format!("Bearer {token}"),
            runs: runs.parse()?,
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let (client, job) = args.split_first().ok_or("which client?")?;
    if !job.is_empty() {
        let words: Vec<_> = job.iter().map(String::as_str).collect();
        return run(client, &Asking::new(), &Job::parse(&words)?).await;
    }
    let kept = Asking::new();
    for line in io::stdin().lines() {
        let line = line?;
        let words: Vec<_> = line.split_whitespace().collect();
        run(client, &kept, &Job::parse(&words)?).await?;
    }
    Ok(())
}

async fn run(client: &str, kept: &Asking, job: &Job) -> Result<(), Box<dyn Error>> {
    for _ in 0..job.runs {
        let outcome = match client {
            "hyper" => hyper(job, false).await,
            "hyper-h2" => hyper(job, true).await,
            "tonic" => tonic(job).await,
            "our-client" => Asking::new().upload(job).await,
            "our-client-kept" => kept.upload(job).await,
            "our-client-no-expect" => ours::upload_at_once(job).await,
            _ => return Err("no such client".into()),
        };
        match outcome {
            Ok(status) => println!("{status}"),
            Err(error) => println!("error:{}", innermost(&*error)),
        }
    }
    Ok(())
}

async fn hyper(job: &Job, http2: bool) -> Outcome {
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build_http();
    let mut request = Request::put(&job.url).header(AUTHORIZATION, &job.token);
    if job.expect {
        request = request.header(EXPECT, "100-continue");
    }
    let response = client
        .request(request.body(Full::new(job.body.clone()))?)
        .await?;
    Ok(response.status().as_u16())
}

/// The status is the one that stands for the code that tonic reports.
async fn tonic(job: &Job) -> Outcome {
    let parts = job.url.clone().into_parts();
    let authority = parts.authority.ok_or("no authority")?;
    let channel = Endpoint::from_shared(format!("http://{authority}"))?
        .connect()
        .await?;
    let mut client = Grpc::new(channel);
    client.ready().await?;
    let mut request = tonic::Request::new(job.body.clone());
    request
        .metadata_mut()
        .insert("authorization", job.token.parse()?);
    let path = parts
        .path_and_query
        .unwrap_or(PathAndQuery::from_static("/"));
    let codec = ProstCodec::<Bytes, ()>::default();
    match client.unary(request, path, codec).await {
        Ok(_) => Ok(200),
        Err(status) => match status.code() {
            Code::Unauthenticated => Ok(401),
            Code::ResourceExhausted => Ok(413),
            Code::FailedPrecondition => Ok(417),
            _ => Err(status.into()),
        },
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string().replace('\n', " ")
}
