//! `mail …`: whether mail works, and what became of what was mailed.

use crate::args::MailCommand;
use crate::clock;
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{MailState, MailTest};
use std::time::Duration;

/// The longest that a delivery may take (`mail.timeout_s`), and a little.
const TEST: Duration = Duration::from_secs(615);
/// Seconds that the daemon is asked to wait with one answer.
const ASKED_S: u64 = 8;

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &MailCommand, printer: &Printer) -> Outcome<Exit> {
    match command {
        MailCommand::Test { address } => test(daemon, address, printer),
        MailCommand::List => list(daemon, printer).map(|()| Exit::Done),
    }
}

/// How a mail does, asked for so long as nothing of it is known.
pub(crate) fn followed(
    daemon: &Daemon<'_>,
    mail: MailState,
    patience: Duration,
) -> Outcome<MailState> {
    let (until, mut mail) = (clock::since_boot() + patience, mail);
    while !is_known(&mail) {
        let left = until.saturating_sub(clock::since_boot()).as_secs();
        if left == 0 {
            break;
        }
        let path = format!(
            "/v1/mails/{}?wait_s={}",
            escape(&mail.id),
            left.min(ASKED_S)
        );
        mail = daemon.get(&path)?;
    }
    Ok(mail)
}

/// What became of it, in a sentence.
pub(crate) fn told(mail: &MailState) -> String {
    let (to, why) = (&mail.to, mail.why.as_deref().unwrap_or_default());
    match mail.state.as_str() {
        "sent" => format!(
            "mailed to {to}; the server says: {}",
            mail.answer.as_deref().unwrap_or_default()
        ),
        "failed" => format!("NOT mailed to {to}: {why}"),
        _ if why.is_empty() => format!("the mail to {to} waits in the outbox"),
        _ => format!("the mail to {to} waits in the outbox: {why}"),
    }
}

fn is_known(mail: &MailState) -> bool {
    mail.state != "waiting" || mail.why.is_some()
}

fn test(daemon: &Daemon<'_>, address: &str, printer: &Printer) -> Outcome<Exit> {
    let body = MailTest {
        id: None,
        to: address.to_owned(),
    };
    let mail = followed(daemon, daemon.post("/v1/mails/test", &body)?, TEST)?;
    printer.record(&mail, told)?;
    match mail.state.as_str() {
        "sent" => {
            printer.note("that is the server's word; whether it arrives shows in the mailbox");
            Ok(Exit::Done)
        }
        "failed" => {
            if let Some(remedy) = &mail.remedy {
                printer.note(&format!("do: {remedy}"));
            }
            Ok(Exit::Failed)
        }
        _ => Ok(Exit::TimedOut),
    }
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mails: Vec<MailState> = daemon.list("/v1/mails")?;
    if mails.is_empty() {
        printer.note("no mail since the daemon's start; `seatkeeper mail test ADDRESS` tries");
    }
    let next = |mail: &MailState| mail.next_try_s.map(words::span).unwrap_or_default();
    printer.list(
        &mails,
        &[
            Column("mail", |mail: &MailState| mail.kind.clone()),
            Column("to", |mail| mail.to.clone()),
            Column("state", |mail| mail.state.clone()),
            Column("tries", |mail| mail.tries.to_string()),
            Column("next_try_in", next),
            Column("said", |mail| {
                let said = mail.why.as_ref().or(mail.answer.as_ref());
                said.cloned().unwrap_or_default()
            }),
        ],
    )
}
