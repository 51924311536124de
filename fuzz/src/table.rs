//! The decision table of the crate's documentation, restated.

use http::{HeaderMap, HeaderValue, Method, Version};
use tower_expect::ValidateWhen;

use crate::{
    case::Case,
    grammar::{self, Member},
};

#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Refused {
        status: u16,
        reason: RejectReason,
        /// Whether the validator was asked.
        asked: bool,
    },
    Admitted {
        expecting: bool,
        asked: bool,
    },
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
    let refused = |status, reason| Outcome::Refused {
        status,
        reason,
        asked: false,
    };
    let members = match is_old(case) {
        true => Vec::new(),
        false => match grammar::parse(&lines) {
            Ok(members) => members,
            Err(member) => return refused(400, RejectReason::Malformed(member)),
        },
    };
    if members.iter().any(|member| !is_known(case, member)) {
        return refused(417, RejectReason::Unsupported);
    }
    let content = has_content(case, &headers, !members.is_empty());
    let expecting = content && members.iter().any(|member| member.is_continue);
    if expecting && !case.signal {
        let by_hyper = lines.last().is_some_and(|line| {
            line.to_str()
                .is_ok_and(|line| line.to_lowercase() == "100-continue")
        });
        let is_refused = match case.version() {
            Version::HTTP_11 => !by_hyper,
            _ => case.continue_unavailable_rejects,
        };
        if is_refused {
            return refused(417, RejectReason::ContinueUnavailable);
        }
    }
    let asked = match case.scope() {
        ValidateWhen::Always => true,
        ValidateWhen::Expecting => expecting,
        _ => content,
    };
    match case.refuses() {
        Some(status) if asked => Outcome::Refused {
            status: final_status(status.as_u16()),
            reason: RejectReason::Validator,
            asked,
        },
        _ => Outcome::Admitted { expecting, asked },
    }
}

/// Whether a refusal lets an HTTP/1 connection go on: only if no client could be in doubt about
/// what it owes, and what it owes is nothing or short.
pub fn keeps_alive(case: &Case) -> bool {
    let headers = case.headers();
    let says_nothing =
        |line: &HeaderValue| line.as_bytes().iter().all(|byte| b" \t,".contains(byte));
    let has_expect = !is_old(case) && !lines(&headers, "expect").iter().all(says_nothing);
    let length = case
        .body_length
        .map(u64::from)
        .or_else(|| announced(&headers));
    let is_short = case.lingers
        && case.version() == Version::HTTP_11
        && length.is_some_and(|length| length <= 65_536);
    !has_expect && (case.body_ended || is_short)
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
    !case.body_ended && (is_announced || headers.contains_key("transfer-encoding"))
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
