//! Comparing secrets.

use std::hint::black_box;

/// Whether these are the same bytes, in a time that depends on their lengths alone.
///
/// Written by hand: the crate `subtle` would be the only one that an axum application does not have
/// yet. As there, no byte decides a branch, and the compiler, which could find a shortcut, sees nothing
/// of the difference found so far.
pub(super) fn is_equal(given: &[u8], secret: &[u8]) -> bool {
    if given.len() != secret.len() {
        return false;
    }
    let mut difference = 0;
    for (given, secret) in given.iter().zip(secret) {
        difference = black_box(difference | (given ^ secret));
    }
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_in_any_bit_of_any_byte_counts() {
        let secret = b"\0s3cr3t\xff";
        assert!(is_equal(secret, secret));
        for at in 0..secret.len() {
            for bit in 0..8 {
                let mut given = *secret;
                given[at] ^= 1 << bit;
                assert!(!is_equal(&given, secret));
            }
        }
    }

    #[test]
    fn so_does_another_length() {
        assert!(is_equal(b"", b""));
        for given in [&b""[..], b"s3cr3", b"s3cr3tt"] {
            assert!(!is_equal(given, b"s3cr3t"));
        }
    }
}
