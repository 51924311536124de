//! The rule about the method.

use std::borrow::Borrow;

use http::Method;

use super::Rule;
use crate::{Accepted, Rejection, RequestHead, Validator};

/// Accepts these methods, and rejects others with 405 and an `Allow` header.
pub fn method<M>(methods: M) -> Rule<impl Validator>
where
    M: IntoIterator,
    M::Item: Borrow<Method>,
{
    let methods = Methods::new(methods);
    let rejection = Rejection::method_not_allowed(&methods.0);
    Rule(Allowed(methods, rejection))
}

/// The accepted methods, and the rejection of others.
struct Allowed(Methods, Rejection);

pub(super) struct Methods(Vec<Method>);

impl Methods {
    pub(super) fn new<M>(methods: M) -> Self
    where
        M: IntoIterator,
        M::Item: Borrow<Method>,
    {
        let methods = methods.into_iter();
        Self(methods.map(|method| method.borrow().clone()).collect())
    }

    pub(super) fn contains(&self, method: &Method) -> bool {
        self.0.contains(method)
    }
}

impl Validator for Allowed {
    fn validate(&self, head: &RequestHead) -> Result<Accepted, Rejection> {
        match self.0.contains(&head.method) {
            true => Ok(Accepted::new()),
            false => Err(self.1.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn other_methods_are_told_which_are_allowed() {
        let head = |method| {
            let request = Request::builder().method(method).body(String::new());
            RequestHead::from(request.unwrap())
        };
        let rule = method([Method::PUT, Method::POST]);
        assert!(rule.validate(&head(Method::PUT)).is_ok());
        let rejection = rule.validate(&head(Method::GET)).unwrap_err();
        assert_eq!(rejection.status(), 405);
        assert_eq!(rejection.headers()["allow"], "PUT, POST");
    }
}
