//! `clock accept`: J goes back where a wrong wall clock carried it ahead.

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::Recorded;
use crate::state::State;
use crate::time::{Date, LeaseTime};
use serde::{Deserialize, Serialize};

/// J goes on in steps of a second, and so does a wall clock: a lead of one is none.
pub const STEP_S: u64 = 1;

/// How often J was put back, and the last time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Accepts {
    /// How often; every later license request says so.
    pub count: u64,
    /// The last one.
    pub last: Option<Accept>,
    /// Number of the event of the last one.
    pub revision: u64,
}

/// One time that J was put back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Accept {
    /// J before.
    pub from: Date,
    /// J after.
    pub to: Date,
    /// When. A time mark that is not younger than this is not taken for J.
    pub at: LeaseTime,
}

impl Accepts {
    /// One more, by the event of this number.
    pub(crate) fn add(&mut self, from: Date, to: Date, at: LeaseTime, event: u64) {
        self.count += 1;
        self.last = Some(Accept { from, to, at });
        self.revision = event;
    }
}

impl State {
    /// Where accepting this wall clock would put J: back to it, never below the newest vendor `iat`. `None` where J is
    /// not ahead of that.
    #[must_use]
    pub fn accepted(&self, j: Date, wall: Date) -> Option<Date> {
        let to = wall.max(self.newest_iat);
        (j.0 > to.0.saturating_add(STEP_S)).then_some(to)
    }
}

/// Puts J back to the wall clock, and counts it. Nothing where J is not ahead.
pub(crate) fn accept(
    act: &mut Act<'_>,
    wall: Date,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let revision = act.state().clock.revision;
    if if_match.is_some_and(|seen| seen != revision) {
        return Err(Denial {
            limit: Some(revision.to_string()),
            ..Denial::new(Code::WrongRevision, 17)
        });
    }
    let (from, at) = (act.now.j, act.now.lease);
    let Some(to) = act.state().accepted(from, wall) else {
        return Ok(Verdict::Done);
    };
    act.record(Recorded::ClockAccepted { from, to, at });
    Ok(Verdict::ClockAccepted { from, to })
}
