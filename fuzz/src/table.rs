//! The decision table of the crate's documentation, restated.

use http::{HeaderMap, HeaderValue, Method, Version};
use tower_expect::ValidateWhen;

use crate::{
    case::Case,
    grammar::{self, Member},
};

#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Rejected {
        status: u16,
        reason: RejectReason,
        /// Whether the validator was asked.
        asked: bool,
    },
    Accepted {
        content: bool,
        expecting: bool,
        asked: bool,
    },
}

/// How a response leaves.
#[derive(Debug, PartialEq, Eq)]
pub struct Leave {
    /// Of the connection, before it leaves.
    pub turns: usize,
    pub closes: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// With the place of the member.
    Malformed(usize),
    Unsupported,
    ContinueUnavailable,
    Validator,
}

pub fn outcome(case: &Case) -> Outcome {
    let headers = case.headers();
    let lines = lines(&headers, "expect");
    let rejected = |status, reason| Outcome::Rejected {
        status,
        reason,
        asked: false,
    };
    let members = match is_old(case) {
        true => Vec::new(),
        false => match grammar::parse(&lines) {
            Ok(members) => members,
            Err(member) => return rejected(400, RejectReason::Malformed(member)),
        },
    };
    if members.iter().any(|member| !is_known(case, member)) {
        return rejected(417, RejectReason::Unsupported);
    }
    let content = has_content(case, &headers, !members.is_empty());
    let expecting = content && members.iter().any(|member| member.is_continue);
    if expecting && !case.signal {
        let by_hyper = lines.last().is_some_and(|line| {
            line.to_str()
                .is_ok_and(|line| line.to_lowercase() == "100-continue")
        });
        let is_rejected = match case.version() {
            Version::HTTP_11 => !by_hyper,
            _ => case.continue_unavailable_rejects,
        };
        if is_rejected {
            return rejected(417, RejectReason::ContinueUnavailable);
        }
    }
    let asked = match case.scope() {
        ValidateWhen::Always => true,
        ValidateWhen::Expecting => expecting,
        _ => content,
    };
    match case.rejects() {
        Some(status) if asked => Outcome::Rejected {
            status: final_status(status.as_u16()),
            reason: RejectReason::Validator,
            asked,
        },
        _ => Outcome::Accepted {
            content,
            expecting,
            asked,
        },
    }
}

/// How many bytes the application may get of a request that is accepted; `None` if any number.
pub fn limit(case: &Case, content: bool, asked: bool) -> Option<u64> {
    match case.scope() {
        ValidateWhen::Always | ValidateWhen::HasBody if !content => Some(0),
        _ => case.max_body.filter(|_| asked).map(u64::from),
    }
}

/// The longest body, in bytes, that hyper completes by itself when it is dropped.
const COMPLETED: u32 = 835_584;

/// How the response to a request that is rejected leaves.
///
/// The client of any `Expect` field may be waiting for a 100.
pub fn of_rejection(case: &Case, status: u16) -> Leave {
    let headers = case.headers();
    let says_nothing =
        |line: &HeaderValue| line.as_bytes().iter().all(|byte| b" \t,".contains(byte));
    let waits = !is_old(case) && !lines(&headers, "expect").iter().all(says_nothing);
    match case.body_ended {
        true => Leave::NOTHING,
        false => of_returned(case, status, waits, COMPLETED),
    }
}

/// How a response of the application leaves; of an error, only the turns are of interest.
pub fn of_response(case: &Case, content: bool, expecting: bool) -> Leave {
    let polled = !case.application.polls.is_multiple_of(4);
    // The body has no frame.
    let invited = polled && case.signal;
    let waits = expecting && !invited;
    if !content || !(case.lingers || expecting) {
        return Leave::NOTHING;
    }
    if case.application.drops_body {
        let completed = if polled { 3 * COMPLETED } else { COMPLETED };
        return of_returned(case, 200, waits, completed);
    }
    let is_http1 = case.version() <= Version::HTTP_11;
    Leave {
        turns: usize::from(is_http1 && waits && polled),
        closes: is_http1 && waits,
    }
}

/// With the body unread and come back. Nobody could be in doubt about what a client owes that does not
/// wait; if it is short, the connection goes on.
fn of_returned(case: &Case, status: u16, waits: bool, completed: u32) -> Leave {
    if case.version() > Version::HTTP_11 {
        return Leave::NOTHING;
    }
    let is_completed = case.body_length.is_none_or(|length| length <= completed);
    let is_dropped = !case.lingers || waits && is_completed;
    let rest = case.body_length.map(u64::from);
    let goes_on = match rest.or_else(|| announced(&case.headers())) {
        Some(rest) => rest <= 65_536,
        None => (200..300).contains(&status),
    };
    let is_kept_alive = case.lingers && case.version() == Version::HTTP_11 && goes_on;
    Leave {
        turns: usize::from(is_dropped && waits),
        closes: waits || !is_kept_alive,
    }
}

impl Leave {
    const NOTHING: Self = Self {
        turns: 0,
        closes: false,
    };
}

fn is_old(case: &Case) -> bool {
    matches!(case.version(), Version::HTTP_09 | Version::HTTP_10)
}

fn is_known(case: &Case, member: &Member) -> bool {
    let name = member.name.to_lowercase();
    member.is_continue
        || case
            .supported()
            .any(|supported| supported.to_lowercase() == name)
}

/// RFC 9110 and RFC 9113, restated: what the framing does not rule out.
fn has_content(case: &Case, headers: &HeaderMap, expects: bool) -> bool {
    let usually_without = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::DELETE,
    ];
    let method = case.method();
    let lengths = lines(headers, "content-length");
    let is_zero = |length: &HeaderValue| {
        let length = length.to_str().unwrap_or("?");
        !length.is_empty() && length.trim_start_matches('0').is_empty()
    };
    let is_announced = match &lengths[..] {
        [] if usually_without.contains(&method) => expects,
        [] => method != Method::CONNECT,
        lengths => !lengths.iter().all(is_zero),
    };
    let is_there = case.body_length.is_some_and(|length| length > 0);
    !case.body_ended && (is_there || is_announced || headers.contains_key("transfer-encoding"))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key("transfer-encoding") {
        return None;
    }
    match &lines(headers, "content-length")[..] {
        [line] => {
            let digits = line.to_str().ok()?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_number)
        }
        _ => None,
    }
}

/// A rejection with a 1xx is a mistake of the validator.
fn final_status(status: u16) -> u16 {
    match status {
        100..=199 => 500,
        _ => status,
    }
}

fn lines(headers: &HeaderMap, name: &str) -> Vec<HeaderValue> {
    headers.get_all(name).iter().cloned().collect()
}
