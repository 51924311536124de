//! Ways to upload.

use std::net::SocketAddr;

use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper_util::{
    client::legacy::{
        connect::{Connect, HttpConnector},
        Client,
    },
    rt::TokioExecutor,
};
use tower::{Layer, ServiceExt};
use tower_expect::client::{ExpectContinueLayer, PatientConnector};

use crate::{servers::TEXT, BoxError};

const LENGTH: usize = 8 << 20;

#[derive(Clone, Copy)]
pub(crate) struct Way {
    sockets: Sockets,
    nodelay: bool,
}

#[derive(Clone, Copy)]
enum Sockets {
    Plain,
    Patient,
    /// Those, and the body waits.
    PatientAsking,
}

pub(crate) const WAYS: [Way; 6] = [
    Way::new(Sockets::Plain, false),
    Way::new(Sockets::Plain, true),
    Way::new(Sockets::Patient, false),
    Way::new(Sockets::Patient, true),
    Way::new(Sockets::PatientAsking, false),
    Way::new(Sockets::PatientAsking, true),
];

impl Way {
    const fn new(sockets: Sockets, nodelay: bool) -> Self {
        Self { sockets, nodelay }
    }

    pub(crate) fn is_patient(self) -> bool {
        !matches!(self.sockets, Sockets::Plain)
    }

    pub(crate) fn name(self) -> String {
        let sockets = match self.sockets {
            Sockets::Plain => "plain",
            Sockets::Patient => "patient",
            Sockets::PatientAsking => "patient, asks",
        };
        let nodelay = if self.nodelay { ", nodelay" } else { "" };
        format!("{sockets}{nodelay}")
    }

    /// `Ok` if the rejection is seen, whole.
    pub(crate) async fn upload(self, address: SocketAddr) -> Result<(), BoxError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(self.nodelay);
        let patient = PatientConnector::new(connector.clone());
        let body = Full::new(Bytes::from(vec![0; LENGTH]));
        let request = Request::put(format!("http://{address}/")).body(body)?;
        match self.sockets {
            Sockets::Plain => see(client(connector).request(request).await?).await,
            Sockets::Patient => see(client(patient).request(request).await?).await,
            Sockets::PatientAsking => {
                let client = ExpectContinueLayer::new().layer(client(patient));
                see(client.oneshot(request).await?).await
            }
        }
    }
}

fn client<C, B>(connector: C) -> Client<C, B>
where
    C: Connect + Clone,
    B: Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn see<B>(response: Response<B>) -> Result<(), BoxError>
where
    B: Body<Data = Bytes, Error = hyper::Error>,
{
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    match status == StatusCode::PAYLOAD_TOO_LARGE && body == TEXT {
        true => Ok(()),
        false => Err(format!("{status}: {body:?}").into()),
    }
}
