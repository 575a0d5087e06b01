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
    if error.use_stderr() {
        exit::Exit::Usage.into()
    } else {
        exit::Exit::Done.into()
    }
}
