//! Ctrl-C ends `serve_axum`: uploads that are under way are finished, and nobody is waited for for longer
//! than 10 s.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{process::Server, skip::note_skipped};

const HEAD: &[u8] = b"PUT /upload HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("open");
    let timeout = Some(Duration::from_secs(20));
    stream.set_read_timeout(timeout).expect("a timeout");
    stream
}

fn read_response(stream: &mut TcpStream) -> String {
    let mut response = vec![0; 1024];
    let mut len = 0;
    while !response[..len].ends_with(b"from 127.0.0.1\n") {
        match stream.read(&mut response[len..]).expect("a response") {
            0 => break,
            more => len += more,
        }
    }
    response.truncate(len);
    String::from_utf8(response).expect("UTF-8")
}

/// Reads to the end; how long it took.
fn wait_for_end(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    match io::copy(stream, &mut io::sink()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
    }
    started.elapsed()
}

#[test]
fn an_upload_by_curl_is_finished() {
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let mut server = Server::start();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", version])
            .args(["--upload-file", "-", "--write-out", "%{http_code}"])
            .arg(format!("http://{}/upload", server.address))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut curl = match curl.spawn() {
            Ok(curl) => curl,
            Err(error) => return note_skipped(&curl, &error),
        };
        let mut body = curl.stdin.take().expect("piped");
        // More than a pipe holds: curl has begun to send it.
        body.write_all(&vec![7; 500_000]).expect("curl reads");
        server.interrupt();
        body.write_all(&vec![7; 400_000]).expect("curl reads");
        drop(body);
        let output = curl.wait_with_output().expect("it ends");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(printed.starts_with("900000 bytes by HTTP/"), "{printed}");
        assert!(printed.ends_with("200"), "{printed}");
        assert!(server.end().success());
    }
}

#[test]
fn a_request_that_is_under_way_is_answered_whole_and_idle_connections_are_closed() {
    let mut server = Server::start();
    let mut idle = connect(&server);
    idle.write_all(HEAD).expect("open");
    idle.write_all(b"0123456789").expect("open");
    let response = read_response(&mut idle);
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");

    let mut uploading = connect(&server);
    uploading.write_all(HEAD).expect("open");
    uploading.write_all(b"01234").expect("open");
    // Behind it in the queue of connections: when this one has its response, that one is accepted.
    let mut later = connect(&server);
    later.write_all(HEAD).expect("open");
    later.write_all(b"0123456789").expect("open");
    read_response(&mut later);

    server.interrupt();
    assert!(wait_for_end(&mut idle) < Duration::from_secs(5));
    uploading.write_all(b"56789").expect("open");
    let response = read_response(&mut uploading);
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert!(response.ends_with("10 bytes by HTTP/1.1 from 127.0.0.1\n"));
    assert!(server.end().success());
}

#[test]
fn a_client_that_stalls_is_waited_for_for_ten_seconds() {
    let mut server = Server::start();
    let mut stalling = connect(&server);
    stalling.write_all(HEAD).expect("open");
    stalling.write_all(b"01234").expect("open");
    let mut later = connect(&server);
    later.write_all(HEAD).expect("open");
    later.write_all(b"0123456789").expect("open");
    read_response(&mut later);

    server.interrupt();
    let took = wait_for_end(&mut stalling).as_secs_f64();
    assert!((9.0..15.0).contains(&took), "{took}");
    assert!(server.end().success());
}
