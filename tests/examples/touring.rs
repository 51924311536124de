//! `tour`: what it plays, prints and notices.

use tokio::net::TcpListener;

use super::tour::{app, client::play, exchange::Exchange, list::exchanges, print::Printer, tour};

#[tokio::test]
async fn every_exchange_is_as_the_table_says_and_printed_plainly() {
    let mut out = Vec::new();
    assert_eq!(tour(&mut out, false).await.unwrap(), 0);
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.ends_with("\n\n11 exchanges, all as the table says\n"));
    for exchange in exchanges() {
        assert!(text.contains(exchange.title), "{}", exchange.title);
        for response in exchange.responses {
            assert!(
                text.contains(&format!(" ms <- {response}\\r\\n\n")),
                "{response}"
            );
        }
    }
    assert!(text.contains(" ms -> … 1048576 body bytes\n"));
    assert!(text.contains("\n67108864 body bytes crossed the wire, "));
}

#[tokio::test]
async fn colours_tell_the_client_from_the_server() {
    let server = app::start().await.unwrap();
    let exchange = Exchange::accepted("", 8);
    let record = play(server, &exchange).await.unwrap();
    let mut out = Vec::new();
    let mut printer = Printer {
        out: &mut out,
        coloured: true,
    };
    printer.record(&record, None).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains(" -> \x1b[36mPUT /upload HTTP/1.1\x1b[0m"),
        "{text}"
    );
    assert!(
        text.contains(" <- \x1b[32mHTTP/1.1 100 Continue\x1b[0m"),
        "{text}"
    );
}

#[tokio::test]
async fn an_exchange_that_is_not_as_the_table_says_is_noticed() {
    let server = app::start().await.unwrap();
    let record = play(server, &Exchange::accepted("", 8)).await.unwrap();
    let difference = |expected| record.difference(&expected);
    assert_eq!(difference(Exchange::accepted("", 8)), None);
    let rejected = Exchange::rejected("", 7, "HTTP/1.1 401 Unauthorized");
    assert!(difference(rejected).unwrap().contains("401 Unauthorized"));
    let unsent = Exchange {
        sent: 0,
        ..Exchange::accepted("", 8)
    };
    assert_eq!(difference(unsent).unwrap(), "expected 0 body bytes");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let exchange = Exchange::accepted("", 8);
    let record = play(server, &exchange).await.unwrap();
    assert!(record.difference(&exchange).is_some());
    assert!(record.responses.is_empty());
}
