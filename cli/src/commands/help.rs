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
        [word] if Code::ALL.contains(&Code::of(word)) => {
            printer.record(&about(&Code::of(word)), text)
        }
        path => command(path, printer),
    }
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
    let again = if about.retryable {
        "asking again, unchanged, can help"
    } else {
        "asking again, unchanged, does not help"
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
                "`seatkeeper help codes` lists the codes, `seatkeeper help` the commands",
            )
        })?;
    }
    printer.raw(&at.render_long_help().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
