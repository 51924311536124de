//! What the operator sets: the address as an argument, the rest in the environment.

use std::{fmt::Display, num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};

pub(crate) struct Config {
    pub(crate) address: String,
    pub(crate) redis: String,
    /// For a connection to be made, and for an answer to come.
    pub(crate) redis_timeout: Duration,
    /// In bytes, for users whose account in Redis has no limit of its own.
    pub(crate) quota: u64,
    pub(crate) lease: Duration,
    pub(crate) without_redis: WithoutRedis,
    pub(crate) tokens: Tokens,
}

/// What happens to uploads while Redis does not respond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutRedis {
    /// Fail-closed: 503.
    Reject,
    /// Fail-open: accepted, and counted when Redis is back.
    Accept,
}

/// The users and their tokens.
pub(crate) type Tokens = Arc<[(Arc<str>, String)]>;

/// Redis's scripts count in floating point, which is exact up to here.
const LARGEST_QUOTA: u64 = 1 << 53;

impl Config {
    pub(crate) fn read(
        address: Option<String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let or = |name, default: &str| variable(name).unwrap_or_else(|| default.into());
        let quota = number("QUOTA_BYTES", &or("QUOTA_BYTES", "12000000"))?;
        if quota > LARGEST_QUOTA {
            return Err(format!("QUOTA_BYTES: at most {LARGEST_QUOTA}"));
        }
        let lease = number::<NonZeroU32>("LEASE_SECONDS", &or("LEASE_SECONDS", "30"))?;
        let redis_timeout =
            number::<NonZeroU32>("REDIS_TIMEOUT_MS", &or("REDIS_TIMEOUT_MS", "250"))?;
        Ok(Self {
            address: address.unwrap_or_else(|| "127.0.0.1:3000".into()),
            redis: or("REDIS_URL", "redis://127.0.0.1:6379"),
            redis_timeout: Duration::from_millis(redis_timeout.get().into()),
            quota,
            lease: Duration::from_secs(lease.get().into()),
            without_redis: match &*or("WITHOUT_REDIS", "reject") {
                "reject" => WithoutRedis::Reject,
                "accept" => WithoutRedis::Accept,
                _ => return Err("WITHOUT_REDIS: reject or accept".into()),
            },
            tokens: tokens(&or("TOKENS", "alice=s3cr3t"))?,
        })
    }
}

fn number<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{name}: {error}"))
}

fn tokens(pairs: &str) -> Result<Tokens, String> {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((user, token)) if !user.is_empty() && !token.is_empty() => {
            Ok((user.into(), token.to_owned()))
        }
        _ => Err("TOKENS: user=token, separated by spaces".to_owned()),
    };
    pairs.split_whitespace().map(pair).collect()
}
