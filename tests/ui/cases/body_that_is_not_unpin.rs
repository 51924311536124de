use std::{
    convert::Infallible,
    marker::PhantomPinned,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use tower::{service_fn, Layer, ServiceExt};
use tower_expect::{ExpectBody, ExpectLayer};

struct Pinned(PhantomPinned);

impl Body for Pinned {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

fn main() {
    let inner = service_fn(|_: Request<ExpectBody<Pinned>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = ExpectLayer::default().layer(inner);
    let _ = ServiceExt::<Request<Pinned>>::boxed(service);
}
