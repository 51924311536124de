//! What our types are, by the types that they wrap.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, connect::HttpConnector, Client};
use tower_expect::client::{
    ExpectContinue, ExpectContinueLayer, PatientConnector, PatientStream, ResponseBody,
    ResponseFuture, Unsent, WaitingBody, WithheldError,
};

type Body = Full<Bytes>;
type Pool = Client<HttpConnector, WaitingBody<Body>>;

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
fn is_unpin<T: Unpin>() {}
fn is_clone<T: Clone>() {}

#[test]
fn they_are_send_sync_unpin_and_clone_where_what_they_wrap_is() {
    is_send::<ResponseFuture<legacy::ResponseFuture, Pool, Body>>();
    is_send::<ExpectContinue<Pool>>();
    is_sync::<ExpectContinue<Pool>>();
    is_clone::<ExpectContinue<Pool>>();
    is_send::<ExpectContinueLayer>();
    is_sync::<ExpectContinueLayer>();
    is_clone::<ExpectContinueLayer>();
    is_send::<WaitingBody<Body>>();
    is_sync::<WaitingBody<Body>>();
    is_unpin::<WaitingBody<Body>>();
    is_send::<ResponseBody<Incoming>>();
    is_sync::<ResponseBody<Incoming>>();
    is_unpin::<ResponseBody<Incoming>>();
    is_send::<Unsent<Body>>();
    is_sync::<Unsent<Body>>();
    is_clone::<Unsent<Body>>();
    is_send::<PatientStream<tokio::net::TcpStream>>();
    is_sync::<PatientStream<tokio::net::TcpStream>>();
    is_unpin::<PatientStream<tokio::net::TcpStream>>();
    is_clone::<PatientConnector<HttpConnector>>();
    is_send::<WithheldError>();
    is_sync::<WithheldError>();
}
