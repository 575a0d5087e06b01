//! `license …`: from the request to the vendor to the assignment to people.

mod install;
mod remove;
mod show;

use super::seat;
use super::vendor::random_id;
use crate::args::{LicenseCommand, RequestArgs, To};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::names::{LicenseName, is_no_login};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{
    Assignment, EndingReply, License, LicenseFeature, LicenseRequestBody, LicenseRequestReply,
    WaitingLicense,
};

/// Does it.
pub(crate) fn run(
    daemon: &Daemon<'_>,
    command: &LicenseCommand,
    printer: &Printer,
) -> Outcome<Exit> {
    match command {
        LicenseCommand::Request(args) => request(daemon, args, printer)?,
        LicenseCommand::Install {
            files,
            assign,
            accept_date,
        } => {
            return install::install(daemon, files, assign.is_some(), *accept_date, printer);
        }
        LicenseCommand::Verify { files, accept_date } => {
            return install::verify(daemon, files, *accept_date, printer);
        }
        LicenseCommand::Remove(args) => remove::run(daemon, args, printer)?,
        LicenseCommand::List => list(daemon, printer)?,
        LicenseCommand::Show { license } => show::run(daemon, license, printer)?,
        LicenseCommand::Assign { license, to } => assign(daemon, license, to, printer)?,
        LicenseCommand::Unassign { license, to, hard } => {
            unassign(daemon, license, to, *hard, printer)?
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

fn request(daemon: &Daemon<'_>, args: &RequestArgs, printer: &Printer) -> Outcome {
    let body = LicenseRequestBody {
        account: args.account.clone(),
        product_version: args.product_version.clone(),
        order: args.order.clone(),
    };
    let reply: LicenseRequestReply = daemon.post("/v1/license-request", &body)?;
    match &args.out {
        None => printer.record(&reply, |reply| reply.request.clone())?,
        Some(path) => {
            files::create(path, &(reply.request.clone() + "\n"), false)?;
            printer.note(&format!(
                "send {} to the vendor; `seatkeeper license install FILE` takes what comes back",
                path.display()
            ));
        }
    }
    reply
        .warnings
        .iter()
        .for_each(|warning| printer.note(&format!("warning: {warning}")));
    Ok(())
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
    let served = if feature.served {
        ""
    } else {
        " (not served here)"
    };
    format!(
        "{} {}{served}",
        feature.name,
        words::of(feature.in_use, feature.seats)
    )
}

fn assign(daemon: &Daemon<'_>, name: &LicenseName, to: &To, printer: &Printer) -> Outcome {
    let license = name.resolve(daemon)?;
    let assignment = Assignment {
        // The same id and body again are the same assignment (rule 20).
        id: random_id()?,
        vendor: license.vendor,
        license: license.id,
        user: to.user.clone(),
        everyone: to.everyone,
        revision: 0,
    };
    let made: Assignment = daemon.post("/v1/assignments", &assignment)?;
    printer.record(&made, |made| {
        format!(
            "{}/{} is assigned to {}, usable at once",
            made.vendor,
            made.license,
            whom(to)
        )
    })?;
    // A directory that is away, or a slip of the pen: the assignment waits for whoever comes by that name.
    if let Some(user) = to.user.as_deref().filter(|user| is_no_login(user))
        && !daemon.is_dev()
    {
        printer.note(&format!(
            "there is no login {user} on this machine; assigned all the same"
        ));
    }
    Ok(())
}

fn unassign(
    daemon: &Daemon<'_>,
    name: &LicenseName,
    to: &To,
    hard: bool,
    printer: &Printer,
) -> Outcome {
    let license = name.resolve(daemon)?;
    let all = assignments(daemon, &license.vendor, &license.id)?;
    let own = all
        .iter()
        .find(|assignment| assignment.everyone == to.everyone && assignment.user == to.user);
    let Some(own) = own else {
        let others: Vec<_> = all.iter().map(assignee).collect();
        let next = if others.is_empty() {
            "it is assigned to nobody".to_owned()
        } else {
            format!("it is assigned to {}", others.join(", "))
        };
        return Err(Failure::new(
            Exit::NotFound,
            format!("{name} is not assigned to {}", whom(to)),
            next,
        ));
    };
    let path = format!(
        "/v1/assignments/{}{}",
        escape(&own.id),
        if hard { "?hard=true" } else { "" }
    );
    let reply: Option<EndingReply> = daemon.delete(&path, Some(own.revision))?;
    seat::ending(
        reply,
        &format!(
            "{name} is no longer assigned to {}; no seat was in use by it",
            whom(to)
        ),
        printer,
    )
}

fn whom(to: &To) -> String {
    to.user.clone().unwrap_or_else(|| "everyone".to_owned())
}

fn assignee(assignment: &Assignment) -> String {
    assignment
        .user
        .clone()
        .unwrap_or_else(|| "everyone".to_owned())
}
