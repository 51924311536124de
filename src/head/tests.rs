use http::{header::TRANSFER_ENCODING, HeaderName, Method};

use super::*;

fn head(fields: &[(HeaderName, &[u8])]) -> RequestHead {
    let mut request = Request::put("/").body(String::new()).unwrap();
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(name, value);
    }
    RequestHead::from(request)
}

#[test]
fn content_length_is_digits_only_and_absent_is_no_error() {
    assert_eq!(head(&[]).content_length().unwrap(), None);
    let length = |value: &[u8]| head(&[(CONTENT_LENGTH, value)]).content_length();
    assert_eq!(length(b"0").unwrap(), Some(0));
    assert_eq!(length(b"18446744073709551615").unwrap(), Some(u64::MAX));
    let malformed: [&[u8]; 10] = [
        b"abc",
        b"1, 2",
        b"1, 1",
        b"-1",
        b"+1",
        b"",
        b"18446744073709551616",
        b"0x10",
        b"1 ",
        b"\xff",
    ];
    for value in malformed {
        let error = length(value).unwrap_err();
        assert_eq!(error.name(), CONTENT_LENGTH, "{value:?}");
    }
}

#[test]
fn two_content_length_lines_are_malformed() {
    let two = head(&[(CONTENT_LENGTH, b"1"), (CONTENT_LENGTH, b"1")]);
    let error = two.content_length().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the content-length header occurs more than once"
    );
}

#[test]
fn transfer_encoding_overrides_content_length() {
    let both = head(&[(CONTENT_LENGTH, b"5"), (TRANSFER_ENCODING, b"chunked")]);
    assert_eq!(both.content_length().unwrap(), None);
}

#[test]
fn a_malformed_content_type_is_told_from_an_absent_one() {
    assert_eq!(head(&[]).try_content_type().unwrap(), None);
    let json = head(&[(CONTENT_TYPE, b"Application/JSON; charset=utf-8")]);
    assert_eq!(
        json.content_type().unwrap().essence_str(),
        "application/json"
    );
    let malformed: [&[u8]; 5] = [b"", b"json", b"a/", b"text/plain \xff", b"/"];
    for value in malformed {
        let head = head(&[(CONTENT_TYPE, value)]);
        assert!(head.try_content_type().is_err(), "{value:?}");
        assert!(head.content_type().is_none());
    }
    let two = head(&[(CONTENT_TYPE, b"a/b"), (CONTENT_TYPE, b"a/b")]);
    assert!(two.try_content_type().is_err());
}

#[test]
fn authorization_is_split_after_the_scheme_in_any_case_and_after_several_spaces() {
    let head = head(&[(AUTHORIZATION, b"bEARER   abc.def==")]);
    assert_eq!(head.bearer(), Some("abc.def=="));
    assert!(head.basic().is_none());
    let authorization = head.authorization().unwrap();
    assert_eq!(authorization.scheme, "bEARER");
    assert!(authorization.is("Bearer"));
}

#[test]
fn any_scheme_is_readable() {
    let head = head(&[(AUTHORIZATION, b"Digest username=\"Mufasa\", realm=\"x\"")]);
    let authorization = head.authorization().unwrap();
    assert_eq!(authorization.scheme, "Digest");
    assert_eq!(
        authorization.credentials,
        "username=\"Mufasa\", realm=\"x\""
    );
    assert_eq!(head.try_bearer().unwrap(), None);
    assert!(head.try_basic().unwrap().is_none());
}

#[test]
fn malformed_authorization_is_told_from_an_absent_one() {
    assert!(head(&[]).try_authorization().unwrap().is_none());
    let malformed: [&[u8]; 4] = [b"", b"  ", b"Bearer\xff x", b"@ x"];
    for value in malformed {
        let head = head(&[(AUTHORIZATION, value)]);
        assert!(head.try_authorization().is_err(), "{value:?}");
        assert!(head.try_bearer().is_err());
        assert!(head.try_basic().is_err());
    }
    let two = head(&[(AUTHORIZATION, b"Bearer a"), (AUTHORIZATION, b"Bearer b")]);
    assert!(two.try_bearer().is_err());
    assert!(two.bearer().is_none());
}

#[test]
fn malformed_tokens_are_told_from_absent_ones() {
    let malformed: [&[u8]; 5] = [
        b"Bearer",
        b"Bearer ",
        b"Bearer a b",
        b"Bearer a,b",
        b"Bearer =",
    ];
    for value in malformed {
        let head = head(&[(AUTHORIZATION, value)]);
        assert!(head.try_bearer().is_err(), "{value:?}");
        assert!(head.bearer().is_none());
    }
}

