//! What tonic's clients see of rejections.

use h2::Reason;
use tonic::Code;
use tower_expect::{ExpectLayer, Rejection, RequestHead};

use crate::{
    app::App,
    frames::{expecting, Connection},
    service::{serve_grpc, upload, Piece},
    support::{layer, quick, soon},
};

fn pieces(count: usize) -> tonic::Request<Vec<Piece>> {
    let piece = Piece {
        data: vec![0; 10_000],
    };
    tonic::Request::new(vec![piece; count])
}

#[tokio::test]
async fn tonic_takes_what_is_accepted() {
    let app = App::new();
    let address = serve_grpc(layer(), app.clone()).await;
    for expect in [None, Some("100-continue")] {
        let mut request = pieces(100);
        if let Some(expect) = expect {
            let metadata = request.metadata_mut();
            metadata.insert("expect", expect.parse().unwrap());
        }
        let bytes = soon("no answer", upload(address, request)).await.unwrap();
        assert_eq!(bytes, 1_000_000);
    }
    assert_eq!(app.calls(), 2);
}

#[tokio::test]
async fn a_rejected_tonic_client_gets_the_status_and_the_message() {
    let app = App::new();
    let address = serve_grpc(layer(), app.clone()).await;
    for (reject, code, message) in [
        ("400", Code::InvalidArgument, "correct the request"),
        ("401", Code::Unauthenticated, "valid credentials"),
        ("403", Code::PermissionDenied, "do not allow"),
        ("413", Code::ResourceExhausted, "send at most 1024 bytes"),
        ("415", Code::InvalidArgument, "media type"),
        ("417", Code::FailedPrecondition, "without the Expect header"),
        ("429", Code::ResourceExhausted, "wait"),
        ("500", Code::Internal, "later"),
        ("503", Code::Unavailable, "later"),
    ] {
        for count in [1, 500] {
            let mut request = pieces(count);
            let metadata = request.metadata_mut();
            metadata.insert("x-reject", reject.parse().unwrap());
            let status = soon("no status", upload(address, request))
                .await
                .unwrap_err();
            assert_eq!(status.code(), code, "{reject} {status:?}");
            assert!(status.message().contains(message), "{status:?}");
        }
    }
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn grpc_is_rejected_by_trailers_only_and_before_the_first_message() {
    fn reject(_: &RequestHead) -> Result<(), Rejection> {
        Err(Rejection::content_too_large(1024).with_message("50 % too much"))
    }

    let app = App::new();
    let address = serve_grpc(quick(ExpectLayer::new(reject)), app.clone()).await;
    let connection = Connection::to(address).await;
    let request = expecting("/test.Uploads/Upload").method("POST");
    let request = request.header("content-type", "application/grpc+proto");
    let mut exchange = connection.open(request, false).await;
    let received = exchange.receive().await.response;
    assert_eq!(received.status(), 200);
    assert_eq!(received.headers()["grpc-status"], "8");
    assert_eq!(received.headers()["grpc-message"], "50 %25 too much");
    assert_eq!(received.headers()["content-type"], "application/grpc");
    assert_eq!(received.body(), "");
    assert_eq!(exchange.reset().await, Reason::NO_ERROR);
    assert_eq!(app.calls(), 0);
}
