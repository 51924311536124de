//! Type and subtype of a media type, read in place.

use crate::expectation::is_token_char;

/// The `type/subtype` of a `Content-Type`, a pattern or a member of `Accept`, parameters left out.
///
/// `mime::Mime` would allocate for most types; rules must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaRange<'a> {
    pub(crate) main: &'a str,
    pub(crate) sub: &'a str,
}

impl<'a> MediaRange<'a> {
    /// Reads up to the first `;`; `None` if that is not `token/token`.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (essence, _) = value.split_once(';').unwrap_or((value, ""));
        let (main, sub) = essence.trim_matches([' ', '\t']).split_once('/')?;
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_char);
        (is_token(main) && is_token(sub)).then_some(Self { main, sub })
    }

    /// Whether `self`, which may have wildcards, covers `other`; without regard to case.
    pub(crate) fn covers(&self, other: MediaRange<'_>) -> bool {
        let part = |range: &str, found: &str| range == "*" || range.eq_ignore_ascii_case(found);
        part(self.main, other.main) && part(self.sub, other.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Option<MediaRange<'_>> {
        MediaRange::parse(value.as_bytes())
    }

    #[test]
    fn parameters_case_and_white_space_do_not_matter() {
        let found = parse("Multipart/FORM-data ; boundary=\"a;/b\"").unwrap();
        assert!(parse("multipart/form-data").unwrap().covers(found));
        assert!(parse("multipart/*").unwrap().covers(found));
        assert!(parse("*/*").unwrap().covers(found));
        assert!(!parse("multipart/mixed").unwrap().covers(found));
        assert!(!parse("image/*").unwrap().covers(found));
    }

    #[test]
    fn what_is_not_token_slash_token_is_none() {
        for value in [
            "", "text", "text/", "/plain", "a/b/c", "a b/c", "té/x", ";a/b",
        ] {
            assert_eq!(parse(value), None, "{value}");
        }
    }
}
