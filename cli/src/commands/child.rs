//! The hidden half of `run`: binds its life to its parent's, then becomes the program.

use super::signals;
use crate::args::ChildArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Becomes the program; returns only where that fails.
pub(crate) fn run(args: &ChildArgs, printer: &Printer) -> Exit {
    let bound = set_parent_process_death_signal(Some(Signal::KILL));
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    // The parent may have died before it was bound to.
    if bound.is_err() || parent != Some(args.parent) || signals::unblock().is_err() {
        printer.failure(&Failure::new(
            Exit::Of(125),
            "`run` is gone, so the program does not start",
            "",
        ));
        return Exit::Of(125);
    }
    let Some((program, rest)) = args.command.split_first() else {
        return Exit::Usage;
    };
    let error = Command::new(program).args(rest).exec();
    let exit = Exit::Of(if error.kind() == io::ErrorKind::NotFound {
        127
    } else {
        126
    });
    printer.failure(&Failure::new(
        exit,
        format!("{}: {error}", program.display()),
        "is it installed, and executable for you?",
    ));
    exit
}
