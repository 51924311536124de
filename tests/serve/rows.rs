//! Each row of the comparison has a test of what it says of `serve`.

use std::{fs, path::Path};

const COMPARISON: &str = include_str!("../../src/serve/comparison.md");

/// The row, and the file and name of the test; no test of what `serve` has not.
const TESTS: &[(&str, &str, &str)] = &[
    (
        "TLS",
        "serve_examples/tls.rs",
        "curl_uploads_by_the_version_that_was_agreed_on",
    ),
    (
        "new certificates while it runs",
        "serve/certificates.rs",
        "a_new_certificate_is_used_without_a_restart",
    ),
    (
        "Unix sockets",
        "serve_examples/unix.rs",
        "curl_uploads_by_both_versions_and_the_handler_sees_its_user",
    ),
    (
        "listeners of your own",
        "serve/info.rs",
        "a_listener_of_axum_is_served",
    ),
    (
        "client's address",
        "serve/info.rs",
        "axums_connect_info_and_the_local_address_reach_the_handler_over_both_versions",
    ),
    (
        "local address, Unix peer",
        "serve/info.rs",
        "axums_connect_info_and_the_local_address_reach_the_handler_over_both_versions",
    ),
    (
        "ALPN, client's certificate",
        "serve_examples/tls.rs",
        "curl_uploads_by_the_version_that_was_agreed_on",
    ),
    (
        "PROXY protocol",
        "serve/info.rs",
        "acceptors_run_in_the_order_in_which_they_are_given_and_infos_see_what_was_made_by_then",
    ),
    (
        "`TCP_NODELAY`",
        "serve/layers.rs",
        "tcp_does_not_wait_for_more_to_send",
    ),
    (
        "limit of connections",
        "serve/accepting.rs",
        "at_the_limit_clients_wait_until_a_connection_ends",
    ),
    (
        "several listeners, ended together",
        "serve/handles.rs",
        "servers_that_share_a_handle_count_together_and_end_together",
    ),
    (
        "accept errors",
        "serve/accepting.rs",
        "accepting_goes_on_after_any_error_and_pauses_after_those_of_the_system",
    ),
    (
        "each connection's end, and its reason",
        "serve/observed.rs",
        "each_end_of_a_connection_has_its_word_and_its_reason",
    ),
    (
        "`100 Continue` over HTTP/1.1",
        "http2/serving.rs",
        "a_router_answers_both_versions_on_one_port_and_sends_the_100",
    ),
    (
        "`100 Continue` over HTTP/2",
        "http2/serving.rs",
        "a_router_answers_both_versions_on_one_port_and_sends_the_100",
    ),
    (
        "early responses arrive",
        "linger/shutdown.rs",
        "the_crates_own_server_waits_over_http1_for_a_silent_client_as_long_as_for_a_first_byte",
    ),
    (
        "HTTP/1 client that has closed its side gets its response",
        "serve/half_close.rs",
        "it_gets_its_response_wherever_in_a_request_it_closes",
    ),
    (
        "HTTP/1 settings",
        "serve/sizes.rs",
        "an_http1_head_is_bounded_in_bytes_and_fields",
    ),
    (
        "HTTP/2 settings",
        "http2/serving.rs",
        "http2_settings_are_used",
    ),
    (
        "HTTP/2 without TLS, by prior knowledge",
        "serve_examples/axum.rs",
        "curl_uploads_by_both_versions_and_the_handler_sees_who_it_is",
    ),
    (
        "one version only",
        "serve/certificates.rs",
        "clients_speak_the_one_version_that_alpn_offers",
    ),
    (
        "HTTP/1.1 upgrades: WebSocket",
        "http2/serving.rs",
        "an_upgrade_takes_over_the_connection",
    ),
    (
        "WebSocket over HTTP/2 (RFC 8441)",
        "http2/conformance.rs",
        "messages_are_treated_as_section_8_asks",
    ),
    (
        "HTTP/2 pings",
        "http2/lifecycle.rs",
        "a_client_that_answers_no_ping_is_given_up_with_goaway",
    ),
    ("HTTP/3", "", ""),
    (
        "TLS handshake",
        "serve/slow_starts.rs",
        "a_client_that_stops_within_a_tls_handshake_is_closed_after_half_a_minute",
    ),
    (
        "first bytes",
        "serve/slow_starts.rs",
        "a_client_that_stops_within_an_http1_head_is_closed_after_half_a_minute",
    ),
    (
        "HTTP/2 preface and SETTINGS",
        "serve/slow_starts.rs",
        "a_client_that_stops_within_the_opening_of_http2_is_sent_goaway_after_half_a_minute",
    ),
    (
        "HTTP/1 head",
        "serve/slow_starts.rs",
        "the_head_of_a_later_request_has_as_long_and_counts_from_its_first_byte",
    ),
    (
        "HTTP/2 header block",
        "serve/slow_starts.rs",
        "a_client_that_stops_within_the_opening_of_http2_is_sent_goaway_after_half_a_minute",
    ),
    (
        "request body",
        "serve/layers.rs",
        "a_layer_ends_a_body_that_stalls",
    ),
    (
        "response",
        "serve/slow_readers.rs",
        "the_connection_is_closed_once_nothing_could_be_written_for_the_time_that_is_set",
    ),
    (
        "idle connection",
        "serve/idle.rs",
        "an_http1_connection_is_closed_two_minutes_after_its_last_response",
    ),
    (
        "HTTP/1 client that has closed its side",
        "serve/half_close.rs",
        "it_is_waited_for_half_a_minute_and_then_taken_for_gone",
    ),
    (
        "lost HTTP/2 client",
        "http2/lifecycle.rs",
        "a_client_that_answers_no_ping_is_given_up_with_goaway",
    ),
    (
        "graceful shutdown",
        "serve/shutdown.rs",
        "under_load_every_response_that_was_begun_is_whole",
    ),
    (
        "its deadline",
        "serve/shutdown.rs",
        "its_deadline_holds_whatever_clients_do",
    ),
    (
        "at once",
        "serve/handles.rs",
        "a_server_that_is_aborted_waits_for_nobody",
    ),
    (
        "number of connections",
        "serve/shutdown.rs",
        "the_signal_and_the_handle_do_the_same",
    ),
    (
        "one connection, by its handler",
        "serve/layers.rs",
        "a_handler_closes_its_own_connection_over_http1",
    ),
    (
        "HTTP/1 head in bytes",
        "serve/sizes.rs",
        "an_http1_head_is_bounded_in_bytes_and_fields",
    ),
    (
        "HTTP/1 headers",
        "serve/sizes.rs",
        "an_http1_head_is_bounded_in_bytes_and_fields",
    ),
    (
        "HTTP/2 header list",
        "serve/sizes.rs",
        "http2_announces_its_limits",
    ),
    (
        "HTTP/2 frame",
        "serve/sizes.rs",
        "http2_announces_its_limits",
    ),
    (
        "HTTP/2 streams",
        "serve/sizes.rs",
        "http2_announces_its_limits",
    ),
    (
        "HTTP/2 window of a stream",
        "serve/sizes.rs",
        "http2_announces_its_limits",
    ),
    (
        "HTTP/2 window of a connection",
        "serve/sizes.rs",
        "http2_announces_its_limits",
    ),
    (
        "HTTP/2 resets for errors of the client",
        "http2/rejections.rs",
        "at_half_of_the_limit_the_client_is_sent_to_a_new_connection_and_nothing_is_lost",
    ),
    ("connections", "", ""),
];

#[test]
fn each_row_has_a_test() {
    let rows = COMPARISON.lines().filter_map(|line| {
        let name = line.strip_prefix("| ")?.split(" | ").next()?;
        (!name.is_empty() && !name.starts_with('|')).then_some(name)
    });
    let rows: Vec<_> = rows.collect();
    let named: Vec<_> = TESTS.iter().map(|(row, ..)| *row).collect();
    assert_eq!(rows, named);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (row, file, test) in TESTS.iter().filter(|(_, file, _)| !file.is_empty()) {
        let text = fs::read_to_string(tests.join(file)).expect("there");
        assert!(text.contains(&format!("fn {test}(")), "{row}: {test}");
    }
}
