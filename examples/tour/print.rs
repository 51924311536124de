//! How an exchange looks on a terminal, or in a file.

use std::io::{self, Write};

use super::{
    exchange::Exchange,
    record::{Bytes, Message, Record, Side},
};

pub(crate) struct Printer<W> {
    pub(crate) out: W,
    pub(crate) coloured: bool,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

impl<W: Write> Printer<W> {
    pub(crate) fn legend(&mut self) -> io::Result<()> {
        let (client, server) = (self.paint(CYAN, "client"), self.paint(GREEN, "server"));
        writeln!(self.out, "-> from the {client}, <- from the {server}\n")
    }

    pub(crate) fn title(&mut self, number: usize, exchange: &Exchange) -> io::Result<()> {
        let title = self.paint(BOLD, &format!("{number}. {}", exchange.title));
        let row = self.paint(DIM, &format!("(row {} of the table)", exchange.row));
        writeln!(self.out, "{title} {row}")
    }

    pub(crate) fn record(&mut self, record: &Record, difference: Option<&str>) -> io::Result<()> {
        for message in &record.messages {
            self.message(message)?;
        }
        let verdict = match difference {
            None => self.paint(DIM, "as the table says"),
            Some(difference) => self.paint(RED, &format!("NOT as the table says: {difference}")),
        };
        let (sent, ms) = (record.sent, record.took.as_millis());
        let line = format!("{sent} body bytes crossed the wire, {ms} ms in all, {verdict}");
        writeln!(self.out, "{line}\n")
    }

    pub(crate) fn summary(&mut self, exchanges: usize, wrong: &[String]) -> io::Result<()> {
        let outcome = match wrong {
            [] => self.paint(BOLD, "all as the table says"),
            _ => self.paint(RED, &format!("NOT as the table says: {}", wrong.join(", "))),
        };
        writeln!(self.out, "{exchanges} exchanges, {outcome}")
    }

    fn message(&mut self, message: &Message) -> io::Result<()> {
        let (arrow, colour) = match message.from {
            Side::Client => ("->", CYAN),
            Side::Server => ("<-", GREEN),
        };
        let mut margin = format!("{:6} ms {arrow}", message.at.as_millis());
        let text = match &message.what {
            Bytes::Text(text) => text.clone(),
            Bytes::Body(length) => format!("… {length} body bytes"),
        };
        for line in text.split_inclusive('\n') {
            let (line, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
            let line = self.paint(colour, line);
            let end = self.paint(DIM, &end.escape_default().to_string());
            writeln!(self.out, "{margin} {line}{end}")?;
            margin = " ".repeat(margin.len());
        }
        Ok(())
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        match self.coloured && !text.is_empty() {
            true => format!("\x1b[{colour}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}
