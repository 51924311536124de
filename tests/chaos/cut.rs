//! HTTP/1.1 exchanges that the client breaks off, at every byte.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::{
    app::{By, Server, CONTENT, SERVERS},
    support::{be_served, count_panics, panics, Client},
};

/// What is sent, and what is awaited before the next step.
pub(crate) struct Step {
    pub(crate) send: Vec<u8>,
    pub(crate) awaited: Awaited,
    /// How many uploads the handler can have read to their end when all of this is sent.
    pub(crate) whole: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Awaited {
    Text(&'static str),
    /// A frame of HTTP/2 as this function finds it.
    #[cfg(feature = "serve")]
    Frame(fn(&[u8]) -> Option<usize>),
    Nothing,
}

/// How a client breaks off.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Shutdown,
    Reset,
}

/// Where it breaks off: so many bytes into that step, whose predecessors were all answered.
#[derive(Clone, Copy, Debug)]
struct Place {
    step: usize,
    bytes: usize,
}

fn places(steps: &[Step]) -> Vec<Place> {
    let within = |(step, it): (usize, &Step)| {
        let lengths = 0..=it.send.len();
        lengths.map(move |bytes| Place { step, bytes })
    };
    let done = Place {
        step: steps.len(),
        bytes: 0,
    };
    let all = steps.iter().enumerate().flat_map(within);
    all.chain([done]).collect()
}

async fn exchange(client: &mut Client, steps: &[Step], place: Place) {
    for step in &steps[..place.step] {
        if client.try_send(&step.send).await.is_err() {
            // Closed behind a rejection.
            return;
        }
        match step.awaited {
            Awaited::Text(text) => client.receive_text(text).await,
            #[cfg(feature = "serve")]
            Awaited::Frame(end) => client.receive(end).await,
            Awaited::Nothing => {}
        }
    }
    if let Some(step) = steps.get(place.step) {
        _ = client.try_send(&step.send[..place.bytes]).await;
    }
}

async fn run(by: By, steps: Arc<[Step]>, place: Place, ending: Ending) {
    let server = Server::start(by).await;
    let mut client = Client::to(server.address).await;
    exchange(&mut client, &steps, place).await;
    match ending {
        Ending::Shutdown => client.shut_down().await,
        Ending::Reset => client.reset(),
    }
    be_served(server.address).await;
    let counts = server.stop().await;

    let answered = match place.step {
        0 => 0,
        step => steps[step - 1].whole,
    };
    let sent = match steps.get(place.step) {
        Some(step) if place.bytes == step.send.len() => step.whole,
        _ => answered,
    };
    let whole = counts.whole - 1; // but for the honest one
    assert!((answered..=sent).contains(&whole), "{counts:?}");
}

/// Cuts the exchange everywhere, each time with a server of its own, to which an honest client comes
/// afterwards.
pub(crate) async fn cut_everywhere(by: By, steps: Vec<Step>) {
    count_panics();
    let steps: Arc<[Step]> = steps.into();
    for ending in [Ending::Shutdown, Ending::Reset] {
        for places in places(&steps).chunks(32) {
            let mut runs = JoinSet::new();
            for &place in places {
                let steps = Arc::clone(&steps);
                runs.spawn(run(by, steps, place, ending));
            }
            while let Some(result) = runs.join_next().await {
                assert!(result.is_ok(), "{by:?}, {ending:?} at one of {places:?}");
            }
        }
    }
    assert_eq!(panics(), 0);
}

fn step(send: impl Into<String>, awaited: Awaited, whole: usize) -> Step {
    let send = send.into().into_bytes();
    Step {
        send,
        awaited,
        whole,
    }
}

const CONTINUE: Awaited = Awaited::Text("HTTP/1.1 100 Continue\r\n\r\n");
const WHOLE: Awaited = Awaited::Text("\r\n\r\nwhole");

fn head(fields: &str) -> String {
    let length = CONTENT.len();
    format!("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{fields}\r\n")
}

fn chunked(fields: &str) -> String {
    format!("PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n{fields}\r\n")
}

fn chunks() -> String {
    let (first, second) = CONTENT.split_at(10);
    format!(
        "a\r\n{first}\r\n{:x};name=value\r\n{second}\r\n0\r\n\r\n",
        second.len()
    )
}

#[tokio::test]
async fn an_upload_that_was_invited() {
    for &by in SERVERS {
        let steps = vec![
            step(head("expect: 100-continue\r\n"), CONTINUE, 0),
            step(CONTENT, WHOLE, 1),
        ];
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn an_upload_that_was_rejected_and_is_sent_all_the_same() {
    for &by in SERVERS {
        let rejected = Awaited::Text("\r\nconnection: close\r\n");
        let steps = vec![
            step(
                head("expect: 100-continue\r\nx-reject: 401\r\n"),
                rejected,
                0,
            ),
            step(CONTENT.repeat(2), Awaited::Nothing, 0),
        ];
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn an_upload_that_is_rejected_while_it_is_sent() {
    for &by in SERVERS {
        let rejected = Awaited::Text("HTTP/1.1 413 Payload Too Large\r\n");
        let (first, second) = CONTENT.split_at(10);
        let mut steps = vec![
            step(head("x-reject: 413\r\n") + first, rejected, 0),
            step(second, Awaited::Nothing, 0),
        ];
        if matches!(by, By::Axum) {
            // So short a rest is drained, and the connection goes on.
            steps.push(step(head("") + CONTENT, WHOLE, 1));
        }
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn an_upload_in_chunks() {
    for &by in SERVERS {
        let steps = vec![
            step(chunked("expect: 100-continue\r\n"), CONTINUE, 0),
            step(chunks(), WHOLE, 1),
        ];
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn an_upload_in_chunks_that_is_rejected_while_it_is_sent() {
    for &by in SERVERS {
        let rejected = Awaited::Text("\r\nconnection: close\r\n");
        let chunks = chunks();
        let (first, second) = chunks.split_at(20);
        let steps = vec![
            step(chunked("x-reject: 413\r\n") + first, rejected, 0),
            step(format!("{second}{CONTENT}"), Awaited::Nothing, 0),
        ];
        cut_everywhere(by, steps).await;
    }
}

#[tokio::test]
async fn three_requests_on_one_connection() {
    for &by in SERVERS {
        let steps = vec![
            step(head("expect: 100-continue\r\n"), CONTINUE, 0),
            step(CONTENT, WHOLE, 1),
            step(head("") + CONTENT, WHOLE, 2),
            step(chunked("") + &chunks(), WHOLE, 3),
        ];
        cut_everywhere(by, steps).await;
    }
}
