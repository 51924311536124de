//! The SDK's HTTP client.

use std::time::Duration;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use hyper_util::{
    client::legacy::{connect, Client},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};
use tower_expect::client::{ExpectContinue, ExpectContinueLayer, PatientConnector, WaitingBody};

type Connector = PatientConnector<connect::HttpConnector>;

/// The SDK's own.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// An HTTP client for the `Config` of any client of the SDK, whose requests ask before they send
/// their body.
///
/// Of the SDK's settings, it leaves `connect_timeout` and `read_timeout` aside. Those of an operation and of
/// an attempt hold, as do retries. Clones share their connections.
#[derive(Clone, Debug)]
pub struct AskingClient(ExpectContinue<Client<Connector, WaitingBody<SdkBody>>>);

impl AskingClient {
    /// Creates a client whose requests ask as `layer` has them.
    #[must_use]
    pub fn new(layer: &ExpectContinueLayer) -> Self {
        let mut connector = connect::HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        // For https:// URLs, hyper-rustls's `HttpsConnector` stands between the two.
        let connector = PatientConnector::new(connector);
        Self(layer.layer(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for AskingClient {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for AskingClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x();
            let request = request.map_err(|error| ConnectorError::user(error.into()))?;
            let response = client.oneshot(request).await;
            let response = response.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
