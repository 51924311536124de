//! The rule: who is this, and is there room for the upload?

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use subtle::ConstantTimeEq;
use tower_expect::{Accepted, AsyncValidator, Rejection, RequestHead};

use super::{
    config::{Tokens, WithoutRedis},
    lease::Lease,
    ledger::{Ledger, Verdict},
    settlements::Settlements,
};

pub(crate) struct QuotaValidator {
    pub(crate) tokens: Tokens,
    pub(crate) without_redis: WithoutRedis,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) settlements: Settlements,
}

impl AsyncValidator for QuotaValidator {
    type Future = Pin<Box<dyn Future<Output = Result<Accepted, Rejection>> + Send>>;

    fn validate(&self, head: &RequestHead) -> Self::Future {
        let lease = self.lease(head);
        let without_redis = self.without_redis;
        Box::pin(async move {
            let Some(lease) = lease? else {
                return Ok(Accepted::new());
            };
            let lease = reserve(lease, without_redis).await?;
            // If the request is dropped before its upload begins, so is the lease.
            Ok(Accepted::new().with(Arc::new(lease)))
        })
    }
}

impl QuotaValidator {
    /// What the request needs; `None` for an empty upload.
    fn lease(&self, head: &RequestHead) -> Result<Option<Lease>, Rejection> {
        let user = self.user(head);
        let user = user.ok_or_else(|| Rejection::unauthorized("Bearer"))?;
        let length = head.content_length()?;
        let length = length.or_else(|| head.size_hint().exact());
        let bytes = length.ok_or_else(Rejection::length_required)?;
        let lease = || {
            let (ledger, settlements) = (&self.ledger, &self.settlements);
            Lease::new(user, bytes, Arc::clone(ledger), settlements.clone())
        };
        Ok((bytes > 0).then(lease))
    }

    fn user(&self, head: &RequestHead) -> Option<Arc<str>> {
        let given = head.bearer()?.as_bytes();
        let is_given = |token: &str| bool::from(token.as_bytes().ct_eq(given));
        let mut tokens = self.tokens.iter();
        let (user, _) = tokens.find(|(_, token)| is_given(token))?;
        Some(Arc::clone(user))
    }
}

async fn reserve(mut lease: Lease, without_redis: WithoutRedis) -> Result<Lease, Rejection> {
    match (lease.reserve().await, without_redis) {
        (Ok(verdict), _) => match rejection(verdict, lease.time()) {
            Some(rejection) => Err(rejection),
            None => Ok(lease),
        },
        (Err(error), WithoutRedis::Reject) => {
            eprintln!("rejected without Redis: {error}");
            Err(Rejection::service_unavailable(Duration::from_secs(1)))
        }
        // Nothing is reserved, perhaps, but what is read will be counted once Redis is back.
        (Err(error), WithoutRedis::Accept) => {
            eprintln!("accepted without Redis: {error}");
            Ok(lease)
        }
    }
}

/// `None` for what has been reserved.
pub(crate) fn rejection(verdict: Verdict, lease: Duration) -> Option<Rejection> {
    match verdict {
        Verdict::Reserved => None,
        // By then, each upload under way has ended, or has been read from.
        Verdict::Full => Some(
            Rejection::too_many_requests(lease)
                .with_message("other uploads take the rest of the quota; wait for them to end"),
        ),
        Verdict::TooLarge { left } => Some(Rejection::content_too_large(left)),
    }
}
