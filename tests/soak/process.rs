//! The server's process, and what it takes of the machine.

use std::{
    fmt, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::server;

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
        let of_process = format!("/proc/{}", self.process.id());
        let memory = fs::read_to_string(format!("{of_process}/statm")).expect("running");
        let resident = memory.split(' ').nth(1).expect("the resident pages");
        let descriptors = fs::read_dir(format!("{of_process}/fd")).expect("running");
        Resources {
            memory: resident.parse::<u64>().expect("a number") * 4096,
            descriptors: descriptors.count(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Resources {
    /// Resident, in bytes.
    pub(crate) memory: u64,
    pub(crate) descriptors: usize,
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kibibytes = self.memory / 1024;
        write!(
            f,
            "{kibibytes} KiB resident, {} descriptors",
            self.descriptors
        )
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
