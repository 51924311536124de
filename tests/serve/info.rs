//! What requests are told of their connection, and what happens to it before HTTP.

use std::{
    future::IntoFuture,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{extract::ConnectInfo, response::IntoResponse, routing::get, Extension, Router};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::server::TlsStream;
use tower_expect::serve::FromAxum;

use crate::support::{
    bound, connect, frame, frames, localhost, piped, read_all, tls, within, write, DATA,
    END_HEADERS, END_STREAM, GET, HEADERS, PREFACE, SETTINGS,
};

const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// The text of a response over each version.
async fn texts(address: SocketAddr) -> [String; 2] {
    let mut http1 = connect(address).await;
    write(&mut http1, HEAD).await;
    let seen = within(read_all(&mut http1)).await;
    let over_http1 = seen
        .rsplit("\r\n\r\n")
        .next()
        .expect("a response")
        .to_owned();
    let mut http2 = connect(address).await;
    let request = [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, GET),
    ];
    write(&mut http2, request.concat()).await;
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    let over_http2 = loop {
        let len = within(http2.read(&mut buffer)).await.expect("open");
        assert!(len > 0, "closed after {:?}", frames(&seen));
        seen.extend(&buffer[..len]);
        if let Some((.., data)) = frames(&seen).into_iter().find(|(kind, ..)| *kind == DATA) {
            break String::from_utf8(data).expect("ASCII");
        }
    };
    [over_http1, over_http2]
}

#[derive(Clone)]
struct Local(SocketAddr);

async fn addresses(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(Local(local)): Extension<Local>,
) -> String {
    format!("{} {local}", peer.ip())
}

#[tokio::test]
async fn axums_connect_info_and_the_local_address_reach_the_handler_over_both_versions() {
    let app = Router::new().fallback(addresses);
    let (address, _) = bound(app, |server| {
        server
            .with_connect_info(ConnectInfo)
            .with_stream_info(|tcp: &TcpStream| Local(tcp.local_addr().expect("bound")))
    })
    .await;
    let expected = format!("127.0.0.1 {address}");
    assert_eq!(texts(address).await, [expected.clone(), expected]);
}

#[tokio::test]
async fn each_request_of_a_connection_is_told_and_none_tells_the_next() {
    #[derive(Clone)]
    struct Shared(Arc<Mutex<Vec<u32>>>);
    #[derive(Clone)]
    struct Number(u32);

    let app = Router::new().fallback(
        |Extension(Shared(seen)): Extension<Shared>, mut request: axum::extract::Request| async move {
            let number = request.extensions().get::<Number>().expect("told").0;
            // The next request must not see this.
            request.extensions_mut().insert(Number(number + 1));
            seen.lock().expect("no panic").push(number);
            seen.lock().expect("no panic").len().to_string()
        },
    );
    let (dial, _) = piped(app, |server| {
        server
            .with_connect_info(|()| Shared(Arc::default()))
            .with_stream_info(|_: &DuplexStream| Number(7))
    });
    for _ in 0..2 {
        let mut client = dial.connect();
        let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        write(&mut client, request.repeat(2) + HEAD).await;
        let seen = within(read_all(&mut client)).await;
        let texts: Vec<_> = ["1", "2", "3"]
            .into_iter()
            .filter(|text| seen.contains(&format!("\r\n\r\n{text}")))
            .collect();
        assert_eq!(texts, ["1", "2", "3"], "{seen}");
    }
}

#[tokio::test]
async fn acceptors_run_in_the_order_in_which_they_are_given_and_infos_see_what_was_made_by_then() {
    #[derive(Clone)]
    struct Raw(usize);
    #[derive(Clone)]
    struct Proxied(String);
    #[derive(Clone)]
    struct Alpn(String);

    let handler = |Extension(Raw(size)): Extension<Raw>,
                   Extension(Proxied(line)): Extension<Proxied>,
                   Extension(Alpn(alpn)): Extension<Alpn>| async move {
        format!("{} {line} {alpn}", size > 0)
    };
    let app = Router::new().fallback(handler);
    let (acceptor, connector) = tls(&["http/1.1"]);
    // Reads a line in front of the handshake, as of the PROXY protocol.
    let proxied = |mut io: DuplexStream| async move {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            line.push(io.read_u8().await?);
        }
        let line = String::from_utf8_lossy(&line[..line.len() - 1]).into_owned();
        Ok::<_, io::Error>(Lined { io, line })
    };
    let (dial, _) = piped(app, |server| {
        server
            .with_stream_info(|_: &DuplexStream| Raw(size_of::<DuplexStream>()))
            .with_acceptor(proxied)
            .with_stream_info(|lined: &Lined| Proxied(lined.line.clone()))
            .with_acceptor(move |lined: Lined| acceptor.accept(lined.io))
            .with_stream_info(|tls: &TlsStream<DuplexStream>| {
                let alpn = tls.get_ref().1.alpn_protocol().unwrap_or_default();
                Alpn(String::from_utf8_lossy(alpn).into_owned())
            })
    });
    let mut client = dial.connect();
    write(&mut client, "PROXY 1.2.3.4\n").await;
    let mut client = connector
        .connect(localhost(), client)
        .await
        .expect("a handshake");
    client.write_all(HEAD.as_bytes()).await.expect("open");
    let seen = within(read_all(&mut client)).await;
    assert!(
        seen.ends_with("\r\n\r\ntrue PROXY 1.2.3.4 http/1.1"),
        "{seen}"
    );
}

