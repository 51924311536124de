use super::*;

fn parse(lines: &[&[u8]]) -> Result<Expectations, MalformedExpect> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(EXPECT, HeaderValue::from_bytes(line).unwrap());
    }
    Expectations::parse(&headers)
}

fn names(lines: &[&[u8]]) -> Vec<String> {
    let expectations = parse(lines).unwrap();
    expectations.iter().map(|m| m.name.to_owned()).collect()
}

fn error(line: &[u8]) -> (usize, Malformed) {
    let MalformedExpect { member, kind } = parse(&[line]).unwrap_err();
    (member, kind)
}

#[test]
fn no_line_and_empty_members_are_no_expectation() {
    let empty: [&[&[u8]]; 5] = [&[], &[b""], &[b" ,\t, ,"], &[b"", b""], &[b",", b" "]];
    for lines in empty {
        let expectations = parse(lines).unwrap();
        assert!(expectations.is_empty(), "{lines:?}");
        assert!(expectations.iter().next().is_none());
    }
}

#[test]
fn the_usual_value_is_recognised_in_any_case_and_needs_no_lines() {
    for value in ["100-continue", "100-Continue", "100-CONTINUE"] {
        let expectations = parse(&[value.as_bytes()]).unwrap();
        assert!(matches!(expectations.0, Members::Continue), "{value}");
        assert!(expectations.has_continue());
        assert_eq!(expectations.iter().count(), 1);
    }
}

#[test]
fn members_come_from_all_lines_in_order() {
    let lines: &[&[u8]] = &[b"a, b,", b"", b"100-continue", b",\tc;d=e"];
    assert_eq!(names(lines), ["a", "b", "100-continue", "c"]);
    assert!(parse(lines).unwrap().has_continue());
}

#[test]
fn value_and_parameters_make_it_another_expectation() {
    let others: [&[u8]; 5] = [
        b"100-continue=x",
        b"100-continue;q=1",
        b"100-continue;",
        b"100-continuex",
        b"100-",
    ];
    for value in others {
        let expectations = parse(&[value]).unwrap();
        assert!(!expectations.has_continue(), "{value:?}");
        assert!(!expectations.is_empty());
    }
}

#[test]
fn quoted_strings_lose_quotes_and_backslashes() {
    let expectations = parse(&[br#"a="x, \"y\"\\" ; b="c;d" ;; e=f"#]).unwrap();
    let a = expectations.get("A").unwrap();
    assert_eq!(a.value.as_deref(), Some(r#"x, "y"\"#));
    let params: Vec<_> = a.params.iter().collect();
    assert_eq!(params, [("b", "c;d".into()), ("e", "f".into())]);
    assert_eq!(a.params.get("E").as_deref(), Some("f"));
    assert_eq!(expectations.iter().count(), 1);
}

#[test]
fn malformed_members_are_named_by_place_and_reason() {
    assert_eq!(error(b"y 100-continue"), (1, Malformed::Trailing));
    assert_eq!(error(b"100-continue, x y"), (2, Malformed::Trailing));
    assert_eq!(error(b"\"100-continue\""), (1, Malformed::NoName));
    assert_eq!(error(b"="), (1, Malformed::NoName));
    assert_eq!(error(b",, a, =x"), (2, Malformed::NoName));
    assert_eq!(error(b"100-continue="), (1, Malformed::NoValue));
    assert_eq!(error(b"a= b"), (1, Malformed::NoValue));
    assert_eq!(error(b"a =b"), (1, Malformed::Trailing));
    assert_eq!(error(b"a;b"), (1, Malformed::NoParameterValue));
    assert_eq!(error(b"a;b=,"), (1, Malformed::NoParameterValue));
    assert_eq!(error(b"a=\"b"), (1, Malformed::OpenQuote));
    assert_eq!(error(b"a=\"b\\"), (1, Malformed::OpenQuote));
    assert_eq!(error(b"a=\"\xff\""), (1, Malformed::BadQuoted));
    assert_eq!(error(b"a=\"\\\xff\""), (1, Malformed::BadQuoted));
    assert_eq!(error(b"\xc2\xa0100-continue"), (1, Malformed::NoName));
    assert_eq!(error(b"100-continue\xff"), (1, Malformed::Trailing));
}

#[test]
fn a_quoted_string_does_not_go_on_in_the_next_line() {
    let error = parse(&[b"a=\"b", b"c\""]).unwrap_err();
    assert_eq!(error.kind, Malformed::OpenQuote);
}

#[test]
fn the_error_says_which_member_and_why_but_nothing_of_what_was_sent() {
    let error = parse(&[b"100-continue", b"<script> evil"]).unwrap_err();
    assert_eq!(error.member(), 2);
    assert_eq!(
        error.to_string(),
        "member 2 of the Expect header does not begin with a token"
    );
}

#[test]
fn long_values_are_read_to_their_end_once() {
    let many = vec![b','; 65_536];
    assert!(parse(&[&many]).unwrap().is_empty());
    let members = "a,".repeat(32_768);
    assert_eq!(names(&[members.as_bytes()]).len(), 32_768);
    let quoted = format!("a=\"{}\"", "\\a".repeat(32_766));
    let expectations = parse(&[quoted.as_bytes()]).unwrap();
    let value = expectations.get("a").unwrap().value.unwrap();
    assert_eq!(value.len(), 32_766);
    let semicolons = format!("a{}", ";".repeat(65_535));
    assert_eq!(names(&[semicolons.as_bytes()]), ["a"]);
}
