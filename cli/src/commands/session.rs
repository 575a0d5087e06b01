//! `login --session`, `session …`: who one is for a while, where an account of the machine is nobody's own.

use super::sign_in::named;
use crate::args::{LoginArgs, SessionCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files::{self, Beside};
use crate::passphrase::secret;
use crate::printer::{Column, Printer};
use crate::words;
use seatkeeper::wire::{Session, SessionMade, SessionMake, Whoami};
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// What a session begins with.
const PREFIX: &str = "sks_";

/// A session that was made, without its secret, which is in the file.
#[derive(Serialize)]
struct Opened {
    id: String,
    login: String,
    until: u64,
    file: String,
}

/// Does it.
pub(crate) fn run(daemon: &Daemon<'_>, command: &SessionCommand, printer: &Printer) -> Outcome {
    match command {
        SessionCommand::List => list(daemon, printer),
        SessionCommand::End { session } => end(daemon, session, printer),
    }
}

/// Makes a session and keeps it in a file. What can be wrong with the file is told before the password is asked for.
pub(super) fn open(
    daemon: &Daemon<'_>,
    (args, file): (&LoginArgs, &Path),
    printer: &Printer,
) -> Outcome {
    let before = before(file)?;
    let kept = Beside::new(file)?;
    let accept_terms = args.accept_terms.clone();
    let body = match args.code {
        true => SessionMake {
            code: Some(secret("the code", false)?),
            password: secret("your new password, 12 characters at least", true)?,
            accept_terms,
            login: None,
        },
        false => {
            let login = named(daemon, args)?;
            SessionMake {
                password: secret(&format!("the password of {login}"), false)?,
                login: Some(login),
                accept_terms,
                code: None,
            }
        }
    };
    let made: SessionMade = daemon.post("/v1/sessions", &body)?;
    let text = Zeroizing::new(format!("{}\n", made.session.reveal()));
    let kept = kept.put(text.as_bytes());
    kept.inspect_err(|_| leave(daemon, made.session.reveal()))?;
    if let Some(before) = before {
        leave(daemon, &before);
    }
    let opened = Opened {
        id: made.id,
        login: made.login,
        until: made.until,
        file: file.display().to_string(),
    };
    printer.record(&opened, |of| {
        format!(
            "{} holds a session of {}, until {}; SEATKEEPER_TOKEN_FILE={0} presents it, and `seatkeeper logout` with that ends it",
            of.file,
            of.login,
            words::moment(of.until)
        )
    })
}

/// The session that a file holds. Any other file is not ours to overwrite, but for an empty one.
fn before(file: &Path) -> Outcome<Option<Zeroizing<String>>> {
    let found = match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|error| Failure::file("look at", file, &error))?,
    };
    let held = match found.is_file() {
        true => Some(Zeroizing::new(files::read(file)?)),
        false => None,
    };
    match held {
        Some(held) if held.is_empty() => Ok(None),
        Some(held) if held.starts_with(PREFIX) => {
            let line = held.lines().next().unwrap_or_default().trim();
            Ok(Some(Zeroizing::new(line.to_owned())))
        }
        _ => Err(Failure::new(
            Exit::Usage,
            format!(
                "{} is there and holds no session: it is left as it is",
                file.display()
            ),
            "name another file for `--session`",
        )),
    }
}

/// Ends a session that nobody needs. It ends by itself where this fails.
fn leave(daemon: &Daemon<'_>, session: &str) {
    let nothing = Value::Object(serde_json::Map::new());
    let left: Outcome<Whoami> = daemon
        .presenting(Some(session))
        .post("/v1/logout", &nothing);
    drop(left);
}

fn list(daemon: &Daemon<'_>, printer: &Printer) -> Outcome {
    let mut all: Vec<Session> = daemon.list("/v1/sessions")?;
    all.sort_by(|one, other| (&one.login, one.since).cmp(&(&other.login, other.since)));
    if all.is_empty() {
        printer.note("no sessions: `seatkeeper login LOGIN --session FILE` makes one");
    }
    printer.list(
        &all,
        &[
            Column("login", |one: &Session| one.login.clone()),
            Column("since", |one| words::moment(one.since)),
            Column("until", |one| words::moment(one.until)),
            Column("this", |one| {
                if one.current { "yes" } else { "" }.to_owned()
            }),
            Column("id", |one| one.id.clone()),
        ],
    )
}

fn end(daemon: &Daemon<'_>, session: &str, printer: &Printer) -> Outcome {
    let path = format!("/v1/sessions/{}", escape(session));
    let _: Option<Value> = daemon.delete(&path, None)?;
    printer.note(&format!("session {session} is over"));
    Ok(())
}
