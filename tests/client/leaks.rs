//! Ten thousand uploads, a third of them rejected, leave nothing behind.

use std::{fs::read_dir, process::Command, time::Duration};

use http::StatusCode;
use tokio::{runtime::Handle, task::JoinSet};

use crate::support::{asking, full, patient, put, send, server, text};

const UPLOADS: usize = 10_000;
const AT_ONCE: usize = 10;
const LENGTH: usize = 1000;

fn descriptors() -> usize {
    read_dir("/proc/self/fd").unwrap().count()
}

/// Once they are no more than that.
async fn back_to(tasks: usize, descriptors_then: usize) -> (usize, usize) {
    let now = || (Handle::current().metrics().num_alive_tasks(), descriptors());
    for _ in 0..500 {
        let (tasks_now, descriptors_now) = now();
        if tasks_now <= tasks && descriptors_now <= descriptors_then {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    now()
}

#[tokio::test]
#[ignore = "other tests open descriptors, too: run by the one below, in a process of its own"]
async fn uploads() {
    // Every third request of a connection is rejected, and so its last: the server reads on.
    let address = server(|_, mut peer| async move {
        for request in 0.. {
            if peer.head().await.is_empty() {
                return;
            }
            if request % 3 == 2 {
                peer.say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")
                    .await;
                assert_eq!(peer.rest().await, b"");
                return;
            }
            peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
            peer.body(LENGTH).await;
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                .await;
        }
    })
    .await;
    let (tasks, descriptors) = (Handle::current().metrics().num_alive_tasks(), descriptors());

    let client = asking(&patient());
    let mut uploads = JoinSet::new();
    for _ in 0..AT_ONCE {
        let client = client.clone();
        uploads.spawn(async move {
            let mut rejected = 0;
            for _ in 0..UPLOADS / AT_ONCE {
                let request = put(address, full(vec![b'x'; LENGTH]));
                let response = send(&client, request).await.unwrap();
                let status = response.status();
                rejected += usize::from(status == StatusCode::UNAUTHORIZED);
                let expected = if status == StatusCode::OK { "ok" } else { "no" };
                assert_eq!(text(response).await, expected);
            }
            rejected
        });
    }
    let rejected: usize = uploads.join_all().await.iter().sum();
    assert!(
        (3300..=3334).contains(&rejected),
        "{rejected} were rejected"
    );

    // What is pooled lives on; nothing else does: two tasks and two descriptors for each.
    let pooled = 2 * AT_ONCE;
    let (tasks_now, descriptors_now) = back_to(tasks + pooled, descriptors + pooled).await;
    assert!(
        tasks_now <= tasks + pooled,
        "{tasks} tasks before, {tasks_now} after"
    );
    assert!(
        descriptors_now <= descriptors + pooled,
        "{descriptors} descriptors before, {descriptors_now} after"
    );
    drop(client);
    assert_eq!(back_to(tasks, descriptors).await, (tasks, descriptors));
}

#[test]
fn ten_thousand_uploads_leave_no_task_and_no_descriptor() {
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let output = itself
        .args(["--exact", "--ignored", "leaks::uploads"])
        .output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}
