//! Folds what shown leases prove (rule 21).

use crate::event::ShownRun;
use crate::ids::RunId;
use crate::state::{PastRun, Quarantine, Run, State};
use crate::time::LeaseTime;

/// The present run is over: its leases stay known.
pub(super) fn end_run(state: &mut State) {
    if state.run.epoch == 0 {
        return;
    }
    let over = PastRun {
        epoch: state.run.epoch,
        ours: true,
        grants: state.run.grants,
        ..PastRun::default()
    };
    state.runs.insert(state.run.id, over);
}

/// A future was proven: its run is known from here, a new one begins where the event names one, in quarantine.
pub(super) fn shown(
    state: &mut State,
    shown: &ShownRun,
    (epoch, run): (u64, RunId),
    since: LeaseTime,
    at: LeaseTime,
) {
    if run != state.run.id {
        end_run(state);
        // Leases are numbered on: the daemon is the same, and so are its clocks.
        state.run = Run {
            epoch,
            id: run,
            grants: 0,
            ..state.run
        };
    }
    let known = state.runs.entry(shown.run).or_insert(PastRun {
        epoch: shown.epoch,
        ..PastRun::default()
    });
    known.lost = true;
    known.shown = known.shown.max(shown.grant);
    begin(state, since, shown.term_ms, at);
}

/// A quarantine begins, or the one that lasts reaches further.
pub(super) fn begin(state: &mut State, since: LeaseTime, shown_ms: u64, at: LeaseTime) {
    let lasts = state.quarantined(at).is_some();
    let before = state.quarantine.take().filter(|_| lasts);
    let before = before.unwrap_or_default();
    state.quarantine = Some(Quarantine {
        since: before.since.max(since),
        shown_ms: before.shown_ms.max(shown_ms),
        renewed: before.renewed,
    });
}
