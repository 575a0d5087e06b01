//! `login --session`, `session …`: who one is for a while, where an account of the machine is nobody's own.

use super::sign_in::{comes_in, named};
use crate::args::{LoginArgs, SessionCommand};
use crate::daemon::{Daemon, escape};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files::{self, Beside};
use crate::passphrase::secret;
use crate::printer::{Column, Printer};
use crate::{clock, words};
use seatkeeper::wire::{
    BEARER_CHARS, SESSION_PREFIX, SESSION_S, Session, SessionMade, SessionMake, TOKEN_PREFIX,
    Whoami,
};
use serde::Serialize;
use serde_json::Value;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a file that holds one, with the end of its line.
const FORM_BYTES: u64 = (SESSION_PREFIX.len() + BEARER_CHARS + 1) as u64;

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
    before(file)?;
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
    let waited: Option<Whoami> = match args.code {
        true => Some(daemon.get("/v1/whoami")?),
        false => None,
    };
    let made: SessionMade = daemon.post("/v1/sessions", &body)?;
    let text = Zeroizing::new(format!("{}\n", made.session.reveal()));
    // A person types for a while: what is in the file by now counts.
    let mut held = None;
    let kept = kept.put(text.as_bytes(), || before(file).map(|found| held = found));
    if let Err(why) = kept {
        // It ends by itself where this fails.
        drop(leave(daemon, made.session.reveal()));
        return Err(why);
    }
    if let Some(held) = held {
        end_held(daemon, file, &held, printer);
    }
    // The account stays who it is: where they came in themselves, it is they by its name.
    let let_in = match waited {
        Some(waited) => comes_in(&waited, &daemon.get("/v1/whoami")?),
        None => "",
    };
    let opened = Opened {
        id: made.id,
        login: made.login,
        until: made.until,
        file: file.display().to_string(),
    };
    printer.record(&opened, |of| {
        format!(
            "{let_in}{} holds a session of {}, until {}; SEATKEEPER_TOKEN_FILE={0} presents it, and `seatkeeper logout` with that ends it",
            of.file,
            of.login,
            words::moment(of.until)
        )
    })
}

/// What a file held, and whether it may go on by what is known here.
struct Held {
    session: Zeroizing<String>,
    fresh: bool,
}

/// The session that a file holds. Any other file is not ours to overwrite, but for an empty one.
fn before(file: &Path) -> Outcome<Option<Held>> {
    let found = match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|error| Failure::file("look at", file, &error))?,
    };
    let own = rustix::process::geteuid();
    if found.uid() != own.as_raw() && !own.is_root() {
        return Err(Failure::new(
            Exit::NotPermitted,
            format!("{} belongs to another account", file.display()),
            "name another file for `--session`",
        ));
    }
    let text = match found.is_file() && found.len() <= FORM_BYTES {
        true => Some(Zeroizing::new(files::read(file)?)),
        false => None,
    };
    match text {
        Some(text) if text.is_empty() => Ok(None),
        Some(text) if is_session(&text) => Ok(Some(Held {
            session: Zeroizing::new(text.trim_end().to_owned()),
            fresh: u64::try_from(found.mtime())
                .is_ok_and(|made| clock::unix_s() < made.saturating_add(SESSION_S)),
        })),
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

/// Exactly what `login --session` writes.
fn is_session(text: &str) -> bool {
    let secret = text.strip_prefix(SESSION_PREFIX);
    let secret = secret.and_then(|text| text.strip_suffix('\n'));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    secret.is_some_and(|secret| secret.len() == BEARER_CHARS && secret.bytes().all(plain))
}

/// Ends the session that a file held. One that this daemon does not know is over, or is another daemon's.
fn end_held(daemon: &Daemon<'_>, file: &Path, held: &Held, printer: &Printer) {
    let why = match leave(daemon, &held.session) {
        Ok(_) => return,
        Err(Failure::Refused(refused)) if refused.code == "unauthenticated" => {
            if !held.fresh {
                return;
            }
            "this daemon does not know it (it is over, or is of another one)".to_owned()
        }
        Err(Failure::Refused(refused)) => refused.what,
        Err(Failure::Told(told)) => told.what,
        Err(Failure::Hangup) => return,
    };
    printer.note(&format!(
        "the session that {} held before could not be ended: {why}; where it goes on, it does so for {} at most",
        file.display(),
        words::span(SESSION_S)
    ));
}

/// Ends a session.
fn leave(daemon: &Daemon<'_>, session: &str) -> Outcome<Whoami> {
    let nothing = Value::Object(serde_json::Map::new());
    daemon
        .presenting(Some(session))
        .post("/v1/logout", &nothing)
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
    no_secret(session, ("session", "session list"))?;
    let path = format!("/v1/sessions/{}", escape(session));
    let _: Option<Value> = daemon.delete(&path, None)?;
    printer.note(&format!("session {session} is over"));
    Ok(())
}

/// Whoever gives a secret for an id would have it written where ids are.
pub(super) fn no_secret(id: &str, (noun, list): (&str, &str)) -> Outcome {
    if !id.starts_with(SESSION_PREFIX) && !id.starts_with(TOKEN_PREFIX) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!("that is a secret, not the id of a {noun}; it was sent nowhere"),
        format!(
            "`seatkeeper {list}` shows the ids; it is in your shell's history now: end it soon"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s11_only_a_file_of_exactly_the_form_of_a_session_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("session");
        let secret = format!("sks_{}", "aB3-_".repeat(9).get(..43).unwrap());
        assert!(matches!(before(&file), Ok(None)), "it is not there");
        for (text, ours) in [
            (String::new(), true),
            (format!("{secret}\n"), true),
            (secret.clone(), false),
            (format!("{secret}a\n"), false),
            (format!("{secret}\nand notes of mine\n"), false),
            ("sks_ is what a session begins with\n".to_owned(), false),
            (format!("{}\n", secret.replace('-', "+")), false),
        ] {
            std::fs::write(&file, &text).unwrap();
            assert_eq!(before(&file).is_ok(), ours, "{text}");
        }
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        assert_eq!(*before(&file).unwrap().unwrap().session, secret);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(before(&link).is_err());
    }

    #[test]
    fn s23_a_secret_is_taken_for_no_id() {
        for secret in ["sks_0123", "skt_0123"] {
            let Err(Failure::Told(told)) = no_secret(secret, ("session", "session list")) else {
                panic!("{secret} is taken");
            };
            assert!(!told.what.contains(secret) && told.next.contains("session list"));
        }
        assert!(no_secret("0123", ("session", "session list")).is_ok());
    }
}
