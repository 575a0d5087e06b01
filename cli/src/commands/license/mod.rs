//! `license …`: from the request to the vendor to the assignment to people.

mod assign;
mod install;
mod remove;
mod request;
mod show;

pub(super) use assign::gives;

use crate::args::LicenseCommand;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Assignment, InstallBody, License, LicenseFeature, WaitingLicense};

/// Does it.
pub(crate) fn run(
    daemon: &Daemon<'_>,
    command: &LicenseCommand,
    printer: &Printer,
) -> Outcome<Exit> {
    match command {
        LicenseCommand::Request(args) => return request::request(daemon, args, printer),
        LicenseCommand::Install {
            files,
            account,
            assign,
            accept_date,
        } => {
            let body = InstallBody {
                text: String::new(),
                account: account.clone(),
                assign_everyone: assign.is_some(),
                accept_date: *accept_date,
                verify_only: false,
            };
            return install::install(daemon, files, &body, printer);
        }
        LicenseCommand::Verify { files, accept_date } => {
            return install::verify(daemon, files, *accept_date, printer);
        }
        LicenseCommand::Remove(args) => remove::run(daemon, args, printer)?,
        LicenseCommand::List => list(daemon, printer)?,
        LicenseCommand::Show { license } => show::run(daemon, license, printer)?,
        LicenseCommand::Assign { license, to, with } => {
            assign::assign(daemon, license, to, with, printer)?
        }
        LicenseCommand::Assignments { license } => assign::list(daemon, license.as_ref(), printer)?,
        LicenseCommand::Change {
            assignment,
            with,
            hard,
        } => assign::change(daemon, assignment, with, *hard, printer)?,
        LicenseCommand::Unassign { license, to, hard } => {
            assign::unassign(daemon, license, to, *hard, printer)?
        }
    }
    Ok(Exit::Done)
}

/// Every assignment of a license.
fn assignments(daemon: &Daemon<'_>, vendor: &str, license: &str) -> Outcome<Vec<Assignment>> {
    let mut all: Vec<Assignment> = daemon.list("/v1/assignments")?;
    all.retain(|assignment| assignment.vendor == vendor && assignment.license == license);
    Ok(all)
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let licenses: Vec<License> = daemon.list("/v1/licenses")?;
    if licenses.is_empty() {
        printer.note("no license is installed: `seatkeeper license request --account ID` makes the file for the vendor");
    }
    let seats = |license: &License| {
        license
            .features
            .iter()
            .map(in_use)
            .collect::<Vec<_>>()
            .join(", ")
    };
    printer.list(
        &licenses,
        &[
            Column("license", |license: &License| {
                format!("{}/{}", license.vendor, license.id)
            }),
            Column("serial", |license| license.serial.to_string()),
            Column("product", |license| license.product.clone()),
            Column("status", status),
            Column("until", |license| words::until(license.exp)),
            Column("seats_in_use", seats),
        ],
    )
}

/// What it is, and what waits of it.
fn status(license: &License) -> String {
    let own = match license.status.as_str() {
        "waiting" => format!("waits until {}", words::date(license.nbf)),
        status => status.replace('_', " "),
    };
    let later = license.waiting.iter().map(waits);
    std::iter::once(own)
        .chain(later)
        .collect::<Vec<_>>()
        .join("; ")
}

fn waits(later: &WaitingLicense) -> String {
    let serial = later.serial;
    match later.status.as_str() {
        "waiting" => format!("serial {serial} waits until {}", words::date(later.nbf)),
        status => format!("serial {serial} does not begin: {status}"),
    }
}

fn in_use(feature: &LicenseFeature) -> String {
    let of = words::of(feature.in_use, feature.seats);
    match feature.model.as_str() {
        "named" => format!("{} {of} owned", feature.name),
        _ => format!("{} {of}", feature.name),
    }
}
