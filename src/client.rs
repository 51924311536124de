//! The client's half.

mod error;
mod exchange;
mod future;
mod gate;
mod informational;
mod layer;
mod memory;
mod observe;
mod patient;
mod plan;
mod request_body;
mod response_body;
mod service;
mod unsent;

#[cfg(feature = "metrics")]
pub use self::observe::metrics::Metrics;
pub use self::{
    error::WithheldError,
    future::ResponseFuture,
    informational::on_informational,
    layer::{ExpectContinueLayer, Retry},
    observe::{Event, Observe, RepeatReason},
    patient::{PatientConnector, PatientConnectorFuture, PatientStream},
    request_body::WaitingBody,
    response_body::ResponseBody,
    service::ExpectContinue,
    unsent::Unsent,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;
