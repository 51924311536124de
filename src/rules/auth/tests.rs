use http::{Request, StatusCode};

use super::*;
use crate::{rules::any, RequestHead, Validator};

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;

fn head(authorization: Option<&str>) -> RequestHead {
    let mut request = Request::put("/");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    RequestHead::from(request.body(String::new()).unwrap())
}

fn rejected(rule: &impl Validator, authorization: Option<&str>) -> (StatusCode, String) {
    let rejection = rule.validate(&head(authorization)).unwrap_err();
    let challenge = rejection.headers()["www-authenticate"].clone();
    (rejection.status(), challenge.to_str().unwrap().to_owned())
}

#[test]
fn bearer_tells_missing_from_wrong_and_from_malformed_tokens() {
    let rule = bearer(|token| token == "good");
    assert!(rule.validate(&head(Some("bearer good"))).is_ok());
    for missing in [None, Some("Basic x")] {
        let expected = (UNAUTHORIZED, "Bearer".into());
        assert_eq!(rejected(&rule, missing), expected);
    }
    let expected = (UNAUTHORIZED, "Bearer error=\"invalid_token\"".into());
    assert_eq!(rejected(&rule, Some("Bearer bad")), expected);
    for malformed in ["Bearer", "Bearer a b"] {
        let expected = (BAD_REQUEST, "Bearer error=\"invalid_request\"".into());
        assert_eq!(rejected(&rule, Some(malformed)), expected);
    }
}

#[test]
fn bearer_names_its_realm_if_it_has_one() {
    let rule = bearer_token("good").realm("a \"b\"");
    let challenge = |authorization| rejected(&rule, authorization).1;
    assert_eq!(challenge(None), r#"Bearer realm="a \"b\"""#);
    assert_eq!(
        challenge(Some("Bearer bad")),
        r#"Bearer realm="a \"b\"", error="invalid_token""#
    );
    assert_eq!(
        challenge(Some("Bearer a b")),
        r#"Bearer realm="a \"b\"", error="invalid_request""#
    );
}

#[test]
fn bearer_token_takes_that_token_and_any_takes_several() {
    let rule = bearer_token("s3cr3t");
    assert!(rule.validate(&head(Some("Bearer s3cr3t"))).is_ok());
    assert!(rule.validate(&head(Some("Bearer s3cr3"))).is_err());
    let rule = any(["one", "two="].map(bearer_token));
    assert!(rule.validate(&head(Some("Bearer one"))).is_ok());
    assert!(rule.validate(&head(Some("Bearer two="))).is_ok());
    assert!(rule.validate(&head(Some("Bearer three"))).is_err());
}

#[test]
#[should_panic(expected = "a Bearer token is empty or contains invalid characters")]
fn a_token_that_no_request_can_carry_panics_when_the_rule_is_made() {
    let _ = bearer_token("Bearer s3cr3t");
}

#[test]
fn basic_names_its_realm() {
    let rule = basic(|user, password| (user, password) == ("Aladdin", "open sesame"));
    let right = head(Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert!(rule.validate(&right).is_ok());
    let (status, challenge) = rejected(&rule, Some("Basic Og=="));
    assert_eq!(status, 401);
    assert_eq!(challenge, "Basic realm=\"restricted\", charset=\"UTF-8\"");
    let rule = rule.realm("a \"b\"");
    let (_, challenge) = rejected(&rule, Some("Basic ?"));
    assert_eq!(challenge, "Basic realm=\"a \\\"b\\\"\", charset=\"UTF-8\"");
}

#[test]
fn both_challenges_are_sent_if_both_schemes_are_missing() {
    let rule = bearer(|_| false).or(basic(|_, _| false));
    let rejection = rule.validate(&head(None)).unwrap_err();
    let challenges = rejection.headers().get_all("www-authenticate");
    assert_eq!(challenges.iter().count(), 2);
}

#[test]
#[should_panic(expected = "the realm of a challenge holds control characters")]
fn a_realm_with_control_characters_panics() {
    let _ = bearer_token("good").realm("a\nb");
}
