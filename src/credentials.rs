//! Parses the `Authorization` header: any scheme, and the credentials of `Basic`.

use std::fmt;

use crate::expectation::{is_token, table};

/// Scheme and credentials of an `Authorization` header (RFC 9110 §11.4).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Authorization<'a> {
    /// The scheme, as it was sent; compare it with [`is`](Self::is).
    pub scheme: &'a str,
    /// What follows the scheme, without the spaces around it. Empty if nothing does.
    pub credentials: &'a str,
}

impl<'a> Authorization<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let space = value.bytes().position(|byte| byte == b' ');
        let (scheme, credentials) = value.split_at(space.unwrap_or(value.len()));
        if !is_token(scheme.as_bytes()) {
            return None;
        }
        Some(Self {
            scheme,
            credentials: credentials.trim_matches(' '),
        })
    }

    /// Returns whether the scheme has that name, in any case.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Returns the credentials, if they are a `token68`.
    pub(crate) fn token68(&self) -> Option<&'a str> {
        is_token68(self.credentials).then_some(self.credentials)
    }
}

/// Whether this is a `token68` (RFC 9110 §11.2).
pub(crate) fn is_token68(text: &str) -> bool {
    let bytes = text.as_bytes();
    let padding = bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
    let stem = &bytes[..bytes.len() - padding];
    let is_token68 = |&byte: &u8| TOKEN68_CHARS[usize::from(byte)];
    !stem.is_empty() && stem.iter().all(is_token68)
}

static TOKEN68_CHARS: [bool; 256] = table(b"-._~+/");

/// Without the credentials.
impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// User and password of the `Basic` scheme (RFC 7617).
#[derive(Clone)]
#[non_exhaustive]
pub struct Basic {
    /// The user-id. It never contains a colon.
    pub user: String,
    /// The password. It may be empty.
    pub password: String,
}

impl Basic {
    /// Reads the base64 of `user:password`.
    pub(crate) fn decode(credentials: &str) -> Option<Self> {
        let decoded = String::from_utf8(decode_base64(credentials.as_bytes())?).ok()?;
        if decoded.chars().any(char::is_control) {
            return None;
        }
        let (user, password) = decoded.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// Without the password.
impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Base64 with padding (RFC 4648 §4), strict: one text for each sequence of bytes.
///
/// Ours, because a crate for it would be the only one that an axum application does not have yet.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() % 4 != 0 {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let (digits, _) = text.split_at(text.len() - padding);
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for &digit in group {
            bits = bits << 6 | u32::from(sextet(digit)?);
        }
        bits <<= 6 * (4 - group.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (decoded, unused) = decoded.split_at(group.len() - 1);
        if unused.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(decoded);
    }
    Some(bytes)
}

fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use base64::{engine::general_purpose::STANDARD, Engine};

    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let authorization = Authorization::parse(b"Bearer hunter2").unwrap();
        let printed = format!("{authorization:?}");
        assert_eq!(printed, "Authorization { scheme: \"Bearer\", .. }");
        let basic = Basic::decode(&STANDARD.encode("me:hunter2")).unwrap();
        assert_eq!(format!("{basic:?}"), "Basic { user: \"me\", .. }");
    }

    #[test]
    fn base64_agrees_with_a_known_decoder_on_every_text_of_up_to_four_letters() {
        let alphabet = b"Ag/9=+-Q";
        let mut texts = vec![Vec::new()];
        for length in 0..=4 {
            for text in &texts {
                let expected = STANDARD.decode(text).ok();
                assert_eq!(decode_base64(text), expected, "{text:?} of length {length}");
            }
            let longer = texts.iter().flat_map(|text| {
                alphabet.iter().map(move |letter| {
                    let mut longer = text.clone();
                    longer.push(*letter);
                    longer
                })
            });
            texts = longer.collect();
        }
    }

    #[test]
    fn base64_of_random_looking_bytes_comes_back() {
        let bytes: Vec<u8> = (0..=255_u8)
            .map(|i| i.wrapping_mul(167).wrapping_add(91))
            .collect();
        for length in 0..bytes.len() {
            let text = STANDARD.encode(&bytes[..length]);
            assert_eq!(decode_base64(text.as_bytes()).unwrap(), bytes[..length]);
        }
    }

    #[test]
    fn the_password_may_hold_colons_and_the_user_none() {
        let credentials = STANDARD.encode("user:pa:ss");
        let basic = Basic::decode(&credentials).unwrap();
        assert_eq!((&*basic.user, &*basic.password), ("user", "pa:ss"));
        assert!(!format!("{basic:?}").contains("pa:ss"));
    }

    #[test]
    fn control_characters_are_rejected() {
        assert!(Basic::decode(&STANDARD.encode("us\ner:pw")).is_none());
        assert!(Basic::decode(&STANDARD.encode("user:p\u{7f}w")).is_none());
    }
}
