//! Uploads that nobody reads to their end: how their streams end, and what that costs.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame as HttpFrame;
use http_body_util::{BodyExt, Full};
use tokio::{sync::mpsc, time::Instant};
use tower::{util::BoxCloneSyncService, ServiceBuilder};
use tower_expect::{
    http2::{Builder, RequestBody},
    render::PlainText,
    ExpectBody, ExpectLayer, Linger, Rejection, RequestHead,
};

use crate::support::{
    answering, client, client_of, collect, expecting, put, read, send, within, Client, Frame,
    Piped, Raw, DATA, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, NO_ERROR, PING, PROTOCOL_ERROR,
    RST_STREAM,
};

type Rejecting = BoxCloneSyncService<
    Request<RequestBody>,
    Response<tower_expect::ResponseBody<Full<Bytes>>>,
    Infallible,
>;

/// Rejects every upload to `/no`, and says of others how long they were.
fn rejecting(linger: Option<Linger>) -> Rejecting {
    let layer = ExpectLayer::new(|head: &RequestHead| match head.uri.path() {
        "/no" => Err(Rejection::content_too_large(0)),
        _ => Ok(()),
    });
    // With content, which is what a reset could tear away.
    let layer = layer.render_with(PlainText);
    let layer = match linger {
        Some(linger) => layer.linger(linger),
        None => layer.no_linger(),
    };
    let service = ServiceBuilder::new().layer(layer).service_fn(
        |request: Request<ExpectBody<RequestBody>>| async {
            let content = collect(request.into_body()).await.expect("whole");
            Ok::<_, Infallible>(Response::new(Full::from(content.len().to_string())))
        },
    );
    BoxCloneSyncService::new(service)
}

#[tokio::test(start_paused = true)]
async fn the_reset_is_no_error_and_comes_after_the_response_and_the_lingering() {
    let idle = Duration::from_secs(3);
    let client = client(rejecting(Some(Linger::default().idle(idle)))).await;
    let (response, mut content) = client.begin(Request::put("http://a/no")).await;
    send(&mut content, 100_000, false).await;
    let answer = read(response).await.expect("answered");
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answered = Instant::now();
    assert_eq!(client.record.kinds(1), [HEADERS, DATA]);

    assert_eq!(client.record.reset(1).await, NO_ERROR);
    let lingered = answered.elapsed();
    assert!((idle / 2..idle * 2).contains(&lingered), "{lingered:?}");
    let frames = client.record.of_stream(1);
    let [.., response_end, reset] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert!(response_end.end_stream && reset.kind == RST_STREAM);
}

/// When a handler that does not read drops the body.
#[derive(Clone, Copy, Debug)]
enum Dropped {
    BeforeTheResponse,
    WithTheHead,
    BeforeTheLastData,
    AfterTheResponse,
}

#[tokio::test]
async fn the_reset_is_no_error_whenever_an_unread_body_is_dropped() {
    use Dropped::{AfterTheResponse, BeforeTheLastData, BeforeTheResponse, WithTheHead};
    for dropped in [
        BeforeTheResponse,
        WithTheHead,
        BeforeTheLastData,
        AfterTheResponse,
    ] {
        let service = answering(move |request| async move {
            let (sender, body) = Piped::new();
            let upload = request.into_body();
            let upload = match dropped {
                BeforeTheResponse => {
                    drop(upload);
                    tokio::task::yield_now().await;
                    None
                }
                WithTheHead => None,
                BeforeTheLastData | AfterTheResponse => Some(upload),
            };
            tokio::spawn(async move {
                let data = || HttpFrame::data(Bytes::from_static(b"data"));
                sender.send(Ok(data())).await.expect("polled");
                let upload = match dropped {
                    BeforeTheLastData => None,
                    _ => upload,
                };
                tokio::task::yield_now().await;
                sender.send(Ok(data())).await.expect("polled");
                drop(sender);
                tokio::time::sleep(Duration::from_millis(20)).await;
                drop(upload);
            });
            Response::new(body)
        });
        let client = client(service).await;
        let (response, mut content) = client.begin(put()).await;
        send(&mut content, 100_000, false).await;
        let answer = read(response).await.expect("whole");
        assert_eq!(answer.content, b"datadata", "{dropped:?}");
        let code = within(5, client.record.reset(1)).await;
        assert_eq!(code, NO_ERROR, "{dropped:?}");
        let frames = client.record.of_stream(1);
        assert!(frames[frames.len() - 2].end_stream, "{dropped:?}");
    }
}

