//! Which format `render::Negotiate` takes. The input is the lines of the `Accept` field.
//!
//! The oracle lists the ranges that apply to each name, sorts them by how specific they are, and
//! compares the weights of the first as decimal fractions. Where the crate is laxer or stricter than
//! RFC 9110 §12.5.1 on purpose, so is the oracle:
//!
//! * `,` and `;` separate everywhere: no range with a quoted string is of interest.
//! * Parameters but `q` are ignored, as the formats have none.
//! * `*/html` is a range, as specific as `text/*`.
//! * A malformed weight is 0. A member that is not `token/token` is ignored.

#![no_main]

use std::{str, sync::LazyLock};

use http::{header::ACCEPT, HeaderValue, Request};
use libfuzzer_sys::{fuzz_target, Corpus};
use regex::bytes::Regex;
use tower_expect::{
    render::{Negotiate, Render},
    Rejection, RequestHead,
};

/// In the order of preference.
const OFFERED: [(&str, &str); 4] = [
    ("text/plain", "text/plain; charset=utf-8"),
    ("application/problem+json", "application/problem+json"),
    ("application/json", "application/problem+json"),
    ("text/html", "text/html; charset=utf-8"),
];

static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    let token = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";
    regex(&format!(r"^[ \t]*({token})/({token})[ \t]*(?:;|$)"))
});
static WEIGHT: LazyLock<Regex> = LazyLock::new(|| regex(r";[ \t]*[qQ]=([^;]*?)[ \t]*(?:;|$)"));
static QVALUE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$"));

fuzz_target!(|input: &[u8]| -> Corpus {
    let lines = input.split(|&byte| byte == b'\n');
    let Ok(lines) = lines
        .map(HeaderValue::from_bytes)
        .collect::<Result<Vec<_>, _>>()
    else {
        return Corpus::Reject;
    };
    let mut request = Request::new(String::new());
    for line in &lines {
        request.headers_mut().append(ACCEPT, line.clone());
    }
    let head = RequestHead::from(request);
    let response = Negotiate.render(&Rejection::forbidden(), &head);
    assert_eq!(response.headers()["content-type"], expected(&lines));
    assert_eq!(response.headers()["vary"], "accept");
    Corpus::Keep
});

fn expected(lines: &[HeaderValue]) -> &'static str {
    let members = lines
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let members: Vec<_> = members.collect();
    let weighed = OFFERED.map(|(name, media_type)| (weight_of(name, &members), media_type));
    let best = weighed.iter().map(|weighed| weighed.0).fold(0.0, f64::max);
    let (_, media_type) = match best > 0.0 {
        true => weighed
            .iter()
            .find(|weighed| weighed.0 >= best)
            .expect("the best is one of them"),
        false => &weighed[0],
    };
    media_type
}

fn weight_of(name: &str, members: &[&[u8]]) -> f64 {
    let mut applying: Vec<_> = members
        .iter()
        .filter_map(|member| Some((wildcards(name, member)?, weight(member))))
        .collect();
    applying.sort_by_key(|(wildcards, _)| *wildcards);
    applying.first().map_or(0.0, |(_, weight)| *weight)
}

/// How many wildcards the range has; `None` if it does not apply.
fn wildcards(name: &str, member: &[u8]) -> Option<usize> {
    let range = RANGE.captures(member)?;
    let parts = name.split('/').zip([&range[1], &range[2]]);
    let (wild, exact): (Vec<_>, Vec<_>) = parts.partition(|(_, part)| *part == b"*");
    let applies = exact
        .iter()
        .all(|(name, part)| part.to_ascii_lowercase() == name.as_bytes());
    applies.then_some(wild.len())
}

fn weight(member: &[u8]) -> f64 {
    match WEIGHT.captures(member) {
        None => 1.0,
        Some(found) if QVALUE.is_match(&found[1]) => fraction(&found[1]),
        Some(_) => 0.0,
    }
}

fn fraction(digits: &[u8]) -> f64 {
    let digits = str::from_utf8(digits).expect("ASCII");
    digits.parse().expect("a decimal fraction")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?-u){pattern}")).expect("a valid pattern")
}
