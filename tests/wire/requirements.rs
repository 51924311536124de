//! What the RFCs and the mistakes of other servers require, and the test that shows each.

mod security;

use std::{collections::HashMap, fs, path::Path};

use self::security::SECURITY;

/// Number, content in short, and `module::test` in this directory or `binary::module::test` beside it.
type Row = (&'static str, &'static str, &'static [&'static str]);

/// What a server must, should and may do. RFC 9110 is HTTP, 9112 HTTP/1.1, 9113 HTTP/2. HTTP/3, where
/// RFC 9114 §4.1 repeats S14, is spoken by no server here.
const STANDARD: [Row; 15] = [
    (
        "S1",
        "In HTTP/1.0 the expectation does not count (9110 §10.1.1)",
        &["http1::http_1_0_never_gets_a_1xx_nor_a_417_whatever_it_expects"],
    ),
    (
        "S2",
        "An HTTP/1.0 client is never sent a 1xx (9110 §15.2)",
        &[
            "http1::http_1_0_never_gets_a_1xx_nor_a_417_whatever_it_expects",
            "rejected::an_http_1_0_client_is_rejected_with_a_final_status_only",
        ],
    ),
    (
        "S3",
        "A member that the server does not know may be answered with 417; here it is (9110 §10.1.1)",
        &[
            "field::an_unknown_expectation_is_answered_with_417",
            "field::one_unknown_member_anywhere_is_answered_with_417",
        ],
    ),
    (
        "S4",
        "A waiting client gets a final status if the head suffices for one, else a 100, at once (9110 §10.1.1)",
        &[
            "http1::any_method_with_content_is_served_as_post_is",
            "rejected::a_rejection_comes_without_a_100_and_closes_the_connection",
            "field::forms_for_which_hyper_sends_no_100_are_answered_with_417_rather_than_stalled",
            "signalled::one_100_precedes_the_content",
        ],
    ),
    (
        "S5",
        "The 100 does not wait for content (9110 §10.1.1); it waits for the handler's first poll only",
        &["http1::the_100_waits_for_the_first_poll_of_the_body_and_goes_out_once"],
    ),
    (
        "S6",
        "The 100 may be left out if content is there already, or none will come (9110 §10.1.1)",
        &[
            "http1::content_in_the_segment_of_the_head_is_read_and_gets_one_100_at_most",
            "http1::without_content_the_expectation_is_moot",
        ],
    ),
    (
        "S7",
        "A final status follows the 100 (9110 §10.1.1)",
        &[
            "http1::accepted_requests_leave_the_connection_as_it_is",
            "desync::nothing_hidden_in_the_unread_rest_of_a_content_is_executed",
        ],
    ),
    (
        "S8",
        "A final status ahead of the content says whether the server closes (9110 §10.1.1)",
        &[
            "rejected::a_rejection_comes_without_a_100_and_closes_the_connection",
            "rejected::the_applications_own_early_answer_comes_without_a_100_and_closes",
        ],
    ),
    (
        "S9",
        "A 1xx has neither content nor the fields that announce some (9110 §15.2, §8.6; 9112 §6.1)",
        &["http1::the_100_waits_for_the_first_poll_of_the_body_and_goes_out_once"],
    ),
    (
        "S10",
        "417 stands for an expectation that a server on the way cannot meet (9110 §15.5.18)",
        &[
            "field::forms_for_which_hyper_sends_no_100_are_answered_with_417_rather_than_stalled",
            "http2::an_expectation_that_nobody_can_meet_is_rejected_on_demand",
        ],
    ),
    (
        "S11",
        "Content is read to its end or the connection closed after the response (9112 §9.3)",
        &[
            "rejected::small_content_without_an_expectation_is_read_and_the_connection_goes_on",
            "desync::small_rejected_content_is_consumed_to_the_byte_before_the_next_request",
            "desync::nothing_hidden_behind_a_rejection_is_executed",
        ],
    ),
    (
        "S12",
        "After sending close the server answers nothing more and closes (9112 §9.6)",
        &[
            "rejected::a_rejection_comes_without_a_100_and_closes_the_connection",
            "desync::nothing_hidden_behind_a_rejection_is_executed",
            "desync::nothing_hidden_behind_an_early_answer_is_executed",
        ],
    ),
    (
        "S13",
        "A server that reads on before it closes spares the response a TCP reset (9112 §9.6)",
        &[
            "rejected::a_client_that_sends_everything_before_it_reads_sees_the_rejection",
            "curl::curl_sees_each_rejection_when_it_does_not_wait",
        ],
    ),
    (
        "S14",
        "An early HTTP/2 response is whole, then the stream is reset with NO_ERROR (9113 §8.1)",
        &[
            "http2::a_rejection_ends_its_stream_with_no_error_and_leaves_the_connection_usable",
            "http2::the_applications_early_answer_ends_its_stream_with_no_error",
        ],
    ),
    (
        "S15",
        "When a request expects a 100 and upgrades, the 100 comes before the 101 (9110 §7.8)",
        &["http1::the_100_precedes_a_101"],
    ),
];

/// Whether the source has a function of that name with a test attribute above it.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let (plain, asynchronous) = (format!("fn {name}("), format!("async fn {name}("));
    let is_it = |line: &&str| line.starts_with(&plain) || line.starts_with(&asynchronous);
    let Some(place) = lines.iter().position(is_it) else {
        return false;
    };
    let above = lines[..place].iter().rev();
    let mut attributes = above.take_while(|line| line.starts_with("#["));
    attributes.any(|line| line.starts_with("#[test") || line.starts_with("#[tokio::test"))
}

#[test]
fn each_requirement_has_tests_that_exist() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sources = HashMap::new();
    for (id, text, names) in STANDARD.iter().chain(&SECURITY) {
        assert!(!text.is_empty() && !names.is_empty(), "{id}");
        for name in *names {
            let path: Vec<&str> = name.split("::").collect();
            let (file, test) = match path[..] {
                [module, test] => (format!("wire/{module}.rs"), test),
                [binary, module, test] => (format!("{binary}/{module}.rs"), test),
                _ => panic!("{id}: {name:?} is not a path to a test"),
            };
            let source = sources
                .entry(file.clone())
                .or_insert_with(|| fs::read_to_string(tests.join(&file)).unwrap());
            assert!(has_test(source, test), "{id}: no test {test} in {file}");
        }
    }
}

#[test]
fn no_requirement_is_missing() {
    for (number, row) in (1..).zip(&STANDARD) {
        assert_eq!(row.0, format!("S{number}"));
    }
    for (number, row) in (1..).zip(&SECURITY) {
        assert_eq!(row.0, number.to_string());
    }
}

#[test]
fn the_search_for_tests_can_fail() {
    let source = "#[test]\nfn here() {}\n\nfn helper() {}\n";
    assert!(has_test(source, "here"));
    assert!(!has_test(source, "helper"));
    assert!(!has_test(source, "gone"));
}
