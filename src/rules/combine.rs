//! How validators combine.
//!
//! A malformed header never turns into acceptance: what can accept a request without asking a validator
//! asks it for malformed headers first, and a rejection for one is final.

use http::header::WWW_AUTHENTICATE;
use http::StatusCode;

use super::Methods;
use crate::{Accepted, Rejection, RequestHead, Validator};

/// All must accept. They run in order, up to the first that rejects.
pub(super) struct All<V>(pub(super) Vec<V>);

impl<V: Validator> Validator for All<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self.0
            .iter()
            .try_fold(Accepted::new(), |before, validator| {
                Ok(before.merge(validator.validate(head)?))
            })
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.iter().try_for_each(|v| v.check_syntax(head))
    }
}

/// One must accept. They run in order, up to the first that accepts.
pub(super) struct Any<V>(pub(super) Vec<V>);

impl<V: Validator> Validator for Any<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self.check_syntax(head)?;
        let mut rejected = None;
        for validator in &self.0 {
            match validator.validate(head) {
                Ok(accepted) => return Ok(accepted),
                Err(rejection) => rejected = Some(or(rejected, rejection)?),
            }
        }
        Err(rejected.unwrap_or_else(Rejection::forbidden))
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.iter().try_for_each(|v| v.check_syntax(head))
    }
}

/// The rejection if the next validator rejects, too: the first, with the challenges of both. An error if no
/// other validator is to run.
fn or(before: Option<Rejection>, next: Rejection) -> Result<Rejection, Rejection> {
    if next.is_malformed() {
        return Err(next);
    }
    let Some(first) = before else {
        return Ok(next);
    };
    let is_challenge = |r: &Rejection| r.status() == StatusCode::UNAUTHORIZED;
    Ok(match is_challenge(&first) && is_challenge(&next) {
        true => first.append_from(&next, &WWW_AUTHENTICATE),
        false => first,
    })
}

pub(super) struct And<V, W>(pub(super) V, pub(super) W);

impl<V: Validator, W: Validator> Validator for And<V, W> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let first = self.0.validate(head)?;
        Ok(first.merge(self.1.validate(head)?))
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.check_syntax(head)?;
        self.1.check_syntax(head)
    }
}

pub(super) struct Or<V, W>(pub(super) V, pub(super) W);

impl<V: Validator, W: Validator> Validator for Or<V, W> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self.check_syntax(head)?;
        let first = match self.0.validate(head) {
            Ok(accepted) => return Ok(accepted),
            Err(rejection) => or(None, rejection)?,
        };
        match self.1.validate(head) {
            Ok(accepted) => Ok(accepted),
            Err(rejection) => Err(or(Some(first), rejection)?),
        }
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.0.check_syntax(head)?;
        self.1.check_syntax(head)
    }
}

/// Whether a rule holds for a request.
pub(super) trait Holds: Send + Sync + 'static {
    fn holds(&self, head: &RequestHead) -> bool;
}

impl<F: Fn(&RequestHead) -> bool + Send + Sync + 'static> Holds for F {
    fn holds(&self, head: &RequestHead) -> bool {
        self(head)
    }
}

impl Holds for Methods {
    fn holds(&self, head: &RequestHead) -> bool {
        self.contains(&head.method)
    }
}

pub(super) struct When<P, V>(pub(super) P, pub(super) V);

impl<P: Holds, V: Validator> Validator for When<P, V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        self.1.check_syntax(head)?;
        match self.0.holds(head) {
            true => self.1.validate(head),
            false => Ok(Accepted::new()),
        }
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        self.1.check_syntax(head)
    }
}

pub(super) struct RejectingWith<V>(pub(super) V, pub(super) Rejection);

impl<V: Validator> RejectingWith<V> {
    fn instead_of(&self, rejection: &Rejection) -> Rejection {
        match rejection.is_malformed() {
            true => self.1.clone().malformed(),
            false => self.1.clone(),
        }
    }
}

impl<V: Validator> Validator for RejectingWith<V> {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        let rejected = |rejection| self.instead_of(&rejection);
        self.0.validate(head).map_err(rejected)
    }

    fn check_syntax(&self, head: &RequestHead) -> Result<(), Rejection> {
        let rejected = |rejection| self.instead_of(&rejection);
        self.0.check_syntax(head).map_err(rejected)
    }
}