#[test]
fn basic_credentials_are_decoded_and_wrong_base64_is_an_error() {
    let aladdin = head(&[(AUTHORIZATION, b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")]);
    let basic = aladdin.basic().unwrap();
    assert_eq!((&*basic.user, &*basic.password), ("Aladdin", "open sesame"));
    let malformed: [&[u8]; 5] = [
        b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        b"Basic !!!!",
        b"Basic",
        b"Basic bm9jb2xvbg==",
        b"Basic /////w==",
    ];
    for value in malformed {
        let head = head(&[(AUTHORIZATION, value)]);
        assert!(head.try_basic().is_err(), "{value:?}");
    }
}

#[test]
fn debug_shows_no_credentials() {
    let head = head(&[(AUTHORIZATION, b"Bearer hunter2")]);
    assert!(!format!("{head:?}").contains("hunter2"));
    assert!(!format!("{:?}", head.authorization()).contains("hunter2"));
}

#[test]
fn debug_shows_no_query() {
    let request = Request::get("/a?token=hunter2").body(String::new());
    let shown = format!("{:?}", RequestHead::from(request.unwrap()));
    assert!(shown.contains("\"/a\""), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_body_that_the_framing_does_not_rule_out_is_one() {
    let has_body = |method: Method, fields: &[(HeaderName, &str)], is_end_stream| {
        let mut parts = Request::new(()).into_parts().0;
        parts.method = method;
        parts.version = Version::HTTP_2;
        for (name, value) in fields {
            parts.headers.append(name, value.parse().unwrap());
        }
        RequestHead::unparsed(parts, is_end_stream, SizeHint::default()).has_body()
    };
    let silent = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
        Method::DELETE,
    ];
    let others = ["POST", "PUT", "PATCH", "REPORT"].map(|name| name.parse().unwrap());
    for (method, usually) in silent
        .map(|method| (method, false))
        .into_iter()
        .chain(others.map(|method| (method, true)))
    {
        let of = |fields: &[_]| has_body(method.clone(), fields, false);
        assert_eq!(of(&[]), usually, "{method}");
        assert!(!of(&[(CONTENT_LENGTH, "0")]), "{method}");
        assert!(!of(&[(CONTENT_LENGTH, "00")]), "{method}");
        assert!(of(&[(CONTENT_LENGTH, "1")]), "{method}");
        assert!(of(&[(CONTENT_LENGTH, "")]), "{method}");
        assert!(of(&[(CONTENT_LENGTH, "x")]), "{method}");
        assert!(
            of(&[(CONTENT_LENGTH, "0"), (CONTENT_LENGTH, "1")]),
            "{method}"
        );
        assert!(
            of(&[(CONTENT_LENGTH, "0"), (TRANSFER_ENCODING, "chunked")]),
            "{method}"
        );
        assert!(
            !has_body(method.clone(), &[(CONTENT_LENGTH, "1")], true),
            "{method}"
        );
    }
    assert!(has_body(
        Method::GET,
        &[(http::header::EXPECT, "100-continue")],
        false
    ));
}

#[test]
fn a_head_made_for_a_test_is_what_a_server_would_show() {
    let put = || Request::put("/");
    let of = |request: Request<String>| RequestHead::from(request);
    let empty = of(put().body(String::new()).unwrap());
    assert!(!empty.has_body());
    let there = of(put().body("abc".to_owned()).unwrap());
    assert!(there.has_body());
    assert_eq!(there.content_length().unwrap(), Some(3));
    assert_eq!(there.size_hint().exact(), Some(3));
    let announced = of(put().header(CONTENT_LENGTH, 5).body(String::new()).unwrap());
    assert!(announced.has_body());
    assert_eq!(announced.size_hint().exact(), Some(5));
    let http2 = put().version(Version::HTTP_2).body("abc".to_owned());
    let http2 = of(http2.unwrap());
    assert!(http2.has_body());
    assert_eq!(http2.content_length().unwrap(), None);
}

#[test]
fn a_request_without_a_body_expects_nothing() {
    let expecting = |length: &'static str| {
        let request = Request::put("/").header("expect", "100-continue");
        let request = request.header(CONTENT_LENGTH, length);
        RequestHead::from(request.body(String::new()).unwrap()).is_expecting()
    };
    assert!(expecting("5"));
    assert!(!expecting("0"));
}
