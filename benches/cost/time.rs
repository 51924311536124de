//! Runs the target `time` and reads what Criterion measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

use super::{cargo, stacks::Case};

/// Nanoseconds of each case, in the fastest sample: what else the machine does only adds to it.
pub(crate) fn measure(cases: &[Case]) -> Option<Vec<f64>> {
    eprintln!("measuring time");
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let status = cargo::bench("time", "--quiet")
        .env("CRITERION_HOME", &home)
        .stdout(Stdio::null())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the target `time` failed"
    );
    cases.iter().map(|case| fastest(&home, case)).collect()
}

fn fastest(home: &Path, case: &Case) -> Option<f64> {
    let directory = home.join(case.name().replace('/', "_"));
    let file = fs::read_to_string(directory.join("new/sample.json")).ok()?;
    let samples: Value = serde_json::from_str(&file).ok()?;
    let numbers = |name: &str| -> Option<Vec<f64>> {
        let numbers = samples[name].as_array()?;
        numbers.iter().map(Value::as_f64).collect()
    };
    let (times, counts) = (numbers("times")?, numbers("iters")?);
    let means = times.iter().zip(&counts).map(|(time, count)| time / count);
    means.min_by(f64::total_cmp)
}
