//! `register`, `registration …`: who asks to come in, and what they are answered.

use super::gone::with_it;
use super::vendor::random_id;
use crate::args::{RegisterArgs, RegistrationCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{
    Assignment, Registration, RegistrationApprove, RegistrationMake, TakenAway, User, Whoami,
};
use serde::Serialize;

/// Who was refused, and what went with it.
#[derive(Serialize)]
struct NotLetIn {
    #[serde(flatten)]
    known: Registration,
    assignments: Vec<Assignment>,
}

/// Asks to come in.
pub(crate) fn register(daemon: &Daemon<'_>, args: &RegisterArgs, printer: &Printer) -> Outcome {
    let way = &args.way;
    let body = RegistrationMake {
        id: Some(random_id()?),
        address: args.address.clone(),
        company: way.company.clone(),
        join: way.join.clone(),
        license: way.license.clone(),
        access: way.access.clone(),
    };
    let made: Registration = daemon.post("/v1/registrations", &body)?;
    printer.record(&made, |made| {
        let colleagues = match made.way.as_str() {
            "company" => format!(
                "\nYour colleagues join it: `seatkeeper register --join {}`",
                made.account_id
            ),
            _ => String::new(),
        };
        format!(
            "{} waits for account {}; {} answer{colleagues}",
            made.login,
            made.account,
            answers(made)
        )
    })
}

/// Does what was asked of a registration.
pub(crate) fn run(
    daemon: &Daemon<'_>,
    command: &RegistrationCommand,
    printer: &Printer,
) -> Outcome {
    match command {
        RegistrationCommand::List => list(daemon, printer),
        RegistrationCommand::Show { login } => {
            let login = match login {
                Some(login) => login.clone(),
                None => own(daemon)?,
            };
            let known: Registration = daemon.get(&place(&login))?;
            printer.record(&known, text)
        }
        RegistrationCommand::Approve { login, units } => {
            let known: Registration = daemon.get(&place(login))?;
            let body = RegistrationApprove {
                units: units.clone(),
            };
            let path = format!("{}/approve", place(&known.id));
            let user: User = daemon.post_body_to(&path, &body, known.revision)?;
            printer.record(&user, |user| {
                let User { login, units, .. } = user;
                let ended = words::ended(user.ended.as_ref(), login);
                format!("{login} is let in, in {}{ended}", units.join(" and "))
            })
        }
        RegistrationCommand::Refuse { login } => {
            let known: Registration = daemon.get(&place(login))?;
            let gone: Option<TakenAway> = daemon.delete(&place(&known.id), Some(known.revision))?;
            let assignments = gone.map(|gone| gone.assignments).unwrap_or_default();
            let refused = NotLetIn { known, assignments };
            printer.record(&refused, |of| {
                format!(
                    "{} is not let in\n{}",
                    of.known.login,
                    with_it(&of.assignments)
                )
            })
        }
        RegistrationCommand::Verify { login } => {
            let known: Registration = daemon.get(&place(login))?;
            let path = format!("{}/verify", place(&known.id));
            let now: Registration = daemon.post_to(&path, known.revision)?;
            printer.record(&now, |now| {
                let address = now.address.as_deref().unwrap_or_default();
                let theirs = match address.eq_ignore_ascii_case(&now.login) {
                    true => format!("{address} is their login and their mail address"),
                    false => format!("{address} is {}'s", now.login),
                };
                let is = match now.status.as_str() {
                    "pending" => format!("{theirs}; they still wait"),
                    _ => format!(
                        "{theirs}, and {} lets in its domain: they are in",
                        now.account
                    ),
                };
                let whose = format!("{} and of others who told this address", now.login);
                is + &words::ended(now.ended.as_ref(), &whose)
            })
        }
    }
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut all: Vec<Registration> = daemon.list("/v1/registrations")?;
    all.sort_by_key(|one| (one.since, one.login.clone()));
    if all.is_empty() {
        printer.note("nobody waits: `seatkeeper register --company NAME` asks to come in");
    }
    printer.list(
        &all,
        &[
            Column("login", |one: &Registration| one.login.clone()),
            Column("address", address),
            Column("account", |one| one.account.clone()),
            Column("way", way),
            Column("answered_by", answers),
            Column("since", |one| words::date(one.since)),
        ],
    )
}

fn text(one: &Registration) -> String {
    format!(
        "{}\nid        {}\nstatus    {}\naddress   {}\naccount   {} ({})\nway       {}\nanswered  by {}\nsince     {}",
        one.login,
        one.id,
        one.status,
        address(one),
        one.account,
        one.account_id,
        way(one),
        answers(one),
        words::date(one.since)
    )
}

fn address(one: &Registration) -> String {
    let (text, is) = (one.address.as_deref(), one.address_is.as_deref());
    words::address_of(&one.login, text, is).unwrap_or_default()
}

/// The caller's own.
fn own(daemon: &Daemon<'_>) -> Outcome<String> {
    let who: Whoami = daemon.get("/v1/whoami")?;
    who.id.ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!("{}@{} is nobody's account here, and no registration of it waits", who.account, who.machine),
            "`seatkeeper register --help` tells how to ask to come in; `seatkeeper registration list` shows who waits where you administer",
        )
    })
}

fn way(one: &Registration) -> String {
    match (&one.license, one.way.as_str()) {
        (Some(license), _) => format!("license {license}"),
        (None, "company") => "made it".to_owned(),
        (None, "join") => "by its id".to_owned(),
        (None, _) => "asks for access".to_owned(),
    }
}

/// Who answers.
fn answers(one: &Registration) -> String {
    match &one.to {
        Some(to) => format!("the administrators of {to}"),
        None => "the administrators of this site".to_owned(),
    }
}

fn place(login: &str) -> String {
    format!("/v1/registrations/{}", escape(login))
}
