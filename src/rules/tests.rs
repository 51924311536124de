use http::{Request, StatusCode};

use super::*;

fn head(method: Method, path: &str) -> RequestHead {
    let request = Request::builder().method(method).uri(path);
    RequestHead::from(request.body(String::new()).unwrap())
}

fn put(path: &str) -> RequestHead {
    head(Method::PUT, path)
}

fn reject() -> Rejection {
    Rejection::from(StatusCode::IM_A_TEAPOT)
}

fn not_found() -> Rejection {
    Rejection::from(StatusCode::NOT_FOUND)
}

fn status(rule: &impl Validator) -> u16 {
    match rule.validate(&put("/")) {
        Ok(_) => 200,
        Err(rejection) => rejection.status().as_u16(),
    }
}

#[test]
fn a_closure_says_where_a_rule_holds() {
    let rule = when(|head| head.uri.path() == "/here", reject());
    assert!(rule.validate(&put("/here")).is_err());
    assert!(rule.validate(&put("/there")).is_ok());
}

#[test]
fn rules_hold_only_for_their_methods() {
    let rule = Rule::new(reject()).for_methods([Method::PUT]);
    assert_eq!(rule.validate(&put("/")).unwrap_err().status(), 418);
    assert!(rule.validate(&head(Method::POST, "/")).is_ok());
}

#[test]
fn and_and_or_ask_in_order() {
    let accept = || Rule::new(());
    let reject = || Rule::new(reject());
    let not_found = || Rule::new(not_found());
    assert_eq!(status(&reject().and(not_found())), 418);
    assert_eq!(status(&not_found().and(reject())), 404);
    assert_eq!(status(&accept().and(accept())), 200);
    assert_eq!(status(&reject().or(accept())), 200);
    assert_eq!(status(&accept().or(reject())), 200);
    assert_eq!(status(&not_found().or(reject())), 404);
    let instead = Rejection::length_required();
    assert_eq!(status(&not_found().rejecting_with(instead)), 411);
}

#[test]
fn all_and_any_are_and_and_or_for_lists() {
    let (reject, not_found) = (|| Some(reject()), || Some(not_found()));
    assert_eq!(status(&all([None, not_found()])), 404);
    assert_eq!(status(&all([reject(), not_found()])), 418);
    assert_eq!(status(&all([None::<Rejection>, None])), 200);
    assert_eq!(status(&any([reject(), None])), 200);
    assert_eq!(status(&any([reject(), not_found()])), 418);
    assert_eq!(status(&all::<[(); 0]>([])), 200);
    assert_eq!(status(&any::<[(); 0]>([])), 403);
}

#[test]
fn boxed_rules_of_different_types_make_a_list() {
    let rules: Vec<Rule> = vec![
        Rule::new(()).boxed(),
        content_length(..=1).boxed(),
        method([Method::GET]).boxed(),
    ];
    assert_eq!(status(&all(rules.clone())), 405);
    assert_eq!(status(&any(rules)), 200);
}

#[test]
fn what_the_rules_have_found_out_is_merged() {
    let value = |value: u8| {
        Rule::new(move |_: &RequestHead| Ok(Accepted::new().with(value).max_body(value.into())))
    };
    let of = |rule: &dyn Validator| {
        let mut parts = Request::new(()).into_parts().0;
        let limit = rule.validate(&put("/")).unwrap();
        let limit = limit.into_request_parts(&mut parts).unwrap();
        (*parts.extensions.get::<u8>().unwrap(), limit)
    };
    assert_eq!(of(&value(1).and(value(2))), (2, 1));
    assert_eq!(of(&value(1).or(value(2))), (1, 1));
    assert_eq!(of(&all([1, 2, 3].map(value))), (3, 1));
    assert_eq!(of(&any([1, 2, 3].map(value))), (1, 1));
    assert_eq!(of(&value(4).for_methods([Method::PUT])), (4, 4));
    assert_eq!(of(&value(4).boxed()), (4, 4));
}

#[test]
fn a_closure_that_passes_on_a_malformed_header_is_not_made_up_for() {
    let reads = |head: &RequestHead| -> Result<(), Rejection> {
        match head.try_bearer()? {
            Some(_) => Ok(()),
            None => Err(Rejection::unauthorized("Bearer")),
        }
    };
    let rule = Rule::new(reads).or(());
    let request = Request::put("/").header("authorization", "Bearer a b");
    let head = RequestHead::from(request.body(String::new()).unwrap());
    assert_eq!(rule.validate(&head).unwrap_err().status(), 400);
    assert_eq!(status(&rule), 200);
}
