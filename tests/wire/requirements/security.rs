//! What has gone wrong elsewhere.

use super::Row;

pub(super) const SECURITY: [Row; 23] = [
    (
        "1",
        "Case and padding do not matter, and there is one 100",
        &["http1::any_case_and_any_padding_of_100_continue_is_served"],
    ),
    (
        "2",
        "What merely looks like 100-continue is rejected and never stalls",
        &[
            "field::an_unknown_expectation_is_answered_with_417",
            "field::a_malformed_field_is_answered_with_400",
        ],
    ),
    (
        "3",
        "All field lines are judged together",
        &[
            "field::one_unknown_member_anywhere_is_answered_with_417",
            "field::one_malformed_line_among_good_ones_is_answered_with_400",
        ],
    ),
    (
        "4",
        "Doubled members: two lines are served, lists are rejected, none stalls",
        &[
            "field::forms_for_which_hyper_sends_no_100_are_answered_with_417_rather_than_stalled",
            "field::several_lines_are_served_if_the_last_is_100_continue",
        ],
    ),
    (
        "5",
        "An empty value counts as absent",
        &["http1::an_empty_expect_field_is_no_expectation"],
    ),
    (
        "6",
        "HTTP/1.0: no interim response and no 417",
        &["http1::http_1_0_never_gets_a_1xx_nor_a_417_whatever_it_expects"],
    ),
    (
        "7",
        "Without content nothing is invited; with content every method is as POST",
        &[
            "http1::without_content_the_expectation_is_moot",
            "http1::any_method_with_content_is_served_as_post_is",
        ],
    ),
    (
        "8",
        "Folded lines and a space before the colon are 400",
        &["field::folded_lines_and_a_space_before_the_colon_are_rejected_by_hyper"],
    ),
    (
        "9",
        "What follows a rejection on its connection is not executed, be it content or request",
        &[
            "desync::nothing_hidden_behind_a_rejection_is_executed",
            "desync::nothing_hidden_behind_the_rejection_of_an_async_validator_is_executed",
            "desync::nothing_hidden_behind_an_early_answer_is_executed",
            "desync::nothing_hidden_behind_the_rejection_of_a_body_limit_is_executed",
            "desync::nothing_hidden_in_the_unread_rest_of_a_content_is_executed",
        ],
    ),
    (
        "10",
        "The same for content that comes with the head; kept connections continue at the right byte",
        &[
            "desync::nothing_hidden_behind_a_rejection_is_executed",
            "desync::small_rejected_content_is_consumed_to_the_byte_before_the_next_request",
        ],
    ),
    (
        "11",
        "A request sent in place of the rejected content is not read as content and answered",
        &["desync::nothing_hidden_behind_a_rejection_is_executed"],
    ),
    (
        "12",
        "Deciding polls no body: hyper would send the 100",
        &[
            "rejected::a_rejection_comes_without_a_100_and_closes_the_connection",
            "signalled::a_rejection_comes_without_a_100",
        ],
    ),
    (
        "13",
        "No 100 once the final head is out, though the content is read afterwards",
        &[
            "http1::no_100_follows_the_final_head_when_the_content_is_read_afterwards",
            "signalled::no_100_follows_the_final_head_when_the_content_is_read_afterwards",
            "stray::no_100_strays_out_when_an_outer_layer_takes_a_rejection_apart",
        ],
    ),
    (
        "14",
        "Nothing inside can poll the body before the validator has decided",
        &[
            "http1::nothing_goes_out_while_an_async_validator_thinks",
            "signalled::no_100_goes_out_while_an_async_validator_thinks",
        ],
    ),
    (
        "15",
        "The value is not echoed, and the answer is plain text",
        &["field::the_value_is_never_echoed"],
    ),
    (
        "16",
        "Rejected and abandoned exchanges keep nothing alive",
        &[
            "rejected::no_body_outlives_a_rejected_exchange_whose_client_is_gone",
            "http2::a_validator_is_dropped_when_its_client_resets_the_stream",
        ],
    ),
    (
        "17",
        "A validator that hangs is bounded by a deadline",
        &["rejected::a_validator_that_hangs_is_answered_for_when_its_deadline_is_over"],
    ),
    (
        "18",
        "Rules hold without Expect as well",
        &["rejected::leaving_the_expectation_out_changes_no_rejection"],
    ),
    (
        "19",
        "Chunked content is never taken for small, whatever Content-Length says beside it",
        &[
            "rejected::a_length_beside_chunked_never_makes_content_small",
            "desync::nothing_hidden_in_rejected_content_is_executed_without_an_expectation_either",
        ],
    ),
    (
        "20",
        "HTTP/2: NO_ERROR after the end of the response, and no Connection field",
        &["http2::a_rejection_ends_its_stream_with_no_error_and_leaves_the_connection_usable"],
    ),
    (
        "21",
        "Inner hops see the field only if they are to",
        &["http1::inner_services_see_the_field_unless_it_is_stripped"],
    ),
    (
        "22",
        "The 100 ends with an empty line and announces no content",
        &["http1::the_100_waits_for_the_first_poll_of_the_body_and_goes_out_once"],
    ),
    (
        "23",
        "A body limit rejects without inviting first",
        &[
            "rejected::a_body_limit_inside_rejects_without_a_100_and_closes",
            "frameworks::axums_body_limit_alone_invites_what_it_rejects_and_this_layer_does_not",
        ],
    ),
];
