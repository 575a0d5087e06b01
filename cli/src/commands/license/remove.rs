//! `license remove`: what goes, whose seats end for it, and the file that brings it back.

use crate::args::RemoveArgs;
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use crate::words;
use seatkeeper::token::dates;
use seatkeeper::wire::{License, Removed, RemovedLicense, Status};
use std::path::PathBuf;

/// Removes, or says what a removal would do.
pub(crate) fn run(daemon: &Daemon<'_>, args: &RemoveArgs, printer: &Printer) -> Outcome {
    let (path, revision) = match &args.license {
        Some(name) => one(&name.resolve(daemon)?, args)?,
        None => (all(args), None),
    };
    // D5: what all of a site's licenses were is kept, whether it was asked for or not; and before anything is removed.
    let mut backup = backup(daemon, args)?.filter(|_| !args.dry_run);
    if let Some(file) = &backup {
        let foreseen: Option<Removed> = daemon.delete(&format!("{path}dry_run=true"), revision)?;
        match foreseen.map(|foreseen| foreseen.file) {
            Some(text) if !text.is_empty() => files::create(file, &text, false)?,
            _ => backup = None,
        }
    }
    let dry_run = if args.dry_run { "dry_run=true" } else { "" };
    let removed: Option<Removed> = daemon.delete(&format!("{path}{dry_run}"), revision)?;
    let Some(removed) = removed else {
        return Ok(());
    };
    printer.record(&removed, text)?;
    if let Some(file) = backup {
        printer.note(&format!(
            "{0} keeps what was removed: `seatkeeper license install {0}` brings it back, assignments apart",
            file.display()
        ));
    }
    Ok(())
}

/// The path to one license, or to a serial that waits, with the revision that was seen.
fn one(license: &License, args: &RemoveArgs) -> Outcome<(String, Option<u64>)> {
    let mut path = format!(
        "/v1/licenses/{}/{}?",
        escape(&license.vendor),
        escape(&license.id)
    );
    let mut revision = license.revision;
    if let Some(serial) = args.waiting {
        let first = (license.status == "waiting" && license.serial == serial).then_some(revision);
        let later = license.waiting.iter().find(|later| later.serial == serial);
        let seen = first.or(later.map(|later| later.revision));
        revision = seen.ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("no serial {serial} of license {} waits", license.id),
                "`seatkeeper license show` names those that do",
            )
        })?;
        path.push_str(&format!("waiting={serial}&"));
    }
    path.push_str(hard(args));
    Ok((path, Some(revision)))
}

fn all(args: &RemoveArgs) -> String {
    let confirm = args.confirm.as_deref().unwrap_or_default();
    format!("/v1/licenses?confirm={}&{}", escape(confirm), hard(args))
}

fn hard(args: &RemoveArgs) -> &'static str {
    if args.hard { "hard=true&" } else { "" }
}

/// Where what is removed is kept: the file that was named; with `--all` one of the site's name and day.
fn backup(daemon: &Daemon<'_>, args: &RemoveArgs) -> Outcome<Option<PathBuf>> {
    if args.backup.is_some() || !args.all {
        return Ok(args.backup.clone());
    }
    let status: Status = daemon.get("/v1/status")?;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let site: String = status.site.chars().map(plain).collect();
    let name = format!("{site}-{}.lic", dates::day(status.j));
    Ok(Some(PathBuf::from(name)))
}

fn text(removed: &Removed) -> String {
    if removed.licenses.is_empty() {
        return "no license is installed: nothing to remove".to_owned();
    }
    let (gone, seats, with) = match removed.changed {
        true => ("is removed", "is ending", "went with it"),
        false => ("would be removed", "would be ending", "would go with it"),
    };
    let name = |one: &RemovedLicense| {
        let waited = if one.waiting { ", which waits," } else { "" };
        format!(
            "{}/{} serial {}{waited} {gone}",
            one.vendor, one.id, one.serial
        )
    };
    let mut lines: Vec<_> = removed.licenses.iter().map(name).collect();
    if !removed.assignments.is_empty() {
        let whom = removed.assignments.iter().map(super::assign::assignee);
        let whom = whom.collect::<Vec<_>>().join(", ");
        lines.push(format!("  its assignments to {whom} {with}"));
    }
    lines.extend(removed.ending.iter().map(|holder| {
        format!(
            "  seat {} {seats}; its slots are free within {}",
            holder.id,
            words::span(holder.within_s)
        )
    }));
    lines.join("\n")
}
