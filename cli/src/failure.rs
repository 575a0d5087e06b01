//! Why a command did not do what was asked: what, why and what to do next.

use crate::exit::{self, Exit};
use seatkeeper::admin::Broken;
use seatkeeper::wire::{Class, Code, Problem};
use std::io::ErrorKind;
use std::path::Path;

/// What a command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A no, or what broke.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The daemon, or the SDK in its name, refused.
    Refused(Box<Refusal>),
    /// Anything else, with its exit.
    Told(Box<Told>),
    /// Whoever read stdout has gone: a quiet success.
    Hangup,
}

/// A refusal with its code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    /// The stable code, as text.
    pub code: String,
    /// What happened this time.
    pub what: String,
    /// The rule that decided.
    pub rule: Option<u8>,
    /// The assignment that decided.
    pub assignment: Option<String>,
    /// The pool that decided.
    pub pool: Option<String>,
    /// Seats in use, and all of them where limited.
    pub seats: Option<(u64, Option<u64>)>,
    /// Who holds them, where it may be seen.
    pub holders: Vec<String>,
    /// Asking again after so many seconds can help.
    pub retry_after_s: Option<u64>,
    /// What to do next.
    pub hint: String,
    /// The exchange, as in the daemon's log.
    pub trace_id: String,
    /// How the command ends.
    pub exit: Option<Exit>,
}

/// What went wrong on this side.
#[derive(Debug)]
pub(crate) struct Told {
    exit: Exit,
    /// What went wrong.
    pub what: String,
    /// What to do next; may be empty.
    pub next: String,
}

impl Told {
    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl Failure {
    /// Something else went wrong.
    pub(crate) fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Failure {
        Failure::Told(Box::new(Told {
            exit,
            what: what.into(),
            next: next.into(),
        }))
    }

    /// A file could not be read or written.
    pub(crate) fn file(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::PermissionDenied => Exit::NotPermitted,
            _ => Exit::Failed,
        };
        Failure::new(
            exit,
            match error.kind() {
                ErrorKind::AlreadyExists => {
                    format!("{} is there already; it was left alone", path.display())
                }
                _ => format!("cannot {verb} {}: {error}", path.display()),
            },
            next_of_file(verb, error.kind()),
        )
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Refused(refusal) => refusal.exit.unwrap_or(Exit::Refused),
            Failure::Told(told) => told.exit,
            Failure::Hangup => Exit::Done,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        let hint = if problem.hint.is_empty() {
            problem.code.remedy().to_owned()
        } else {
            problem.hint
        };
        let what = if problem.detail.is_empty() {
            problem.title
        } else {
            problem.detail
        };
        let what = match problem.code {
            Code::BadRequest => typed(what),
            _ => what,
        };
        Failure::Refused(Box::new(Refusal {
            exit: Some(exit::of(&problem.code, problem.class, problem.status)),
            code: problem.code.as_str().to_owned(),
            what,
            rule: problem.rule,
            assignment: problem.assignment,
            pool: problem.pool,
            seats: problem.in_use.map(|in_use| (in_use, problem.total)),
            holders: problem.holders,
            retry_after_s: problem.retry_after_s,
            hint,
            trace_id: problem.trace_id,
        }))
    }
}

/// A refusal that begins with the member of the body it is about: where it tells what was typed, without that.
fn typed(what: String) -> String {
    match what.split_once(": ") {
        Some((_, rest)) if rest.starts_with("several units are called ") => rest.to_owned(),
        _ => what,
    }
}

impl From<seatkeeper::Denied> for Failure {
    fn from(denied: seatkeeper::Denied) -> Failure {
        Failure::Refused(Box::new(Refusal {
            exit: Some(exit::of(
                denied.code(),
                denied.class(),
                denied.code().status(),
            )),
            code: denied.code().as_str().to_owned(),
            what: denied.reason().to_owned(),
            rule: denied.rule(),
            seats: denied.seats(),
            holders: denied.holders().to_vec(),
            retry_after_s: denied.retry_after().map(|after| after.as_secs()),
            hint: denied.hint().to_owned(),
            trace_id: denied.trace_id().to_owned(),
            ..Refusal::default()
        }))
    }
}

impl From<seatkeeper::Error> for Failure {
    fn from(error: seatkeeper::Error) -> Failure {
        let (exit, hint) = (exit_of(&error), error.hint().to_owned());
        match error {
            seatkeeper::Error::Denied(denied) => denied.into(),
            other => Failure::new(exit, other.to_string(), hint),
        }
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Failure {
        let what = broken.to_string();
        match broken {
            Broken::NoDaemon(_, error) if error.kind() == ErrorKind::PermissionDenied => {
                Failure::new(
                    Exit::NotPermitted,
                    what,
                    "the socket does not let you in: see `ls -l` on it, or ask an administrator",
                )
            }
            Broken::NoDaemon(..) => Failure::new(
                Exit::Unreachable,
                what,
                format!(
                    "start it: `systemctl start seatkeeperd` where it is installed, `seatkeeperd run --config FILE` by \
                     hand, `seatkeeperd dev` to try; {}; `seatkeeper doctor` looks closer",
                    forgotten()
                ),
            ),
            Broken::TimedOut => Failure::new(
                Exit::TimedOut,
                what,
                "the daemon listens but does not answer: see its log",
            ),
            Broken::TooLarge | Broken::Stale | Broken::Io(_) => Failure::new(
                Exit::Unreachable,
                what,
                "try again; if it stays so, see the daemon's log",
            ),
        }
    }
}

/// The question of one whose daemon runs, elsewhere.
pub(crate) fn forgotten() -> &'static str {
    if std::env::var_os("SEATKEEPER_SOCKET").is_some_and(|path| !path.is_empty()) {
        "does it listen at another socket? SEATKEEPER_SOCKET names this one"
    } else {
        "does it listen at another socket? name it: SEATKEEPER_SOCKET (not set here), or `--socket PATH`"
    }
}

fn exit_of(error: &seatkeeper::Error) -> Exit {
    match error {
        seatkeeper::Error::Unreachable(_) => Exit::Unreachable,
        seatkeeper::Error::Untrusted(untrusted) => {
            exit::of(untrusted.code(), Class::License, untrusted.code().status())
        }
        _ => Exit::Failed,
    }
}

/// The next step where a file could not be read or written.
fn next_of_file(verb: &str, kind: ErrorKind) -> &'static str {
    match (verb, kind) {
        (_, ErrorKind::AlreadyExists) => {
            "nothing is overwritten: name another file, or move this one away"
        }
        ("read", ErrorKind::NotFound) => {
            "look at the name and the folder: `ls` shows what is there"
        }
        ("read", ErrorKind::PermissionDenied) => {
            "let your account read it, or ask its owner for a copy"
        }
        (_, ErrorKind::IsADirectory) => "name a file, not a folder",
        (_, ErrorKind::NotFound) => "make the folder first, or name another one",
        (_, ErrorKind::PermissionDenied) => "name a folder that your account may write to",
        (_, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            "free space there, or name a file on another disk"
        }
        ("read", ErrorKind::Other) => "name the file itself, as it came",
        _ => "look at the disk and the file's owner, then try again",
    }
}

/// A refusal that needs no daemon to be known.
pub(crate) fn refused(code: &Code, what: impl Into<String>) -> Failure {
    Failure::Refused(Box::new(Refusal {
        exit: Some(exit::of(code, code.class(), code.status())),
        code: code.as_str().to_owned(),
        what: what.into(),
        hint: code.remedy().to_owned(),
        ..Refusal::default()
    }))
}
