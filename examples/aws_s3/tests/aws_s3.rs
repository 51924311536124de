//! The SDK sees what the store says, and sends no byte in vain.

use aws_s3::{s3, AskingClient, Store, KEY};
use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    Client,
};
use tower_expect::client::ExpectContinueLayer;

const LENGTH: u64 = 2 << 20;

fn asking() -> AskingClient {
    AskingClient::new(&ExpectContinueLayer::new())
}

/// `Ok`, or the status and the code of the error.
async fn put(client: &Client, body: ByteStream) -> Result<(), (u16, Option<String>)> {
    let put = client.put_object().bucket("photos").key("boat.png");
    match put.body(body).send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error)) => Err((
            error.raw().status().as_u16(),
            error.err().code().map(str::to_owned),
        )),
        Err(error) => panic!("{error:?}"),
    }
}

fn in_memory() -> ByteStream {
    ByteStream::from(vec![0; usize::try_from(LENGTH).unwrap()])
}

fn forbidden() -> Result<(), (u16, Option<String>)> {
    Err((403, Some("InvalidAccessKeyId".to_owned())))
}

#[tokio::test]
async fn a_body_is_not_sent_with_a_key_that_the_store_does_not_know() {
    let store = Store::start().await.unwrap();
    let client = s3(&store, "AKIASTRANGER", asking());
    for _ in 0..3 {
        assert_eq!(put(&client, in_memory()).await, forbidden());
    }
    assert_eq!(store.received(), 0);
}

#[tokio::test]
async fn a_body_is_sent_whole_with_one_that_it_knows() {
    let store = Store::start().await.unwrap();
    let client = s3(&store, KEY, asking());
    for stored in 1..=3 {
        assert_eq!(put(&client, in_memory()).await, Ok(()));
        assert_eq!(store.received(), stored * LENGTH);
    }
}

/// As the SDK streams them: in chunks of its own, with a checksum behind them.
#[tokio::test]
async fn a_file_asks_as_well() {
    let path = std::env::temp_dir().join(format!("aws_s3-{}", std::process::id()));
    std::fs::write(&path, vec![0; usize::try_from(LENGTH).unwrap()]).unwrap();
    let store = Store::start().await.unwrap();
    let client = s3(&store, "AKIASTRANGER", asking());
    let body = ByteStream::from_path(&path).await.unwrap();
    assert_eq!(put(&client, body).await, forbidden());
    assert_eq!(store.received(), 0);
    let client = s3(&store, KEY, asking());
    let body = ByteStream::from_path(&path).await.unwrap();
    assert_eq!(put(&client, body).await, Ok(()));
    assert!(store.received() > LENGTH, "{}", store.received());
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn no_response_is_an_error_of_the_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let store = Store::start().await.unwrap();
    let config = s3(&store, KEY, asking()).config().to_builder();
    let config = config
        .endpoint_url(format!("http://{address}"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled());
    let client = Client::from_conf(config.build());
    let sent = client.list_buckets().send().await;
    assert!(
        matches!(sent, Err(SdkError::DispatchFailure(error)) if error.is_io()),
        "nothing listens there"
    );
}
