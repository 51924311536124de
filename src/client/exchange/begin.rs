//! How a request that asks begins, and begins again.

use std::{
    sync::Arc,
    task::{ready, Context, Poll},
};

use http::Request;
use http_body::Body;
use tower_service::Service;

use super::{
    super::{
        gate::Gate,
        informational::{forward, listen},
        memory::Host,
        observe::RepeatReason,
        plan::{length, Expect},
        request_body::WaitingBody,
        settings::Settings,
        unsent::Unsent,
        BoxError,
    },
    Again, Exchange, Spare,
};

/// A request that does not wait.
pub(crate) fn passing<B>(mut request: Request<B>) -> Request<WaitingBody<B>> {
    forward(&mut request);
    request.map(WaitingBody::passing)
}

/// A call of the service, and the exchange if the request asks.
pub(crate) type Begun<F, S, B> = (F, Option<Box<Exchange<S, B>>>);

type Repeated<S, B, F, E> = Option<Result<Begun<F, S, B>, E>>;

impl<S, B> Exchange<S, B>
where
    S: Service<Request<WaitingBody<B>>>,
    B: Body,
    B::Error: Into<BoxError>,
{
    /// Calls `service`, which is ready. A request that carries a callback of hyper's is passed on as it is.
    pub(crate) fn begin(
        mut service: S,
        request: Request<B>,
        expect: Expect,
        host: Option<Host>,
        settings: &Arc<Settings>,
    ) -> Begun<S::Future, S, B> {
        let (mut head, body) = request.into_parts();
        let length = length(&head, &body);
        let spare = settings.may_repeat(&head).then(|| head.clone());
        let gate = Gate::new();
        let mut request = Request::from_parts(head, ());
        if !listen(&mut request, Some(&gate)) {
            return (service.call(passing(request.map(|()| body))), None);
        }
        (head, ()) = request.into_parts();
        expect.write(&mut head.headers);
        let hint = body.size_hint();
        let body = Unsent::new(body);
        let waiting = WaitingBody::waiting(Arc::clone(&gate), body.clone(), hint);
        let call = service.call(Request::from_parts(head, waiting));
        let exchange = Self {
            gate,
            body,
            expect,
            length,
            settings: Arc::clone(settings),
            host,
            spare: spare.map(|head| Spare { head, service }),
            again: None,
            is_repeat: false,
            asked: false,
            decided: false,
            timer: None,
        };
        (call, Some(Box::new(exchange)))
    }

    /// Calls the service again, once it is ready. `None` if there is nothing to repeat.
    pub(crate) fn poll_repeat(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Repeated<S, B, S::Future, S::Error>> {
        if let Some(again) = &mut self.again {
            if let Err(error) = ready!(again.spare.service.poll_ready(cx)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
        let Some(Again {
            reason,
            spare,
            body,
        }) = self.again.take()
        else {
            return Poll::Ready(None);
        };
        let Spare {
            mut head,
            mut service,
        } = spare;
        Poll::Ready(Some(Ok(match reason {
            RepeatReason::ExpectationFailed => {
                self.expect.remove(&mut head.headers);
                let request = passing(Request::from_parts(head, body));
                (service.call(request), None)
            }
            RepeatReason::DeadConnection => {
                let request = Request::from_parts(head, body);
                let host = self.host.take();
                let mut begun = Self::begin(service, request, self.expect, host, &self.settings);
                if let Some(exchange) = &mut begun.1 {
                    exchange.is_repeat = true;
                }
                begun
            }
        })))
    }
}
