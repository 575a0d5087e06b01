//! The clocks of the site: what each says, and `clock accept`.

use super::{Desk, view};
use crate::authorize::{Caller, Permission};
use crate::keeper::Snapshot;
use crate::problem::Refused;
use seatkeeper::token::dates;
use seatkeeper::wire::{Clock, ClockAccept, ClockAccepted, ClockLast, ClockLicense, Finding};
use seatkeeper_engine::dates::{Accepts, STEP_S};
use seatkeeper_engine::time::Date;
use seatkeeper_engine::{Command, State, Verdict};

impl Desk {
    /// `GET /v1/clock`.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn clock(&self, caller: &Caller) -> Result<Clock, Refused> {
        self.authorize(caller, Permission::StatusRead, self.unit)?;
        Ok(self.clock_view(caller, &self.keeper.snapshot()))
    }

    /// `POST /v1/clock/accept`: J goes back to the wall clock. The same again changes nothing. Blocks.
    ///
    /// # Errors
    /// `forbidden`, or `wrong_revision`: somebody else accepted it first.
    pub fn accept_clock(
        &self,
        caller: &Caller,
        if_match: Option<u64>,
    ) -> Result<ClockAccepted, Refused> {
        self.authorize(caller, Permission::ClockAccept, self.unit)?;
        let before = self.clock_view(caller, &self.keeper.snapshot());
        let wall = Date(self.wall_s());
        let done = self
            .asked(caller, Command::AcceptClock { wall, if_match })
            .and_then(|answer| match &answer.verdict {
                Verdict::ClockAccepted { from, to } => {
                    tracing::warn!(uid = caller.uid, login = %caller.login.name, from = from.0, to = to.0, "a wrong clock was accepted");
                    Ok((true, answer))
                }
                Verdict::Done => Ok((false, answer)),
                _ => Err(self.not_done(caller, "the clock", &answer)),
            });
        let (accepted, answer) = self.traced(caller, done)?;
        Ok(ClockAccepted {
            accepted,
            before,
            after: self.clock_view(caller, &answer.snapshot),
        })
    }

    fn clock_view(&self, caller: &Caller, snapshot: &Snapshot) -> Clock {
        let (now, wall) = (self.now(), Date(self.wall_s()));
        let state = &snapshot.state;
        let apart = |a: Date, b: Date| Some(a.0.saturating_sub(b.0)).filter(|s| *s > STEP_S);
        let licenses = self
            .authorize(caller, Permission::LicenseRead, self.unit)
            .is_ok();
        let ahead_s = apart(wall, now.j).unwrap_or(0);
        Clock {
            wall: wall.0,
            j: now.j.0,
            lease_s: now.lease.0 / 1000,
            behind_s: apart(now.j, wall).unwrap_or(0),
            ahead_s,
            followed_in_s: snapshot
                .clock
                .ahead
                .filter(|_| ahead_s > 0)
                .map(|ahead| (ahead.until - now.lease).div_ceil(1000)),
            newest_iat: state.newest_iat.0,
            accept: state.accepted(now.j, wall).map(|to| ClockAccept {
                to: to.0,
                held_by_vendor: to > wall,
                licenses: if licenses {
                    changed(state, now.j, to)
                } else {
                    Vec::new()
                },
            }),
            accepted: state.clock.count,
            last: state.clock.last.map(|last| ClockLast {
                from: last.from.0,
                to: last.to.0,
                ago_s: (now.lease - last.at) / 1000,
            }),
            revision: state.clock.revision,
        }
    }
}

/// Licenses that stand otherwise at another date.
fn changed(state: &State, now: Date, then: Date) -> Vec<ClockLicense> {
    let licenses = state.licenses.values().filter_map(|license| {
        let at = |date| view::license_status(state, license, date);
        (at(now) != at(then)).then(|| ClockLicense {
            vendor: license.terms.id.vendor.to_string(),
            id: license.terms.id.id.to_string(),
            now: at(now).to_owned(),
            then: at(then).to_owned(),
        })
    });
    licenses.collect()
}

/// What wants doing about the clock.
pub(super) fn finding(snapshot: &Snapshot) -> Option<Finding> {
    if let Some(behind) = snapshot.clock.behind_s {
        return Some(super::findings::finding(
            "warning",
            "clock",
            format!("the wall clock stands {behind} s behind the time of dates (J)"),
            "set the clock if it is wrong; if it is right, `seatkeeper clock show` says what `seatkeeper clock accept` would do. Seats are touched by neither",
        ));
    }
    snapshot.clock.ahead.map(|ahead| {
        super::findings::finding(
            "warning",
            "clock",
            format!(
                "the wall clock is {} s ahead, more than is believed at once",
                ahead.lead_s
            ),
            "set the clock if it is wrong; if it is right it is followed after an hour",
        )
    })
}

/// What a license request says of accepted clocks, for the one who sends it.
pub(super) fn told_to_vendor(clock: &Accepts) -> Option<String> {
    let last = clock.last?;
    let times = match clock.count {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    Some(format!(
        "this request tells the vendor that a wrong clock was accepted {times} here, at last from {} back to {}",
        dates::format(last.from.0),
        dates::format(last.to.0)
    ))
}
