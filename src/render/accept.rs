//! Which of our formats an `Accept` field prefers (RFC 9110 §12.5.1).

use http::{header::ACCEPT, HeaderMap};

use crate::media_range::MediaRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    PlainText,
    ProblemJson,
    Html,
}

/// In the order in which they win a tie, with the names that clients ask for them by. Few clients
/// know `application/problem+json`; those that can read it ask for JSON.
const FORMATS: [(Format, &[&str]); 3] = [
    (Format::PlainText, &["text/plain"]),
    (
        Format::ProblemJson,
        &["application/problem+json", "application/json"],
    ),
    (Format::Html, &["text/html"]),
];

pub(super) fn preferred(headers: &HeaderMap) -> Format {
    let mut best = (Format::PlainText, Quality(0));
    for (format, names) in FORMATS {
        let qualities = names.iter().map(|name| quality(headers, name));
        let quality = qualities.max().unwrap_or(Quality(0));
        if quality > best.1 {
            best = (format, quality);
        }
    }
    best.0
}

/// A q-value in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Quality(u16);

/// What the field gives to a media type: the quality of the most specific range that covers it.
fn quality(headers: &HeaderMap, name: &str) -> Quality {
    let Some(name) = MediaRange::parse(name.as_bytes()) else {
        return Quality(0);
    };
    let lines = headers.get_all(ACCEPT).iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let mut best = (0, Quality(0));
    for member in members {
        let Some(range) = MediaRange::parse(member).filter(|range| range.covers(name)) else {
            continue;
        };
        let specificity = 1 + u8::from(range.main != b"*") + u8::from(range.sub != b"*");
        if specificity > best.0 {
            best = (specificity, weight(member));
        }
    }
    best.1
}

/// The `q` parameter, 1 if there is none, 0 if it is malformed.
fn weight(member: &[u8]) -> Quality {
    let parameters = member.split(|&byte| byte == b';').skip(1);
    for parameter in parameters {
        if let [b'q' | b'Q', b'=', value @ ..] = parameter.trim_ascii() {
            return Quality(thousandths(value).unwrap_or(0));
        }
    }
    Quality(1000)
}

fn thousandths(value: &[u8]) -> Option<u16> {
    let (&whole, fraction) = value.split_first()?;
    let digits = match fraction {
        [] => fraction,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut thousandths = u16::from(whole.checked_sub(b'0').filter(|&digit| digit <= 1)?);
    for place in 0..3 {
        let digit = *digits.get(place).unwrap_or(&b'0');
        let digit = digit.checked_sub(b'0').filter(|&digit| digit <= 9)?;
        thousandths = thousandths * 10 + u16::from(digit);
    }
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&str]) -> Format {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_str(line).unwrap());
        }
        preferred(&headers)
    }

    #[test]
    fn plain_text_is_for_those_who_do_not_care() {
        for accept in [
            "*/*",
            "text/*",
            "",
            "image/png",
            "*/*;q=0.1",
            ",,;;q",
            "text/plain",
        ] {
            assert_eq!(of(&[accept]), Format::PlainText, "{accept}");
        }
        assert_eq!(of(&[]), Format::PlainText);
    }

    #[test]
    fn a_browser_gets_html_and_a_json_client_gets_a_problem() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(of(&[browser]), Format::Html);
        assert_eq!(of(&["application/json"]), Format::ProblemJson);
        assert_eq!(of(&["Application/Problem+JSON"]), Format::ProblemJson);
        assert_eq!(
            of(&["application/json, text/plain, */*"]),
            Format::PlainText
        );
    }

    #[test]
    fn q_values_decide_and_zero_forbids() {
        assert_eq!(of(&["text/plain;q=0.5, text/html;q=0.501"]), Format::Html);
        assert_eq!(of(&["text/plain;q=0, */*"]), Format::ProblemJson);
        assert_eq!(of(&["text/plain;q=0", "text/html; Q=1.000"]), Format::Html);
        assert_eq!(
            of(&["text/*;q=0.2, application/*;q=0.3"]),
            Format::ProblemJson
        );
    }

    #[test]
    fn the_most_specific_range_counts() {
        assert_eq!(
            of(&["text/*;q=1, text/plain;q=0.1, text/html;q=0.2"]),
            Format::Html
        );
        assert_eq!(of(&["*/*;q=1, text/*;q=0.1"]), Format::ProblemJson);
    }

    #[test]
    fn malformed_q_values_count_as_zero() {
        for q in [
            "q=2", "q=1.001", "q=0.1234", "q=.5", "q=", "q=-1", "q=1.0a", "q=a",
        ] {
            let accept = format!("text/html;{q}, application/json;q=0.001");
            assert_eq!(of(&[&accept]), Format::ProblemJson, "{q}");
        }
    }
}
