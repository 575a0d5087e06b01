//! `help`: what a code means, word for word as behind a problem's type; and the help of commands.

use crate::args::{Cli, HelpArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::{Column, Printer};
use clap::CommandFactory;
use seatkeeper::wire::{Class, Code};
use serde::Serialize;

/// A code with its texts.
#[derive(Serialize)]
struct About {
    code: Code,
    class: Class,
    status: u16,
    retryable: bool,
    title: String,
    about: String,
    remedy: String,
}

/// Prints the help of a code, of all codes, or of a command.
pub(crate) fn run(args: &HelpArgs, printer: &Printer) -> Outcome {
    match args
        .topic
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["codes"] => codes(printer),
        [number] | ["rule", number] if number.parse::<u8>().is_ok() => rule(number, printer),
        [word] if Code::ALL.contains(&code(word)) => printer.record(&about(&code(word)), text),
        path => command(path, printer),
    }
}

fn code(word: &str) -> Code {
    Code::of(&word.to_ascii_lowercase())
}

/// The rules as they are shipped: a paragraph (`**9 Which pool.** …`), and the points and paragraphs that belong to it.
const RULES: &str = include_str!("../../../packaging/doc/rules.md");

fn rule(number: &str, printer: &Printer) -> Outcome {
    match rule_of(number) {
        Some(text) => printer.raw(&text),
        None => Err(Failure::new(
            Exit::NotFound,
            format!("there is no rule {number}"),
            "the rules of seats have the numbers 1 to 22",
        )),
    }
}

fn rule_of(number: &str) -> Option<String> {
    let head = format!("**{number} ");
    let mut lines = RULES.lines().skip_while(|line| !line.starts_with(&head));
    let first = lines.next()?;
    let more: Vec<_> = lines.take_while(|line| !begins_another(line)).collect();
    let text = [first, &more.join("\n")].join("\n");
    Some(format!("Rule {}\n", text.trim_end().replace('*', "")))
}

/// Where the next rule begins, or the next part of the page.
fn begins_another(line: &str) -> bool {
    let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    line.starts_with('#') || line.strip_prefix("**").is_some_and(digit)
}

fn codes(printer: &Printer) -> Outcome {
    let all: Vec<_> = Code::ALL.iter().map(about).collect();
    printer.list(
        &all,
        &[
            Column("code", |about: &About| about.code.as_str().to_owned()),
            Column("class", |about| format!("{:?}", about.class).to_lowercase()),
            Column("title", |about| about.title.clone()),
        ],
    )
}

fn about(code: &Code) -> About {
    About {
        class: code.class(),
        status: code.status(),
        retryable: code.retryable(),
        title: code.title().to_owned(),
        about: code.about().to_owned(),
        remedy: code.remedy().to_owned(),
        code: code.clone(),
    }
}

fn text(about: &About) -> String {
    let again = match (about.retryable, &about.code) {
        (true, Code::ReservedForOthers) => {
            "asking again, unchanged, can help, except where rule 13 is named"
        }
        (true, _) => "asking again, unchanged, can help",
        (false, _) => "asking again, unchanged, does not help",
    };
    format!(
        "{}: {}\n\n{}\n\nWhat to do: {}.\n\n({again})",
        about.code, about.title, about.about, about.remedy
    )
}

fn command(path: &[&str], printer: &Printer) -> Outcome {
    let mut command = Cli::command().bin_name("seatkeeper");
    command.build();
    let mut at = &mut command;
    for word in path {
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("there is neither a code nor a command {word:?}"),
                "`seatkeeper help codes` lists the codes, `seatkeeper help` the commands; `seatkeeper help 9` tells rule 9",
            )
        })?;
    }
    printer.raw(&at.render_long_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r22_every_rule_can_be_read() {
        for number in 1..=22 {
            let text = rule_of(&number.to_string()).unwrap();
            assert!(
                text.starts_with(&format!("Rule {number} ")) && !text.contains('*'),
                "{text}"
            );
        }
        let whole = |number: &str, last: &str| {
            let text = rule_of(number).unwrap();
            assert!(text.contains(last), "{text}");
            assert_eq!(text.matches("Rule ").count(), 1, "{text}");
        };
        // With their points, up to the last one, and with what stands in a paragraph of its own.
        whole("1", "`seatkeeper address`");
        whole("7", "- At once it ends, ");
        whole("11", "- Where later changes leave too few");
        whole("17", "- Removed. ");
        whole("21", "in quarantine, until one longest hold");
        assert!(!rule_of("17").unwrap().contains("Borrow"));
        assert_eq!(rule_of("23"), None);
        assert_eq!(code("NO_SEAT_FREE"), Code::NoSeatFree);
    }

    #[test]
    fn r13_help_says_where_no_wait_helps() {
        let text = text(&about(&Code::ReservedForOthers));
        assert_eq!(text.matches("rule 13 is named").count(), 2, "{text}");
    }

    #[test]
    fn r22_every_code_says_what_it_means_and_what_to_do() {
        for code in Code::ALL {
            let text = text(&about(code));
            assert!(
                text.contains(code.about()) && text.contains(code.remedy()),
                "{code}"
            );
            assert!(
                !code.about().is_empty() && !code.remedy().is_empty(),
                "{code}"
            );
        }
    }
}
