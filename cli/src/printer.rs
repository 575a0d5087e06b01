//! The only one who speaks: data on stdout in the form asked for, everything else on stderr.

use crate::failure::{Failure, Outcome, Refusal};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, IsTerminal, Write};

/// The form of data on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // For people.
    #[default]
    Table,
    // One JSON document.
    Json,
    // One JSON document per line.
    Jsonl,
    // RFC 4180, with a header.
    Csv,
}

/// A column of a list: its name in lower snake case, and the cell of a row.
pub(crate) struct Column<'a, T>(pub &'a str, pub fn(&T) -> String);

/// Speaks.
pub(crate) struct Printer {
    format: Format,
    bold: bool,
}

impl Printer {
    /// A printer of this form; colours only for a terminal, and not where `NO_COLOR` is set.
    pub(crate) fn new(format: Format) -> Printer {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Printer {
            format,
            bold: !plain && io::stderr().is_terminal(),
        }
    }

    /// Data is written as text for people.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// A list.
    pub(crate) fn list<T: Serialize>(&self, rows: &[T], columns: &[Column<'_, T>]) -> Outcome {
        let cells = || {
            rows.iter().map(|row| {
                columns
                    .iter()
                    .map(|Column(_, cell)| cell(row))
                    .collect::<Vec<_>>()
            })
        };
        let names = || {
            columns
                .iter()
                .map(|Column(name, _)| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        match self.format {
            Format::Table if rows.is_empty() => Ok(()),
            Format::Table => {
                let head = names()
                    .iter()
                    .map(|name| name.to_uppercase().replace('_', " "))
                    .collect();
                self.out(&table(
                    std::iter::once(head).chain(cells()).collect::<Vec<_>>(),
                ))
            }
            Format::Json => self.out(&pretty(&rows)?),
            Format::Jsonl => rows.iter().try_for_each(|row| self.out(&line(row)?)),
            Format::Csv => self.out(
                &std::iter::once(names())
                    .chain(cells())
                    .map(|row| csv(&row))
                    .collect::<String>(),
            ),
        }
    }

    /// A list whose rows are paragraphs for people.
    pub(crate) fn list_as<T: Serialize>(
        &self,
        rows: &[T],
        columns: &[Column<'_, T>],
        text: fn(&T) -> String,
    ) -> Outcome {
        match self.format {
            Format::Table => rows.iter().try_for_each(|row| self.out(&text(row))),
            _ => self.list(rows, columns),
        }
    }

    /// One of a row of things without an end: one line each, whatever the form.
    pub(crate) fn record_line<T: Serialize>(
        &self,
        record: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Outcome {
        match self.format {
            Format::Table => self.out(&text(record)),
            _ => self.out(&line(record)?),
        }
    }

    /// One thing: as text for people, else as it is on the wire.
    pub(crate) fn record<T: Serialize>(
        &self,
        record: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Outcome {
        match self.format {
            Format::Table => self.out(&text(record)),
            Format::Json => self.out(&pretty(record)?),
            Format::Jsonl => self.out(&line(record)?),
            Format::Csv => self.out(&fields(&serde_json::to_value(record).map_err(unwritable)?)),
        }
    }

    /// Data that has a form of its own: a token, a key.
    pub(crate) fn raw(&self, text: &str) -> Outcome {
        self.out(text)
    }

    /// Something worth knowing beside the data, on stderr.
    pub(crate) fn note(&self, text: &str) {
        self.err(text);
    }

    /// What failed, why, and what to do next, on stderr.
    pub(crate) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Hangup => {}
            Failure::Told(told) => {
                self.err(&format!("{} {}", self.strong("seatkeeper:"), told.what));
                self.next(&told.next);
            }
            Failure::Refused(refusal) => {
                self.err(&format!("{} {}", self.strong("refused:"), refusal.what));
                refusal_lines(refusal)
                    .iter()
                    .for_each(|line| self.err(line));
                self.next(&refusal.hint);
                if !refusal.trace_id.is_empty() {
                    self.err(&format!("  trace: {}", refusal.trace_id));
                }
            }
        }
    }

    fn next(&self, next: &str) {
        if !next.is_empty() {
            self.err(&format!("  {} {next}", self.strong("next:")));
        }
    }

    fn strong(&self, text: &str) -> String {
        if self.bold {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn out(&self, text: &str) -> Outcome {
        let mut stdout = io::stdout().lock();
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(end.as_bytes()))
            .and_then(|()| stdout.flush())
        {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Hangup),
            Err(error) => Err(unwritable(error)),
        }
    }

    fn err(&self, text: &str) {
        // Where stderr is closed there is nobody left to tell.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }
}

/// The why of a refusal: code, rule, pool, seats, holders, when to try again.
pub(crate) fn refusal_lines(refusal: &Refusal) -> Vec<String> {
    let mut why = vec![refusal.code.clone()];
    why.extend(refusal.rule.map(|rule| format!("rule {rule}")));
    why.extend(
        refusal
            .assignment
            .as_ref()
            .map(|id| format!("assignment {id}")),
    );
    why.extend(refusal.pool.as_ref().map(|pool| format!("pool {pool}")));
    why.extend(
        refusal
            .seats
            .map(|(used, total)| crate::words::counted(&refusal.code, used, total)),
    );
    let mut lines = vec![format!(
        "  why:   {}   (`seatkeeper help {}`)",
        why.join(", "),
        refusal.code
    )];
    if !refusal.holders.is_empty() {
        lines.push(format!("  held:  {}", refusal.holders.join(", ")));
    }
    if let Some(after) = refusal.retry_after_s {
        lines.push(format!(
            "  again: {}",
            crate::words::again(&refusal.code, after)
        ));
    }
    lines
}

fn pretty<T: Serialize>(value: &T) -> Outcome<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(unwritable)
}

fn line<T: Serialize>(value: &T) -> Outcome<String> {
    serde_json::to_string(value)
        .map(|text| text + "\n")
        .map_err(unwritable)
}

fn unwritable(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        crate::exit::Exit::Failed,
        format!("cannot write the output: {error}"),
        "",
    )
}

/// Rows of text in columns, two blanks apart; control characters of foreign names do not reach the terminal.
fn table(rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn plain(cell: &str) -> String {
    cell.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

fn csv(row: &[String]) -> String {
    row.iter()
        .map(|cell| quoted(cell))
        .collect::<Vec<_>>()
        .join(",")
        + "\r\n"
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A record as `field,value` rows; what is nested stays JSON.
fn fields(value: &Value) -> String {
    let mut text = csv(&["field".to_owned(), "value".to_owned()]);
    for (name, value) in value.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.push_str(&csv(&[name.clone(), value]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u4_a_table_has_straight_columns() {
        let rows = vec![
            vec!["SLOT".into(), "USER".into()],
            vec!["0".into(), "ana".into()],
        ];
        assert_eq!(table(rows), "SLOT  USER\n0     ana\n");
    }

    #[test]
    fn u4_a_name_cannot_steer_the_terminal() {
        assert_eq!(table(vec![vec!["a\u{1b}[2Jb".into()]]), "a?[2Jb\n");
    }

    #[test]
    fn u4_csv_quotes_what_it_must() {
        assert_eq!(
            csv(&["a,b".into(), "say \"no\"".into(), "c".into()]),
            "\"a,b\",\"say \"\"no\"\"\",c\r\n"
        );
        assert_eq!(
            fields(&serde_json::json!({"a": "x", "b": [1]})),
            "field,value\r\na,x\r\nb,[1]\r\n"
        );
    }

    #[test]
    fn r22_a_refusal_says_code_rule_seats_and_holders() {
        let refusal = Refusal {
            code: "no_seat_free".into(),
            rule: Some(9),
            seats: Some((3, Some(3))),
            holders: vec!["ana@ws1".into()],
            ..Refusal::default()
        };
        let text = refusal_lines(&refusal).join("\n");
        for part in [
            "no_seat_free",
            "rule 9",
            "3 of 3 seats",
            "ana@ws1",
            "seatkeeper help no_seat_free",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
