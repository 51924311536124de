//! What a request costs: instructions, allocations and time above the bare service, as one table.
//!
//! `cargo bench -p benches` measures all and writes `benches/results.json`. With `--bench cost -- --check`
//! it leaves out the time and fails if a bar is missed that is met in that file.
//!
//! The profile is cargo's own for releases: no link-time optimisation, as most servers are built.

#[allow(dead_code, reason = "the requests that grow are only counted here")]
#[path = "../stacks/mod.rs"]
mod stacks;

mod allocations;
mod bars;
mod cargo;
mod growth;
mod instructions;
mod numbers;
mod results;
mod row;
mod table;
mod time;
mod versions;

use std::process::ExitCode;

use stacks::cases;

fn main() -> ExitCode {
    let asked = |option| std::env::args().any(|argument| argument == option);
    let check = asked("--check");
    if !asked("--bench") {
        println!("`cargo bench -p benches` measures the cost");
        return ExitCode::SUCCESS;
    }
    // Cargo starts benchmarks in the folder of their package.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::env::set_current_dir(root).expect("the root of the workspace");
    let cases = cases();
    let counted = instructions::count();
    let times = match check {
        true => None,
        false => time::measure(&cases),
    };
    let rows = row::rows(&cases, counted.as_ref(), times.as_deref());
    let growths = counted.as_ref().map_or_else(Vec::new, growth::of);
    let bars = bars::bars(&rows, &growths);
    table::print(&rows, &growths, &bars);
    if check {
        return results::compare(&bars);
    }
    match counted.is_some() && times.is_some() {
        true => results::write(&rows, &growths, &bars),
        false => println!("\nbenches/results.json is left as it is: not all was measured"),
    }
    ExitCode::SUCCESS
}
