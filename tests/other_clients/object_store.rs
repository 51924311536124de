//! object_store, with the connector that the guide shows.

use async_trait::async_trait;
use http_body_util::BodyExt;
use object_store::{
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
    path::Path,
    ClientOptions, ObjectStoreExt,
};
use tower::ServiceExt;

use crate::{
    asking,
    server::{rejecting, Seen},
    LENGTH,
};

#[derive(Clone, Debug)]
struct Asking(crate::Asking<HttpRequestBody>);

#[async_trait]
impl HttpService for Asking {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.clone().oneshot(request).await;
        let response = response.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let decode = |error| HttpError::new(HttpErrorKind::Decode, error);
        Ok(response.map(|body| HttpResponseBody::new(body.map_err(decode))))
    }
}

impl HttpConnector for Asking {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[tokio::test]
async fn it_asks_with_a_connector_of_its_own_kind() {
    let (url, seen) = rejecting().await;
    let store = AmazonS3Builder::new()
        .with_http_connector(Asking(asking()))
        .with_endpoint(url)
        .with_allow_http(true)
        .with_region("eu-central-1")
        .with_bucket_name("photos")
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .build()
        .unwrap();
    let path = Path::from("boat.png");
    let put = store.put(&path, vec![0; LENGTH].into());
    let error = put.await.unwrap_err();
    assert!(
        matches!(error, object_store::Error::PermissionDenied { .. }),
        "{error}"
    );
    let sent = Seen {
        expect: true,
        body_bytes: 0,
    };
    assert_eq!(seen.await.unwrap(), sent);
}
