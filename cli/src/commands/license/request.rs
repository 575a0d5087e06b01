//! `license request`: the file for the vendor, as a file or by mail.

use crate::args::RequestArgs;
use crate::commands::mail;
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::printer::Printer;
use seatkeeper::wire::{
    LicenseRequestBody, LicenseRequestMail, LicenseRequestMailed, LicenseRequestReply, MailState,
};
use std::time::Duration;

/// So long the command looks how the mail does; the daemon goes on without it.
const FOLLOWED: Duration = Duration::from_secs(10);

/// Makes it, and sends or shows it.
pub(super) fn request(daemon: &Daemon<'_>, args: &RequestArgs, printer: &Printer) -> Outcome<Exit> {
    if args.mail {
        match mailed(daemon, args) {
            Ok(mailed) => return sent(daemon, args, &mailed, printer),
            Err(Failure::Refused(no)) if no.code == "mail_off" => {
                printer.note("this daemon sends no mail (`seatkeeper help mail_off`): carry the request to the vendor yourself");
                made(daemon, args, printer)?;
                return Ok(Exit::Part);
            }
            Err(failure) => return Err(failure),
        }
    }
    made(daemon, args, printer)?;
    Ok(Exit::Done)
}

fn made(daemon: &Daemon<'_>, args: &RequestArgs, printer: &Printer) -> Outcome {
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
    warn(&reply.warnings, printer);
    Ok(())
}

fn mailed(daemon: &Daemon<'_>, args: &RequestArgs) -> Outcome<LicenseRequestMailed> {
    let body = LicenseRequestMail {
        account: args.account.clone(),
        product_version: args.product_version.clone(),
        order: args.order.clone(),
        vendor: args.vendor.clone(),
        to: args.to.clone(),
    };
    daemon.post("/v1/license-request/mail", &body)
}

/// Keeps the file that is attached where one was asked for, and tells how the mail does.
fn sent(
    daemon: &Daemon<'_>,
    args: &RequestArgs,
    posted: &LicenseRequestMailed,
    printer: &Printer,
) -> Outcome<Exit> {
    if let Some(path) = &args.out {
        files::create(path, &(posted.request.clone() + "\n"), false)?;
        printer.note(&format!("{} holds what is mailed", path.display()));
    }
    let mail = mail::followed(daemon, posted.mail.clone(), FOLLOWED)?;
    let posted = LicenseRequestMailed {
        mail,
        ..posted.clone()
    };
    printer.record(&posted, |posted| mail::told(&posted.mail))?;
    warn(&posted.warnings, printer);
    Ok(outcome(&posted.mail, printer))
}

fn outcome(mail: &MailState, printer: &Printer) -> Exit {
    match mail.state.as_str() {
        "sent" => {
            printer.note("`seatkeeper license install FILE` takes what comes back");
            Exit::Done
        }
        "failed" => {
            let remedy = mail.remedy.as_deref().unwrap_or_default();
            printer.note(&format!(
                "do: {remedy}; `seatkeeper license request --out FILE` makes the file"
            ));
            Exit::Part
        }
        _ => {
            printer.note("it is tried again for a day; `seatkeeper doctor` says whether it has to be looked after, `seatkeeper mail list` how it does");
            Exit::Part
        }
    }
}

fn warn(warnings: &[String], printer: &Printer) {
    let each = warnings.iter();
    each.for_each(|warning| printer.note(&format!("warning: {warning}")));
}
