//! `terms …`: the terms of service of this site.

use crate::args::{PublishArgs, TermsCommand};
use crate::daemon::Daemon;
use crate::failure::Outcome;
use crate::files;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Terms, TermsAccept, TermsAcceptance, TermsPublish};

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &TermsCommand, printer: &Printer) -> Outcome {
    match command {
        TermsCommand::Show => show(daemon, printer),
        TermsCommand::Accept { version } => accept(daemon, version.as_deref(), printer),
        TermsCommand::Publish(args) => publish(daemon, args, printer),
        TermsCommand::List { missing } => list(daemon, *missing, printer),
    }
}

fn show(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let terms: Terms = daemon.get("/v1/terms")?;
    printer.record(&terms, |terms| terms.text.clone())?;
    printer.note(&format!(
        "version {} of {} (SHA-256 {}); {}",
        terms.version,
        words::date(terms.published),
        terms.sha256,
        stands(&terms)
    ));
    Ok(())
}

fn stands(terms: &Terms) -> String {
    if terms.accepted {
        return "you have accepted it".to_owned();
    }
    let before = terms.accepted_before.as_ref();
    let before = before.map(|version| format!(", only {version}"));
    let until = match terms.block_checkout {
        true => ", and get no new seat before: ",
        false => ": ",
    };
    format!(
        "you have not accepted it{}{until}`seatkeeper terms accept`",
        before.unwrap_or_default()
    )
}

fn accept(daemon: &Daemon<'_>, version: Option<&str>, printer: &Printer) -> Outcome {
    let version = match version {
        Some(version) => version.to_owned(),
        None => daemon.get::<Terms>("/v1/terms")?.version,
    };
    let terms: Terms = daemon.post("/v1/terms/accept", &TermsAccept { version })?;
    printer.record(&terms, |terms| {
        format!(
            "you have accepted the terms of service, version {} (SHA-256 {})",
            terms.version, terms.sha256
        )
    })
}

fn publish(daemon: &Daemon<'_>, args: &PublishArgs, printer: &Printer) -> Outcome {
    let body = TermsPublish {
        version: args.version.clone(),
        text: files::read(&args.file)?,
    };
    let terms: Terms = daemon.post("/v1/terms", &body)?;
    printer.record(&terms, |terms| {
        format!(
            "version {} is in force (SHA-256 {}); everyone is asked to accept it",
            terms.version, terms.sha256
        )
    })?;
    let said = match terms.block_checkout {
        true => {
            "nobody gets a new seat before they accept it (`terms_block_checkout`); seats that are held go on"
        }
        false => "seats are given without it: `terms_block_checkout` is off",
    };
    printer.note(said);
    Ok(())
}

fn list(daemon: &Daemon<'_>, missing: bool, printer: &Printer) -> Outcome {
    let mut all: Vec<TermsAcceptance> = daemon.list("/v1/terms/acceptances")?;
    all.retain(|one| !(missing && one.present));
    printer.list(
        &all,
        &[
            Column("login", |one: &TermsAcceptance| one.login.clone()),
            Column("accepted", |one| one.version.clone().unwrap_or_default()),
            Column("in_force", |one| yes(one.present).to_owned()),
        ],
    )
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
