//! Upgrades: what both sides have agreed on is carried, and nothing else.

use tokio::io::AsyncWriteExt;

use crate::support::{origin, proxy, soon, Notes, Wire};

const UPGRADE: &str =
    "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n";
const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: y\r\n\r\n";

#[tokio::test]
async fn after_a_101_bytes_pass_both_ways_until_both_have_closed() {
    let ended = Notes::new();
    let notes = ended.clone();
    let address = origin(move |_, mut wire| {
        let notes = notes.clone();
        async move {
            let head = wire.head().await;
            assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
            assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
            assert!(head.contains("\r\nsec-websocket-key: x\r\n"), "{head}");
            // The first frame in one packet with the head.
            wire.send(format!("{SWITCH}welcome")).await;
            wire.receive("early").await;
            wire.receive("ping").await;
            wire.send("pong").await;
            wire.stream.shutdown().await.unwrap();
            notes.note(wire.rest().await);
        }
    })
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    // The client does not wait for the 101, as it should.
    wire.send(format!("{UPGRADE}early")).await;
    let head = wire.head().await;
    assert!(
        head.starts_with("http/1.1 101 switching protocols\r\n"),
        "{head}"
    );
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: y",
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
    wire.receive("welcome").await;
    wire.send("ping").await;
    wire.receive("pong").await;
    // The origin has closed its side, and still gets the rest.
    wire.send("bye").await;
    wire.stream.shutdown().await.unwrap();
    assert_eq!(wire.rest().await, "");
    assert_eq!(ended.wait_for(1).await, ["bye"]);
}

#[tokio::test]
async fn a_client_that_is_gone_closes_the_tunnel() {
    let ended = Notes::new();
    let notes = ended.clone();
    let address = origin(move |_, mut wire| {
        let notes = notes.clone();
        async move {
            wire.head().await;
            wire.send(SWITCH).await;
            notes.note(wire.rest().await);
        }
    })
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    wire.send(UPGRADE).await;
    wire.head().await;
    drop(wire);
    soon("closed", ended.wait_for(1)).await;
}

#[tokio::test]
async fn an_origin_that_does_not_switch_is_asked_again_on_the_same_connection() {
    let address = origin(|number, mut wire| async move {
        assert_eq!(number, 0, "one connection is enough");
        for _ in 0..2 {
            wire.head().await;
            wire.send("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
        wire.rest().await;
    })
    .await;
    let mut wire = Wire::to(proxy(address, &[]).await).await;
    for _ in 0..2 {
        wire.send(UPGRADE).await;
        assert_eq!(wire.next().await.status(), 426);
    }
}

#[tokio::test]
async fn an_upgrade_to_h2c_or_with_a_body_or_not_meant_is_not_passed_on() {
    let address = origin(|_, mut wire| async move {
        while !wire.head().await.contains("upgrade") {
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
        }
        panic!("an upgrade reached the origin");
    })
    .await;
    let proxy = proxy(address, &[]).await;
    for lines in [
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        "connection: upgrade\r\nupgrade: websocket, H2C\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nupgrade: h2c\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5\r\n",
        "upgrade: websocket\r\n",
        "connection: upgrade\r\n",
    ] {
        let mut wire = Wire::to(proxy).await;
        wire.send(format!("GET / HTTP/1.1\r\nhost: a\r\n{lines}\r\nhello")).await;
        let response = wire.next().await;
        assert_eq!(response.status(), 200, "{lines:?}: {response:?}");
    }
}

#[tokio::test]
async fn a_switch_to_what_the_client_has_not_offered_is_a_502() {
    for chosen in ["foo", "websocket, foo", ""] {
        let address = origin(move |_, mut wire| async move {
            wire.head().await;
            let switch = SWITCH.replace("upgrade: websocket", &format!("upgrade: {chosen}"));
            wire.send(switch).await;
            wire.rest().await;
        })
        .await;
        let mut wire = Wire::to(proxy(address, &[]).await).await;
        wire.send(UPGRADE).await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.1 502 "), "{chosen}: {head}");
    }
}
