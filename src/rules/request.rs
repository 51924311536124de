//! Where and how: method and path of the request.

use std::borrow::Borrow;

use http::{HeaderValue, Method, StatusCode};

use super::Rule;
use crate::{field_value::IntoFieldValue, Rejection, RequestHead, Validator};

/// Admits these methods; 405 with an `Allow` field otherwise.
pub fn method<M>(methods: M) -> Rule<Methods>
where
    M: IntoIterator,
    M::Item: Borrow<Method>,
{
    let methods = methods.into_iter();
    let methods: Vec<Method> = methods.map(|method| method.borrow().clone()).collect();
    // Methods are tokens.
    let allow = (&methods).into_field_value();
    let allow = allow.unwrap_or(HeaderValue::from_static(""));
    Rule(Methods { methods, allow })
}

/// What [`method`] makes.
#[derive(Clone, Debug)]
pub struct Methods {
    methods: Vec<Method>,
    allow: HeaderValue,
}

impl Validator for Methods {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        match self.methods.contains(&head.method) {
            true => Ok(()),
            false => Err(Rejection::method_not_allowed(&self.allow)),
        }
    }
}

/// Admits this path; 404 otherwise.
///
/// `"/files"` is that path alone, `"/files/*"` is whatever lies below it. Paths are compared as they
/// were sent, byte by byte, without decoding `%2F` or resolving `..`, as axum's router does. A layer
/// on the route itself is the safer choice where there is a router.
pub fn path(path: impl AsRef<str>) -> Rule<Paths> {
    paths([path])
}

/// As [`path`], for several.
pub(super) fn paths<P>(paths: P) -> Rule<Paths>
where
    P: IntoIterator,
    P::Item: AsRef<str>,
{
    let paths = paths.into_iter();
    Rule(Paths(paths.map(|path| path.as_ref().to_owned()).collect()))
}

/// What [`path`] makes.
#[derive(Clone, Debug)]
pub struct Paths(Vec<String>);

impl Validator for Paths {
    fn validate(&self, head: &RequestHead) -> Result<(), Rejection> {
        let found = head.uri.path();
        let mut paths = self.0.iter();
        let is_at = |path: &String| match path.strip_suffix('*') {
            Some(folder) if folder.ends_with('/') => found.starts_with(folder),
            _ => found == path,
        };
        match paths.any(is_at) {
            true => Ok(()),
            false => Err(Rejection::new(StatusCode::NOT_FOUND)),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::rules::{not, when};

    fn head(method: Method, path: &str) -> RequestHead {
        let request = Request::builder().method(method).uri(path);
        RequestHead::from(request.body(()).unwrap().into_parts().0)
    }

    fn put(path: &str) -> RequestHead {
        head(Method::PUT, path)
    }

    fn reject(_: &RequestHead) -> Result<(), Rejection> {
        Err(Rejection::new(StatusCode::IM_A_TEAPOT))
    }

    #[test]
    fn a_closure_says_where_a_rule_holds() {
        let rule = when(|head: &RequestHead| head.uri.path() == "/here", reject);
        assert!(rule.validate(&put("/here")).is_err());
        assert!(rule.validate(&put("/there")).is_ok());
    }

    #[test]
    fn other_methods_are_told_which_are_allowed() {
        let rule = method([Method::PUT, Method::POST]);
        assert!(rule.validate(&put("/")).is_ok());
        let rejection = rule.validate(&head(Method::GET, "/")).unwrap_err();
        assert_eq!(rejection.status(), 405);
        assert_eq!(rejection.headers().unwrap()["allow"], "PUT, POST");
    }

    #[test]
    fn a_path_is_itself_and_a_star_is_what_lies_below() {
        assert!(path("/a").validate(&put("/a?x=/b")).is_ok());
        assert_eq!(path("/a").validate(&put("/a/")).unwrap_err().status(), 404);
        let below = path("/a/*");
        assert!(below.validate(&put("/a/b/c")).is_ok());
        assert!(below.validate(&put("/a")).is_err());
        assert!(below.validate(&put("/ab")).is_err());
        assert!(path("/a*").validate(&put("/ab")).is_err());
    }

    #[test]
    fn rules_hold_only_where_they_are_for() {
        let rule = Rule::new(reject).for_paths(["/a", "/b/*"]);
        assert_eq!(rule.validate(&put("/b/1")).unwrap_err().status(), 418);
        assert!(rule.validate(&put("/c")).is_ok());
        let rule = Rule::new(reject).for_methods([Method::PUT]);
        assert_eq!(rule.validate(&put("/")).unwrap_err().status(), 418);
        assert!(rule.validate(&head(Method::POST, "/")).is_ok());
    }

    #[test]
    fn when_takes_rules_and_closures() {
        assert!(when(path("/a"), reject).validate(&put("/a")).is_err());
        assert!(when(path("/a"), reject).validate(&put("/b")).is_ok());
        let rule = when(|head: &RequestHead| head.method == Method::PUT, reject);
        assert!(rule.validate(&put("/")).is_err());
    }

    #[test]
    fn and_asks_in_order_or_takes_either_not_inverts() {
        let pass = |_: &RequestHead| Ok(());
        let teapot = || Rule::new(reject);
        let missing = || path("/nowhere");
        let status = |rule: &dyn Validator| match rule.validate(&put("/")) {
            Ok(()) => 200,
            Err(rejection) => rejection.status().as_u16(),
        };
        assert_eq!(status(&teapot().and(missing())), 418);
        assert_eq!(status(&missing().and(teapot())), 404);
        assert_eq!(status(&Rule::new(pass).and(pass)), 200);
        assert_eq!(status(&teapot().or(pass)), 200);
        assert_eq!(status(&Rule::new(pass).or(teapot())), 200);
        assert_eq!(status(&missing().or(teapot())), 404);
        assert_eq!(status(&not(pass)), 403);
        assert_eq!(status(&not(teapot())), 200);
        assert_eq!(
            status(&missing().rejecting_with(Rejection::length_required())),
            411
        );
    }
}
