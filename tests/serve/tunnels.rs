//! Connections that an application has taken over by a 101.

use std::time::Duration;

use axum::{body::Body, extract::Request, response::Response, routing::get, Router};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{split, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::sleep,
};

use crate::support::{bound, connect, read_to, within, write};

type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// What an owner has read of its client after it had closed its own direction, and how it did both.
type Owner = fn(Upgraded, mpsc::UnboundedSender<String>);

/// One task closes its direction and reads on.
fn in_one_task(mut io: Upgraded, read: mpsc::UnboundedSender<String>) {
    tokio::spawn(async move {
        io.write_all(b"banner").await.expect("open");
        io.shutdown().await.expect("open");
        let mut rest = String::new();
        io.read_to_string(&mut rest).await.expect("open");
        read.send(rest).expect("awaited");
    });
}

/// A reader waits already when another task closes.
fn in_two_tasks(io: Upgraded, read: mpsc::UnboundedSender<String>) {
    let (mut reader, mut writer) = split(io);
    tokio::spawn(async move {
        let mut rest = String::new();
        reader.read_to_string(&mut rest).await.expect("open");
        read.send(rest).expect("awaited");
    });
    tokio::spawn(async move {
        sleep(Duration::from_millis(20)).await;
        writer.write_all(b"banner").await.expect("open");
        writer.shutdown().await.expect("open");
    });
}

/// The reader begins when the other has closed for long.
fn with_a_late_reader(io: Upgraded, read: mpsc::UnboundedSender<String>) {
    let (mut reader, mut writer) = split(io);
    tokio::spawn(async move {
        writer.write_all(b"banner").await.expect("open");
        writer.shutdown().await.expect("open");
    });
    tokio::spawn(async move {
        sleep(Duration::from_millis(300)).await;
        let mut rest = String::new();
        reader.read_to_string(&mut rest).await.expect("open");
        read.send(rest).expect("awaited");
    });
}

fn app(owner: Owner, read: mpsc::UnboundedSender<String>) -> Router {
    let handler = move |mut request: Request| {
        let upgrade = hyper::upgrade::on(&mut request);
        let read = read.clone();
        tokio::spawn(async move {
            owner(TokioIo::new(upgrade.await.expect("upgraded")), read);
        });
        async {
            let response = Response::builder().status(101).header("upgrade", "echo");
            let response = response.header("connection", "upgrade");
            response.body(Body::empty()).expect("valid")
        }
    };
    Router::new().route("/", get(handler))
}

async fn upgraded(client: &mut TcpStream) {
    let head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    write(client, head).await;
    let seen = within(read_to(client, "\r\n\r\n")).await;
    assert!(seen.starts_with("HTTP/1.1 101 "), "{seen}");
}

#[tokio::test]
async fn all_that_the_client_sends_arrives_after_the_application_has_closed_its_direction() {
    let owners: [(&str, Owner); 3] = [
        ("one task", in_one_task),
        ("two tasks", in_two_tasks),
        ("late reader", with_a_late_reader),
    ];
    for (name, owner) in owners {
        let (sender, mut read) = mpsc::unbounded_channel();
        let (address, _) = bound(app(owner, sender), |server| server).await;
        let mut client = connect(address).await;
        upgraded(&mut client).await;
        let mut banner = String::new();
        within(client.read_to_string(&mut banner))
            .await
            .expect("open");
        assert_eq!(banner, "banner", "{name}");
        for piece in ["one-", "two-", "three"] {
            sleep(Duration::from_millis(30)).await;
            write(&mut client, piece).await;
        }
        client.shutdown().await.expect("open");
        let seen = within(read.recv()).await;
        assert_eq!(seen.as_deref(), Some("one-two-three"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn none_of_the_limits_holds_for_them() {
    // Sends a line after an hour, reads one after another.
    let slow: Owner = |mut io, read| {
        tokio::spawn(async move {
            sleep(Duration::from_secs(3600)).await;
            io.write_all(b"still here\n").await.expect("open");
            sleep(Duration::from_secs(3600)).await;
            let mut rest = String::new();
            io.read_to_string(&mut rest).await.expect("open");
            read.send(rest).expect("awaited");
        });
    };
    for closes_early in [false, true] {
        let (sender, mut read) = mpsc::unbounded_channel();
        let (dial, _) = crate::support::piped(app(slow, sender), |server| server);
        let mut client = dial.connect();
        let head = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        write(&mut client, head).await;
        read_to(&mut client, "\r\n\r\n").await;
        if closes_early {
            write(&mut client, "bye").await;
            client.shutdown().await.expect("open");
        }
        read_to(&mut client, "still here\n").await;
        if !closes_early {
            write(&mut client, "bye").await;
            client.shutdown().await.expect("open");
        }
        assert_eq!(read.recv().await.as_deref(), Some("bye"));
    }
}
