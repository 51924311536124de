//! The headers of a response that are the server's business.

use std::{
    cell::RefCell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{
    header::{HeaderName, CONNECTION, CONTENT_LENGTH, DATE, TE, TRANSFER_ENCODING, UPGRADE},
    response::Parts,
    HeaderMap, HeaderValue, StatusCode,
};
use http_body::SizeHint;

/// Headers that belong to an HTTP/1 connection (RFC 9113 §8.2.2). h2 returns an error for them.
const OF_CONNECTIONS: [HeaderName; 5] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Completes the head before it is sent. `body` is the body's size hint and whether it is at its end.
pub(super) fn complete(head: &mut Parts, body: (SizeHint, bool), date: bool) {
    let headers = &mut head.headers;
    strip(headers);
    match head.status {
        // RFC 9110 §8.6: never in a 204.
        StatusCode::NO_CONTENT => drop(headers.remove(CONTENT_LENGTH)),
        // The length here would be that of the 200.
        StatusCode::NOT_MODIFIED => {}
        _ => {
            if let (Some(length), false) = (body.0.exact(), body.1) {
                let value = || HeaderValue::from(length);
                headers.entry(CONTENT_LENGTH).or_insert_with(value);
            }
        }
    }
    if date {
        headers.entry(DATE).or_insert_with(now);
    }
}

/// Removes the headers of connections and those that `Connection` names, which HTTP/2 does not allow.
pub(super) fn strip(headers: &mut HeaderMap) {
    for name in &OF_CONNECTIONS {
        headers.remove(name);
    }
    if !headers.contains_key(CONNECTION) {
        return;
    }
    let lines: Vec<_> = headers.get_all(CONNECTION).iter().cloned().collect();
    headers.remove(CONNECTION);
    for name in lines
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
    {
        if let Ok(name) = HeaderName::from_bytes(name.trim_ascii()) {
            headers.remove(name);
        }
    }
}

/// The date, formatted once a second on each thread.
fn now() -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(u64, HeaderValue)> =
            const { RefCell::new((0, HeaderValue::from_static(""))) };
    }
    // A clock before 1970 or after 9999, which `HttpDate` would panic at, is wrong anyway.
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since
        .map_or(0, |since| since.as_secs())
        .min(253_402_300_799);
    LAST.with_borrow_mut(|(at, value)| {
        if *at != seconds || value.is_empty() {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            *value = HeaderValue::try_from(date).expect("a date is visible ASCII");
            *at = seconds;
        }
        value.clone()
    })
}
