//! The grammar of the `Expect` field (RFC 9110 §10.1.1). Pure: no I/O, no tower.

use std::{borrow::Cow, fmt};

use http::{header::EXPECT, HeaderMap, HeaderValue};

const CONTINUE: &str = "100-continue";

/// The members of a request's `Expect` field, from all of its field lines together.
///
/// The grammar is that of [RFC 9110 §10.1.1]:
///
/// ```text
/// Expect      = #expectation
/// expectation = token [ "=" ( token / quoted-string ) ] parameters
/// ```
///
/// Two things are said more exactly here than there. Parameters may follow a bare token, so that
/// `100-continue;q=1` is a well-formed expectation (that nobody can meet) rather than an error. And
/// each field line is a list by itself: a quoted string does not go on in the next line, and holds
/// US-ASCII only.
///
/// Nothing is allocated for a request without the field or with the one line `100-continue`. Other
/// values share their bytes with the [`HeaderMap`], and [`iter`](Self::iter) reads them in place.
/// The work is linear in the length of the value.
///
/// ```
/// use http::{header::EXPECT, HeaderMap, HeaderValue};
/// use tower_expect::Expectations;
///
/// let mut headers = HeaderMap::new();
/// headers.append(EXPECT, HeaderValue::from_static("100-Continue, approval=\"a b\";level=2"));
/// let expectations = Expectations::parse(&headers)?;
///
/// assert!(expectations.has_continue());
/// let approval = expectations.get("Approval").expect("names are case-insensitive");
/// assert_eq!(approval.value.as_deref(), Some("a b"));
/// assert_eq!(approval.params.get("level").as_deref(), Some("2"));
/// # Ok::<(), tower_expect::MalformedExpect>(())
/// ```
///
/// [RFC 9110 §10.1.1]: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
#[derive(Clone, Debug, Default)]
pub struct Expectations(Members);

#[derive(Clone, Debug, Default)]
enum Members {
    #[default]
    None,
    /// The one line `100-continue`: what practically every client sends.
    Continue,
    /// Anything else; every line has passed `check`.
    Lines(Vec<HeaderValue>),
}

impl Expectations {
    /// No expectation at all.
    pub(crate) const NONE: Self = Self(Members::None);

    /// Reads the `Expect` field lines of `headers`.
    ///
    /// # Errors
    ///
    /// [`MalformedExpect`] if a member does not match the grammar. It says which member and why.
    #[inline]
    pub fn parse(headers: &HeaderMap) -> Result<Self, MalformedExpect> {
        match headers.get(EXPECT) {
            None => Ok(Self::NONE),
            Some(_) => Self::parse_lines(headers),
        }
    }

    fn parse_lines(headers: &HeaderMap) -> Result<Self, MalformedExpect> {
        let mut lines = headers.get_all(EXPECT).iter();
        let is_usual =
            |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(CONTINUE.as_bytes());
        if lines.next().is_some_and(is_usual) && lines.next().is_none() {
            return Ok(Self(Members::Continue));
        }
        let mut member = 0;
        for line in headers.get_all(EXPECT) {
            let mut cursor = Cursor(line.as_bytes());
            while cursor.skip_to_member() {
                member += 1;
                let expectation = cursor.expectation();
                expectation.map_err(|kind| MalformedExpect { member, kind })?;
            }
        }
        if member == 0 {
            return Ok(Self::NONE);
        }
        let lines = headers.get_all(EXPECT).iter().cloned().collect();
        Ok(Self(Members::Lines(lines)))
    }

    /// Whether there is no member: no field line, or only empty list members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Members::None)
    }

    /// Whether `100-continue` is among the members, without a value and without parameters.
    #[must_use]
    pub fn has_continue(&self) -> bool {
        match self.0 {
            Members::None => false,
            Members::Continue => true,
            Members::Lines(_) => self.iter().any(|member| member.is_continue()),
        }
    }

    /// The first member of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Expectation<'_>> {
        self.iter()
            .find(|member| member.name.eq_ignore_ascii_case(name))
    }

    /// The members in the order in which they were sent.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        let (cursor, lines) = match &self.0 {
            Members::None => ("", [].iter()),
            Members::Continue => (CONTINUE, [].iter()),
            Members::Lines(lines) => ("", lines.iter()),
        };
        Iter {
            cursor: Cursor(cursor.as_bytes()),
            lines,
        }
    }
}

impl<'a> IntoIterator for &'a Expectations {
    type Item = Expectation<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One member of the `Expect` field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Expectation<'a> {
    /// The token that names the expectation, as it was sent; compare it without regard to case.
    pub name: &'a str,
    /// What follows `=`; a quoted string without its quotes and backslashes.
    pub value: Option<Cow<'a, str>>,
    /// What follows `;`.
    pub params: Params<'a>,
}

impl Expectation<'_> {
    /// Whether this is `100-continue`, in any case, with neither value nor parameters.
    #[must_use]
    pub fn is_continue(&self) -> bool {
        self.name.eq_ignore_ascii_case(CONTINUE) && self.value.is_none() && self.params.0.is_empty()
    }
}

