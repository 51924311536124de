//! What a server may do of RFC 9110 §10.1.1 and §15.2, and what it must not: as a table.

use std::time::Duration;

use tower_expect::client::{ExpectContinueLayer, Unsent};

use crate::support::{asking, chunked, full, put, send, server, text, Notes, Peer, Seen, Upload};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Reads a head that asks.
    Asked,
    /// Reads a head that does not.
    Plain,
    /// Reads the body, `hello`, in its framing.
    Body,
    Say(&'static str),
    /// Says it byte by byte.
    Spell(&'static str),
    /// Says it until the client is gone.
    Repeat(&'static str),
    Wait(u64),
    /// Reads until the client closes: what is there is no part of any exchange.
    Rest,
}
use Step::{Asked, Body, Plain, Repeat, Rest, Say, Spell, Wait};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// The status, the body, and the request's body given back.
    Spared(u16, &'static str),
    Sent(u16, &'static str),
    Error,
}
use Outcome::{Error, Sent, Spared};

struct Row {
    name: &'static str,
    /// One for each connection.
    scripts: &'static [&'static [Step]],
    outcome: Outcome,
    /// The names of them.
    events: &'static [&'static str],
}

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const NO: &str = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
const FAILED: &str = "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\nno";

/// The timer runs for 300 ms.
const ROWS: &[Row] = &[
    Row {
        name: "100, then 200",
        scripts: &[&[Asked, Say(CONTINUE), Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Continued"],
    },
    Row {
        name: "a 100 with fields and without a reason, in pieces",
        scripts: &[&[Asked, Spell("HTTP/1.1 100 \r\nserver: x\r\n\r\n"), Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Continued"],
    },
    Row {
        name: "102, 103 and 104 before the 100",
        scripts: &[&[
            Asked,
            Say("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
            Wait(50),
            Say("HTTP/1.1 104 Upload Resumption Supported\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
            Body,
            Say(OK),
        ]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Continued"],
    },
    Row {
        name: "no 100 ever",
        scripts: &[&[Asked, Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "TimedOut"],
    },
    Row {
        name: "103s, and no 100 ever",
        scripts: &[&[Asked, Say("HTTP/1.1 103 Early Hints\r\n\r\n"), Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "TimedOut"],
    },
    Row {
        name: "a 100 after the timer and the body",
        scripts: &[&[Asked, Body, Say(CONTINUE), Wait(50), Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "TimedOut"],
    },
    Row {
        name: "two 100s in one packet, and two more",
        scripts: &[&[
            Asked,
            Say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
            Say(CONTINUE),
            Body,
            Say(CONTINUE),
            Say(OK),
        ]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Continued"],
    },
    Row {
        name: "a rejection",
        scripts: &[&[Asked, Say(NO), Rest]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "a rejection that closes",
        scripts: &[&[Asked, Say("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\nno")]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "a rejection without a body",
        scripts: &[&[Asked, Say("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"), Rest]],
        outcome: Spared(403, ""),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "a rejection in chunks",
        scripts: &[&[
            Asked,
            Say("HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n1\r\nn\r\n"),
            Wait(50),
            Say("1\r\no\r\n0\r\n\r\n"),
            Rest,
        ]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "a success before the body",
        scripts: &[&[Asked, Say(OK), Rest]],
        outcome: Spared(200, "ok"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "103s, then a rejection",
        scripts: &[&[Asked, Say("HTTP/1.1 103 Early Hints\r\n\r\n"), Wait(50), Say(NO), Rest]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "a rejection after the timer and the body",
        scripts: &[&[Asked, Body, Say(NO)]],
        outcome: Sent(403, "no"),
        events: &["Asked", "TimedOut"],
    },
    Row {
        name: "a 100 and a rejection in one packet",
        scripts: &[&[
            Asked,
            Say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno"),
            Body,
        ]],
        outcome: Sent(403, "no"),
        events: &["Asked", "Continued"],
    },
    Row {
        name: "417 and keep-alive, then 200",
        scripts: &[&[Asked, Say(FAILED), Rest], &[Plain, Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Repeated"],
    },
    Row {
        name: "417 and close, then 200",
        scripts: &[
            &[Asked, Say("HTTP/1.1 417 Expectation Failed\r\nconnection: close\r\n\r\nno")],
            &[Plain, Body, Say(OK)],
        ],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Repeated"],
    },
    Row {
        name: "417 twice",
        scripts: &[&[Asked, Say(FAILED), Rest], &[Plain, Body, Say(FAILED)]],
        outcome: Sent(417, "no"),
        events: &["Asked", "Repeated"],
    },
    Row {
        name: "417 after the timer and the body: the body is gone",
        scripts: &[&[Asked, Body, Say(FAILED)]],
        outcome: Sent(417, "no"),
        events: &["Asked", "TimedOut"],
    },
    Row {
        name: "a close without a response, then 200",
        scripts: &[&[Asked], &[Asked, Say(CONTINUE), Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Repeated", "Asked", "Continued"],
    },
    Row {
        name: "a close without a response, twice",
        scripts: &[&[Asked], &[Asked]],
        outcome: Error,
        events: &["Asked", "Repeated", "Asked"],
    },
    Row {
        name: "a close without a response, then 417, then 200",
        scripts: &[&[Asked], &[Asked, Say(FAILED), Rest], &[Plain, Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Repeated", "Asked", "Repeated"],
    },
    Row {
        name: "a close within an interim response, then 200",
        scripts: &[&[Asked, Say("HTTP/1.1 10")], &[Asked, Say(CONTINUE), Body, Say(OK)]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "Repeated", "Asked", "Continued"],
    },
    Row {
        name: "a close behind the 100",
        scripts: &[&[Asked, Say(CONTINUE)]],
        outcome: Error,
        events: &["Asked", "Continued"],
    },
    Row {
        name: "a close behind the body",
        scripts: &[&[Asked, Say(CONTINUE), Body]],
        outcome: Error,
        events: &["Asked", "Continued"],
    },
    Row {
        name: "interim responses without end",
        scripts: &[&[Asked, Repeat("HTTP/1.1 103 Early Hints\r\n\r\n")]],
        outcome: Error,
        events: &["Asked"],
    },
    Row {
        name: "HTTP/1.0 and the end of the connection",
        scripts: &[&[Asked, Say("HTTP/1.0 403 Forbidden\r\n\r\nno")]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "HTTP/1.0 and keep-alive",
        scripts: &[&[
            Asked,
            Say("HTTP/1.0 403 Forbidden\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nno"),
            Rest,
        ]],
        outcome: Spared(403, "no"),
        events: &["Asked", "Rejected"],
    },
    Row {
        name: "HTTP/1.0 after the body",
        scripts: &[&[Asked, Body, Say("HTTP/1.0 200 OK\r\n\r\nok")]],
        outcome: Sent(200, "ok"),
        events: &["Asked", "TimedOut"],
    },
];

impl Peer {
    async fn play(&mut self, script: &[Step], rests: &Notes<Vec<u8>>) {
        let mut length = 0;
        for step in script {
            match *step {
                Asked | Plain => {
                    let head = self.head().await;
                    let asks = head.matches("expect: 100-continue\r\n").count();
                    let expected = usize::from(matches!(step, Asked));
                    assert_eq!(asks, expected, "{head}");
                    let chunked = head.contains("transfer-encoding: chunked");
                    length = [5, b"5\r\nhello\r\n0\r\n\r\n".len()][usize::from(chunked)];
                }
                Body => {
                    let body = self.body(length).await;
                    assert!(String::from_utf8(body).unwrap().contains("hello"));
                }
                Say(text) => self.say(text).await,
                Spell(text) => {
                    for byte in text.chars() {
                        self.say(&byte.to_string()).await;
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
                Repeat(text) => while self.try_say(text).await {},
                Wait(time) => tokio::time::sleep(Duration::from_millis(time)).await,
                Rest => rests.note(self.rest().await),
            }
        }
    }
}

async fn outcome(row: &'static Row, body: Upload) {
    let rests = Notes::default();
    let peers = rests.clone();
    let address = server(move |number, mut peer| {
        let rests = peers.clone();
        async move {
            let script = row.scripts.get(number).expect("no more connections");
            peer.play(script, &rests).await;
        }
    })
    .await;
    let seen = Seen::default();
    let layer = ExpectContinueLayer::new().min_length(0);
    let client = asking(&seen.observe(layer.timeout(Duration::from_millis(300))));
    let found = match send(&client, put(address, body)).await {
        Err(_) => Error,
        Ok(response) => {
            let status = response.status().as_u16();
            let unsent = response.extensions().get::<Unsent<Upload>>();
            let spared = unsent.is_some_and(|unsent| unsent.take().is_some());
            let text = text(response).await.leak();
            match spared {
                true => Spared(status, text),
                false => Sent(status, text),
            }
        }
    };
    assert_eq!(found, row.outcome, "{}", row.name);
    assert_eq!(seen.names(), row.events, "{}", row.name);
    let closes = row.scripts.iter().copied().flatten();
    let closes = closes.filter(|step| matches!(step, Rest)).count();
    for rest in rests.wait_for(closes).await {
        assert_eq!(rest, b"", "{}", row.name);
    }
}

#[tokio::test]
async fn each_server_is_met_as_the_table_says_with_a_body_of_known_length() {
    for row in ROWS {
        outcome(row, full("hello")).await;
    }
}

#[tokio::test]
async fn each_server_is_met_as_the_table_says_with_a_chunked_body() {
    for row in ROWS {
        outcome(row, chunked("hello")).await;
    }
}
