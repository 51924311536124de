//! How a rejection looks to the client.

use bytes::Bytes;
use http::{
    header::{ACCEPT, CONTENT_TYPE, VARY},
    Response, StatusCode, Version,
};
use http_body::Body;
use http_body_util::Full;
use tower_expect::{
    render::{Empty, Html, Negotiate, PlainText, ProblemJson, Render},
    rules, ExpectLayer, Rejection, RequestHead, ResponseBody,
};

use crate::support::{content, expecting, post, rejected, PanicBody};

const SPECIAL: &str = "<b>&\"'\\\u{1}\n é";

fn rendered_for(
    renderer: impl Render,
    rejection: &Rejection,
    fields: &[(&str, &str)],
) -> Response<ResponseBody<Full<Bytes>>> {
    let rejection = rejection.clone();
    let layer = ExpectLayer::new(move |_: &RequestHead| Err::<(), _>(rejection.clone()));
    let mut request = expecting(Version::HTTP_2);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let body = PanicBody { ended: false };
    rejected(&layer.render_with(renderer), request.body(body).unwrap())
}

fn rendered(renderer: impl Render, rejection: &Rejection) -> (StatusCode, Option<String>, String) {
    let response = rendered_for(renderer, rejection, &[]);
    let media_type = response.headers().get(CONTENT_TYPE);
    let media_type = media_type.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let text = String::from_utf8(content(response.into_body()).to_vec()).unwrap();
    (status, media_type, text)
}

#[test]
fn by_default_it_is_plain_text_and_no_content_over_http_2() {
    let table = [
        (Version::HTTP_10, "send at most 5 bytes\n"),
        (Version::HTTP_11, "send at most 5 bytes\n"),
        (Version::HTTP_2, ""),
        (Version::HTTP_3, "send at most 5 bytes\n"),
    ];
    for (version, expected) in table {
        let reject = |_: &RequestHead| Err::<(), _>(Rejection::content_too_large(5));
        let request = post(version).body(PanicBody { ended: false }).unwrap();
        let response = rejected(&ExpectLayer::new(reject), request);
        assert_eq!(response.status(), 413);
        let has_type = response.headers().contains_key(CONTENT_TYPE);
        assert_eq!(has_type, !expected.is_empty(), "{version:?}");
        assert_eq!(content(response.into_body()), expected, "{version:?}");
    }
}