/// The parameters of an [`Expectation`].
#[derive(Clone, Debug)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// The value of the first parameter of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Names and values in the order in which they were sent.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut cursor = Cursor(self.0);
        std::iter::from_fn(move || loop {
            match cursor.parameter() {
                Ok(Some(Parameter::Pair(name, value))) => return Some((name, value)),
                Ok(Some(Parameter::Empty)) => {}
                Ok(None) | Err(_) => return None,
            }
        })
    }
}

/// Iterator over the members of [`Expectations`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    cursor: Cursor<'a>,
    lines: std::slice::Iter<'a, HeaderValue>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Expectation<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.cursor.skip_to_member() {
            self.cursor = Cursor(self.lines.next()?.as_bytes());
        }
        self.cursor.expectation().ok()
    }
}

/// An `Expect` field that does not match its grammar.
///
/// Its `Display` names the member by its place and the reason; it never holds a byte of the field,
/// so it is safe in logs and responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedExpect {
    member: usize,
    kind: Malformed,
}

impl MalformedExpect {
    /// The place of the offending member among the non-empty ones of all lines, counted from 1.
    #[must_use]
    pub fn member(&self) -> usize {
        self.member
    }
}

impl fmt::Display for MalformedExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, kind } = self;
        write!(f, "member {member} of the Expect field {}", kind.as_str())
    }
}

impl std::error::Error for MalformedExpect {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Malformed {
    NoName,
    NoValue,
    NoParameterValue,
    OpenQuote,
    BadQuoted,
    Trailing,
}

impl Malformed {
    fn as_str(self) -> &'static str {
        match self {
            Self::NoName => "does not begin with a token",
            Self::NoValue => "has no token and no quoted string after `=`",
            Self::NoParameterValue => "has a parameter that is not `name=value`",
            Self::OpenQuote => "has a quoted string that does not end",
            Self::BadQuoted => "has a character that a quoted string cannot hold",
            Self::Trailing => "is followed by something other than a comma",
        }
    }
}

enum Parameter<'a> {
    /// `;` with nothing after it, which the grammar allows.
    Empty,
    Pair(&'a str, Cow<'a, str>),
}

/// What is left to read of one field line.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Passes white space and empty members; false at the end of the line.
    fn skip_to_member(&mut self) -> bool {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
        !self.0.is_empty()
    }

    /// One member and what separates it from the next.
    fn expectation(&mut self) -> Result<Expectation<'a>, Malformed> {
        let name = self.token().ok_or(Malformed::NoName)?;
        let value = match self.take(b'=') {
            true => Some(self.value(Malformed::NoValue)?),
            false => None,
        };
        let params = self.0;
        while self.parameter()?.is_some() {}
        let params = &params[..params.len() - self.0.len()];
        self.skip_white_space();
        if !self.0.is_empty() && !self.take(b',') {
            return Err(Malformed::Trailing);
        }
        Ok(Expectation {
            name,
            value,
            params: Params(params),
        })
    }

    /// `OWS ";" OWS [ parameter ]`, or nothing read if there is no `;`.
    fn parameter(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
        let mut ahead = *self;
        ahead.skip_white_space();
        if !ahead.take(b';') {
            return Ok(None);
        }
        *self = ahead;
        ahead.skip_white_space();
        let Some(name) = ahead.token() else {
            return Ok(Some(Parameter::Empty));
        };
        if !ahead.take(b'=') {
            return Err(Malformed::NoParameterValue);
        }
        let value = ahead.value(Malformed::NoParameterValue)?;
        *self = ahead;
        Ok(Some(Parameter::Pair(name, value)))
    }

    fn value(&mut self, missing: Malformed) -> Result<Cow<'a, str>, Malformed> {
        if self.take(b'"') {
            return self.quoted_string();
        }
        self.token().map(Cow::Borrowed).ok_or(missing)
    }

    /// The rest of a quoted string whose opening quote has been read.
    fn quoted_string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let plain = self.take_while(|byte| is_text(byte) && byte != b'"' && byte != b'\\');
        let mut value = Cow::Borrowed(as_str(plain));
        loop {
            match self.next() {
                Some(b'"') => return Ok(value),
                Some(b'\\') => match self.next() {
                    Some(byte) if is_text(byte) => value.to_mut().push(char::from(byte)),
                    Some(_) => return Err(Malformed::BadQuoted),
                    None => return Err(Malformed::OpenQuote),
                },
                Some(byte) if is_text(byte) => value.to_mut().push(char::from(byte)),
                Some(_) => return Err(Malformed::BadQuoted),
                None => return Err(Malformed::OpenQuote),
            }
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.take_while(is_token_char);
        (!token.is_empty()).then(|| as_str(token))
    }

    fn skip_white_space(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        self.0 = &self.0[usize::from(found)..];
        found
    }

    fn take_while(&mut self, holds: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| !holds(byte));
        let (taken, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
}

/// `tchar` of RFC 9110 §5.6.2.
pub(crate) fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What a quoted string may hold (RFC 9110 §5.6.4), without the obsolete bytes above 0x7F.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

/// The callers have let ASCII through only.
fn as_str(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
            "member 2 of the Expect field does not begin with a token"
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
}
