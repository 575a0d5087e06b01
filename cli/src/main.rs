//! The Seatkeeper command line: people take seats, admins install and assign, vendors sign.

mod args;
mod clock;
mod commands;
mod daemon;
mod exit;
mod failure;
mod files;
mod names;
mod passphrase;
mod printer;
mod words;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use failure::Failure;
use printer::Printer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let printer = Printer::new(cli.output);
    match commands::run(&cli, &printer) {
        Ok(exit) => exit.into(),
        Err(Failure::Hangup) => exit::Exit::Done.into(),
        Err(failure) => {
            printer.failure(&failure);
            failure.exit().into()
        }
    }
}

/// clap speaks for itself: help on stdout with 0, a usage error on stderr with 2.
fn unparsed(error: &clap::Error) -> ExitCode {
    // Nobody reads on: nothing more to say.
    drop(error.print());
    if let Some(hint) = meant(error) {
        Printer::new(printer::Format::Table).note(hint);
    }
    if error.use_stderr() {
        exit::Exit::Usage.into()
    } else {
        exit::Exit::Done.into()
    }
}

/// What people type who know other programs.
fn meant(error: &clap::Error) -> Option<&'static str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    Some(match word.as_str() {
        "list" | "ls" | "seats" => {
            "lists: `seatkeeper seat list`, `seatkeeper license list`, `seatkeeper vendor list`"
        }
        "version" => "the version: `seatkeeper --version`",
        "take" | "checkout" | "get" => {
            "a seat for a program: `seatkeeper run FEATURE -- COMMAND`; one in the foreground: `seatkeeper seat checkout FEATURE`"
        }
        "free" | "release" | "kill" | "reclaim" => {
            "one's own seat: `seatkeeper seat release ID`; anybody's: `seatkeeper seat reclaim ID`"
        }
        "remove" | "delete" | "uninstall" => {
            "`seatkeeper license remove LICENSE` removes one, `seatkeeper license unassign LICENSE` takes its use away; `seatkeeper vendor remove NAME`"
        }
        "start" | "stop" | "restart" | "serve" | "daemon" => {
            "the daemon is a program of its own: `seatkeeperd run --config FILE`, `seatkeeperd dev` to try; SIGTERM stops it"
        }
        "install" | "request" | "assign" => "`seatkeeper license --help` has that",
        "trust" | "keygen" | "issue" => "`seatkeeper vendor --help` has that",
        _ => return None,
    })
}
