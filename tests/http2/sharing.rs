//! One connection of many clients, as behind a proxy, of whom one keeps as many streams open as it can.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use h2::{client::ResponseFuture, SendStream};
use http::{request, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::Instant;
use tower::{util::BoxCloneSyncService, ServiceBuilder};
use tower_expect::{
    http2::{Builder, RequestBody},
    ExpectBody, ExpectLayer, Linger, Rejection, RequestHead, ResponseBody,
};

use crate::support::{client_of, collect, put, read, Answer, Client};

const STREAMS: u32 = 20;
/// What the attacker opens: several times as much as there may be at a time.
const ATTACKING: u32 = 5 * STREAMS;

type Service =
    BoxCloneSyncService<Request<RequestBody>, Response<ResponseBody<Full<Bytes>>>, Infallible>;

/// How the attacker keeps a stream whose response it has.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    /// It sends a byte, and no more.
    Silent,
    /// It sends a byte a second.
    Slow,
    /// It claims to wait for a 100.
    Expecting,
    /// It has sent as much as is drained of one body.
    Beyond,
    /// It sends a byte, and as many as may be drained are so already.
    Crowded,
}

use Keeping::{Beyond, Crowded, Expecting, Silent, Slow};

const WAYS: [Keeping; 5] = [Silent, Slow, Expecting, Beyond, Crowded];

/// Who says that `/no` is rejected.
#[derive(Clone, Copy, Debug)]
enum RejectedBy {
    Validator,
    Handler,
}

fn service(rejected_by: RejectedBy, linger: Linger) -> Service {
    let layer = ExpectLayer::new(move |head: &RequestHead| match rejected_by {
        RejectedBy::Validator if head.uri.path() == "/no" => {
            Err(Rejection::new(StatusCode::UNAUTHORIZED))
        }
        _ => Ok(()),
    });
    let handler = |request: Request<ExpectBody<RequestBody>>| async {
        let mut response = Response::new(Full::default());
        if request.uri().path() == "/no" {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        } else {
            let content = collect(request.into_body()).await.expect("whole");
            *response.body_mut() = content.len().to_string().into();
        }
        Ok(response)
    };
    let layer = layer.linger(linger);
    BoxCloneSyncService::new(ServiceBuilder::new().layer(layer).service_fn(handler))
}

async fn begin(client: &Client, keeping: Keeping) -> (ResponseFuture, SendStream<Bytes>) {
    let mut request = Request::put("http://a/no");
    if let Expecting = keeping {
        request = request.header("expect", "100-continue");
    }
    client.begin(request).await
}

/// Gives its open stream.
async fn attack(client: &Client, keeping: Keeping) -> SendStream<Bytes> {
    let (response, mut content) = begin(client, keeping).await;
    if !matches!(keeping, Expecting) {
        content.send_data("x".into(), false).expect("open");
    }
    let answer = read(response).await.expect("whole");
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{keeping:?}");
    content
}

async fn upload(client: &Client, request: request::Builder) -> Answer {
    let (response, mut content) = client.begin(request).await;
    content.send_data("hello".into(), true).expect("open");
    read(response).await.expect("whole")
}

fn linger(keeping: Keeping) -> Linger {
    match keeping {
        Beyond => Linger::default().max_bytes(0),
        Crowded => Linger::default().max_drains(0),
        Silent | Slow | Expecting => Linger::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_uploads_that_do_not_end_keep_no_other_request_waiting() {
    for rejected_by in [RejectedBy::Validator, RejectedBy::Handler] {
        for keeping in WAYS {
            let builder = Builder::new().max_concurrent_streams(STREAMS);
            let mut client = client_of(builder, service(rejected_by, linger(keeping))).await;
            client.settle().await;
            let began = Instant::now();
            let mut kept = Vec::new();
            for _ in 0..ATTACKING {
                kept.push(attack(&client, keeping).await);
                if let Slow = keeping {
                    for content in &mut kept {
                        let _ = content.send_data("x".into(), false);
                    }
                }
            }
            let answer = upload(&client, put()).await;
            assert_eq!(answer.content, b"5", "{rejected_by:?}, {keeping:?}");
            // The clock goes on only when all wait.
            let took = began.elapsed();
            assert_eq!(took, Duration::ZERO, "{rejected_by:?}, {keeping:?}");
        }
    }
}
