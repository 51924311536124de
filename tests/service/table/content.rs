//! Rows 5 to 8: content, and who can send the 100.

use super::*;
#[test]
fn row_5_an_expectation_without_content_is_moot() {
    for version in ALL_VERSIONS {
        for continue_unavailable in [ContinueUnavailable::Forward, ContinueUnavailable::Reject] {
            for method in [
                "POST", "PUT", "GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT",
            ] {
                let values: [Lines; 2] = [CONTINUE, &[b"100-continue, 100-continue"]];
                for expect in values {
                    let outcome = NO_CONTENT;
                    let fields = &[("content-length", "5")];
                    let ended = true;
                    Case {
                        version,
                        method,
                        expect,
                        fields,
                        ended,
                        continue_unavailable,
                        outcome,
                        ..POST
                    }
                    .check();
                }
            }
            let method = "CONNECT";
            let outcome = NO_CONTENT;
            Case {
                version,
                method,
                expect: CONTINUE,
                continue_unavailable,
                outcome,
                ..POST
            }
            .check();
        }
    }
}

#[test]
fn row_5_a_length_of_0_rules_a_body_out_though_it_has_not_ended() {
    for version in ALL_VERSIONS {
        for continue_unavailable in [ContinueUnavailable::Forward, ContinueUnavailable::Reject] {
            for method in ["POST", "PUT", "GET", "DELETE", "CONNECT", "REPORT"] {
                for signal in [false, true] {
                    Case {
                        version,
                        method,
                        expect: CONTINUE,
                        fields: &[("content-length", "0")],
                        signal,
                        continue_unavailable,
                        outcome: NO_CONTENT,
                        ..POST
                    }
                    .check();
                }
            }
        }
    }
}

#[test]
fn row_6_on_http_1_1_what_hyper_takes_for_an_expectation_goes_in() {
    let values: [Lines; 6] = [
        CONTINUE,
        &[b"100-Continue"],
        &[b"100-CONTINUE"],
        &[b"100-continue", b"100-continue"],
        &[b"", b"100-continue"],
        &[b"100-continue, 100-continue", b"100-continue"],
    ];
    for expect in values {
        for continue_unavailable in [ContinueUnavailable::Forward, ContinueUnavailable::Reject] {
            for signal in [false, true] {
                Case {
                    expect,
                    continue_unavailable,
                    signal,
                    outcome: EXPECTING,
                    ..POST
                }
                .check();
            }
        }
    }
}

#[test]
fn row_6_on_http_1_1_what_hyper_would_let_stall_is_answered_with_417_but_with_a_signal_goes_in() {
    let supported: &[&str] = &["foo"];
    let values: [Lines; 8] = [
        &[b"100-continue, 100-continue"],
        &[b",100-continue,"],
        &[b"\t100-continue "],
        &[b"100-continue", b""],
        &[b"100-continue", b"100-continue,"],
        &[b"100-continue", b"foo"],
        &[b"100-continue, foo"],
        &[b"foo, 100-continue"],
    ];
    for expect in values {
        for method in ["POST", "GET", "OPTIONS"] {
            let outcome = Outcome::Rejected(417);
            Case {
                method,
                expect,
                supported,
                outcome,
                ..POST
            }
            .check();
            let outcome = EXPECTING;
            Case {
                method,
                expect,
                supported,
                signal: true,
                outcome,
                ..POST
            }
            .check();
        }
    }
}

#[test]
fn row_6_on_http_2_and_3_the_setting_decides_unless_there_is_a_signal() {
    let values: [Lines; 3] = [
        CONTINUE,
        &[b"100-continue, 100-CONTINUE"],
        &[b"\t100-continue "],
    ];
    for version in [Version::HTTP_2, Version::HTTP_3] {
        for expect in values {
            let forward = Case {
                version,
                expect,
                outcome: EXPECTING,
                ..POST
            };
            forward.check();
            let continue_unavailable = ContinueUnavailable::Reject;
            Case {
                continue_unavailable,
                outcome: Outcome::Rejected(417),
                ..forward
            }
            .check();
            Case {
                continue_unavailable,
                signal: true,
                ..forward
            }
            .check();
        }
    }
}

