//! Uploads 8 MiB with aws-sdk-s3 to a store on this machine, with a key that it does not know, then with
//! one that it does.
//!
//! Run with `cargo run -p aws_s3`. It prints
//!
//! ```text
//! AKIASTRANGER: 403, InvalidAccessKeyId
//!     8388608 bytes not sent
//!     the store has received 0 bytes
//! AKIAEXAMPLE: stored
//!     the store has received 8388608 bytes
//! ```

use std::{
    error::Error,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
};

use aws_s3::{s3, AskingClient, Store, KEY};
use aws_sdk_s3::{error::ProvideErrorMetadata, primitives::ByteStream};
use tower_expect::client::{Event, ExpectContinueLayer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::start().await?;
    let spared = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&spared);
    let layer = ExpectContinueLayer::new().observe(move |event: &Event| {
        if let Event::Rejected {
            spared: Some(bytes),
            ..
        } = event
        {
            count.fetch_add(*bytes, Ordering::Relaxed);
        }
    });
    let http = AskingClient::new(&layer);
    for key in ["AKIASTRANGER", KEY] {
        let body = ByteStream::from(vec![0; 8 << 20]);
        let put = s3(&store, key, http.clone()).put_object();
        match put.bucket("photos").key("boat.png").body(body).send().await {
            Ok(_) => println!("{key}: stored"),
            Err(error) => {
                let status = error.raw_response().ok_or("no response")?.status();
                println!("{key}: {status}, {}", error.code().unwrap_or("no code"));
                println!("    {} bytes not sent", spared.load(Ordering::Relaxed));
            }
        }
        println!("    the store has received {} bytes", store.received());
    }
    Ok(())
}