/// So that an acceptor which reads the PROXY protocol can correct the address.
#[tokio::test]
async fn an_info_takes_the_place_of_an_earlier_one_of_its_type() {
    let address = |last| ConnectInfo(SocketAddr::from(([192, 0, 2, last], 1)));
    let handler = |ConnectInfo(client): ConnectInfo<SocketAddr>| async move { client.to_string() };
    let (dial, _) = piped(Router::new().fallback(handler), |server| {
        server
            .with_stream_info(move |_: &DuplexStream| address(2))
            .with_connect_info(move |()| address(1))
            .with_acceptor(|io| async { Ok::<DuplexStream, io::Error>(io) })
            .with_stream_info(move |_| address(3))
    });
    let mut client = dial.connect();
    write(&mut client, HEAD).await;
    let seen = within(read_all(&mut client)).await;
    assert!(seen.ends_with("\r\n\r\n192.0.2.3:1"), "{seen}");
}

/// What an acceptor makes that has read a line.
struct Lined {
    io: DuplexStream,
    line: String,
}

impl tokio::io::AsyncRead for Lined {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl tokio::io::AsyncWrite for Lined {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn an_acceptor_that_fails_or_panics_closes_its_connection_and_no_other() {
    let app = Router::new().fallback(|| async { "here" });
    let (dial, _) = piped(app, |server| {
        server.with_acceptor(|mut io: DuplexStream| async move {
            match io.read_u8().await? {
                b'f' => Err(io::Error::other("failed")),
                b'p' => panic!("on purpose"),
                _ => Ok(io),
            }
        })
    });
    for byte in ["f", "p"] {
        let mut client = dial.connect();
        write(&mut client, byte).await;
        assert_eq!(within(read_all(&mut client)).await, "");
    }
    let mut client = dial.connect();
    write(&mut client, format!("-{HEAD}")).await;
    assert!(within(read_all(&mut client)).await.ends_with("here"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_served_and_tells_who_its_peer_is() {
    use tokio::net::{UnixListener, UnixStream};

    #[derive(Clone)]
    struct Peer(Option<i32>);

    let folder = std::env::temp_dir().join(format!("tower-expect-{}", std::process::id()));
    let _ = std::fs::remove_file(&folder);
    let handler = |Extension(Peer(process)): Extension<Peer>, Extension(named): Extension<bool>| async move {
        format!("{named} {}", process.unwrap_or_default()).into_response()
    };
    let app = Router::new().route("/", get(handler));
    let listener = UnixListener::bind(&folder).expect("a path");
    let server = tower_expect::serve(listener, app)
        .with_connect_info(|address: tokio::net::unix::SocketAddr| !address.is_unnamed())
        .with_stream_info(|unix: &UnixStream| Peer(unix.peer_cred().ok().and_then(|it| it.pid())));
    assert_eq!(
        server.local_addr().expect("bound").as_pathname(),
        Some(&*folder)
    );
    tokio::spawn(server.into_future());
    let mut client = UnixStream::connect(&folder).await.expect("listening");
    write(&mut client, HEAD).await;
    let seen = within(read_all(&mut client)).await;
    std::fs::remove_file(&folder).expect("a socket");
    assert!(
        seen.ends_with(&format!("false {}", std::process::id())),
        "{seen}"
    );
}

#[tokio::test]
async fn a_listener_of_axum_is_served() {
    use axum::serve::ListenerExt;

    let tapped = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&tapped);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let listener = listener.tap_io(move |_| *counted.lock().expect("no panic") += 1);
    let app = Router::new().fallback(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
        peer.ip().to_string()
    });
    let server = tower_expect::serve(FromAxum::new(listener), app).with_connect_info(ConnectInfo);
    let address = server.local_addr().expect("bound");
    tokio::spawn(server.into_future());
    assert_eq!(texts(address).await, ["127.0.0.1", "127.0.0.1"]);
    assert_eq!(*tapped.lock().expect("no panic"), 2);
}
