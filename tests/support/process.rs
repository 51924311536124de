//! A server in a process of its own: the test's program once more, which serves if it is marked.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::resources::Resources;

/// Set for the server, to what the test wants of it.
const MARK: &str = "TOWER_EXPECT_TEST_SERVER";

/// What this process is to serve; `None` if it is the test.
pub(crate) fn wanted() -> Option<String> {
    std::env::var(MARK).ok()
}

/// Tells the test where the server listens. On standard error: on standard output the test harness
/// has a say.
pub(crate) fn announce(address: SocketAddr) {
    writeln!(std::io::stderr(), "listening on {address}").expect("a parent that reads");
}

/// Killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts `test` alone, which is to look for what is [`wanted`] first.
    pub(crate) fn start(test: &str, wanted: &str) -> Self {
        let itself = std::env::current_exe().expect("a path");
        let mut process = Command::new(itself)
            .args(["--exact", "--include-ignored", "--nocapture", test])
            .env(MARK, wanted)
            // glibc's arenas, one for each thread, fill one by one over many rounds.
            .env("MALLOC_ARENA_MAX", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = BufReader::new(process.stderr.take().expect("piped"));
        let address = output.lines().find_map(|line| {
            let line = line.expect("text");
            line.strip_prefix("listening on ")?.parse().ok()
        });
        Self {
            process,
            address: address.expect("the server announces its address"),
        }
    }

    pub(crate) fn resources(&self) -> Resources {
        Resources::of(self.process.id())
    }

    /// Waits until no more descriptors are open than `at_rest`, longer than any bound of the linger.
    pub(crate) async fn settle(&self, at_rest: usize) {
        for _ in 0..200 {
            if self.resources().descriptors <= at_rest {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