#[test]
fn plain_text_is_the_sentence_and_a_line_feed() {
    let rejection = Rejection::forbidden().with_message(SPECIAL);
    let (status, media_type, text) = rendered(PlainText, &rejection);
    assert_eq!(status, 403);
    assert_eq!(media_type.as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(text, format!("{SPECIAL}\n"));
}

#[test]
fn problem_json_escapes_the_sentence() {
    let rejection = Rejection::forbidden().with_message(SPECIAL);
    let (status, media_type, text) = rendered(ProblemJson, &rejection);
    assert_eq!(status, 403);
    assert_eq!(media_type.as_deref(), Some("application/problem+json"));
    assert_eq!(
        text,
        "{\"title\":\"Forbidden\",\"status\":403,\
         \"detail\":\"<b>&\\\"'\\\\\\u0001\\u000a é\"}"
    );
}

#[test]
fn html_escapes_the_sentence() {
    let rejection = Rejection::forbidden().with_message(SPECIAL);
    let (status, media_type, text) = rendered(Html, &rejection);
    assert_eq!(status, 403);
    assert_eq!(media_type.as_deref(), Some("text/html; charset=utf-8"));
    assert!(text.contains("<h1>403 Forbidden</h1>"), "{text}");
    let sentence = "<p>&lt;b&gt;&amp;&quot;&#39;\\\u{1}\n é</p>";
    assert!(text.contains(sentence), "{text}");
}

#[test]
fn a_status_without_a_name_renders_everywhere() {
    let rejection = Rejection::new(StatusCode::from_u16(499).unwrap());
    assert_eq!(rendered(PlainText, &rejection).0.as_u16(), 499);
    let (_, _, json) = rendered(ProblemJson, &rejection);
    assert!(json.contains("\"status\":499"), "{json}");
    assert!(rendered(Html, &rejection).2.contains("<h1>499 "));
}

#[test]
fn empty_has_no_content_but_the_fields_of_the_rejection() {
    let response = rendered_for(Empty, &Rejection::unauthorized("Bearer"), &[]);
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert!(!response.headers().contains_key(CONTENT_TYPE));
    assert!(response.body().is_end_stream());
    assert!(content(response.into_body()).is_empty());
}

#[test]
fn negotiate_goes_by_accept() {
    let (plain, html, json) = ("text/plain", "text/html", "application/problem+json");
    let table = [
        (None, plain),
        (Some("text/html"), html),
        (Some("application/problem+json"), json),
        (Some("text/html;q=0.5, application/problem+json"), json),
        (Some("image/png"), plain),
        (Some("*/*"), plain),
        (Some("text/plain;q=0.1, text/html;q=0.9"), html),
        (Some("no media type"), plain),
    ];
    for (accept, expected) in table {
        let fields = accept.map(|accept| (ACCEPT.as_str(), accept));
        let response = rendered_for(Negotiate, &Rejection::forbidden(), fields.as_slice());
        assert_eq!(response.headers()[VARY], "accept");
        let media_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
        let essence = media_type.split(';').next().unwrap();
        assert_eq!(essence, expected, "{accept:?}");
    }
}

#[test]
fn the_status_of_a_closure_holds_unless_it_is_200_or_1xx() {
    for (given, expected) in [
        (200, 413),
        (100, 413),
        (101, 413),
        (202, 202),
        (404, 404),
        (303, 303),
    ] {
        let renderer = move |_: &Rejection, _: &RequestHead| {
            let mut response = Response::new(Bytes::from("own"));
            *response.status_mut() = StatusCode::from_u16(given).unwrap();
            response
        };
        let (status, _, text) = rendered(renderer, &Rejection::content_too_large(1));
        assert_eq!(status.as_u16(), expected);
        assert_eq!(text, "own");
    }
}

#[test]
fn fields_of_the_rejection_are_added_where_the_closure_has_set_none() {
    let renderer = |_: &Rejection, head: &RequestHead| {
        assert_eq!(head.method, "POST");
        let response = Response::builder().header("x-both", "renderer");
        response
            .header("x-renderer", "1")
            .body(Bytes::new())
            .unwrap()
    };
    let rejection = Rejection::forbidden()
        .with_header("x-both", "rejection")
        .with_header("x-rejection", "1");
    let response = rendered_for(renderer, &rejection, &[]);
    assert_eq!(response.headers()["x-both"], "renderer");
    assert_eq!(response.headers().get_all("x-both").iter().count(), 1);
    assert_eq!(response.headers()["x-renderer"], "1");
    assert_eq!(response.headers()["x-rejection"], "1");
}

#[test]
fn all_lines_of_a_field_of_the_rejection_are_added() {
    let rule = rules::bearer(|_| false).or(rules::basic(|_, _| false).realm("files"));
    let layer = ExpectLayer::new(rule);
    for layer in [layer.clone(), layer.render_with(Empty)] {
        let request = expecting(Version::HTTP_2).body(PanicBody { ended: false });
        let response = rejected(&layer, request.unwrap());
        assert_eq!(response.status(), 401);
        let lines = response.headers().get_all("www-authenticate").iter();
        let schemes = lines.map(|line| line.to_str().unwrap().split(' ').next().unwrap());
        assert_eq!(schemes.collect::<Vec<_>>(), ["Bearer", "Basic"]);
    }
}

#[test]
fn a_grpc_request_gets_trailers_only() {
    for media_type in [
        "application/grpc",
        "application/grpc+proto",
        "Application/gRPC+json",
        "application/grpc; charset=utf-8",
    ] {
        let rejection = Rejection::content_too_large(5).with_header("x-limit", "5");
        let fields = [("content-type", media_type)];
        let response = rendered_for(PlainText, &rejection, &fields);
        assert_eq!(response.status(), 200, "{media_type}");
        assert_eq!(response.headers()["grpc-status"], "8");
        assert_eq!(response.headers()["grpc-message"], "send at most 5 bytes");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
        assert_eq!(response.headers()["x-limit"], "5");
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!(rejection.status(), 413);
        assert!(response.body().is_end_stream());
        assert!(content(response.into_body()).is_empty());
    }
}

#[test]
fn what_only_looks_like_grpc_is_rendered() {
    for media_type in [
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/grpcx",
        "application/grp",
        "text/grpc",
        "application/x-grpc",
        "application/grpc\u{e9}",
    ] {
        let fields = [("content-type", media_type)];
        let response = rendered_for(PlainText, &Rejection::content_too_large(5), &fields);
        assert_eq!(response.status(), 413, "{media_type}");
        assert!(!response.headers().contains_key("grpc-status"));
    }
}

#[test]
fn a_grpc_request_with_a_rejected_expect_field_gets_a_grpc_status() {
    for (value, code) in [("a b", "3"), ("foo", "9")] {
        let request = post(Version::HTTP_2).header("expect", value);
        let request = request.header("content-type", "application/grpc");
        let body = PanicBody { ended: false };
        let response = rejected(&ExpectLayer::default(), request.body(body).unwrap());
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], code);
    }
}

#[test]
fn expecting_requests_of_java_get_no_body_by_default() {
    let length = |agent: &str, expect: &str, version| {
        let request = post(version)
            .header("user-agent", agent)
            .header("expect", expect);
        let request = request.body(PanicBody { ended: false }).unwrap();
        let response = rejected(&ExpectLayer::new(Rejection::forbidden()), request);
        content(response.into_body()).len()
    };
    let java = "Java-http-client/17.0.12";
    assert_eq!(length(java, "100-continue", Version::HTTP_11), 0);
    assert!(length(java, "", Version::HTTP_11) > 0);
    assert!(length("curl/8.5.0", "100-continue", Version::HTTP_11) > 0);
    assert!(length("Not Java-http-client", "100-continue", Version::HTTP_11) > 0);
}

#[test]
fn problem_json_has_the_members_for_programs() {
    let rejection = Rejection::forbidden()
        .with_message("top up")
        .with_extension("type", "https://example.com/probs/out-of-credit")
        .with_extension("co\"de", "quota\nexceeded");
    let (_, _, text) = rendered(ProblemJson, &rejection);
    assert_eq!(
        text,
        "{\"title\":\"Forbidden\",\"status\":403,\"detail\":\"top up\",\
         \"type\":\"https://example.com/probs/out-of-credit\",\
         \"co\\\"de\":\"quota\\u000aexceeded\"}"
    );
}
