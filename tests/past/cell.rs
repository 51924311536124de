//! What the table is made of: one request, to one server, guarded by one rule.

use tower_expect::{rules, ValidateWhen, Validator};

pub(crate) const TOKEN: &str = "s3cr3t";
pub(crate) const TYPE: &str = "image/png";
/// What rules with a limit accept, in bytes.
pub(crate) const LIMIT: u64 = 10;

pub(crate) const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "REPORT",
];

pub(crate) const WHENS: [ValidateWhen; 3] = [
    ValidateWhen::Always,
    ValidateWhen::HasBody,
    ValidateWhen::Expecting,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    Http11,
    Http2,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) version: Version,
    pub(crate) method: &'static str,
    pub(crate) framing: &'static Framing,
    pub(crate) expects: bool,
    /// Indices into [`WHENS`] and [`GUARDS`].
    pub(crate) when: usize,
    pub(crate) guard: usize,
    pub(crate) claims: Claims,
}

/// What the client says of the body, and what it sends.
#[derive(Debug)]
pub(crate) struct Framing {
    pub(crate) name: &'static str,
    pub(crate) length: Option<u64>,
    /// HTTP/1 only.
    pub(crate) chunked: bool,
    /// HTTP/2 only: END_STREAM is on the head.
    pub(crate) ended: bool,
    pub(crate) data: u64,
    pub(crate) trailers: bool,
}

const NOTHING: Framing = Framing {
    name: "nothing",
    length: None,
    chunked: false,
    ended: false,
    data: 0,
    trailers: false,
};

const fn sized(name: &'static str, length: u64, data: u64) -> Framing {
    Framing {
        name,
        length: Some(length),
        data,
        ..NOTHING
    }
}

const fn chunked(name: &'static str, length: Option<u64>, data: u64, trailers: bool) -> Framing {
    Framing {
        name,
        length,
        chunked: true,
        data,
        trailers,
        ..NOTHING
    }
}

const fn unannounced(name: &'static str, data: u64, trailers: bool) -> Framing {
    Framing {
        name,
        data,
        trailers,
        ..NOTHING
    }
}

pub(crate) static HTTP1: [Framing; 12] = [
    NOTHING,
    sized("length of 0", 0, 0),
    sized("length that fits", 5, 5),
    sized("length at the limit", LIMIT, LIMIT),
    sized("length above the limit", 50, 50),
    sized("length too small", 5, 50),
    sized("length too large", 9, 5),
    chunked("chunked, empty", None, 0, false),
    chunked("chunked, fits", None, 5, false),
    chunked("chunked, above the limit", None, 50, false),
    chunked("chunked, false length", Some(5), 50, false),
    chunked("chunked, trailers", None, 50, true),
];

pub(crate) static HTTP2: [Framing; 13] = [
    Framing {
        ended: true,
        ..NOTHING
    },
    Framing {
        ended: true,
        ..sized("length of 0, ended", 0, 0)
    },
    sized("length of 0", 0, 0),
    sized("length of 0, with DATA", 0, 50),
    sized("length that fits", 5, 5),
    sized("length at the limit", LIMIT, LIMIT),
    sized("length above the limit", 50, 50),
    sized("length too small", 5, 50),
    sized("length too large", 9, 5),
    unannounced("no length, empty DATA", 0, false),
    unannounced("no length, fits", 5, false),
    unannounced("no length, above the limit", 50, false),
    unannounced("no length, trailers", 50, true),
];

/// The headers that rules read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claims {
    pub(crate) token: bool,
    pub(crate) content_type: Option<&'static str>,
}

const fn claims(token: bool, content_type: Option<&'static str>) -> Claims {
    Claims {
        token,
        content_type,
    }
}

/// A rule by what it demands, and the requests that it is tried with.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each demand is independent of the others"
)]
pub(crate) struct Guard {
    pub(crate) token: bool,
    pub(crate) content_type: bool,
    pub(crate) limit: bool,
    /// A length must be announced.
    pub(crate) required: bool,
    /// Whether the token makes up for the others.
    pub(crate) either: bool,
    pub(crate) tried_with: &'static [Claims],
}

const NO_GUARD: Guard = Guard {
    token: false,
    content_type: false,
    limit: false,
    required: false,
    either: false,
    tried_with: &[claims(false, None)],
};

const WITH_AND_WITHOUT_TOKEN: &[Claims] = &[claims(false, None), claims(true, None)];

pub(crate) static GUARDS: [Guard; 7] = [
    Guard {
        token: true,
        tried_with: WITH_AND_WITHOUT_TOKEN,
        ..NO_GUARD
    },
    Guard {
        limit: true,
        ..NO_GUARD
    },
    Guard {
        limit: true,
        required: true,
        ..NO_GUARD
    },
    Guard {
        content_type: true,
        tried_with: &[
            claims(false, None),
            claims(false, Some("text/plain")),
            claims(false, Some(TYPE)),
        ],
        ..NO_GUARD
    },
    Guard {
        token: true,
        limit: true,
        tried_with: WITH_AND_WITHOUT_TOKEN,
        ..NO_GUARD
    },
    Guard {
        token: true,
        content_type: true,
        limit: true,
        required: true,
        tried_with: &[
            claims(true, None),
            claims(false, Some(TYPE)),
            claims(true, Some(TYPE)),
        ],
        ..NO_GUARD
    },
    Guard {
        token: true,
        limit: true,
        either: true,
        tried_with: WITH_AND_WITHOUT_TOKEN,
        ..NO_GUARD
    },
];

impl Guard {
    pub(crate) fn rule(&self) -> impl Validator {
        let token = self.token.then(|| rules::bearer_token(TOKEN).boxed());
        let mut others = Vec::new();
        others.extend(
            self.content_type
                .then(|| rules::content_type([TYPE]).boxed()),
        );
        let limit = rules::content_length(..=LIMIT);
        others.extend(match (self.limit, self.required) {
            (false, _) => None,
            (true, false) => Some(limit.boxed()),
            (true, true) => Some(limit.required().boxed()),
        });
        match (token, self.either) {
            (Some(token), true) => token.or(rules::all(others)).boxed(),
            (Some(token), false) => token.and(rules::all(others)).boxed(),
            (None, _) => rules::all(others).boxed(),
        }
    }
}

impl Cell {
    pub(crate) fn all(version: Version, method: &'static str) -> impl Iterator<Item = Self> {
        let framings: &'static [Framing] = match version {
            Version::Http2 => &HTTP2,
            _ => &HTTP1,
        };
        let mut cells = Vec::new();
        for framing in framings {
            for expects in [false, true] {
                for when in 0..WHENS.len() {
                    for (guard, tried) in GUARDS.iter().enumerate() {
                        cells.extend(tried.tried_with.iter().map(|&claims| Self {
                            version,
                            method,
                            framing,
                            expects,
                            when,
                            guard,
                            claims,
                        }));
                    }
                }
            }
        }
        cells.into_iter()
    }

    /// The headers of the request other than those of its framing.
    pub(crate) fn headers(&self, number: usize) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("x-cell", number.to_string()),
            ("x-when", self.when.to_string()),
            ("x-guard", self.guard.to_string()),
        ];
        if self.claims.token {
            headers.push(("authorization", format!("Bearer {TOKEN}")));
        }
        if let Some(content_type) = self.claims.content_type {
            headers.push(("content-type", content_type.to_owned()));
        }
        if self.expects {
            headers.push(("expect", "100-continue".to_owned()));
        }
        if let Some(length) = self.framing.length {
            headers.push(("content-length", length.to_string()));
        }
        headers
    }
}
