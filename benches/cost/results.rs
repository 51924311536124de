//! The results as a file, and a check against it.

use std::{fs, process::ExitCode};

use serde_json::{json, Value};

use super::{bars::Bar, growth::Growth, row::Row, versions::versions};

const FILE: &str = "benches/results.json";

pub(crate) fn write(rows: &[Row], growths: &[Growth], bars: &[Bar]) {
    let cases = rows.iter().map(|row| {
        json!({
            "scenario": row.scenario,
            "layer": row.layer,
            "instructions": row.instructions,
            "allocations": row.allocations,
            "bytes": row.bytes,
            "nanoseconds": row.nanoseconds,
        })
    });
    let growths = growths.iter().map(|growth| {
        json!({
            "shape": growth.shape,
            "instructions": growth.points,
            "per_doubling": growth.per_doubling(),
        })
    });
    let bars = bars.iter().map(|bar| {
        json!({
            "bar": bar.name,
            "measured": bar.measured,
            "limit": bar.limit,
            "met": bar.is_met(),
        })
    });
    let results = json!({
        "versions": versions(),
        "above_bare": cases.collect::<Vec<_>>(),
        "growth": growths.collect::<Vec<_>>(),
        "bars": bars.collect::<Vec<_>>(),
    });
    fs::write(FILE, format!("{results:#}\n")).expect("benches/results.json can be written");
    println!("\nwritten: {FILE}");
}

/// Fails if a bar is not met that is met in the file.
pub(crate) fn compare(bars: &[Bar]) -> ExitCode {
    let file = fs::read_to_string(FILE).expect("benches/results.json");
    let results: Value = serde_json::from_str(&file).expect("benches/results.json is JSON");
    let was_met = |bar: &&Bar| {
        let mut known = results["bars"].as_array().into_iter().flatten();
        known.any(|known| known["bar"] == bar.name && known["met"] == true)
    };
    let lost = bars
        .iter()
        .filter(was_met)
        .filter(|bar| bar.is_met() != Some(true));
    let lost: Vec<_> = lost.map(|bar| bar.name).collect();
    if lost.is_empty() {
        println!("\nall bars that are met in {FILE} are met");
        return ExitCode::SUCCESS;
    }
    println!("\nmet in {FILE} and now not: {}", lost.join("; "));
    ExitCode::FAILURE
}
