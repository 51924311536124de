//! Rules about credentials: the `Bearer` and `Basic` schemes.

mod basic;
mod bearer;
mod secret;

pub use self::{
    basic::{basic, BasicAuth},
    bearer::{bearer, bearer_token, BearerAuth},
};

use http::HeaderValue;

/// A `realm` parameter.
///
/// # Panics
///
/// If the name contains control characters.
#[track_caller]
fn realm(name: &str) -> String {
    assert!(
        !name.chars().any(char::is_control),
        "the realm of a challenge holds control characters"
    );
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("realm=\"{quoted}\"")
}

/// A challenge whose realm has passed [`realm`].
fn challenge(scheme: &'static str, text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(scheme))
}

#[cfg(test)]
mod tests;
