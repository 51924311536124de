//! Parses the `Expect` header (RFC 9110 §10.1.1).

mod cursor;

use std::{borrow::Cow, fmt};

use http::{
    header::{GetAll, EXPECT},
    HeaderMap, HeaderValue,
};

pub(crate) use self::cursor::{is_token, table};
use self::cursor::{Cursor, Malformed, Parameter};

const CONTINUE: &str = "100-continue";

/// The members of a request's `Expect` header, from all of its field lines together.
///
/// The grammar is that of [RFC 9110 §10.1.1]:
///
/// ```text
/// Expect      = #expectation
/// expectation = token [ "=" ( token / quoted-string ) ] parameters
/// ```
///
/// Two points are more precise here. Parameters may follow a bare token, so that `100-continue;q=1` is a
/// well-formed expectation (which cannot be met) rather than an error. Each field line is a list of its own: a
/// quoted string does not continue in the next line, and contains US-ASCII only.
///
/// A request without the header, or with the single line `100-continue`, causes no allocation. Other values
/// share their bytes with the [`HeaderMap`], and [`iter`](Self::iter) reads them in place, in time linear
/// in the length of the value.
///
/// ```
/// use http::{header::EXPECT, HeaderMap, HeaderValue};
/// use tower_expect::expectation::Expectations;
///
/// let mut headers = HeaderMap::new();
/// headers.append(EXPECT, HeaderValue::from_static("100-Continue, approval=\"a b\";level=2"));
/// let expectations = Expectations::parse(&headers)?;
///
/// assert!(expectations.has_continue());
/// let approval = expectations.get("Approval").expect("names are case-insensitive");
/// assert_eq!(approval.value.as_deref(), Some("a b"));
/// assert_eq!(approval.params.get("level").as_deref(), Some("2"));
/// # Ok::<(), tower_expect::expectation::MalformedExpect>(())
/// ```
///
/// [RFC 9110 §10.1.1]: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
#[derive(Clone, Debug, Default)]
pub struct Expectations(Members);

#[derive(Clone, Debug, Default)]
enum Members {
    #[default]
    None,
    /// The single line `100-continue`, as nearly every client sends it.
    Continue,
    /// Anything else; every line has passed `check`.
    Lines(Vec<HeaderValue>),
}

impl Expectations {
    /// No expectation at all.
    pub(crate) const NONE: Self = Self(Members::None);

    /// Parses the `Expect` header, all of its lines.
    ///
    /// # Errors
    ///
    /// [`MalformedExpect`] if a member does not match the grammar. It names the member and the problem.
    #[inline]
    pub fn parse(headers: &HeaderMap) -> Result<Self, MalformedExpect> {
        Self::parse_lines(&headers.get_all(EXPECT))
    }

    pub(crate) fn parse_lines(lines: &GetAll<'_, HeaderValue>) -> Result<Self, MalformedExpect> {
        let is_usual =
            |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(CONTINUE.as_bytes());
        let mut iter = lines.iter();
        if iter.next().is_some_and(is_usual) && iter.next().is_none() {
            return Ok(Self(Members::Continue));
        }
        Self::parse_list(lines)
    }

    #[cold]
    fn parse_list(lines: &GetAll<'_, HeaderValue>) -> Result<Self, MalformedExpect> {
        let mut member = 0;
        for line in lines {
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
        let lines = lines.iter().cloned().collect();
        Ok(Self(Members::Lines(lines)))
    }

    /// Whether this is the one line `100-continue`.
    pub(crate) fn is_usual(&self) -> bool {
        matches!(self.0, Members::Continue)
    }

    /// Returns whether there is no member: no header, or only empty list members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Members::None)
    }

    /// Returns whether `100-continue` is among the members, without a value and without parameters.
    #[must_use]
    #[inline]
    pub fn has_continue(&self) -> bool {
        match self.0 {
            Members::None => false,
            Members::Continue => true,
            Members::Lines(_) => self.lists_continue(),
        }
    }

    #[cold]
    fn lists_continue(&self) -> bool {
        self.iter().any(|member| member.is_continue())
    }

    /// Returns the first member of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Expectation<'_>> {
        self.iter()
            .find(|member| member.name.eq_ignore_ascii_case(name))
    }

    /// Returns the members in the order in which they were sent.
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

/// One member of the `Expect` header.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Expectation<'a> {
    /// The token that names the expectation; compare it without regard to case. It is as it was sent, except
    /// that a header of only `100-continue` is always lower-case.
    pub name: &'a str,
    /// What follows `=`; a quoted string without its quotes and backslashes.
    pub value: Option<Cow<'a, str>>,
    /// What follows `;`.
    pub params: Params<'a>,
}

impl Expectation<'_> {
    /// Returns whether this is `100-continue`, in any case, with neither value nor parameters.
    #[must_use]
    pub fn is_continue(&self) -> bool {
        self.name.eq_ignore_ascii_case(CONTINUE) && self.value.is_none() && self.params.0.is_empty()
    }
}

/// The parameters of an [`Expectation`].
#[derive(Clone, Debug)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Returns the value of the first parameter of that name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns names and values in the order in which they were sent.
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

/// Error for an `Expect` header that does not match its grammar.
///
/// Its `Display` names the member by its place and the reason, and contains no byte of the header, so that it is
/// safe in logs and responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedExpect {
    member: usize,
    kind: Malformed,
}

impl MalformedExpect {
    /// Returns the place of the malformed member among the non-empty ones of all lines, counted from 1.
    #[must_use]
    pub fn member(&self) -> usize {
        self.member
    }
}

impl fmt::Display for MalformedExpect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { member, kind } = self;
        write!(f, "member {member} of the Expect header {}", kind.as_str())
    }
}

impl std::error::Error for MalformedExpect {}

#[cfg(test)]
mod tests;
