//! Runs cargo within cargo.

use std::{env, process::Command};

/// `cargo bench -p benches --bench TARGET -- ARGUMENT`.
pub(crate) fn bench(target: &str, argument: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(["bench", "-p", "benches", "--bench", target, "--", argument]);
    // What the outer cargo says of this package: build scripts that watch such variables would run
    // again, and all that depends on them be compiled again.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            command.env_remove(name);
        }
    }
    command
}
