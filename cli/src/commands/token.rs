//! `token …`: what stands for a person where nobody types a password.

use super::session::no_secret;
use super::vendor::random_id;
use crate::args::{NewToken, TokenCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::printer::{Column, Printer};
use crate::{clock, words};
use seatkeeper::wire::{GivenRole, RolesChange, Token, TokenMade, TokenMake, User, UserMake};
use serde_json::Value;

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &TokenCommand, printer: &Printer) -> Outcome {
    match command {
        TokenCommand::Create(asked) => create(daemon, asked, printer),
        TokenCommand::List => list(daemon, printer),
        TokenCommand::Revoke { token } => revoke(daemon, token, printer),
    }
}

fn create(daemon: &Daemon<'_>, asked: &NewToken, printer: &Printer) -> Outcome {
    let user = match asked.service {
        true => Some(service(daemon, asked, printer)?.login),
        false => asked.user.clone(),
    };
    let body = TokenMake {
        id: Some(random_id()?),
        name: asked.name.clone(),
        user,
        until: Some(asked.expires.until(clock::unix_s())),
    };
    let made: TokenMade = daemon.post("/v1/tokens", &body)?;
    let until = match made.until {
        Some(until) => format!("until {}", words::end(until)),
        None => "until it is taken back".to_owned(),
    };
    printer.note(&format!(
        "this is the token {} of {}, told this once, {until}; keep it in a file that nobody else reads, which SEATKEEPER_TOKEN_FILE names",
        made.name, made.login
    ));
    // The secret alone is data: it may go to a file.
    printer.record(&made, |made| made.token.reveal().to_owned())
}

/// Makes the user of a program. Its token is made last, so that it has what it is to have from its first use on.
fn service(daemon: &Daemon<'_>, asked: &NewToken, printer: &Printer) -> Outcome<User> {
    let body = UserMake {
        id: Some(random_id()?),
        // No account of a machine is called so: nobody is the program by their name.
        login: format!("service:{}", asked.name),
        units: asked.unit.iter().cloned().collect(),
        ..UserMake::default()
    };
    let user: User = daemon.post("/v1/users", &body)?;
    let roles = asked.roles.iter().map(|role| GivenRole {
        role: role.clone(),
        unit: asked.unit.clone().unwrap_or_default(),
    });
    let change = RolesChange {
        give: roles.collect(),
        take: Vec::new(),
    };
    if change.give.is_empty() {
        return Ok(user);
    }
    let path = format!("/v1/users/{}/roles", escape(&user.id));
    let given: Outcome<User> = daemon.patch(&path, &change, Some(user.revision));
    given.inspect_err(|_| {
        printer.note(&format!(
            "user {0} was made, and has neither the roles nor a token: `seatkeeper user remove {0}` takes it away",
            user.login
        ));
    })
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut all: Vec<Token> = daemon.list("/v1/tokens")?;
    all.sort_by(|one, other| (&one.login, &one.name).cmp(&(&other.login, &other.name)));
    if all.is_empty() {
        printer.note("no tokens: `seatkeeper token create NAME` makes one");
    }
    printer.list(
        &all,
        &[
            Column("name", |one: &Token| one.name.clone()),
            Column("stands_for", |one| one.login.clone()),
            Column("since", |one| words::date(one.since)),
            Column("until", |one| {
                one.until.map_or_else(|| "never".to_owned(), words::end)
            }),
            Column("id", |one| one.id.clone()),
        ],
    )
}

fn revoke(daemon: &Daemon<'_>, token: &str, printer: &Printer) -> Outcome {
    no_secret(token, ("token", "token list"))?;
    let all: Vec<Token> = daemon.list("/v1/tokens")?;
    let named = |one: &&Token| one.id == token || one.name == token;
    let mut named = all.iter().filter(named);
    let known = match (named.next(), named.next()) {
        (Some(known), None) => known,
        (None, _) => {
            return Err(Failure::new(
                Exit::NotFound,
                format!("there is no token {token} that you may take back"),
                "`seatkeeper token list` shows what there is",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Failure::new(
                Exit::Usage,
                format!("more than one token is called {token}"),
                "name it by its id: `seatkeeper token list`",
            ));
        }
    };
    let path = format!("/v1/tokens/{}", escape(&known.id));
    let _: Option<Value> = daemon.delete(&path, Some(known.revision))?;
    printer.record(known, |known| {
        format!("token {} of {} is taken back", known.name, known.login)
    })
}
