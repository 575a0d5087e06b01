//! What is taken away, and what went with it.

use super::license::gives;
use super::seat::lose;
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::printer::Printer;
use seatkeeper::wire::{Assignment, TakenAway};

/// Takes away what is at a path, of the revision that was looked at, and says so.
pub(super) fn take_away(
    daemon: &Daemon<'_>,
    (path, revision): (&str, u64),
    (said, hard): (&str, bool),
    printer: &Printer,
) -> Outcome {
    let query = if hard { "?hard=true" } else { "" };
    let gone: Option<TakenAway> = daemon.delete(&format!("{path}{query}"), Some(revision))?;
    let gone = gone.unwrap_or(TakenAway {
        ending: Vec::new(),
        assignments: Vec::new(),
    });
    printer.record(&gone, |gone| {
        lose(said, &gone.ending, hard) + &with_it(&gone.assignments)
    })
}

/// What was assigned to who is gone, a line each, as it is assigned to others.
pub(super) fn with_it(all: &[Assignment]) -> String {
    let lines = all.iter().map(|one| {
        let (vendor, license, gives) = (&one.vendor, &one.license, gives(one));
        format!("gone with it: the assignment of {vendor}/{license}{gives}\n")
    });
    lines.collect()
}
