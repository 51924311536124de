//! Which hosts need not be asked.

use std::{collections::HashMap, fmt, sync::PoisonError, time::Duration};

use http::{
    header::HOST,
    request::Parts,
    uri::{Authority, Scheme},
};
use tokio::time::Instant;

use crate::{deadline::later, sync::Mutex};

/// A host as requests name it: by their URI, or in origin form by their `Host` header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Host {
    https: bool,
    authority: Authority,
}

impl Host {
    pub(super) fn of(head: &Parts) -> Option<Self> {
        let mut authority: Authority = match head.uri.authority() {
            Some(authority) => authority.clone(),
            None => head.headers.get(HOST)?.as_bytes().try_into().ok()?,
        };
        // Credentials are not kept, and name no other host.
        if let Some((_, host)) = authority.as_str().rsplit_once('@') {
            authority = host.parse().ok()?;
        }
        Some(Self {
            https: head.uri.scheme() == Some(&Scheme::HTTPS),
            authority,
        })
    }
}

/// Hosts that were asked in vain, each until a time.
///
/// Where a new one finds it full, those that have run out go, or else the one that would run out next.
pub(super) struct Memory(Mutex<HashMap<Host, Instant>>);

impl Memory {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(super) fn holds(&self, host: &Host) -> bool {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = hosts.get(host) else {
            return false;
        };
        let holds = *until > Instant::now();
        if !holds {
            hosts.remove(host);
        }
        holds
    }

    pub(super) fn note(&self, host: &Host, time: Duration, max: usize) {
        let now = Instant::now();
        if max == 0 || time.is_zero() {
            return;
        }
        let until = later(now, time);
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= max && !hosts.contains_key(host) {
            hosts.retain(|_, until| *until > now);
            while hosts.len() >= max {
                let next = hosts.iter().min_by_key(|(_, until)| **until);
                let Some(next) = next.map(|(host, _)| host.clone()) else {
                    break;
                };
                hosts.remove(&next);
            }
        }
        hosts.insert(host.clone(), until);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}
