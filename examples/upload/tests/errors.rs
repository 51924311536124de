//! What goes wrong is said in one line, and the exit status is 2.

use std::path::Path;

use crate::support::{listen, scripted, upload, Temporary};

#[tokio::test]
async fn each_error_has_its_line() {
    let file = Temporary::new("a", b"content");
    let folder = file.path().parent().expect("a folder");
    let missing = Path::new("/missing");
    let (gone, gone_address) = listen().await;
    drop(gone);
    let gone = format!("http://{gone_address}/");
    // Twice, since PUT is repeated.
    let closes = format!("http://{}/", scripted(&[&[], &[]]).await);
    let no_http = format!(
        "http://{}/",
        scripted(&[&[(0, "SSH-2.0-x\r\n")], &[(0, "SSH-2.0-x\r\n")]]).await
    );
    for (path, url, said) in [
        (
            missing,
            &*gone,
            "upload: /missing: No such file or directory",
        ),
        (folder, &gone, ": not a file"),
        (file.path(), &gone, "Connection refused"),
        (
            file.path(),
            &closes,
            "connection closed before message completed",
        ),
        (file.path(), &no_http, "invalid HTTP version"),
        (
            file.path(),
            "ftp://localhost/",
            "upload: the URL is neither http:// nor https://",
        ),
        (
            file.path(),
            "/x",
            "upload: the URL is neither http:// nor https://",
        ),
    ] {
        let ended = upload(path, url, &[]).await;
        assert_eq!((ended.status, &*ended.output), (2, ""), "{ended:?}");
        let last = ended.said.lines().last().expect("a line");
        assert!(
            last.starts_with("upload: ") && last.contains(said),
            "{said}: {ended:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_option_is_explained() {
    for (options, said) in [
        (&["-H", "no colon"][..], "no colon in the header"),
        (&["-H", "b@d: x"], "invalid HTTP header name"),
        (&["--content-type", "a\nb"], "invalid value"),
        (&["--expect-timeout=-1"], "invalid value"),
        (&["--what"], "unexpected argument"),
    ] {
        let ended = upload(Path::new("/missing"), "http://localhost/", options).await;
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.said.contains(said), "{said}: {ended:?}");
    }
}
