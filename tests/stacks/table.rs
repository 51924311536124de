//! The results as a table for the terminal and one for the documentation.

use std::fmt::Write;

use crate::{
    attack::Timing,
    measure::{Count, Row},
    stack::{Place, Stack},
    stacks::STACKS,
};

/// A line for each row; a place shows executed/counted hidden requests, then how many responses of all
/// said close, and how many tries had a 100.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<52} {:<12} {:<17} {:^20} {:^20} {:^20}\n",
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
            "{:<52} {:<12} {:<17}",
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

/// Where the figures of the documentation begin.
const COLUMNS: &str = "| next to | `ExpectLayer` belongs | \
    after: outside | inside | without | at once: outside | inside | without | |\n\
    |---|---|---|---|---|---|---|---|---|\n";

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

/// The table of the documentation. Its figures are those of the servers that do not vouch themselves;
/// the last line is about those that do.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = COLUMNS.to_owned();
    let foreign = |row: &&Row| !row.server.vouches;
    for stack in STACKS {
        write!(text, "| {} | {} |", stack.name, belongs(stack)).expect("memory");
        for timing in [Timing::After, Timing::Head] {
            for place in Place::ALL {
                let of_it = rows
                    .iter()
                    .filter(foreign)
                    .filter(|row| row.stack.name == stack.name);
                let figures = sum(of_it
                    .filter(|row| row.attack.timing == timing)
                    .map(|row| row.count(place)));
                write!(text, " {figures} |").expect("memory");
            }
        }
        writeln!(text, " {} |", stack.note).expect("memory");
    }
    let ours = || rows.iter().filter(|row| row.server.vouches);
    let [outside, inside, bare] = Place::ALL.map(|place| sum(ours().map(|row| row.count(place))));
    writeln!(
        text,
        "\nUnder [`serve`](crate::serve()), in all of these stacks together: {outside} with the layer \
         outside, {inside} inside, {bare} without."
    )
    .expect("memory");
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
