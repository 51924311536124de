//! The 100: when it is sent, and when not.

use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame as HttpFrame;
use http_body_util::Full;
use tokio::sync::Notify;
use tower::{Layer, ServiceBuilder};
use tower_expect::{
    http2::{Builder, RequestBody},
    rules, ContinueSignal, ExpectBody, ExpectLayer,
};

use crate::support::{
    answering, client, client_of, collect, expecting, interim, put, read, send, within, Frame,
    Piped, Record, DATA, HEADERS, NO_ERROR, RST_STREAM,
};

fn reading(
    go: Arc<Notify>,
) -> impl tower::Service<
    Request<RequestBody>,
    Response = Response<
        impl http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send,
    >,
    Error = std::convert::Infallible,
    Future = impl Send,
> + Clone
       + Send
       + 'static {
    ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .service_fn(move |request: Request<ExpectBody<RequestBody>>| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                let content = collect(request.into_body()).await.expect("whole");
                Ok::<_, std::convert::Infallible>(Response::new(Full::from(content)))
            }
        })
}

#[tokio::test]
async fn is_sent_once_at_the_first_poll_and_not_before() {
    let go = Arc::new(Notify::new());
    let mut client = client(reading(Arc::clone(&go))).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    client.settle().await;
    assert_eq!(client.record.kinds(1), [0; 0]);

    go.notify_one();
    assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
    send(&mut content, 100_000, true).await;
    assert_eq!(interim(&mut response).await, None);
    let answer = read(response).await.expect("answered");
    assert_eq!(
        (answer.status, answer.content.len()),
        (StatusCode::OK, 100_000)
    );
    let heads = client
        .record
        .kinds(1)
        .into_iter()
        .filter(|&kind| kind == HEADERS);
    assert_eq!(heads.count(), 2);
}

#[tokio::test]
async fn is_not_sent_to_a_client_that_does_not_expect_it() {
    let go = Arc::new(Notify::new());
    go.notify_one();
    let mut client = client(reading(go)).await;
    let (mut response, mut content) = client.begin(put()).await;
    client.settle().await;
    send(&mut content, 10, true).await;
    assert_eq!(interim(&mut response).await, None);
    assert_eq!(client.record.kinds(1), [HEADERS, DATA]);
}

#[tokio::test]
async fn is_not_sent_with_a_rejection() {
    let layer = ExpectLayer::new(
        rules::bearer(|token| token == "s3cr3t")
            .and(rules::content_type(["image/*"]))
            .and(rules::content_length(..=10)),
    );
    let service = layer.layer(tower::service_fn(
        |_: Request<ExpectBody<RequestBody>>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        },
    ));
    for (expect, token, content_type, length, status) in [
        ("100-continue", "Bearer wrong", "image/png", 10, 401),
        ("100-continue", "Bearer s3cr3t", "image/png", 11, 413),
        ("100-continue", "Bearer s3cr3t", "text/plain", 10, 415),
        (
            "100-continue, 200-ok",
            "Bearer s3cr3t",
            "image/png",
            10,
            417,
        ),
        ("y 100-continue", "Bearer s3cr3t", "image/png", 10, 400),
    ] {
        let client = client(service.clone()).await;
        let request = put()
            .header("expect", expect)
            .header("authorization", token)
            .header("content-type", content_type)
            .header("content-length", length);
        let (mut response, _content) = client.begin(request).await;
        assert_eq!(interim(&mut response).await, None, "{status}");
        let answer = read(response).await.expect("answered");
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(client.record.kinds(1), [HEADERS], "{status}");
    }
}

#[tokio::test]
async fn is_lent_only_to_expecting_requests_with_content() {
    let service = answering(|request| async move {
        let lent = request.extensions().get::<ContinueSignal>().is_some();
        Response::new(Full::<Bytes>::from(lent.to_string()))
    });
    let client = client(service).await;
    let (response, _content) = client.begin(expecting()).await;
    assert_eq!(read(response).await.expect("answered").content, b"true");
    let (response, _content) = client.begin(put()).await;
    assert_eq!(read(response).await.expect("answered").content, b"false");
    let answer = client.ask(expecting()).await.expect("answered");
    assert_eq!(answer.content, b"false");
}

