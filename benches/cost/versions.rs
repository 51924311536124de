//! Which versions were measured, and with what.

use std::{collections::BTreeMap, fs, process::Command};

const CRATES: [&str; 6] = [
    "tower-expect",
    "axum",
    "gungraun",
    "http",
    "tower",
    "tower-http",
];

pub(crate) fn versions() -> BTreeMap<&'static str, String> {
    let mut versions = BTreeMap::from(CRATES.map(|name| (name, locked(name))));
    for (name, argument) in [("rustc", "--version"), ("valgrind", "--version")] {
        versions.insert(name, said(name, &[argument]).unwrap_or_default());
    }
    versions.insert("processor", processor().unwrap_or_default());
    versions
}

/// What a program prints in its first line, if it is there.
pub(crate) fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

/// The version in `Cargo.lock`.
pub(crate) fn locked(name: &str) -> String {
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    let rest = lock.split_once(&start).map(|(_, rest)| rest);
    let version = rest.and_then(|rest| rest.split('"').next());
    version.expect("the version of a dependency").to_owned()
}

fn processor() -> Option<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    line.split_once(": ").map(|(_, name)| name.to_owned())
}
