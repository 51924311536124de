//! What the guide's page *client* says of clients that are not ours, against a server that waits before it
//! rejects.

mod object_store;
mod reqwest;
mod server;
mod tonic;

use http_body::Body;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::TokioExecutor,
};
use tower::Layer;
use tower_expect::client::{ExpectContinue, ExpectContinueLayer, PatientConnector, WaitingBody};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Asking<B> = ExpectContinue<Client<PatientConnector<HttpConnector>, WaitingBody<B>>>;

const LENGTH: usize = 8 << 20;

fn asking<B>() -> Asking<B>
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(PatientConnector::new(connector));
    ExpectContinueLayer::new().layer(client)
}
