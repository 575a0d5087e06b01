//! `license install` and `verify`: file after file; where some are refused the rest is done, and said.

use super::assignments;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::files;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{InstallBody, Installed, InstalledLicense};
use std::path::{Path, PathBuf};

/// What came of the files that were taken; what is worth knowing is said after it.
#[derive(Default)]
struct Done {
    licenses: Vec<InstalledLicense>,
    warnings: Vec<String>,
    /// Files of which something came that was not known before, or is in force.
    files: Vec<String>,
    /// Files that were refused, or did nothing.
    idle: Vec<String>,
}

/// Installs as the body without a text says, and tells what is still assigned to nobody.
pub(crate) fn install(
    daemon: &Daemon<'_>,
    files: &[PathBuf],
    body: &InstallBody,
    printer: &Printer,
) -> Outcome<Exit> {
    let (done, exit) = each(daemon, files, body, printer)?;
    print(&done.licenses, sentence, printer)?;
    done.tell("installed", printer);
    done.licenses
        .iter()
        .for_each(|license| tell_nobody(daemon, license, printer));
    Ok(exit)
}

/// Says what an install would do.
pub(crate) fn verify(
    daemon: &Daemon<'_>,
    files: &[PathBuf],
    accept_date: bool,
    printer: &Printer,
) -> Outcome<Exit> {
    let body = InstallBody {
        account: None,
        text: String::new(),
        assign_everyone: false,
        accept_date,
        verify_only: true,
    };
    let (done, exit) = each(daemon, files, &body, printer)?;
    print(&done.licenses, verdict, printer)?;
    done.tell("good", printer);
    Ok(exit)
}

/// One file's refusal is the whole command's where it is the only file; else the rest is done in part, and said which.
fn each(
    daemon: &Daemon<'_>,
    paths: &[PathBuf],
    body: &InstallBody,
    printer: &Printer,
) -> Outcome<(Done, Exit)> {
    let mut all = Done::default();
    let mut refused = None;
    for path in paths {
        let name = path.display().to_string();
        match one(daemon, path, body) {
            Ok(installed) => refused = all.take(name, installed).or(refused),
            Err(failure) if paths.len() == 1 => return Err(failure),
            Err(failure) => {
                printer.note(&format!("{name}:"));
                printer.failure(&failure);
                refused = Some(failure.exit());
                all.idle.push(name);
            }
        }
    }
    let exit = match refused {
        None => Exit::Done,
        Some(exit) if all.files.is_empty() => exit,
        Some(_) => Exit::Part,
    };
    Ok((all, exit))
}

impl Done {
    /// Keeps what came of a file; how the command ends where nothing did.
    fn take(&mut self, name: String, installed: Installed) -> Option<Exit> {
        let nothing = installed.licenses.is_empty() && !installed.changed;
        let named = |warning: String| match warning.strip_prefix("holds ") {
            Some(rest) => format!("{name} holds {rest}"),
            None => format!("{name}: {warning}"),
        };
        self.warnings
            .extend(installed.warnings.into_iter().map(named));
        self.licenses.extend(installed.licenses);
        let list = if nothing {
            &mut self.idle
        } else {
            &mut self.files
        };
        list.push(name);
        nothing.then_some(Exit::Failed)
    }

    /// Which files were done and which not, where that is not the same for all.
    fn tell(&self, verb: &str, printer: &Printer) {
        self.warnings
            .iter()
            .for_each(|warning| printer.note(warning));
        if !self.files.is_empty() && !self.idle.is_empty() {
            printer.note(&format!(
                "done in part: {verb} {}; not: {}",
                self.files.join(", "),
                self.idle.join(", ")
            ));
        }
    }
}

fn one(daemon: &Daemon<'_>, path: &Path, body: &InstallBody) -> Outcome<Installed> {
    let body = InstallBody {
        text: files::read(path)?,
        ..body.clone()
    };
    daemon.post("/v1/licenses", &body)
}

/// L5: adding is one step, distributing the next; the next step is typed out. Of a new license the daemon's warning said it.
fn tell_nobody(daemon: &Daemon<'_>, license: &InstalledLicense, printer: &Printer) {
    if license.new || license.assigned_to_everyone {
        return;
    }
    // Who may install but not list assignments is told all the same.
    let known = assignments(daemon, &license.vendor, &license.id).is_ok_and(|all| !all.is_empty());
    if !known {
        printer.note(&format!(
            "{0}/{1} is assigned to nobody yet: `seatkeeper license assign {0}/{1} --everyone`, or `--user NAME`",
            license.vendor, license.id
        ));
    }
}

fn print(
    licenses: &[InstalledLicense],
    text: fn(&InstalledLicense) -> String,
    printer: &Printer,
) -> Outcome {
    const COLUMNS: &[Column<'_, InstalledLicense>] = &[
        Column("license", |license| {
            format!("{}/{}", license.vendor, license.id)
        }),
        Column("serial", |license| license.serial.to_string()),
        Column("account", |license| {
            license.account.clone().unwrap_or_default()
        }),
        Column("new", |license| license.new.to_string()),
        Column("assigned_to_everyone", |license| {
            license.assigned_to_everyone.to_string()
        }),
        Column("ending", |license| license.ending.join(" ")),
        Column("waits_until", |license| {
            license.waits_until.map(words::date).unwrap_or_default()
        }),
    ];
    printer.list_as(licenses, COLUMNS, text)
}

fn sentence(license: &InstalledLicense) -> String {
    let name = format!(
        "{}/{} serial {}",
        license.vendor, license.id, license.serial
    );
    let account = match &license.account {
        Some(account) => format!(" for {account}"),
        None => String::new(),
    };
    if let Some(day) = license.waits_until {
        let day = words::date(day);
        let everyone = match license.assigned_to_everyone {
            true => ", assigned to everyone",
            false => "",
        };
        return format!(
            "{name} is installed{account}{everyone}: it waits until {day} and is in force from then on\n"
        );
    }
    let mut text = match (license.new, license.assigned_to_everyone) {
        (true, true) => format!("{name} is in force{account}, assigned to everyone\n"),
        (true, false) => format!("{name} is in force{account}\n"),
        (false, _) => format!("{name} was installed already\n"),
    };
    if !license.ending.is_empty() {
        text.push_str(&format!(
            "  these seats are ending for it (rule 17): {}\n",
            license.ending.join(", ")
        ));
    }
    text
}

fn verdict(license: &InstalledLicense) -> String {
    let name = format!(
        "{}/{} serial {}",
        license.vendor, license.id, license.serial
    );
    let mut text = match license.new {
        true => format!("{name} is genuine and for this site; nothing was changed\n"),
        false => format!("{name} is genuine, and it or a newer one is installed already\n"),
    };
    if let Some(day) = license.waits_until {
        text.push_str(&format!(
            "  an install would let it wait until {}\n",
            words::date(day)
        ));
    }
    if !license.ending.is_empty() {
        text.push_str(&format!(
            "  an install would end these seats (rule 17): {}\n",
            license.ending.join(", ")
        ));
    }
    text
}
