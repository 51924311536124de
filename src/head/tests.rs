use super::*;

fn head(fields: &[(HeaderName, &[u8])]) -> RequestHead {
    let mut parts = http::Request::new(()).into_parts().0;
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value).unwrap();
        parts.headers.append(name, value);
    }
    RequestHead::from(parts)
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
        "the content-length field occurs more than once"
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
