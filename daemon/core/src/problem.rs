//! A no as a problem document: every room that refuses makes one of these.

use seatkeeper::wire::{self, Problem};

/// A no on its way out.
pub type Refused = Box<Problem>;

/// A problem with the code's own title, status and remedy.
#[must_use]
pub fn problem(code: wire::Code, detail: impl Into<String>) -> Refused {
    Box::new(Problem::new(code, detail))
}

/// Something broke: the full text goes to the log, the caller gets a short one.
#[must_use]
pub fn internal(what: &str, why: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%why, "{what}");
    problem(wire::Code::Internal, format!("{what}; the log says why"))
}
