//! Bugs that the simulator, the model and the kill loop must find (`tests/planted`). No build has this module that was not
//! made for it with `--cfg planted`; which bug comes alive there, `SEATKEEPER_PLANTED` says.

use std::sync::OnceLock;

/// Whether this bug is alive in this process.
#[must_use]
pub fn is(name: &str) -> bool {
    static ALIVE: OnceLock<String> = OnceLock::new();
    ALIVE.get_or_init(|| std::env::var("SEATKEEPER_PLANTED").unwrap_or_default()) == name
}
