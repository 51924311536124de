//! Layers of axum that replace a response, collect it, come late with it or drop its future.

use std::time::Duration;

use axum::{
    body::{to_bytes, Body},
    extract::Request,
    middleware::{from_fn, map_response, Next},
    response::{Html, IntoResponse, Redirect, Response},
    Json, Router,
};
use http::{header::AUTHORIZATION, StatusCode};
use tokio::time::{sleep, timeout};

const PAGE: Html<&str> = Html("<!doctype html><title>Error</title><p>Something else to read here.");
const DELAY: Duration = Duration::from_millis(5);

fn page(status: StatusCode) -> Response {
    (status, PAGE).into_response()
}

/// To the login page.
pub(crate) fn redirect(app: Router) -> Router {
    app.layer(map_response(|response: Response| async {
        match response.status() {
            StatusCode::UNAUTHORIZED => Redirect::to("/login").into_response(),
            _ => response,
        }
    }))
}

/// Collects the body and renders it anew.
pub(crate) fn json(app: Router) -> Router {
    app.layer(map_response(|response: Response| async {
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await;
        let text = body.map(|body| String::from_utf8_lossy(&body).into_owned());
        (status, Json(text.unwrap_or_default())).into_response()
    }))
}

pub(crate) fn error_page(app: Router) -> Router {
    app.layer(map_response(|response: Response| async move {
        page(response.status())
    }))
}

/// Waits before it drops the response.
pub(crate) fn waits_before(app: Router) -> Router {
    app.layer(map_response(|response: Response| async move {
        sleep(DELAY).await;
        page(response.status())
    }))
}

/// Waits after it has dropped the response.
pub(crate) fn waits_after(app: Router) -> Router {
    app.layer(map_response(|response: Response| async move {
        let status = response.status();
        drop(response);
        sleep(DELAY).await;
        page(status)
    }))
}

/// Responds by itself without a token.
pub(crate) fn authenticates(app: Router) -> Router {
    app.layer(from_fn(|request: Request, next: Next| async {
        match request.headers().contains_key(AUTHORIZATION) {
            true => next.run(request).await,
            false => page(StatusCode::UNAUTHORIZED),
        }
    }))
}

pub(crate) fn replaces(app: Router) -> Router {
    app.layer(from_fn(|request: Request, next: Next| async {
        page(next.run(request).await.status())
    }))
}

/// Drops the future inside when its time is over.
pub(crate) fn gives_up(app: Router) -> Router {
    app.layer(from_fn(|request: Request, next: Next| async {
        let response = timeout(4 * DELAY, next.run(request)).await;
        response.unwrap_or_else(|_| page(StatusCode::GATEWAY_TIMEOUT))
    }))
}

/// Repeats the request, without its body, after a 503.
pub(crate) fn repeats(app: Router) -> Router {
    app.layer(from_fn(|request: Request, next: Next| async {
        let (head, body) = request.into_parts();
        let request = Request::from_parts(head.clone(), body);
        let response = next.clone().run(request).await;
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => {
                drop(response);
                next.run(Request::from_parts(head, Body::empty())).await
            }
            _ => response,
        }
    }))
}
