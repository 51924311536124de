//! Runs the target `instructions` and reads what Callgrind counted.

use std::process::Stdio;

use serde_json::Value;

use super::{
    cargo,
    numbers::to_float,
    versions::{locked, said},
};

/// In the order of the lists that the target runs over.
pub(crate) struct Counted {
    pub(crate) cases: Vec<f64>,
    pub(crate) growth: Vec<f64>,
}

/// `None` without Valgrind or the runner.
pub(crate) fn count() -> Option<Counted> {
    if let Some(advice) = missing() {
        println!("\nno instructions are counted: {advice}");
        return None;
    }
    eprintln!("counting instructions");
    let output = cargo::bench("instructions", "--output-format=json")
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "the target `instructions` failed");
    let lines = String::from_utf8(output.stdout).expect("JSON");
    let summaries: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a summary in JSON"))
        .collect();
    Some(Counted {
        cases: of(&summaries, "exchange"),
        growth: of(&summaries, "growth"),
    })
}

fn missing() -> Option<String> {
    if said("valgrind", &["--version"]).is_none() {
        return Some("install valgrind (apt-get install valgrind)".into());
    }
    let version = locked("gungraun");
    let installed = said("gungraun-runner", &["--version"]).unwrap_or_default();
    match installed.split_whitespace().any(|word| word == version) {
        true => None,
        false => Some(format!(
            "install the runner (cargo install gungraun-runner --version ={version})"
        )),
    }
}

fn of(summaries: &[Value], function: &str) -> Vec<f64> {
    let mut counts: Vec<_> = summaries
        .iter()
        .filter(|summary| summary["function_name"] == function)
        .map(|summary| (place(summary), instructions(summary)))
        .collect();
    counts.sort_by_key(|&(place, _)| place);
    counts.into_iter().map(|(_, count)| count).collect()
}

/// The place in the list, from an id such as `of_12`.
fn place(summary: &Value) -> usize {
    let id = summary["id"].as_str().unwrap_or_default();
    let digits = id.rsplit('_').next().unwrap_or_default();
    digits.parse().expect("an id ends in a number")
}

fn instructions(summary: &Value) -> f64 {
    let metrics =
        &summary["profiles"][0]["summaries"]["total"]["summary"]["Callgrind"]["Ir"]["metrics"];
    // Beside an earlier run, if there was one, this run is the first of two.
    let count = metrics
        .pointer("/Left/Int")
        .or_else(|| metrics.pointer("/Both/0/Int"));
    to_float(
        count
            .and_then(Value::as_u64)
            .expect("a count of instructions"),
    )
}
