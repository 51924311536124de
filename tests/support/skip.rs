//! Tests that need a program which is not installed.

use std::{
    io::{self, Write},
    process::Command,
};

/// To the terminal itself: a note that nobody sees lets the test look like one that ran.
pub(crate) fn note_skipped(command: &Command, error: &io::Error) {
    let note = format!("skipped: {:?}: {error}\n", command.get_program());
    io::stderr().write_all(note.as_bytes()).expect("a terminal");
}
