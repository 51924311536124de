//! The commands of the guide, run by a shell against the example that they are for.

use std::{
    env, fs, iter,
    net::SocketAddr,
    path::Path,
    process::{self, Command},
};

use super::{axum_upload, support::start};

const GUIDE: &str = include_str!("../../src/guide/debugging_a_417.md");

/// A line that no command prints.
const NEXT: &str = "==== next ====";

/// Each command with the lines that the guide shows of its output.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut commands = Vec::new();
    for block in GUIDE.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("an end");
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push((command, Vec::new()));
            } else {
                let (_, shown) = commands.last_mut().expect("a command first");
                shown.push(line);
            }
        }
    }
    commands
}

/// What each command prints on either output.
async fn run(address: SocketAddr, directory: &Path) -> Vec<String> {
    let lines = commands().into_iter().flat_map(|(command, _)| {
        let command = command.replace("127.0.0.1:3000", &address.to_string());
        [command, format!("echo; echo '{NEXT}'")]
    });
    let all_on_one_output = "exec 2>&1".to_owned();
    let script: Vec<_> = iter::once(all_on_one_output).chain(lines).collect();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script.join("\n"));
    shell.current_dir(directory).env("no_proxy", "*");
    let output = tokio::task::spawn_blocking(move || shell.output());
    let output = output.await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split(NEXT).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_commands_of_the_guide_print_what_it_shows() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: no curl");
        return;
    }
    let directory = env::temp_dir().join(format!("tower-expect-guide-{}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    let outputs = run(start(axum_upload::app()).await, &directory).await;
    fs::remove_dir_all(&directory).unwrap();

    let commands = commands();
    assert!(commands.len() > 6, "{commands:?}");
    assert_eq!(outputs.len(), commands.len() + 1);
    for ((command, shown), output) in commands.iter().zip(&outputs) {
        // The guide leaves lines out, but has the others in their order.
        let mut printed = output.lines().map(str::trim);
        for line in shown {
            let found = printed.any(|printed| printed == line.trim());
            assert!(found, "{command}\nprints no {line:?} there:\n{output}");
        }
    }
}
