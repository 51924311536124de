//! Uploads by this crate's client, which also looks whether the response is whole.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};
use tower_expect::client::{ExpectContinue, ExpectContinueLayer, PatientConnector, WaitingBody};

use crate::{Job, Outcome};

type Patient<B> = Client<PatientConnector<HttpConnector>, B>;

fn patient<B: Body<Data: Send> + Send>() -> Patient<B> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(PatientConnector::new(connector))
}

/// No `Expect`: nothing but the sockets.
pub(crate) async fn upload_at_once(job: &Job) -> Outcome {
    let client = patient::<Full<Bytes>>();
    read(job, client.request(job.request()?).await?).await
}

/// Every body asks, also of a server that has sent a 417.
#[derive(Clone)]
pub(crate) struct Asking(ExpectContinue<Patient<WaitingBody<Full<Bytes>>>>);

impl Asking {
    pub(crate) fn new() -> Self {
        let layer = ExpectContinueLayer::new().min_length(0).no_memory();
        Self(layer.layer(patient()))
    }

    pub(crate) async fn upload(&self, job: &Job) -> Outcome {
        let response = self.0.clone().oneshot(job.request()?).await?;
        read(job, response).await
    }
}

async fn read<B>(job: &Job, response: Response<B>) -> Outcome
where
    B: Body<Data = Bytes, Error = hyper::Error>,
{
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let says = |word: &str| text.split(['>', ' ']).any(|found| found == word);
    match status.is_success() && !says(&job.body.len().to_string()) {
        true => Err(format!("not all has arrived: {text}").into()),
        false => Ok(status.as_u16()),
    }
}

impl Job {
    fn request(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        let request = Request::put(&self.url).header("authorization", &self.token);
        request.body(Full::new(self.body.clone()))
    }
}
