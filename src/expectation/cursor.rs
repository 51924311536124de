//! Reads one field line of `Expect`, byte by byte.

use std::borrow::Cow;

use super::{Expectation, Params};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    NoName,
    NoValue,
    NoParameterValue,
    OpenQuote,
    BadQuoted,
    Trailing,
}

impl Malformed {
    pub(super) fn as_str(self) -> &'static str {
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

pub(super) enum Parameter<'a> {
    /// `;` with nothing after it, which the grammar allows.
    Empty,
    Pair(&'a str, Cow<'a, str>),
}

/// What is left to read of one field line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    /// Passes white space and empty members; false at the end of the line.
    pub(super) fn skip_to_member(&mut self) -> bool {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
        !self.0.is_empty()
    }

    /// One member and what separates it from the next.
    pub(super) fn expectation(&mut self) -> Result<Expectation<'a>, Malformed> {
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
    pub(super) fn parameter(&mut self) -> Result<Option<Parameter<'a>>, Malformed> {
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

/// Whether this is a `token` of RFC 9110 §5.6.2.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_char(byte))
}

fn is_token_char(byte: u8) -> bool {
    TOKEN_CHARS[usize::from(byte)]
}

/// `tchar`. A table, since rules look at every byte of some fields of every upload.
static TOKEN_CHARS: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Which bytes are alphanumeric or one of `others`.
pub(crate) const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// What a quoted string may hold (RFC 9110 §5.6.4), without the obsolete bytes above 0x7F.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

/// The callers have let ASCII through only.
fn as_str(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}
