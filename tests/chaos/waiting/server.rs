//! The server: a gate before the validator's decision, and one before the handler reads.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    routing::{get, put},
    Router,
};
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::{
    net::TcpListener,
    sync::{watch, Semaphore},
};
use tower_expect::{ExpectLayer, Linger, Rejection, RequestHead};

use crate::{
    app::{brief, CONTENT},
    process::announce,
};

pub(crate) fn run() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        announce(address);
        axum::serve(listener, app()).await.unwrap();
    });
}

#[derive(Clone)]
struct Gate {
    waiting: watch::Sender<usize>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self {
            waiting: watch::Sender::new(0),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    async fn pass(self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        self.open.acquire().await.unwrap().forget();
    }
}

fn app() -> Router {
    let gate = Gate::new();
    let validators_gate = gate.clone();
    let validator = move |head: &RequestHead| {
        let waits = head.uri.path() == "/validator";
        let gate = waits.then(|| validators_gate.clone());
        let rejected = head.headers.contains_key("x-reject");
        async move {
            if let Some(gate) = gate {
                gate.pass().await;
            }
            match rejected {
                true => Err(Rejection::forbidden()),
                false => Ok(()),
            }
        }
    };
    let layer = ExpectLayer::new_async(validator).linger(brief(Linger::default()));
    Router::new()
        .route("/", put(whole))
        .route("/validator", put(length))
        .route("/handler", put(wait_and_read))
        .route("/handler/unread", put(wait_and_answer))
        .route("/until/{number}", get(until))
        .route("/open", get(open))
        .with_state(gate)
        .layer(layer)
}

async fn whole(content: Bytes) -> &'static str {
    match content == CONTENT {
        true => "whole",
        false => "truncated",
    }
}

async fn length(content: Bytes) -> String {
    content.len().to_string()
}

async fn wait_and_read(State(gate): State<Gate>, body: Body) -> String {
    gate.pass().await;
    let content = body.collect().await.unwrap();
    content.to_bytes().len().to_string()
}

async fn wait_and_answer(State(gate): State<Gate>, _: Body) -> StatusCode {
    gate.pass().await;
    StatusCode::CONFLICT
}

async fn until(State(gate): State<Gate>, Path(number): Path<usize>) {
    let mut waiting = gate.waiting.subscribe();
    waiting
        .wait_for(|waiting| *waiting >= number)
        .await
        .unwrap();
}

async fn open(State(gate): State<Gate>) {
    let waiting = gate.waiting.send_replace(0);
    gate.open.add_permits(waiting);
}
