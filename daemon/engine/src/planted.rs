//! Bugs that the simulator, the model and the kill loop must find (`tests/planted`). No build has this module that was not
//! made for it with `--cfg planted`; which bug comes alive there, `SEATKEEPER_PLANTED` says.

use crate::event::Recorded;
use crate::evolve::evolve;
use crate::state::State;
use std::sync::OnceLock;

/// Whether this bug is alive in this process.
#[must_use]
pub fn is(name: &str) -> bool {
    static ALIVE: OnceLock<String> = OnceLock::new();
    ALIVE.get_or_init(|| std::env::var("SEATKEEPER_PLANTED").unwrap_or_default()) == name
}

/// Folds an event as a start would that forgets what it said; false where it does not.
pub(crate) fn replays(state: &mut State, event: &Recorded) -> bool {
    match event {
        Recorded::AssignmentChanged { id, terms } =>
        {
            #[cfg(planted)]
            if crate::planted::is("reserve-forgotten") {
                let (id, mut terms) = (*id, terms.clone());
                for limit in &mut terms.limits {
                    limit.reserve = None;
                }
                evolve(state, &Recorded::AssignmentChanged { id, terms });
                return true;
            }
        }
        Recorded::CodeUsed { .. } | Recorded::PasswordSet { .. } => {
            #[cfg(planted)]
            if crate::planted::is("code-again") {
                let codes = state.credentials.codes.clone();
                evolve(state, event);
                state.credentials.codes = codes;
                return true;
            }
        }
        Recorded::TermsAccepted { .. } =>
        {
            #[cfg(planted)]
            if crate::planted::is("accepted-forgotten") {
                state.events += 1;
                return true;
            }
        }
        _ => {}
    }
    false
}
