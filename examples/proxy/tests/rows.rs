//! The decision table of the crate, row by row: through the proxy as at the origin itself.

use std::net::SocketAddr;

use axum::{body::Bytes, routing::put, Router};
use tower_expect::{rules, ExpectLayer};

use crate::support::{listen, proxy, Wire};

async fn origin() -> SocketAddr {
    let (listener, address) = listen().await;
    let rule = rules::bearer_token("s3cr3t").and(rules::content_length(..=10));
    let app = Router::new()
        .route(
            "/",
            put(|body: Bytes| async move { body.len().to_string() }),
        )
        .layer(ExpectLayer::new(rule));
    tokio::spawn(async { tower_expect::serve(listener, app).await });
    address
}

struct Row {
    number: u8,
    version: &'static str,
    lines: &'static str,
    length: u64,
    /// The first of them 100, if the client is invited.
    statuses: &'static [u16],
}

const TOKEN: &str = "authorization: Bearer s3cr3t\r\n";

const ROWS: &[Row] = &[
    Row {
        number: 1,
        version: "1.0",
        lines: "expect: 100-continue\r\n",
        length: 5,
        statuses: &[401],
    },
    Row {
        number: 1,
        version: "1.0",
        lines: "expect: x y\r\n",
        length: 5,
        statuses: &[401],
    },
    Row {
        number: 2,
        version: "1.1",
        lines: "",
        length: 5,
        statuses: &[401],
    },
    Row {
        number: 2,
        version: "1.1",
        lines: "expect: , ,\r\n",
        length: 5,
        statuses: &[401],
    },
    Row {
        number: 3,
        version: "1.1",
        lines: "expect: 100-continue x\r\n",
        length: 5,
        statuses: &[400],
    },
    Row {
        number: 3,
        version: "1.1",
        lines: "expect: \"100\r\nexpect: -continue\"\r\n",
        length: 5,
        statuses: &[400],
    },
    Row {
        number: 4,
        version: "1.1",
        lines: "expect: 200-ok\r\n",
        length: 5,
        statuses: &[417],
    },
    Row {
        number: 4,
        version: "1.1",
        lines: "expect: 100-continue=x\r\n",
        length: 5,
        statuses: &[417],
    },
    Row {
        number: 5,
        version: "1.1",
        lines: "expect: 100-continue\r\n",
        length: 0,
        statuses: &[401],
    },
    Row {
        number: 6,
        version: "1.1",
        lines: "expect: 100-continue\r\nexpect: ,\r\n",
        length: 5,
        statuses: &[417],
    },
    Row {
        number: 7,
        version: "1.1",
        lines: "expect: 100-continue\r\n",
        length: 5,
        statuses: &[401],
    },
    Row {
        number: 8,
        version: "1.1",
        lines: "expect: 100-continue\r\n",
        length: 5,
        statuses: &[100, 200],
    },
];

async fn statuses(address: SocketAddr, row: &Row) -> Vec<u16> {
    let token = if row.number == 8 { TOKEN } else { "" };
    let (version, lines, length) = (row.version, row.lines, row.length);
    let mut wire = Wire::to(address).await;
    wire.send(format!(
        "PUT / HTTP/{version}\r\nhost: a\r\n{token}{lines}content-length: {length}\r\n\r\n"
    ))
    .await;
    let mut statuses = vec![wire.next().await.status()];
    if statuses == [100] {
        wire.send("hello").await;
        statuses.push(wire.next().await.status());
    }
    statuses
}

#[tokio::test]
async fn each_row_is_at_the_proxy_what_it_is_at_the_origin() {
    let origin = origin().await;
    let proxy = proxy(origin, &[]).await;
    for row in ROWS {
        let name = format!("row {}: {:?}", row.number, row.lines);
        assert_eq!(statuses(origin, row).await, row.statuses, "origin, {name}");
        assert_eq!(statuses(proxy, row).await, row.statuses, "proxy, {name}");
    }
}
