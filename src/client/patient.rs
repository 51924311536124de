//! Sockets that read the response although the server has closed.

mod connector;
mod hyper_io;
mod stream;
mod tokio_io;

pub use self::{
    connector::{PatientConnector, PatientConnectorFuture},
    stream::PatientStream,
};