#[tokio::test]
async fn goes_out_although_the_handler_blocks_its_task() {
    let service = answering(|request| async move {
        request
            .extensions()
            .get::<ContinueSignal>()
            .expect("lent")
            .fire();
        let (sender, receiver) = std::sync::mpsc::channel();
        tokio::spawn(async move {
            let _ = sender.send(collect(request.into_body()).await.expect("whole"));
        });
        tokio::task::block_in_place(|| receiver.recv().expect("whole"));
        Response::new(Full::<Bytes>::default())
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    let exchange = runtime.spawn(async move {
        let client = client(service).await;
        let (mut response, mut content) = client.begin(expecting()).await;
        assert_eq!(interim(&mut response).await, Some(StatusCode::CONTINUE));
        send(&mut content, 10, true).await;
        read(response).await.expect("answered").status
    });
    assert_eq!(within(5, exchange).await.expect("no panic"), StatusCode::OK);
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_body_polled_after_the_response_has_begun_sends_none_and_is_read() {
    let (done, mut read_late) = tokio::sync::mpsc::channel(1);
    let go = Arc::new(Notify::new());
    let service = ServiceBuilder::new()
        .layer(ExpectLayer::default())
        .service_fn({
            let go = Arc::clone(&go);
            move |request: Request<ExpectBody<RequestBody>>| {
                let (go, done) = (Arc::clone(&go), done.clone());
                let (sender, body) = Piped::new();
                tokio::spawn(async move {
                    go.notified().await;
                    let content = collect(request.into_body()).await.expect("whole");
                    let _ = done.send(content.len()).await;
                    let _ = sender
                        .send(Ok(HttpFrame::data(Bytes::from_static(b"end"))))
                        .await;
                });
                async { Ok::<_, std::convert::Infallible>(Response::new(body)) }
            }
        });
    let mut client = client(service).await;
    let (mut response, mut content) = client.begin(expecting()).await;
    assert_eq!(interim(&mut response).await, None);
    go.notify_one();
    client.settle().await;
    send(&mut content, 10, true).await;
    assert_eq!(read_late.recv().await, Some(10));
    assert_eq!(read(response).await.expect("answered").content, b"end");
    assert!(!client.record.kinds(1)[1..].contains(&HEADERS));
}

/// Whatever order the threads come in, each stream is `[100] head … END_STREAM [RST NO_ERROR]`.
fn assert_legal(record: &Record, stream: u32, hundreds: usize) {
    let frames = record.of_stream(stream);
    let heads = frames.iter().filter(|frame| frame.kind == HEADERS);
    assert_eq!(heads.count(), 1 + hundreds, "{frames:?}");
    let end = frames.iter().position(|frame| frame.end_stream);
    let after = &frames[1 + end.expect("whole")..];
    let allowed = |frame: &Frame| frame.kind == RST_STREAM && frame.code() == NO_ERROR;
    assert!(after.len() <= 1 && after.iter().all(allowed), "{frames:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_with_the_response_breaks_no_stream() {
    const CONNECTIONS: usize = 3;
    // Fewer than the reset streams that are remembered (1,024). On one that is not, content that has
    // crossed the reset on its way is answered by another.
    const ROUNDS: usize = 1_000;
    let fired = Arc::new(AtomicUsize::new(0));
    let service = answering({
        let fired = Arc::clone(&fired);
        move |request| {
            let signal = request.extensions().get::<ContinueSignal>().expect("lent");
            let delay: usize = request
                .uri()
                .query()
                .expect("a delay")
                .parse()
                .expect("a number");
            for _ in 0..3 {
                let (signal, fired) = (signal.clone(), Arc::clone(&fired));
                tokio::spawn(async move {
                    if signal.fire() {
                        fired.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            async move {
                for _ in 0..delay {
                    std::hint::spin_loop();
                }
                if delay % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                Response::new(Full::<Bytes>::from("ok"))
            }
        }
    });
    let mut hundreds = 0;
    for _ in 0..CONNECTIONS {
        let client = client(service.clone()).await;
        for round in 0..ROUNDS {
            let request = Request::put(format!("http://a/?{}", round % 200));
            let request = request.header("expect", "100-continue");
            let (mut response, mut content) = client.begin(request).await;
            let mut seen = 0;
            while let Some(status) = interim(&mut response).await {
                assert_eq!(status, StatusCode::CONTINUE);
                seen += 1;
            }
            // Rejected, if the reset has come already: nobody reads.
            let _ = content.send_data(Bytes::new(), true);
            let answer = within(5, read(response)).await.expect("no protocol error");
            assert_eq!(
                (answer.status, &answer.content[..]),
                (StatusCode::OK, &b"ok"[..])
            );
            let stream = u32::try_from(1 + 2 * round).expect("few");
            assert_legal(&client.record, stream, seen);
            client.record.clear();
            hundreds += seen;
        }
        assert!(!client.server.is_finished());
    }
    // Some lost the race and some won it, or it was none.
    assert!((1..CONNECTIONS * ROUNDS).contains(&hundreds), "{hundreds}");
    assert_eq!(fired.load(Ordering::Relaxed), hundreds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_with_a_reset_by_the_client_breaks_no_connection() {
    let service = answering(|request| async move {
        let signal = request.extensions().get::<ContinueSignal>().cloned();
        let Some(signal) = signal else {
            return Response::new(Full::<Bytes>::from("ok"));
        };
        tokio::spawn(async move { signal.fire() });
        std::future::pending().await
    });
    // All these resets are ours.
    let builder = Builder::new().max_pending_accept_reset_streams(usize::MAX);
    let client = client_of(builder, service).await;
    for round in 0..1_000 {
        let (mut response, mut content) = client.begin(expecting()).await;
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        content.send_reset(h2::Reason::CANCEL);
        let interim = std::future::poll_fn(|cx| response.poll_informational(cx)).await;
        if let Some(Ok(interim)) = interim {
            assert_eq!(interim.status(), StatusCode::CONTINUE);
        }
    }
    let answer = within(5, client.ask(put())).await.expect("open");
    assert_eq!(answer.content, b"ok");
}