async fn assert_rejections_leave_the_window_whole(mut client: Client) {
    let mut sent = 0;
    for round in 0..200 {
        let (response, mut content) = client.begin(Request::put("http://a/no")).await;
        let sending = within(5, send(&mut content, 1 << 20, true));
        let (len, answer) = tokio::join!(sending, read(response));
        let status = answer.expect("answered").status;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{round}");
        sent += len;
    }
    assert!(sent >= 10 << 20, "{sent}");
    // h2 announces what was given back once it is half of the window.
    let (response, mut content) = client.begin(put()).await;
    content.reserve_capacity(1 << 20);
    client.settle().await;
    assert!(content.capacity() >= 1 << 19, "{}", content.capacity());
    within(5, send(&mut content, 1 << 20, true)).await;
    assert_eq!(read(response).await.expect("answered").content, b"1048576");
}

#[tokio::test]
async fn two_hundred_of_a_mebibyte_leave_the_window_whole() {
    let client = client(rejecting(Some(Linger::default()))).await;
    assert_rejections_leave_the_window_whole(client).await;
}

#[tokio::test]
async fn two_hundred_that_are_dropped_with_unread_data_leave_the_window_whole() {
    let service = answering(|request| async move {
        let rejected = request.uri().path() == "/no";
        let mut body = request.into_body();
        if rejected {
            let _first = body.frame().await;
            // The rest of the window comes in, and nobody takes it.
            tokio::time::sleep(Duration::from_millis(2)).await;
            drop(body);
            let response = Response::builder().status(StatusCode::PAYLOAD_TOO_LARGE);
            return response.body(Full::<Bytes>::default()).expect("valid");
        }
        let content = collect(body).await.expect("whole");
        Response::new(Full::from(content.len().to_string()))
    });
    assert_rejections_leave_the_window_whole(client(service).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_third_of_sixty_at_once_is_rejected_and_the_others_are_stored() {
    let client = client(rejecting(Some(Linger::default()))).await;
    let (answers, mut answered) = mpsc::channel(60);
    for number in 0..60 {
        let sender = client.sender.clone();
        let answers = answers.clone();
        tokio::spawn(async move {
            let path = if number % 3 == 0 { "no" } else { "yes" };
            let request = Request::put(format!("http://a/{path}"));
            let request = request.header("expect", "100-continue").body(()).unwrap();
            let mut sender = sender.ready().await.expect("open");
            let (response, mut content) = sender.send_request(request, false).expect("open");
            let sending = send(&mut content, 300_000, true);
            let (_, answer) = tokio::join!(sending, read(response));
            let answer = answer.expect("answered");
            answers
                .send((number, answer.status, answer.content))
                .await
                .unwrap();
        });
    }
    drop(answers);
    let mut count = 0;
    while let Some((number, status, content)) = within(10, answered.recv()).await {
        count += 1;
        if number % 3 == 0 {
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{number}");
        } else {
            assert_eq!(
                (status, &content[..]),
                (StatusCode::OK, &b"300000"[..]),
                "{number}"
            );
        }
    }
    assert_eq!(count, 60);
}

/// Announces 100 bytes, sends ten once the rejection is there, and ends the stream, as curl does.
async fn end_early(client: &Client) -> Result<StatusCode, h2::Error> {
    let request = Request::put("http://a/no").header("content-length", "100");
    let mut sender = client.sender.clone().ready().await?;
    let request = request.body(()).expect("valid");
    let (response, mut content) = sender.send_request(request, false)?;
    let answer = within(5, read(response)).await?;
    content.send_data(Bytes::from_static(&[7; 10]), true)?;
    Ok(answer.status)
}

#[tokio::test]
async fn five_thousand_that_end_early_are_all_answered_on_one_connection() {
    let mut client = client(rejecting(Some(Linger::default()))).await;
    for _ in 0..5_000 {
        let status = end_early(&client).await.expect("open");
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    client.settle().await;
    let frames = client.record.frames();
    assert!(frames.iter().all(|frame| frame.kind != GOAWAY));
    // It is these that h2 counts.
    let resets = frames.iter().filter(|frame| frame.kind == RST_STREAM);
    assert!(
        resets
            .filter(|reset| reset.code() == PROTOCOL_ERROR)
            .count()
            > 4_900
    );
}

#[tokio::test]
async fn at_half_of_the_limit_the_client_is_sent_to_a_new_connection_and_nothing_is_lost() {
    let builder = Builder::new().max_local_error_reset_streams(100);
    let client = client_of(builder, rejecting(Some(Linger::default()))).await;
    let (response, mut content) = client.begin(Request::put("http://a/yes")).await;
    let mut rejected = 0;
    while let Ok(status) = end_early(&client).await {
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        rejected += 1;
    }
    assert!((50..60).contains(&rejected), "{rejected}");
    let frames = client.record.frames();
    let mut goaways = frames.iter().filter(|frame| frame.kind == GOAWAY);
    assert!(goaways.all(|frame| frame.payload[4..8] == [0; 4]));
    // What had begun goes on.
    send(&mut content, 10, true).await;
    assert_eq!(read(response).await.expect("answered").content, b"10");
    within(5, client.server)
        .await
        .expect("no panic")
        .expect("no error");
}

#[tokio::test]
async fn beyond_the_limit_the_connection_ends() {
    let builder = Builder::new().max_local_error_reset_streams(10);
    let client = client_of(builder, rejecting(Some(Linger::default()))).await;
    let mut uploads = Vec::new();
    for _ in 0..20 {
        let request = expecting().header("content-length", "100");
        uploads.push(client.begin(request).await);
    }
    for (_, content) in &mut uploads {
        let _ = content.send_data(Bytes::from_static(b"short"), true);
    }
    let error = within(5, client.server)
        .await
        .expect("no panic")
        .unwrap_err();
    assert_eq!(error.code(), Some(ENHANCE_YOUR_CALM));
    assert!(!error.is_reset() && !error.is_io() && !error.is_timeout());
}

#[tokio::test]
async fn content_that_arrives_long_after_the_reset_is_passed_over() {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(Builder::new().serve_connection(near, rejecting(None)));
    let mut client = Raw::new(far).await;
    let streams: Vec<_> = (1..200).step_by(2).collect();
    for &stream in &streams {
        // `POST /no`
        let head = [0x83, 0x86, 0x04, 3, b'/', b'n', b'o'];
        client.write(HEADERS, 4, stream, &head).await;
    }
    let resets = |frames: &[Frame]| {
        let resets = frames.iter().filter(|frame| frame.kind == RST_STREAM);
        resets
            .map(|reset| (reset.stream, reset.code()))
            .collect::<Vec<_>>()
    };
    client
        .read_until(|frames| resets(frames).len() == streams.len())
        .await;
    // h2's own clock, which cannot be paused, would forget them after a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    for &stream in &streams {
        client.write(DATA, 0, stream, &[7; 1000]).await;
    }
    client.write(PING, 0, 0, b"finished").await;
    let answered = |frame: &Frame| frame.kind == PING && frame.payload == b"finished";
    client
        .read_until(|frames| frames.iter().any(answered))
        .await;
    let mut seen = resets(&client.record.frames());
    seen.sort_unstable();
    let expected = streams.iter().map(|&stream| (stream, NO_ERROR));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}
