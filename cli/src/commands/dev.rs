//! `dev …`: a development daemon's clock, and what goes wrong at it on purpose.

use super::clock;
use crate::args::{Command, DevCommand, FaultArgs, FaultCommand};
use crate::daemon::Daemon;
use crate::failure::{Failure, Outcome};
use crate::printer::Printer;
use seatkeeper::admin;
use seatkeeper::wire::{Clock, Code, DevClock, DevFault};
use std::path::PathBuf;

const FAULT: &str = "/v1/dev/fault";

/// Where `dev …` is meant for, also where an installed daemon runs: the development daemon's socket, where there is one.
pub(super) fn socket(command: &Command) -> Option<PathBuf> {
    if !matches!(command, Command::Dev(_)) {
        return None;
    }
    admin::candidates(None)
        .into_iter()
        .find(|socket| admin::is_dev(socket) && socket.exists())
}

/// Moves the clock, or lets something go wrong.
pub(crate) fn run(daemon: &Daemon<'_>, command: &DevCommand, printer: &Printer) -> Outcome {
    let done = match command {
        DevCommand::Clock { ahead: None } => {
            clock::run(daemon, &crate::args::ClockCommand::Show, printer)
        }
        DevCommand::Clock { ahead: Some(s) } => {
            let body = DevClock { advance_s: *s };
            daemon
                .post::<Clock>("/v1/dev/clock", &body)
                .and_then(|after| printer.record(&after, clock::show))
        }
        DevCommand::Fault(FaultArgs { fault: None }) => daemon
            .get(FAULT)
            .and_then(|fault: DevFault| printer.record(&fault, said)),
        DevCommand::Fault(FaultArgs { fault: Some(fault) }) => daemon
            .put(FAULT, &wanted(fault), None)
            .and_then(|fault: DevFault| printer.record(&fault, said)),
    };
    done.map_err(no_dev)
}

fn wanted(fault: &FaultCommand) -> DevFault {
    match fault {
        FaultCommand::Deny { code, renewals } => DevFault::Deny {
            code: Code::of(code),
            renewals: *renewals,
        },
        FaultCommand::Drop { lasts } => DevFault::Drop { seconds: *lasts },
        FaultCommand::Slow { by } => DevFault::Slow { seconds: *by },
        FaultCommand::Off => DevFault::None,
    }
}

fn said(fault: &DevFault) -> String {
    match fault {
        DevFault::None => fault.to_string(),
        fault => format!("{fault}; `seatkeeper dev fault off` ends it"),
    }
}

/// Whether an application's daemon is silent because somebody wanted it: what to say beside what it brings.
pub(super) fn on_purpose(daemon: &Daemon<'_>) -> Option<String> {
    if !daemon.is_dev() {
        return None;
    }
    daemon.get(FAULT).ok().as_ref().and_then(wanted_so)
}

fn wanted_so(fault: &DevFault) -> Option<String> {
    let wanted = *fault != DevFault::None;
    wanted.then(|| format!("this is on purpose: {}", said(fault)))
}

/// An installed daemon has none of this.
fn no_dev(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(mut refusal) if refusal.code == Code::NotFound.as_str() => {
            "this daemon is not `seatkeeperd dev`, and lets nothing go wrong on purpose"
                .clone_into(&mut refusal.what);
            "start `seatkeeperd dev` in another terminal; where two daemons run, name its socket: `seatkeeper --socket PATH dev …`"
                .clone_into(&mut refusal.hint);
            Failure::Refused(refusal)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u4_what_goes_wrong_on_purpose_is_told_as_that() {
        let told = wanted_so(&DevFault::Drop { seconds: 30 }).unwrap();
        assert!(told.starts_with("this is on purpose: ") && told.contains("dev fault off"));
        assert_eq!(wanted_so(&DevFault::None), None);
    }
}
