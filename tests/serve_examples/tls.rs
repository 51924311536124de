//! `serve_tls`: curl, Python, Go and Node.js by what ALPN has agreed on, and a client without a handshake.

use std::{process::Command, time::Duration};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::{timeout, Instant},
};

use crate::{
    serve_tls,
    tools::{curl, run, upload, File},
};

async fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async {
        let served = serve_tls::serve(listener).await;
        served.expect("a certificate");
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_uploads_by_the_version_that_was_agreed_on() {
    let url = format!("https://localhost:{}/upload", start().await);
    let file = File::new("tls", 1_000_000);
    for (version, number, alpn) in [
        ("--http2", "2", "h2"),
        ("--http1.1", "1.1", "http/1.1"),
        ("--no-alpn", "1.1", "no ALPN"),
    ] {
        let Some(printed) = curl(&[version, "--upload-file", file.path()], &url) else {
            return;
        };
        let expected =
            format!("1000000 bytes from 127.0.0.1, Some(TLSv1_3), {alpn}\n{number} 200 1000000");
        assert_eq!(printed, expected);
    }
}

/// By `ssl` and literal bytes: waits for the 100, and reads to the end, which must be announced by TLS.
const PYTHON: &str = r#"
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols(["http/1.1"])
tcp = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
with context.wrap_socket(tcp, suppress_ragged_eofs=False) as tls:
    tls.sendall(b"PUT /upload HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                b"Content-Length: 5\r\nConnection: close\r\n\r\n")
    assert tls.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    tls.sendall(b"hello")
    response = b""
    while piece := tls.recv(4096):
        response += piece
print(response.split(b"\r\n\r\n")[1].decode())
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_waits_for_its_100_and_sees_the_end() {
    let port = start().await;
    let mut python = Command::new("python3");
    python.args(["-c", PYTHON, &port.to_string()]);
    let Some(printed) = run(&mut python) else {
        return;
    };
    let expected = "5 bytes from 127.0.0.1, Some(TLSv1_3), http/1.1\n\n";
    assert_eq!(printed, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_and_node_upload_after_their_100_over_http2() {
    let url = format!("https://localhost:{}/upload", start().await);
    let clients: [(&[&str], _); 2] = [(&["go", "run"], "upload.go"), (&["node"], "upload.mjs")];
    for (program, file) in clients {
        let Some(printed) = upload(program, file, &url) else {
            continue;
        };
        let uploads: Vec<_> = printed.lines().collect();
        assert_eq!(uploads.len(), 3, "{printed}");
        for upload in uploads {
            assert!(upload.starts_with("HTTP_2 200 "), "{printed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_begins_no_handshake_is_closed_after_ten_seconds_and_holds_up_nobody() {
    let port = start().await;
    let started = Instant::now();
    let mut silent = TcpStream::connect(("127.0.0.1", port)).await.expect("open");
    let url = format!("https://localhost:{port}/upload");
    if let Some(printed) = curl(&["--request", "PUT", "--data", "a"], &url) {
        assert!(printed.ends_with("2 200 1"), "{printed}");
    }
    let mut byte = [0];
    let end = timeout(Duration::from_secs(20), silent.read(&mut byte)).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "{end:?}");
    let took = started.elapsed().as_secs_f64();
    assert!((9.5..15.0).contains(&took), "{took}");
}
