//! `serve_axum` in a process of its own, which can be interrupted.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use crate::serve_axum;

const WANTED: &str = "TOWER_EXPECT_SERVE_EXAMPLE";

/// What the process runs; among the tests it is none.
#[test]
#[ignore = "the server of the other tests"]
fn server() {
    if std::env::var_os(WANTED).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let served = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        // On standard error, which the test harness does not capture line by line.
        writeln!(io::stderr(), "listening on {}", listener.local_addr()?)?;
        serve_axum::serve(listener).await
    });
    served.expect("served");
}

pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        let itself = std::env::current_exe().expect("a path");
        let mut process = Command::new(itself)
            .args(["--exact", "process::server", "--ignored", "--nocapture"])
            .env(WANTED, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut output = BufReader::new(process.stderr.take().expect("piped")).lines();
        let address = output.find_map(|line| {
            let line = line.expect("text");
            line.strip_prefix("listening on ")?.parse().ok()
        });
        // What it prints later must not fill the pipe, nor fail.
        std::thread::spawn(move || output.for_each(drop));
        Self {
            process,
            address: address.expect("the server prints its address"),
        }
    }

    /// Presses Ctrl-C, and waits until the shutdown has begun: nobody is accepted any more.
    pub(crate) fn interrupt(&self) {
        let pid = self.process.id().to_string();
        let killed = Command::new("kill").args(["-INT", &pid]).status();
        assert!(killed.expect("installed").success());
        let begun = || TcpStream::connect(self.address).is_err();
        assert!(within(Duration::from_secs(5), begun).is_some());
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        let mut status = None;
        within(Duration::from_secs(30), || {
            status = self.process.try_wait().expect("a child");
            status.is_some()
        });
        status.expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How long it took until something was so; `None` if it took too long.
fn within(limit: Duration, mut is_so: impl FnMut() -> bool) -> Option<Duration> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if is_so() {
            return Some(started.elapsed());
        }
        sleep(Duration::from_millis(10));
    }
    None
}
