//! Files that the server does not take, and how much of them it was sent.

use std::sync::atomic::Ordering;

use crate::{
    axum_upload,
    support::{counting, scripted, serve, upload, Temporary},
};

const GIB: u64 = 1 << 30;

#[tokio::test]
async fn all_of_a_rejected_gigabyte_is_spared() {
    let (address, sent) = counting(serve(axum_upload::app()).await).await;
    let file = Temporary::sparse("big.png", GIB);
    for (options, status) in [
        (&[][..], "401 Unauthorized"),
        (
            &["-H", "Authorization: Bearer s3cr3t"],
            "413 Payload Too Large",
        ),
    ] {
        sent.store(0, Ordering::Relaxed);
        let url = format!("http://{address}/upload/big.png");
        let ended = upload(file.path(), &url, options).await;
        let expected = [
            "asked whether to send 1.00 GiB".to_owned(),
            "the server responded without it after x ms".to_owned(),
            format!("rejected: {status}"),
            format!("spared 1.00 GiB of 1.00 GiB ({GIB} bytes)"),
        ];
        assert_eq!(ended.lines(), expected, "{ended:?}");
        assert_eq!(ended.status, 1, "{ended:?}");
        let sent = sent.load(Ordering::Relaxed);
        assert!(
            (1..1000).contains(&sent),
            "{sent} bytes were sent, more than a head"
        );
    }
}

#[tokio::test]
async fn the_type_is_that_of_the_extension_or_of_the_option() {
    let address = serve(axum_upload::app()).await;
    let url = format!("http://{address}/upload/a");
    let token = ["-H", "Authorization: Bearer s3cr3t"];
    for (name, option, status) in [
        ("a.png", None, 0),
        ("a.pdf", None, 0),
        ("a.html", None, 1),
        ("a", None, 1),
        ("a.html", Some("image/gif"), 0),
        ("a.png", Some("text/html"), 1),
    ] {
        let file = Temporary::new(name, b"content");
        let mut options = token.to_vec();
        if let Some(content_type) = option {
            options.extend(["--content-type", content_type]);
        }
        let header = option.map(|content_type| format!("Content-Type: {content_type}"));
        let mut in_a_header = token.to_vec();
        if let Some(header) = &header {
            in_a_header.extend(["-H", header]);
        }
        let same = upload(file.path(), &url, &in_a_header).await;
        assert_eq!(same.status, status, "{name}, {header:?}: {same:?}");
        let ended = upload(file.path(), &url, &options).await;
        assert_eq!(ended.status, status, "{name}, {option:?}: {ended:?}");
        let is_unsupported = ended.said.contains("415 Unsupported Media Type");
        assert_eq!(is_unsupported, status == 1, "{name}, {option:?}: {ended:?}");
    }
}

/// The server closes while the file is sent. A socket that is not patient would report a broken pipe.
#[tokio::test]
async fn a_rejection_in_the_midst_of_the_file_is_seen() {
    let file = Temporary::sparse("big.bin", GIB);
    for _ in 0..10 {
        let address = scripted(&[&[
            (0, "HTTP/1.1 100 Continue\r\n\r\n"),
            (
                100_000,
                "HTTP/1.1 413 Too Long\r\nconnection: close\r\ncontent-length: 9\r\n\r\ntoo long\n",
            ),
        ]])
        .await;
        let ended = upload(file.path(), &format!("http://{address}/"), &[]).await;
        let lines = ended.lines();
        let expected = [
            "asked whether to send 1.00 GiB",
            "the server asked for it after x ms",
            "rejected: 413 Payload Too Large",
        ];
        assert_eq!(lines[..3], expected, "{ended:?}");
        assert!(
            lines[3].starts_with("spared ") && lines.len() == 4,
            "{ended:?}"
        );
        assert_eq!(
            (ended.status, &*ended.output),
            (1, "too long\n"),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn a_rejection_with_its_text_is_shown_whole() {
    let address =
        scripted(&[&[(0, "HTTP/1.1 403 No\r\ncontent-length: 10\r\n\r\nnot you, x")]]).await;
    let file = Temporary::new("a", b"content");
    let ended = upload(file.path(), &format!("http://{address}/"), &[]).await;
    assert_eq!(
        (ended.status, &*ended.output),
        (1, "not you, x"),
        "{ended:?}"
    );
    let expected = [
        "asked whether to send 7 B",
        "the server responded without it after x ms",
        "rejected: 403 Forbidden",
        "spared 7 B of 7 B (7 bytes)",
    ];
    assert_eq!(ended.lines(), expected);
}
