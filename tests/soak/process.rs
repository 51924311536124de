//! The server's process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{resources::Resources, server};

pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        let itself = std::env::current_exe().expect("a path");
        let mut command = Command::new(itself);
        server::mark(
            command
                .arg("--nocapture")
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        );
        let mut process = command.spawn().expect("starts");
        let output = BufReader::new(process.stderr.take().expect("piped"));
        let address = output.lines().find_map(|line| {
            let line = line.expect("text");
            line.strip_prefix("listening on ")?.parse().ok()
        });
        Self {
            process,
            address: address.expect("the server prints its address"),
        }
    }

    pub(crate) fn resources(&self) -> Resources {
        Resources::of(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until no more descriptors are open than `at_rest`, longer than any bound of the linger.
pub(crate) async fn settle(server: &Server, at_rest: usize) {
    for _ in 0..100 {
        if server.resources().descriptors <= at_rest {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
