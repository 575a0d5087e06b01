//! `user invite`, `user reset-link`, `user resets`, `user drop-reset`: codes for those who cannot get in.

use crate::daemon::{Daemon, escape};
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{CodeMade, ResetAsked, User};
use serde_json::Value;

/// Makes a code for the first password of somebody.
pub(crate) fn invite(daemon: &Daemon<'_>, login: &str, printer: &Printer) -> Outcome {
    let user: User = daemon.get(&format!("/v1/users/{}", escape(login)))?;
    made(daemon, &user, "invitation", printer)
}

/// The same of somebody who was made just now.
pub(crate) fn invited(daemon: &Daemon<'_>, user: &User, printer: &Printer) -> Outcome {
    made(daemon, user, "invitation", printer)
}

/// Makes a code for another password.
pub(crate) fn reset(daemon: &Daemon<'_>, login: &str, printer: &Printer) -> Outcome {
    let user: User = daemon.get(&format!("/v1/users/{}", escape(login)))?;
    made(daemon, &user, "reset", printer)
}

/// Who asked for a code.
pub(crate) fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut all: Vec<ResetAsked> = daemon.list("/v1/resets")?;
    all.sort_by_key(|one| (one.since, one.login.clone()));
    if all.is_empty() {
        printer.note("nobody asks for a code: `seatkeeper forgot LOGIN` does");
    }
    printer.list(
        &all,
        &[
            Column("login", |one: &ResetAsked| one.login.clone()),
            Column("address", |one| {
                let (text, is) = (one.address.as_deref(), one.address_is.as_deref());
                words::address_of(&one.login, text, is).unwrap_or_default()
            }),
            Column("status", |one| one.status.clone()),
            Column("units", |one| one.units.join(", ")),
            Column("since", |one| words::date(one.since)),
        ],
    )
}

/// They get none.
pub(crate) fn drop(daemon: &Daemon<'_>, login: &str, printer: &Printer) -> Outcome {
    let all: Vec<ResetAsked> = daemon.list("/v1/resets")?;
    let user: User = daemon.get(&format!("/v1/users/{}", escape(login)))?;
    let asked = all.iter().find(|one| one.id == user.id);
    let path = format!("/v1/resets/{}", escape(&user.id));
    let _: Option<Value> = daemon.delete(&path, asked.map(|one| one.revision))?;
    printer.record(&user, |user| {
        format!("{} gets no code for what was asked", user.login)
    })
}

fn made(daemon: &Daemon<'_>, user: &User, what: &str, printer: &Printer) -> Outcome {
    let path = format!("/v1/users/{}/{what}", escape(&user.id));
    let made: CodeMade = daemon.post_to(&path, user.revision)?;
    if let Some(address) = &made.not_proved {
        printer.note(&format!(
            "nothing is mailed to {address}: {} told it, and nobody has shown that it is theirs; `seatkeeper user address {0} {address}` gives \
             it to them, by your word",
            made.login
        ));
    }
    if made.code.is_some() {
        printer.note(&format!(
            "this is the code of {}, told this once; it sets a password once, until {} or a newer one: `seatkeeper login --code` reads it \
             and the password, on their account",
            made.login,
            words::date(made.until)
        ));
    }
    // The secret alone is data: it may go to a file.
    printer.record(&made, |made| {
        let told = made.code.as_ref().map(|code| code.reveal().to_owned());
        told.unwrap_or_else(|| {
            let to = made.mailed_to.as_deref().unwrap_or_default();
            format!(
                "a code for {} is mailed to {to}; it sets a password once, until {} or a newer one",
                made.login,
                words::date(made.until)
            )
        })
    })
}
