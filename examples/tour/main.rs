//! A tour of what the layer does, byte by byte: eleven exchanges with a real server, each played
//! over a socket of its own, printed as it was on the wire and checked against the crate's table.
//!
//! Run with `cargo run --example tour`

pub(crate) mod app;
pub(crate) mod client;
pub(crate) mod exchange;
pub(crate) mod list;
pub(crate) mod print;
pub(crate) mod record;

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use self::print::Printer;

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let coloured = stdout.is_terminal() && !no_color;
    match tour(&mut stdout, coloured).await? {
        0 => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::FAILURE),
    }
}

/// Plays and prints all exchanges; returns how many were not as the table says.
pub(crate) async fn tour(out: impl Write, coloured: bool) -> io::Result<usize> {
    let server = app::start().await?;
    let mut printer = Printer { out, coloured };
    let mut wrong = Vec::new();
    let exchanges = list::exchanges();
    printer.legend()?;
    for (number, exchange) in (1..).zip(&exchanges) {
        printer.title(number, exchange)?;
        let record = client::play(server, exchange).await?;
        let difference = record.difference(exchange);
        printer.record(&record, difference.as_deref())?;
        if difference.is_some() {
            wrong.push(number.to_string());
        }
    }
    printer.summary(exchanges.len(), &wrong)?;
    Ok(wrong.len())
}
