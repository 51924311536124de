//! Uploads a file, with a progress bar, and says how many bytes it was spared.
//!
//! Run with `cargo run -p upload -- FILE URL`, for instance against `cargo run --example axum_upload`:
//!
//! ```console
//! $ truncate -s 1G big.png
//! $ cargo run -p upload -- big.png http://127.0.0.1:3000/upload/big.png
//! asked whether to send 1.00 GiB
//! the server responded without it after 1 ms
//! rejected: 401 Unauthorized
//! spared 1.00 GiB of 1.00 GiB (1073741824 bytes)
//! repeat the request with a Bearer token
//! ```
//!
//! The last line is the server's own and goes to standard output, the others to standard error.
//!
//! The exit status is 0 if the server took the file, 1 if it rejected it, and 2 if there was an error.

mod outcome;
mod progress;
mod tls;

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use http::{
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    HeaderName, HeaderValue, Request, Uri,
};
use http_body_util::{combinators::UnsyncBoxBody, BodyExt};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::fs::File;
use tower::{Layer, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, PatientConnector};

use self::{
    outcome::{Outcome, Story},
    progress::{counted, Progress},
};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
/// A file, piece by piece.
type FileBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// Uploads a file by PUT, once the server has agreed to take it
#[derive(Debug, Parser)]
struct Options {
    /// The file to upload
    file: PathBuf,
    /// Where to: http://… or https://…
    url: Uri,
    /// The Content-Type; by default that of the file's extension
    #[arg(long, value_name = "TYPE")]
    content_type: Option<HeaderValue>,
    /// A header to send: 'Name: value'
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// How long to wait for the server to ask for the file
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    expect_timeout: Duration,
    /// Trust any certificate
    #[arg(long)]
    insecure: bool,
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), BoxError> {
    let (name, value) = line.split_once(':').ok_or("no colon in the header")?;
    Ok((name.trim().parse()?, value.trim().parse()?))
}

fn seconds(text: &str) -> Result<Duration, BoxError> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

/// One thread does: there is one connection.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match upload(Options::parse()).await {
        Ok(Outcome::Accepted) => ExitCode::SUCCESS,
        Ok(Outcome::Rejected) => ExitCode::from(1),
        Err(error) => {
            eprintln!("upload: {}", outcome::explain(&*error));
            ExitCode::from(2)
        }
    }
}

async fn upload(options: Options) -> Result<Outcome, BoxError> {
    if !matches!(options.url.scheme_str(), Some("http" | "https")) {
        return Err("the URL is neither http:// nor https://".into());
    }
    let file = open(&options.file).await?;
    let length = file.metadata().await?.len();
    let progress = Progress::new(length);
    let story = Story::new(length, progress.clone());

    let client = Client::builder(TokioExecutor::new())
        .build(PatientConnector::new(tls::connector(options.insecure)?));
    let asks = ExpectContinueLayer::new()
        .min_length(0)
        .timeout(options.expect_timeout)
        .observe(story.clone());
    let client = asks.layer(client);

    let mut request = Request::put(options.url).body(counted(file, length, progress.clone()))?;
    let headers = request.headers_mut();
    for (name, value) in options.headers {
        headers.append(name, value);
    }
    if let Some(content_type) = options.content_type {
        headers.insert(CONTENT_TYPE, content_type);
    } else if let Some(content_type) = guess(&options.file) {
        headers.entry(CONTENT_TYPE).or_insert(content_type);
    }
    // What is read is a stream, which does not tell its length.
    headers.insert(CONTENT_LENGTH, length.into());

    let response = client.oneshot(request).await;
    progress.finish();
    let (head, mut body) = response?.into_parts();
    story.tell(head.status, progress.sent());
    while let Some(frame) = body.frame().await {
        if let Some(piece) = frame?.data_ref() {
            outcome::print(piece)?;
        }
    }
    Ok(Outcome::of(head.status))
}

async fn open(path: &Path) -> Result<File, BoxError> {
    let file = File::open(path).await;
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    match file.metadata().await?.is_file() {
        true => Ok(file),
        false => Err(format!("{}: not a file", path.display()).into()),
    }
}

fn guess(path: &Path) -> Option<HeaderValue> {
    let mime = mime_guess::from_path(path).first_raw()?;
    HeaderValue::from_str(mime).ok()
}
