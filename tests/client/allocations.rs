//! What a request that does not ask costs on the heap: nothing.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tokio_test::{assert_ready_ok, task::spawn};
use tower::{service_fn, Layer, Service};
use tower_expect::client::{ExpectContinueLayer, WaitingBody};

use crate::support::{full, Upload};

#[test]
fn a_request_that_does_not_ask_costs_no_allocation() {
    let service = service_fn(|request: Request<WaitingBody<Upload>>| async move {
        drop(request);
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let mut client = ExpectContinueLayer::new().layer(service);
    for (length, asks) in [(0, false), (5, false), (1 << 20, true)] {
        let body = full(vec![0; length]);
        let request = Request::put("http://a/").body(body).unwrap();
        let mut response = None;
        let measured = allocation_counter::measure(|| response = Some(client.call(request)));
        assert_eq!(measured.count_total > 0, asks, "{length}: {measured:?}");
        let mut response = spawn(response.unwrap());
        let measured = allocation_counter::measure(|| {
            let response: Response<_> = assert_ready_ok!(response.poll());
            drop(response);
        });
        assert_eq!(measured.count_total > 0, asks, "{length}: {measured:?}");
    }
}
