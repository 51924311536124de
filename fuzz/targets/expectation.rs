//! The grammar of the `Expect` field against regular expressions. The input is the field's lines.

#![no_main]

use http::{header::EXPECT, HeaderMap, HeaderValue};
use libfuzzer_sys::{fuzz_target, Corpus};
use tower_expect::expectation::{Expectation, Expectations};
use tower_expect_fuzz::grammar::{self, Member};

fuzz_target!(|input: &[u8]| -> Corpus {
    let lines = input.split(|&byte| byte == b'\n');
    let Ok(lines) = lines
        .map(HeaderValue::from_bytes)
        .collect::<Result<Vec<_>, _>>()
    else {
        return Corpus::Reject;
    };
    let mut headers = HeaderMap::new();
    for line in &lines {
        headers.append(EXPECT, line.clone());
    }
    match (Expectations::parse(&headers), grammar::parse(&lines)) {
        (Ok(parsed), Ok(expected)) => compare(&parsed, &expected),
        (Err(error), Err(member)) => assert_eq!(error.member(), member, "{error}"),
        (parsed, expected) => panic!("{parsed:?}, but {expected:?}"),
    }
    Corpus::Keep
});

fn compare(parsed: &Expectations, expected: &[Member]) {
    let members: Vec<_> = parsed.iter().map(|parsed| member(&parsed)).collect();
    assert_eq!(members, expected);
    assert_eq!(parsed.is_empty(), expected.is_empty());
    let has_continue = expected.iter().any(|member| member.is_continue);
    assert_eq!(parsed.has_continue(), has_continue);
    for Member { name, .. } in expected {
        let is_same = |other: &&Member| other.name.eq_ignore_ascii_case(name);
        let found = parsed
            .get(&name.to_ascii_uppercase())
            .map(|parsed| member(&parsed));
        assert_eq!(found.as_ref(), expected.iter().find(is_same));
    }
}

fn member(parsed: &Expectation<'_>) -> Member {
    for (name, value) in parsed.params.iter() {
        let is_same = |(other, _): &(&str, _)| other.eq_ignore_ascii_case(name);
        let first = parsed.params.iter().find(is_same).map(|(_, value)| value);
        assert_eq!(parsed.params.get(name), first, "{name}={value}");
    }
    let params = parsed.params.iter();
    Member {
        name: match parsed.is_continue() {
            // The one line that all clients send is not kept, and its case is lost.
            true => parsed.name.to_lowercase(),
            false => parsed.name.to_owned(),
        },
        value: parsed.value.as_deref().map(str::to_owned),
        params: params
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect(),
        is_continue: parsed.is_continue(),
    }
}
