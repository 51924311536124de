//! cadaver, a WebDAV client, which learns by a 401 that it needs credentials.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use tower_expect::rules;

use super::{run, store::Store, Scratch};

#[tokio::test]
async fn cadaver_stores_with_the_password_and_not_without() {
    let scratch = Scratch::new("webdav");
    let file = scratch.file("new", 100_000);
    let commands = scratch.path().join("commands");
    let store = Store::default();
    let rule = rules::basic(|user, password| (user, password) == ("alice", "secret"))
        .and(rules::content_length(..=1 << 20));
    let mut stored = 0;
    for address in store.servers(rule.boxed()).await {
        for password in ["wrong", "secret"] {
            let (ip, port) = (address.ip(), address.port());
            let netrc = format!("machine {ip} login alice password {password}\n");
            fs::write(scratch.path().join(".netrc"), netrc).unwrap();
            let mut script = fs::File::create(&commands).unwrap();
            writeln!(script, "put {} new\nquit", file.display()).unwrap();
            let mut cadaver = Command::new("cadaver");
            cadaver
                .env("HOME", scratch.path())
                .env_remove("http_proxy")
                .arg(format!("http://{ip}:{port}/"))
                .stdin(Stdio::from(fs::File::open(&commands).unwrap()));
            let Some(output) = run(cadaver).await else {
                return;
            };
            stored += usize::from(password == "secret");
            let printed = String::from_utf8_lossy(&output.stdout);
            assert_eq!(
                store.stored(),
                vec![100_000; stored],
                "{password}: {printed}"
            );
        }
    }
}
