//! The service below the layers.

use std::{
    convert::Infallible,
    future::{ready, Ready},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::Service;

use super::exchange::WAKER;

/// Reads the content to its end, if there is any, and answers at once.
pub(crate) struct Bare<R>(PhantomData<fn() -> R>);

impl<R> Bare<R> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Clone for Bare<R> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<B, R> Service<Request<B>> for Bare<R>
where
    B: Body<Data = Bytes> + Unpin,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = Infallible;
    type Future = Ready<Result<Response<R>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    // An application is no part of the layers around it.
    #[inline(never)]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (head, body) = request.into_parts();
        read_to_end(body);
        drop(head);
        ready(Ok(Response::new(R::from(Bytes::from_static(b"done\n")))))
    }
}

#[inline(never)]
fn read_to_end<B: Body + Unpin>(mut body: B) {
    if !body.is_end_stream() {
        let mut context = Context::from_waker(&WAKER);
        while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut body).poll_frame(&mut context) {}
    }
}
