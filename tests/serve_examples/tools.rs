//! Clients from elsewhere, and what they send.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::skip::note_skipped;

/// What the command prints, or `None` if it is not installed.
pub(crate) fn run(command: &mut Command) -> Option<String> {
    match tokio::task::block_in_place(|| command.output()) {
        Ok(output) => {
            let failure = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command:?}: {failure}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            note_skipped(command, &error);
            None
        }
    }
}

/// curl, which prints behind the body the version, the status and the bytes of body that it has sent.
pub(crate) fn curl(options: &[&str], url: &str) -> Option<String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--insecure"])
        .args(["--write-out", "%{http_version} %{http_code} %{size_upload}"])
        .args(options)
        .arg(url);
    run(&mut curl)
}

/// One of the programs that the tests of HTTP/2 have: it waits for the 100, and prints version, status and
/// milliseconds.
pub(crate) fn upload(program: &[&str], file: &str, url: &str) -> Option<String> {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http2/clients");
    let mut command = Command::new(program[0]);
    // Go builds the program first, and wants a folder for what it has built.
    command.env("GO111MODULE", "off").env("GOFLAGS", "");
    command.env("GOCACHE", std::env::temp_dir().join("tower-expect-go"));
    command.args(&program[1..]).arg(clients.join(file));
    command.args([url, "100000", "s3cr3t", "3"]);
    run(&mut command)
}

/// A file to upload, which is removed at the end.
pub(crate) struct File(PathBuf);

impl File {
    pub(crate) fn new(name: &str, len: usize) -> Self {
        let name = format!("tower-expect-serve-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, vec![7; len]).expect("a temporary file");
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
