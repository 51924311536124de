//! `serve_unix`: curl by both versions, and a socket that an earlier run has left behind.

use std::{io, os::unix::fs::MetadataExt, path::PathBuf};

use crate::{
    serve_unix::unix as serve_unix,
    tools::{curl, File},
};

fn socket(name: &str) -> PathBuf {
    let name = format!("tower-expect-{}-{name}.sock", std::process::id());
    std::env::temp_dir().join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_uploads_by_both_versions_and_the_handler_sees_its_user() {
    let path = socket("curl");
    let listener = serve_unix::bind(&path).expect("bound");
    tokio::spawn(serve_unix::serve(listener));
    let user = std::fs::metadata(&path).expect("there").uid();
    let file = File::new("unix", 1_000_000);
    for (version, number) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        let options = ["--unix-socket", path.to_str().expect("UTF-8"), version];
        let options = [&options[..], &["--upload-file", file.path()]].concat();
        let Some(printed) = curl(&options, "http://localhost/upload") else {
            return;
        };
        let expected = format!("1000000 bytes from user {user}\n{number} 200 1000000");
        assert_eq!(printed, expected);
    }
    std::fs::remove_file(path).expect("there");
}

#[tokio::test]
async fn the_socket_of_an_earlier_run_is_replaced_and_no_other_file_is() {
    let path = socket("earlier");
    drop(serve_unix::bind(&path).expect("bound"));
    drop(serve_unix::bind(&path).expect("bound again"));
    std::fs::remove_file(&path).expect("there");

    std::fs::write(&path, "precious").expect("a temporary file");
    let error = serve_unix::bind(&path).expect_err("not a socket");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(&path).expect("there"), b"precious");
    std::fs::remove_file(path).expect("there");
}
