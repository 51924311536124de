//! The program, files for it, and servers.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Output,
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        Arc,
    },
};

use axum::Router;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_upload");

/// What the program has said, and how it has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) output: String,
    pub(crate) said: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Self {
            status: output.status.code().expect("not killed"),
            output: text(&output.stdout),
            said: text(&output.stderr),
        }
    }

    /// What it has said, line by line, with its times as `x`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let word = |word: &str, next: Option<&str>| match next {
            Some(next) if next.starts_with("ms") => "x".to_owned(),
            _ => word.to_owned(),
        };
        let line = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            let words = words.iter().enumerate();
            let next = |at: usize| line.split(' ').nth(at + 1);
            words
                .map(|(at, text)| word(text, next(at)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.said.lines().map(line).collect()
    }
}

pub(crate) async fn run(command: &mut Command) -> Ended {
    let output = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(60), output).await;
    Ended::of(&output.expect("it ends").expect("it starts"))
}

pub(crate) async fn upload(file: &Path, url: &str, options: &[&str]) -> Ended {
    run(Command::new(PROGRAM).arg(file).arg(url).args(options)).await
}

/// A file that is removed at the end.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    fn named(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("tower-expect-upload-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir(&folder).expect("a new folder");
        Self(folder.join(name))
    }

    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let file = Self::named(name);
        fs::write(file.path(), content).expect("a file");
        file
    }

    /// Without content of its own, and so without room on the disk.
    pub(crate) fn sparse(name: &str, length: u64) -> Self {
        let file = Self::named(name);
        let made = fs::File::create(file.path()).expect("a file");
        made.set_len(length).expect("a length");
        file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("a folder"));
    }
}

pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Counts what clients send to the server.
pub(crate) async fn counting(server: SocketAddr) -> (SocketAddr, Arc<AtomicU64>) {
    let (listener, address) = listen().await;
    let count = Arc::<AtomicU64>::default();
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(relay(client, server, Arc::clone(&counter)));
        }
    });
    (address, count)
}

async fn relay(client: TcpStream, server: SocketAddr, count: Arc<AtomicU64>) {
    let server = TcpStream::connect(server).await.expect("listening");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
        count.fetch_add(read as u64, Ordering::Relaxed);
        if to_server.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// A server for one connection: reads a head, and says each of the texts after so many bytes of body.
pub(crate) async fn scripted(script: &'static [&'static [(usize, &'static str)]]) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        for steps in script {
            let (mut client, _) = listener.accept().await.expect("open");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.expect("a head"));
            }
            for (bytes, text) in *steps {
                let mut body = vec![0; *bytes];
                client.read_exact(&mut body).await.expect("a body");
                client.write_all(text.as_bytes()).await.expect("open");
            }
        }
    });
    address
}
