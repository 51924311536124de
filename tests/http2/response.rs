//! What a response looks like on the wire, and what is none.

use std::io;

use bytes::Bytes;
use http::{header, HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{Empty, Full};

use crate::support::{
    answering, client, client_of, put, read, within, Piped, DATA, HEADERS, INTERNAL_ERROR,
};

#[tokio::test]
async fn gets_a_date_and_a_length_unless_it_has_them() {
    let service = answering(|request| async move {
        let mut response = Response::new(Full::<Bytes>::from("four"));
        if request.uri().path() == "/own" {
            let headers = response.headers_mut();
            headers.insert(header::DATE, HeaderValue::from_static("yesterday"));
        }
        response
    });
    let with_dates = client(service.clone()).await;
    let answer = with_dates.ask(put()).await.expect("answered");
    let date = answer.headers[header::DATE].to_str().expect("ASCII");
    let date = httpdate::parse_http_date(date).expect("a date");
    let age = std::time::SystemTime::now()
        .duration_since(date)
        .expect("past");
    assert!(age.as_secs() < 3);
    assert_eq!(answer.headers[header::CONTENT_LENGTH], "4");
    let answer = with_dates
        .ask(Request::get("http://a/own"))
        .await
        .expect("answered");
    assert_eq!(answer.headers[header::DATE], "yesterday");

    let builder = tower_expect::http2::Builder::new().auto_date_header(false);
    let answer = client_of(builder, service)
        .await
        .ask(put())
        .await
        .expect("answered");
    assert!(!answer.headers.contains_key(header::DATE));
}

#[tokio::test]
async fn loses_the_fields_of_connections_and_those_they_name() {
    let service = answering(|_| async {
        Response::builder()
            .header("connection", "close, x-hop")
            .header("connection", "x-hop-too,, ä")
            .header("keep-alive", "timeout=5")
            .header("proxy-connection", "close")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "h2c")
            .header("te", "trailers")
            .header("x-hop", "1")
            .header("x-hop-too", "1")
            .header("x-end", "1")
            .body(Full::<Bytes>::from("four"))
            .expect("valid")
    });
    let answer = client(service).await.ask(put()).await.expect("answered");
    let mut names: Vec<_> = answer
        .headers
        .keys()
        .map(header::HeaderName::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "date", "x-end"]);
}

#[tokio::test]
async fn to_head_and_of_204_and_304_has_no_content() {
    let service = answering(|request| async move {
        let status: u16 = request.uri().path()[1..].parse().expect("a status");
        Response::builder()
            .status(status)
            .body(Full::<Bytes>::from("four"))
            .expect("valid")
    });
    let client = client(service).await;
    for (method, status, length) in [
        (Method::HEAD, 200, Some("4")),
        (Method::HEAD, 404, Some("4")),
        (Method::GET, 204, None),
        (Method::GET, 304, None),
        (Method::GET, 200, Some("4")),
    ] {
        client.record.clear();
        let request = Request::builder().uri(format!("http://a/{status}"));
        let answer = client
            .ask(request.method(method.clone()))
            .await
            .expect("answered");
        assert_eq!(answer.status.as_u16(), status);
        let announced = answer.headers.get(header::CONTENT_LENGTH);
        assert_eq!(
            announced.map(|length| length.to_str().expect("ASCII")),
            length
        );
        let frames = client.record.frames();
        let data = frames.iter().any(|frame| frame.kind == DATA);
        assert_eq!(
            data,
            method == Method::GET && status == 200,
            "{method} {status}"
        );
    }
}

#[tokio::test]
async fn without_content_is_a_single_frame() {
    let client = client(answering(|_| async {
        Response::new(Empty::<Bytes>::new())
    }))
    .await;
    let answer = client.ask(put()).await.expect("answered");
    assert!(!answer.headers.contains_key(header::CONTENT_LENGTH));
    assert_eq!(client.record.kinds(1), [HEADERS]);

    let service = answering(|_| async { Response::new(Piped::new().1) });
    let client = crate::support::client(service).await;
    assert_eq!(client.ask(put()).await.expect("answered").content, b"");
    assert_eq!(client.record.kinds(1), [HEADERS]);
}

#[tokio::test]
async fn may_end_with_trailers() {
    for data in [true, false] {
        let service = answering(move |_| {
            let (sender, body) = Piped::new();
            tokio::spawn(async move {
                if data {
                    let data = Frame::data(Bytes::from_static(b"data"));
                    sender.send(Ok(data)).await.expect("polled");
                }
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                trailers.insert("connection", HeaderValue::from_static("close"));
                let trailers = Frame::trailers(trailers);
                sender.send(Ok(trailers)).await.expect("polled");
            });
            async { Response::new(body) }
        });
        let answer = client(service).await.ask(put()).await.expect("answered");
        assert_eq!(answer.content.is_empty(), !data);
        let trailers = answer.trailers.expect("sent");
        assert_eq!(
            (trailers.len(), &trailers["grpc-status"]),
            (1, &"0".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn of_1xx_or_a_failure_is_a_reset_and_leaves_the_connection_open() {
    let service = tower::service_fn(|request: Request<_>| async move {
        let (sender, body) = Piped::new();
        let path = request.uri().path().to_owned();
        let failed = path == "/error";
        let mut response = Response::new(body);
        match path.as_str() {
            "/100" => *response.status_mut() = StatusCode::CONTINUE,
            "/101" => *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS,
            "/body" => {
                sender.try_send(Err(io::Error::other("no"))).expect("room");
            }
            "/late" => {
                tokio::spawn(async move {
                    let data = Frame::data(Bytes::from_static(b"data"));
                    sender.send(Ok(data)).await.expect("polled");
                    sender
                        .send(Err(io::Error::other("no")))
                        .await
                        .expect("polled");
                });
            }
            _ => {}
        }
        match failed {
            true => Err(io::Error::other("no")),
            false => Ok(response),
        }
    });
    let client = client(service).await;
    for path in ["100", "101", "error", "body", "late"] {
        let request = Request::get(format!("http://a/{path}"));
        let Err(error) = within(5, client.ask(request)).await else {
            panic!("{path} was answered");
        };
        assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR), "{path}");
    }
    let answer = client
        .ask(Request::get("http://a/fine"))
        .await
        .expect("answered");
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(client.record.reset(1).await, INTERNAL_ERROR);
}

#[tokio::test]
async fn to_connect_is_501_and_the_service_is_not_asked() {
    let service = answering(|_| async { panic!("asked") as Response<Empty<Bytes>> });
    let client = client(service).await;
    let request = Request::connect("a:443");
    let (response, _tunnel) = client.begin(request).await;
    let answer = within(5, read(response)).await.expect("answered");
    assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
    assert!(answer.headers.contains_key(header::DATE));
}
