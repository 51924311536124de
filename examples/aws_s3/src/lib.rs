//! The AWS SDK for Rust, with requests that ask before they send their body.
//!
//! The SDK takes any HTTP client by its trait `HttpClient`: [`AskingClient`] is one, over hyper-util's client
//! and `ExpectContinueLayer`.

mod adapter;
mod store;

use aws_sdk_s3::{
    config::{BehaviorVersion, Credentials, Region},
    Client, Config,
};

pub use self::{
    adapter::AskingClient,
    store::{Store, KEY},
};

/// Creates a client of S3 that talks to `store` with this key.
#[must_use]
pub fn s3(store: &Store, key: &str, http: AskingClient) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(store.url())
        .force_path_style(true)
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new(key, "secret", None, None, "example"))
        .build();
    Client::from_conf(config)
}
