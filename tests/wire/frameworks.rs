//! The layer below axum.

use std::{future::IntoFuture, net::SocketAddr};

use axum::{
    extract::DefaultBodyLimit,
    routing::{get, post},
    Router,
};
use bytes::Bytes;
use h2::Reason;
use tower_expect::{rules, ExpectLayer};

use crate::{
    app::App,
    frames::{expecting, Connection},
    support::{layer, listen, quick, statuses, Wire},
};

async fn serve_axum(router: Router) -> SocketAddr {
    use axum::serve::ListenerExt;

    let (listener, address) = listen().await;
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

/// An app whose handlers are called as `app` counts.
fn router(app: &App) -> Router {
    let counted = |app: &App| {
        let app = app.clone();
        move |content: Bytes| async move {
            app.count();
            content.len().to_string()
        }
    };
    Router::new()
        .route("/upload", post(counted(app)))
        .route("/other", post(counted(app)))
        .route("/hidden", get(counted(app)))
}

fn post_to(path: &str, fields: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\n{fields}Expect: 100-continue\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn axum_invites_what_is_accepted_and_rejects_the_rest_before_its_extractors() {
    let app = App::new();
    let address = serve_axum(router(&app).layer(layer())).await;
    let mut wire = Wire::to(address).await;
    for calls in 1..=2 {
        wire.send(post_to("/upload", "", 5)).await;
        wire.receive_100().await;
        wire.send("hello").await;
        let answer = wire.next().await;
        assert_eq!((answer.status(), answer.content.as_str()), (200, "5"));
        assert_eq!(answer.field("connection"), None);
        assert_eq!(app.calls(), calls);
    }
    wire.send(post_to("/upload", "x-reject: 401\r\n", 5)).await;
    let answers = wire.rest(true).await;
    assert_eq!(statuses(&answers), [401]);
    assert_eq!(answers[0].field("connection"), Some("close"));
    assert_eq!(app.calls(), 2);
}

#[tokio::test]
async fn a_layer_on_axums_routes_leaves_its_fallback_alone() {
    let app = App::new();
    let address = serve_axum(router(&app).route_layer(layer())).await;
    for (path, status) in [("/upload", 413), ("/nowhere", 404)] {
        let mut wire = Wire::to(address).await;
        wire.send(post_to(path, "x-reject: 413\r\n", 5)).await;
        let answer = wire.next().await;
        assert_eq!(answer.status(), status, "{path}");
        wire.end().await;
    }
    assert_eq!(app.calls(), 0);
}

#[tokio::test]
async fn a_layer_for_the_app_and_one_for_a_route_both_hold() {
    let app = App::new();
    let only_images = quick(ExpectLayer::new(rules::content_type(["image/png"])));
    let nested = router(&app)
        .route(
            "/images",
            post(|content: Bytes| async move { content.len().to_string() }).layer(only_images),
        )
        .layer(layer());
    let address = serve_axum(nested).await;
    let png = "content-type: image/png\r\n";
    for (path, fields, status) in [
        ("/images", "", 415),
        (
            "/images",
            "content-type: image/png\r\nx-reject: 401\r\n",
            401,
        ),
    ] {
        let mut wire = Wire::to(address).await;
        wire.send(post_to(path, fields, 5)).await;
        let answers = wire.rest(true).await;
        assert_eq!(statuses(&answers), [status]);
        assert_eq!(answers[0].field("connection"), Some("close"));
    }
    let mut wire = Wire::to(address).await;
    wire.send(post_to("/images", png, 5)).await;
    wire.receive_100().await;
    wire.send("hello").await;
    assert_eq!(wire.next().await.content, "5");
}

#[tokio::test]
async fn axums_body_limit_alone_invites_what_it_rejects_and_this_layer_does_not() {
    let limited = |app: &App| router(app).layer(DefaultBodyLimit::max(1024));
    let app = App::new();
    let too_much = post_to("/upload", "", 2048);

    let mut bare = Wire::to(serve_axum(limited(&app)).await).await;
    bare.send(&too_much).await;
    bare.receive_100().await;
    bare.send(vec![0; 2048]).await;
    assert_eq!(bare.next().await.status(), 413);

    let rule = quick(ExpectLayer::new(rules::content_length(..=1024)));
    let mut wire = Wire::to(serve_axum(limited(&app).layer(rule)).await).await;
    wire.send(&too_much).await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.field("connection"), Some("close"));
    wire.end().await;
    assert_eq!(app.calls(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn axums_handlers_that_take_no_body_answer_without_a_100_and_close() {
    let app = Router::new()
        .route("/upload", post(|| async { http::StatusCode::CONFLICT }))
        .layer(layer());
    let mut wire = Wire::to(serve_axum(app).await).await;
    wire.send(post_to("/upload", "", 5)).await;
    let answer = wire.next().await;
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.field("connection"), Some("close"));
    wire.end().await;
}

#[tokio::test]
async fn axum_over_http_2_rejects_and_accepts() {
    let app = App::new();
    let connection = Connection::to(serve_axum(router(&app).layer(layer())).await).await;
    let request = |path| {
        let request = expecting(path).method("POST");
        request.header("content-length", 5)
    };
    let rejected = request("/upload").header("x-reject", "401");
    let mut exchange = connection.open(rejected, false).await;
    let received = exchange.receive().await;
    assert_eq!(received.response.status(), 401);
    assert!(!received.response.headers().contains_key("connection"));
    assert_eq!(exchange.reset().await, Reason::NO_ERROR);
    assert_eq!(app.calls(), 0);
    let mut exchange = connection.open(request("/upload"), false).await;
    assert!(exchange.send(Bytes::from_static(b"hello"), true).await);
    assert_eq!(exchange.receive().await.response.body(), "5");
}
