//! The `Expect` field by regular expressions, put together from RFC 9110's ABNF rule by rule.
//!
//! Where the crate differs from the RFC on purpose, so does this:
//!
//! * [`QDTEXT`] and [`QUOTED_PAIR`] leave out obs-text: bytes above 0x7F are malformed everywhere.
//! * [`expectation`] allows parameters after a bare token.
//! * The name of `100-continue` is compared without its case, which is not kept.
//! * Each field line is a list by itself: a quoted string does not go on in the next line.

use std::sync::LazyLock;

use http::HeaderValue;
use regex::bytes::{Captures, Regex};

const OWS: &str = r"[ \t]*";
const TOKEN: &str = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+";
const QDTEXT: &str = r"[\t \x21\x23-\x5B\x5D-\x7E]";
const QUOTED_PAIR: &str = r"\\[\t \x21-\x7E]";

fn value() -> String {
    format!(r#"(?:{TOKEN}|"(?:{QDTEXT}|{QUOTED_PAIR})*")"#)
}

fn parameters() -> String {
    format!("(?:{OWS};{OWS}(?:{TOKEN}={})?)*", value())
}

fn expectation() -> String {
    format!("(?:{TOKEN}(?:={})?{})", value(), parameters())
}

/// `#expectation` as a recipient reads it (RFC 9110 §5.6.1.2).
fn list() -> String {
    let member = expectation();
    format!("{OWS}{member}?(?:{OWS},{OWS}{member}?)*{OWS}")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?-u){pattern}")).expect("a valid pattern")
}

static LIST: LazyLock<Regex> = LazyLock::new(|| regex(&format!("^{}$", list())));

/// The members before the first that is malformed, as each ends in a comma.
static SOUND: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!("^(?:{OWS}{}?{OWS},)*", expectation())));

/// Finds the members of a list that is well-formed.
static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
    let (value, parameters) = (value(), parameters());
    regex(&format!("({TOKEN})(?:=({value}))?({parameters})"))
});

/// Finds the parameters of a member that is well-formed.
static PARAMETER: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(";{OWS}({TOKEN})=({})", value())));

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub value: Option<String>,
    pub params: Vec<(String, String)>,
    /// Whether it is `100-continue` and nothing else, not even a `;`.
    pub is_continue: bool,
}

/// The members of all lines, or the place of the first that is malformed, counted from 1.
pub fn parse(lines: &[HeaderValue]) -> Result<Vec<Member>, usize> {
    let mut members = Vec::new();
    for line in lines {
        let line = line.as_bytes();
        if LIST.is_match(line) {
            members.extend(split(line));
        } else {
            let sound = SOUND.find(line).map_or(&b""[..], |found| found.as_bytes());
            return Err(members.len() + split(sound).count() + 1);
        }
    }
    Ok(members)
}

fn split(line: &[u8]) -> impl Iterator<Item = Member> + '_ {
    MEMBER.captures_iter(line).map(|member| Member {
        name: name(&member),
        value: member.get(2).map(|value| unquote(value.as_bytes())),
        params: PARAMETER
            .captures_iter(&member[3])
            .map(|param| (text(&param[1]), unquote(&param[2])))
            .collect(),
        is_continue: is_continue(&member),
    })
}

/// In lower case for `100-continue`: the crate does not keep the one line that all clients send.
fn name(member: &Captures<'_>) -> String {
    match is_continue(member) {
        true => text(&member[1]).to_lowercase(),
        false => text(&member[1]),
    }
}

fn is_continue(member: &Captures<'_>) -> bool {
    text(&member[0]).to_lowercase() == "100-continue"
}

fn text(ascii: &[u8]) -> String {
    String::from_utf8(ascii.to_vec()).expect("the grammar is that of ASCII")
}

fn unquote(value: &[u8]) -> String {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| regex(r"\\(.)"));

    match value {
        [b'"', inside @ .., b'"'] => text(&PAIR.replace_all(inside, &b"$1"[..])),
        token => text(token),
    }
}
