//! `Connection: close`.

use http::{
    header::{CONNECTION, UPGRADE},
    HeaderMap, HeaderValue,
};

/// Adds `close` to the connection options. The others stay, but for `keep-alive`.
pub(super) fn close(headers: &mut HeaderMap) {
    if !headers.contains_key(CONNECTION) && !headers.contains_key(UPGRADE) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        return;
    }
    let mut value = String::from("close");
    for line in headers.get_all(CONNECTION) {
        // What is no text is no connection option.
        let options = line.to_str().unwrap_or_default().split(',');
        for option in options.map(str::trim).filter(|option| !option.is_empty()) {
            if !["close", "keep-alive"]
                .iter()
                .any(|known| option.eq_ignore_ascii_case(known))
            {
                value.extend([", ", option]);
            }
        }
    }
    // An `Upgrade` header, as of a 426, must be named (RFC 9110 §7.8).
    let mut named = value.split(", ");
    if headers.contains_key(UPGRADE) && !named.any(|option| option.eq_ignore_ascii_case("upgrade"))
    {
        value.push_str(", upgrade");
    }
    let value = HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("close"));
    headers.insert(CONNECTION, value);
}

#[cfg(test)]
mod tests {
    use super::{close, HeaderMap, CONNECTION};

    fn closed(lines: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        close(&mut headers);
        assert_eq!(headers.get_all(CONNECTION).iter().count(), 1);
        headers[CONNECTION].to_str().unwrap().to_owned()
    }

    #[test]
    fn close_joins_the_options_that_are_there() {
        assert_eq!(closed(&[]), "close");
        assert_eq!(closed(&[("connection", "Keep-Alive, x-a")]), "close, x-a");
        assert_eq!(
            closed(&[("connection", "x-a"), ("connection", "close, x-b")]),
            "close, x-a, x-b"
        );
        assert_eq!(closed(&[("upgrade", "TLS/1.3")]), "close, upgrade");
        let other = [("upgrade", "a"), ("connection", "upgrade-insecure")];
        assert_eq!(closed(&other), "close, upgrade-insecure, upgrade");
        assert_eq!(
            closed(&[("upgrade", "a"), ("connection", "Upgrade")]),
            "close, Upgrade"
        );
    }
}
