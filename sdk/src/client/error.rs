//! What keeps an application from a seat, by who refused: the daemon, nobody, or the SDK itself.

use super::transport::Broken;
use crate::token::chain::ChainError;
use crate::wire::{Class, Code, Problem};
use std::fmt;
use std::time::Duration;

/// No seat, and who says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The daemon judged, and said no.
    Denied(Denied),
    /// There was no judgement: no daemon, no answer, or something broke in it.
    Unreachable(Unreachable),
    /// Something answered and did not prove that it may give this seat.
    Untrusted(Untrusted),
    /// The application asks for what no daemon could give: a mistake in its code.
    Misused(Misused),
}

/// A lawful no: its code, the rule that decided, and what would help.
#[derive(Clone, Debug)]
pub struct Denied(Box<Problem>);

/// There was no judgement.
#[derive(Clone, Debug)]
pub struct Unreachable {
    code: String,
    text: String,
    hint: String,
    retry_after_s: Option<u64>,
}

/// An answer that proves nothing.
#[derive(Clone, Debug)]
pub struct Untrusted {
    code: Code,
    text: String,
}

/// A mistake in the application's code.
#[derive(Clone, Debug)]
pub struct Misused {
    text: String,
}

impl Error {
    /// A stable code, lower snake case. New ones may appear.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Error::Denied(denied) => denied.0.code.as_str(),
            Error::Unreachable(unreachable) => &unreachable.code,
            Error::Untrusted(untrusted) => untrusted.code.as_str(),
            Error::Misused(_) => "misused",
        }
    }

    /// What the user, or an administrator, can do next.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Error::Denied(denied) => denied.hint(),
            Error::Unreachable(unreachable) => &unreachable.hint,
            Error::Untrusted(_) => {
                "the license service on this machine is not the one that this product trusts; ask your administrator"
            }
            Error::Misused(_) => "tell the vendor of this application",
        }
    }

    /// Asking again, unchanged, can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Denied(denied) => denied.0.retryable,
            Error::Unreachable(_) => true,
            Error::Untrusted(_) | Error::Misused(_) => false,
        }
    }
}

impl Denied {
    pub(crate) fn new(problem: Problem) -> Denied {
        Denied(Box::new(problem))
    }

    /// The stable code; one that this version does not know is kept as text.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.0.code
    }

    /// What kind of no it is.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The rule that decided (packaging/doc/rules.md).
    #[must_use]
    pub fn rule(&self) -> Option<u8> {
        self.0.rule
    }

    /// What happened, in a sentence for people.
    #[must_use]
    pub fn reason(&self) -> &str {
        if self.0.detail.is_empty() {
            &self.0.title
        } else {
            &self.0.detail
        }
    }

    /// What to do next, in a sentence for people.
    #[must_use]
    pub fn hint(&self) -> &str {
        if self.0.hint.is_empty() {
            self.0.code.remedy()
        } else {
            &self.0.hint
        }
    }

    /// Seats in use and in total, where the daemon told; no total where they are unlimited.
    #[must_use]
    pub fn seats(&self) -> Option<(u64, Option<u64>)> {
        self.0.in_use.map(|in_use| (in_use, self.0.total))
    }

    /// Who holds the seats, where the caller may see it.
    #[must_use]
    pub fn holders(&self) -> &[String] {
        &self.0.holders
    }

    /// Asking again after so long can help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after_s.map(Duration::from_secs)
    }

    /// The exchange, as in the daemon's log and audit.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.0.trace_id
    }
}

impl Unreachable {
    /// A stable code: the daemon's own where it answered, else `no_daemon`, `no_answer`, `bad_answer` or `machine`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn new(code: &str, text: impl Into<String>, hint: &str) -> Unreachable {
        Unreachable {
            code: code.to_owned(),
            text: text.into(),
            hint: hint.to_owned(),
            retry_after_s: None,
        }
    }

    /// The daemon said not to ask again before so long.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_s.map(Duration::from_secs)
    }

    /// The daemon answered that something broke.
    pub(crate) fn failed(problem: &Problem) -> Unreachable {
        let text = if problem.detail.is_empty() {
            &problem.title
        } else {
            &problem.detail
        };
        let text = format!(
            "the license service could not judge: {text} (trace {})",
            problem.trace_id
        );
        Unreachable {
            retry_after_s: problem.retry_after_s,
            ..Unreachable::new(problem.code.as_str(), text, &problem.hint)
        }
    }

    /// The daemon answered with something that is no answer.
    pub(crate) fn bad_answer(text: impl Into<String>) -> Unreachable {
        Unreachable::new(
            "bad_answer",
            text,
            "the license service on this machine does not speak this protocol; update it",
        )
    }

    /// The machine does not give what the SDK needs.
    pub(crate) fn machine(error: &std::io::Error) -> Unreachable {
        let text = format!("this machine does not give what holding a seat needs: {error}");
        Unreachable::new(
            "machine",
            text,
            "is /proc mounted, and may the process start threads?",
        )
    }
}

impl Untrusted {
    /// What the proof failed at.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    pub(crate) fn new(code: Code, text: impl Into<String>) -> Untrusted {
        Untrusted {
            code,
            text: text.into(),
        }
    }
}

impl Misused {
    pub(crate) fn new(text: impl Into<String>) -> Misused {
        Misused { text: text.into() }
    }
}

impl From<Broken> for Unreachable {
    fn from(broken: Broken) -> Unreachable {
        let text = broken.to_string();
        match broken {
            Broken::NoDaemon(..) => Unreachable::new(
                "no_daemon",
                text,
                "start the license service: `systemctl start seatkeeperd`, `seatkeeperd run --config FILE` by hand, or `seatkeeperd dev` to try",
            ),
            Broken::Stale | Broken::TimedOut | Broken::Io(_) => Unreachable::new(
                "no_answer",
                text,
                "try again in a moment; `seatkeeper doctor` looks for the cause",
            ),
            Broken::TooLarge => Unreachable::bad_answer(text),
        }
    }
}

impl From<ChainError> for Untrusted {
    fn from(error: ChainError) -> Untrusted {
        Untrusted::new(error.code(), error.to_string())
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Error {
        Error::Denied(denied)
    }
}

impl From<Unreachable> for Error {
    fn from(unreachable: Unreachable) -> Error {
        Error::Unreachable(unreachable)
    }
}

impl From<Untrusted> for Error {
    fn from(untrusted: Untrusted) -> Error {
        Error::Untrusted(untrusted)
    }
}

impl From<Misused> for Error {
    fn from(misused: Misused) -> Error {
        Error::Misused(misused)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Denied(denied) => denied.fmt(f),
            Error::Unreachable(unreachable) => f.write_str(&unreachable.text),
            Error::Untrusted(untrusted) => {
                write!(
                    f,
                    "what answered for the license service proves nothing: {}",
                    untrusted.text
                )
            }
            Error::Misused(misused) => f.write_str(&misused.text),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.reason(), self.code())?;
        self.rule()
            .map_or(Ok(()), |rule| write!(f, ", rule {rule}"))?;
        f.write_str(")")
    }
}

impl std::error::Error for Error {}
