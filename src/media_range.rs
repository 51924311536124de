//! Type and subtype of a media type, read in place.

use crate::expectation::is_token;

/// The `type/subtype` of a `Content-Type`, a pattern or a member of `Accept`, parameters left out.
///
/// `mime::Mime` would allocate for most types; rules must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MediaRange<'a> {
    pub(crate) main: &'a [u8],
    pub(crate) sub: &'a [u8],
}

impl<'a> MediaRange<'a> {
    /// Reads up to the first `;`; `None` if that is not `token/token`.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let essence = value.split(|&byte| byte == b';').next()?;
        let found = Self::split(essence.trim_ascii())?;
        (is_token(found.main) && is_token(found.sub)).then_some(found)
    }

    /// Reads what is known to be `token/token`.
    pub(crate) fn split(essence: &'a [u8]) -> Option<Self> {
        let slash = essence.iter().position(|&byte| byte == b'/')?;
        Some(Self {
            main: &essence[..slash],
            sub: &essence[slash + 1..],
        })
    }

    /// Whether `self`, which may have wildcards, covers `other`; without regard to case.
    pub(crate) fn covers(&self, other: MediaRange<'_>) -> bool {
        let part = |range: &[u8], found: &[u8]| range == b"*" || range.eq_ignore_ascii_case(found);
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
