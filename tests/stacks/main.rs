//! The layer in the stacks that people build: with layers of axum, tower and tower-http around and
//! inside of it, below more than one server, each against the same stack without it.
//!
//! `cargo test -p tests-stacks -- --nocapture` prints the table. `TOWER_EXPECT_TRIES=100` runs more tries
//! of each attack, `TOWER_EXPECT_WRITE=1` writes the table of the documentation.

mod app;
mod attack;
mod echo;
mod layers;
mod mappers;
mod measure;
#[path = "../support/message.rs"]
mod message;
mod servers;
#[path = "../support/skip.rs"]
mod skip;
mod stack;
mod stacks;
mod table;
#[path = "../support/tries.rs"]
mod tries;
mod verdict;
mod wire;

use std::{env, fs};

use self::{measure::Row, stack::Place};

const DOCUMENTATION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../src/guide/layer_order_table.md"
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stack_executes_what_is_hidden_in_the_body_of_an_expecting_request() {
    let rows = measure::all().await;
    println!("{}", table::text(&rows));
    if env::var_os("TOWER_EXPECT_WRITE").is_some() {
        fs::write(DOCUMENTATION, table::markdown(&rows)).unwrap();
    }
    let faults = table::faults(&rows);
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    // The attacks do work where nobody guards against them.
    let unguarded = |row: &&Row| !row.server.vouches;
    let bare = rows
        .iter()
        .filter(unguarded)
        .filter_map(|row| row.count(Place::Bare));
    assert!(bare.map(|count| count.hidden).sum::<usize>() > 0);
}

#[test]
fn the_documentation_has_the_stacks_of_the_table_in_its_order() {
    let markdown = fs::read_to_string(DOCUMENTATION).unwrap();
    assert_eq!(
        table::documented(&markdown),
        table::positions(),
        "TOWER_EXPECT_WRITE=1 cargo test -p tests-stacks writes the table anew"
    );
}
