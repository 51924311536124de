//! The results as a table for the terminal and one for the documentation.

use std::fmt::Write;

use crate::{
    attack::Timing,
    measure::{Count, Row},
    servers::{Server, SERVERS},
    stack::{Place, Stack},
    stacks::STACKS,
};

/// A line for each row; a place shows executed/counted hidden requests, then how many responses of all
/// said close, and how many tries had a 100.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<52} {:<12} {:<20} {:^20} {:^20} {:^20}\n",
        "stack", "server", "attack", "layer outside", "layer inside", "bare"
    );
    text += "(executed/counted hidden requests, c: close, i: invited by a 100, !: fault)\n";
    for row in rows {
        let Row {
            stack,
            server,
            attack,
            ..
        } = row;
        write!(
            text,
            "{:<52} {:<12} {:<20}",
            stack.name,
            server.name,
            attack.to_string()
        )
        .expect("memory");
        for place in Place::ALL {
            let cell = row.count(place).map_or_else(String::new, |count| {
                let mark = if row.fault(place).is_some() { "!" } else { "" };
                let Count {
                    hidden,
                    counted,
                    close,
                    invited,
                    ..
                } = count;
                format!("{hidden}/{counted}{mark} {close}c {invited}i")
            });
            write!(text, " {cell:<20}").expect("memory");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// What is wrong in which place of which row, a line each.
pub(crate) fn faults(rows: &[Row]) -> Vec<String> {
    let faults = rows.iter().flat_map(|row| {
        Place::ALL.into_iter().filter_map(move |place| {
            let fault = row.fault(place)?;
            let Row {
                stack,
                server,
                attack,
                ..
            } = row;
            Some(format!(
                "{}, {}, {attack}, {place:?}: {fault}",
                stack.name, server.name
            ))
        })
    });
    faults.collect()
}

/// What stands above the rows of the documentation; the text of the last line is in the rows' columns.
const PREAMBLE: &str = "\
<!-- TOWER_EXPECT_WRITE=1 TOWER_EXPECT_TRIES=100 cargo test -p tests-stacks -->

Measured under `axum::serve` (`tests/stacks`). A client sends an expecting request whose body is not what it
seems: a second request is hidden in it, and a third behind it. It sends them *after* it has the final
response, or *at once* with the head. A cell says `executed/tried`: how often a hidden request was executed.
Tries in which the server sent a 100 do not count, since the body was owed then; a cell is empty if all were
such. The three cells stand for `ExpectLayer` outside of what the first column names, inside of it, and for
the same stack without the layer. For example, `0/290 | 0/290 | 2/290` means that nothing hidden was executed
with the layer on either side, and twice without it.

*At once* is the harder case: the body has arrived by the time of the response, so hyper takes it and goes on
with the connection, with this layer and without, unless the response that reaches it says close. Where
*inside* shows as much as *without*, another layer has replaced the response that said so.

| next to | `ExpectLayer` belongs | after: outside | inside | without | at once: outside | inside | without | rejections and responses |
|---|---|---|---|---|---|---|---|---|
";

/// The rows of the documentation without their figures.
pub(crate) fn positions() -> Vec<(String, String)> {
    STACKS
        .iter()
        .map(|stack| (stack.name.to_owned(), belongs(stack).to_owned()))
        .collect()
}

fn belongs(stack: &Stack) -> &'static str {
    match stack.has_layer() {
        true => stack.belongs.text(),
        false => "around",
    }
}

/// The same, read from the documentation.
pub(crate) fn documented(markdown: &str) -> Vec<(String, String)> {
    let rows = markdown
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1);
    let rows = rows.map(|row| {
        let mut cells = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned());
        (
            cells.next().unwrap_or_default(),
            cells.next().unwrap_or_default(),
        )
    });
    rows.collect()
}

/// The table of the documentation. Its figures are those of the first server; a line for each of the
/// others follows.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = PREAMBLE.to_owned();
    let below = |server: &'static Server| {
        rows.iter()
            .filter(move |row| row.server.name == server.name)
    };
    for stack in STACKS {
        write!(text, "| {} | {} |", stack.name, belongs(stack)).expect("memory");
        for timing in [Timing::After, Timing::Head] {
            for place in Place::ALL {
                let rows = below(&SERVERS[0]).filter(|row| row.stack.name == stack.name);
                let rows = rows.filter(|row| row.attack.timing == timing);
                let figures = sum(rows.map(|row| row.count(place)));
                write!(text, " {figures} |").expect("memory");
            }
        }
        writeln!(text, " {} |", stack.note).expect("memory");
    }
    for server in &SERVERS[1..] {
        let [outside, inside, bare] =
            Place::ALL.map(|place| sum(below(server).map(|row| row.count(place))));
        write!(
            text,
            "\nUnder `{}`, in all of these stacks and in both ways: {outside} outside, {inside} inside, \
             {bare} without.\n",
            server.name
        )
        .expect("memory");
    }
    text
}

/// Executed of counted hidden requests.
fn sum(counts: impl Iterator<Item = Option<Count>>) -> String {
    let counts = counts.flatten();
    let sum = counts.fold((0, 0), |sum, count| {
        (sum.0 + count.hidden, sum.1 + count.counted)
    });
    match sum {
        (_, 0) => String::new(),
        (hidden, counted) => format!("{hidden}/{counted}"),
    }
}
