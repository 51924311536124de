//! Rows 1 to 4: what the field lines say.

use super::*;

#[test]
fn row_1_http_1_0_and_0_9_ignore_expect_whole() {
    let values: [Lines; 6] = [
        &[],
        CONTINUE,
        &[b"y 100-continue"],
        &[b"foo"],
        &[b"100-continue, 100-continue"],
        &[b"\xff"],
    ];
    for version in [Version::HTTP_10, Version::HTTP_09] {
        for expect in values {
            for signal in [false, true] {
                let post = Case {
                    version,
                    expect,
                    signal,
                    ..POST
                };
                post.check();
                let get = Case {
                    method: "GET",
                    outcome: NO_CONTENT,
                    ..post
                };
                get.check();
                let ended = Case {
                    ended: true,
                    outcome: NO_CONTENT,
                    ..post
                };
                ended.check();
            }
        }
    }
}

#[test]
fn row_2_an_absent_or_empty_expect_lets_the_request_on_to_the_validator() {
    let values: [Lines; 6] = [&[], &[b""], &[b" "], &[b","], &[b" ,\t, "], &[b"", b","]];
    for version in ALL_VERSIONS {
        for expect in values {
            Case {
                version,
                expect,
                ..POST
            }
            .check();
            let get = Case {
                method: "GET",
                outcome: NO_CONTENT,
                version,
                expect,
                ..POST
            };
            get.check();
        }
    }
}

#[test]
fn row_3_a_malformed_expect_is_answered_with_400() {
    let values: [Lines; 14] = [
        &[b"y 100-continue"],
        &[b"x 100-continue"],
        &[b"100-continue y"],
        &[b"\"100-continue\""],
        &[b"="],
        &[b"=100-continue"],
        &[b"100-continue="],
        &[b"\xa0100-continue"],
        &[b"100-continue\xa0"],
        &[b"\xc2\xa0100-continue"],
        &[b"100-continue, ="],
        &[b"100-continue", b"a b"],
        &[b"a b", b"100-continue"],
        &[b"100-continu\xc3\xa9"],
    ];
    for version in ALL_VERSIONS {
        for expect in values {
            for (signal, ended) in [(false, false), (true, false), (false, true)] {
                let outcome = Outcome::Rejected(400);
                Case {
                    version,
                    expect,
                    signal,
                    ended,
                    outcome,
                    ..POST
                }
                .check();
            }
        }
    }
}

#[test]
fn row_4_an_expectation_that_is_not_supported_is_answered_with_417() {
    let values: [Lines; 12] = [
        &[b"foo"],
        &[b"100-continue=x"],
        &[b"100-continue=1"],
        &[b"100-continue=\"\""],
        &[b"100-continue;q=1"],
        &[b"100-continuex"],
        &[b"100-"],
        &[b"100-foo"],
        &[b"100-continue, foo"],
        &[b"foo,100-continue"],
        &[b"100-continue", b"foo"],
        &[b"foo", b"100-continue"],
    ];
    for version in ALL_VERSIONS {
        for expect in values {
            for (signal, ended) in [(false, false), (true, false), (false, true)] {
                let supported: &[&str] = &["fo", "bar"];
                let outcome = Outcome::Rejected(417);
                Case {
                    version,
                    expect,
                    signal,
                    ended,
                    supported,
                    outcome,
                    ..POST
                }
                .check();
            }
        }
    }
}

#[test]
fn row_4_a_supported_extension_passes_in_any_case_with_value_and_parameters() {
    let supported: &[&str] = &["other", "Foo"];
    let alone: [Lines; 3] = [&[b"foo"], &[b"FOO=\"a b\";c=d"], &[b"foo, Other", b"foo"]];
    for version in ALL_VERSIONS {
        for expect in alone {
            Case {
                version,
                expect,
                supported,
                ..POST
            }
            .check();
            Case {
                method: "GET",
                version,
                expect,
                supported,
                ..POST
            }
            .check();
        }
    }
    let rejected = Case {
        expect: &[b"foo, bar"],
        supported,
        outcome: Outcome::Rejected(417),
        ..POST
    };
    rejected.check();
    let before = Case {
        expect: &[b"foo=1", b"100-continue"],
        supported,
        outcome: EXPECTING,
        ..POST
    };
    before.check();
}