#[test]
fn row_7_methods_that_usually_have_no_body_need_an_announcement() {
    let table: [(Fields, Lines, Outcome); 9] = [
        (&[], &[], NO_CONTENT),
        (&[("content-length", "0")], &[], NO_CONTENT),
        (&[("content-length", "")], &[], CONTENT),
        (&[("content-length", "000")], &[], NO_CONTENT),
        (&[("content-length", "5")], &[], CONTENT),
        (&[("content-length", "10")], &[], CONTENT),
        (&[("content-length", "x")], &[], CONTENT),
        (&[("transfer-encoding", "chunked")], &[], CONTENT),
        (&[], CONTINUE, EXPECTING),
    ];
    for version in ALL_VERSIONS {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "CONNECT"] {
            for (fields, expect, outcome) in table {
                // What follows a CONNECT is a tunnel, unless a length says otherwise.
                let outcome = match (method, outcome) {
                    ("CONNECT", EXPECTING) => NO_CONTENT,
                    _ => outcome,
                };
                Case {
                    version,
                    method,
                    expect,
                    fields,
                    outcome,
                    ..POST
                }
                .check();
                Case {
                    ended: true,
                    version,
                    method,
                    fields,
                    expect,
                    outcome: NO_CONTENT,
                    ..POST
                }
                .check();
            }
        }
    }
}

#[test]
fn row_7_a_second_content_length_line_announces_content_too() {
    let fields = &[("content-length", "0"), ("content-length", "5")];
    Case {
        method: "GET",
        fields,
        ..POST
    }
    .check();
}

#[test]
fn row_7_other_methods_have_content_unless_their_body_is_at_its_end() {
    for version in ALL_VERSIONS {
        for method in ["POST", "PUT", "PATCH", "MKCOL", "get"] {
            Case {
                version,
                method,
                ..POST
            }
            .check();
            let fields = &[("content-length", "5")];
            Case {
                version,
                method,
                fields,
                ended: true,
                outcome: NO_CONTENT,
                ..POST
            }
            .check();
        }
        Case {
            version,
            method: "CONNECT",
            outcome: NO_CONTENT,
            ..POST
        }
        .check();
    }
}

#[test]
fn row_8_strip_expect_takes_the_field_from_what_is_accepted() {
    for (scope, method) in [
        (ValidateWhen::HasBody, "POST"),
        (ValidateWhen::Expecting, "CONNECT"),
    ] {
        let inner = service_fn(|request: Request<ExpectBody<PanicBody>>| {
            assert!(!request.headers().contains_key(EXPECT));
            ready(Ok::<_, Infallible>(reply()))
        });
        let sees_it = |head: &RequestHead| {
            assert!(head.is_expecting());
            assert_eq!(head.headers[EXPECT], "100-continue");
            Ok(())
        };
        let case = Case {
            method,
            expect: CONTINUE,
            ..POST
        };
        let layer = ExpectLayer::new(sees_it)
            .validate_when(scope)
            .strip_expect();
        assert_eq!(
            within_a_turn(layer.layer(inner), case.request()).status(),
            200
        );
        let sees_it = move |head: &RequestHead| ready(sees_it(head));
        let layer = ExpectLayer::new_async(sees_it)
            .validate_when(scope)
            .strip_expect();
        assert_eq!(
            within_a_turn(layer.layer(inner), case.request()).status(),
            200
        );
    }
}

#[test]
fn the_validator_finds_the_expectations_in_the_head() {
    let sees = |expect: Lines, version, check: fn(&RequestHead)| {
        let validator = move |head: &RequestHead| {
            check(head);
            Err::<(), _>(Rejection::forbidden())
        };
        let layer = ExpectLayer::new(validator).support("foo");
        let case = Case {
            version,
            expect,
            ..POST
        };
        assert_eq!(
            crate::support::rejected(&layer, case.request()).status(),
            403
        );
    };
    sees(&[b"foo=a", b"100-continue"], Version::HTTP_11, |head| {
        assert!(head.is_expecting());
        let foo = head.expectations().get("FOO").unwrap();
        assert_eq!(foo.value.as_deref(), Some("a"));
    });
    sees(&[b"foo"], Version::HTTP_2, |head| {
        assert!(!head.is_expecting());
        assert_eq!(head.expectations().iter().count(), 1);
    });
    sees(CONTINUE, Version::HTTP_10, |head| {
        assert!(!head.is_expecting());
        assert!(head.expectations().is_empty());
    });
}
