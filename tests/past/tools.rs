//! Programs that nobody here has written, where they are installed: curl, git, cadaver, botocore.
//!
//! Not here: davfs2, which needs a mount.

mod botocore;
mod curl;
mod git;
mod store;
mod webdav;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{self, Command, Output},
};

use crate::skip::note_skipped;

/// What the command has printed, or `None` if there is none such.
async fn run(mut command: Command) -> Option<Output> {
    let run = tokio::task::spawn_blocking(move || {
        let output = command.output();
        if let Err(error) = &output {
            assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
            note_skipped(&command, error);
        }
        output.ok()
    });
    run.await.unwrap()
}

/// A directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("tower-expect-{}-{test}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it, of so many bytes.
    fn file(&self, name: &str, len: usize) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, vec![b'n'; len]).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
