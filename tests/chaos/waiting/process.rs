//! The server's process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::server;
use crate::resources::Resources;

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start() -> Self {
        let itself = std::env::current_exe().unwrap();
        let mut command = Command::new(itself);
        // Only the one test, which sees the mark.
        command.args(["--nocapture", "waiting::"]);
        // glibc's arenas, one for each thread, fill one by one over many rounds.
        command.env("MALLOC_ARENA_MAX", "1");
        server::mark(command.stdout(Stdio::null()).stderr(Stdio::piped()));
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stderr.take().unwrap());
        let address = output.lines().find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("listening on ")?.parse().ok()
        });
        Self {
            child,
            address: address.expect("the server prints its address"),
        }
    }

    pub(crate) fn resources(&self) -> Resources {
        Resources::of(self.child.id())
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

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
