//! The two times from durable marks and clock readings: pure arithmetic, no clock is read here.

#[cfg(test)]
mod tests;

use crate::clock::Reading;
use seatkeeper_engine::dates::Accept;
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use serde::{Deserialize, Serialize};

/// A lead of the wall clock that J follows at once.
pub const LEAD_AT_ONCE_S: u64 = 24 * 3600;
/// The same at a start, where the lead is downtime.
pub const LEAD_AT_START_S: u64 = 31 * 24 * 3600;
/// Lease time for which a wall clock must have stood in one place before a longer lead is believed.
pub const STOOD_MS: u64 = 3600 * 1000;
/// How far a wall clock may drift within that hour and still count as standing in one place.
pub const STOOD_DRIFT_S: u64 = 300;
/// From here on a wall clock behind J is told.
pub const LAG_TOLD_S: u64 = 300;
/// A mark is written at least this often.
pub const MARK_EVERY_MS: u64 = 10 * 60 * 1000;

/// What is durable of the two times, and the wall clock beside them for audit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Lease time.
    pub lease_ms: LeaseTime,
    /// J.
    pub j_s: Date,
    /// The wall clock as it stood.
    pub wall_s: u64,
}

impl Mark {
    /// Seconds that have passed since, at the least: by lease time, which nobody can set but which stands still while no
    /// daemon runs, or by the wall clock and J, where both say so.
    #[must_use]
    pub fn age_s(&self, now: &Mark) -> u64 {
        let ran = (now.lease_ms - self.lease_ms) / 1000;
        let by_wall = now.wall_s.saturating_sub(self.wall_s);
        let by_dates = now.j_s.0.saturating_sub(self.j_s.0);
        ran.max(by_wall.min(by_dates))
    }
}

/// What a start leaves for the next one. A run that a crash ends has last written the times up to ten minutes before; where
/// the wall clock stands behind J, nothing else tells of those minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Began {
    /// Milliseconds since boot.
    pub boot_ms: u64,
    /// J.
    pub j_s: Date,
    /// How often J had been put back: what was written before that says nothing of J.
    pub accepts: u64,
}

/// How the wall clock stands to J, for `status` and `doctor`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// The wall clock is this far behind J, from 5 minutes on. Changes nothing.
    pub behind_s: Option<u64>,
    /// The wall clock is further ahead than J follows at once.
    pub ahead: Option<Ahead>,
}

/// A lead that is not believed yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ahead {
    /// How far ahead.
    pub lead_s: u64,
    /// Since when the clock has stood there.
    pub since: LeaseTime,
    /// When J will follow it if it stays.
    pub until: LeaseTime,
}

/// Lease time and J as they run.
#[derive(Clone, Debug)]
pub struct Calendar {
    last: Reading,
    lease_ms: u64,
    j_ms: u64,
    ahead: Option<(LeaseTime, u64)>,
}

impl Calendar {
    /// At a start: lease time goes on from its mark, J follows a wall clock up to 31 days ahead. Without a mark the
    /// site is new and J is the wall clock. A mark that is not younger than the last accept is of before it: it says
    /// nothing of J.
    #[must_use]
    pub fn start(
        mark: Option<Mark>,
        accepted: Option<Accept>,
        newest_iat: Date,
        reading: Reading,
    ) -> Self {
        let mut kept = mark.unwrap_or(Mark {
            lease_ms: LeaseTime(0),
            j_s: Date(reading.wall_s),
            wall_s: reading.wall_s,
        });
        if let Some(accepted) = accepted
            && kept.lease_ms <= accepted.at
        {
            kept.lease_ms = accepted.at;
            kept.j_s = accepted.to;
        }
        let mut calendar = Calendar {
            last: reading,
            lease_ms: kept.lease_ms.0,
            j_ms: kept.j_s.0.saturating_mul(1000),
            ahead: None,
        };
        calendar.raise(newest_iat);
        calendar.follow(reading, LEAD_AT_START_S);
        calendar
    }

    /// At a start: makes up for what the run before did not write down, by the time since boot. That is no more than lies
    /// between two marks, whatever the clocks of another machine or boot say.
    pub fn make_up(&mut self, before: &Began, accepts: u64) {
        let Some(ran_ms) = self.last.boot_ms.checked_sub(before.boot_ms) else {
            return;
        };
        if before.accepts == accepts {
            let by_boot = before.j_s.0.saturating_mul(1000).saturating_add(ran_ms);
            let most = self.j_ms.saturating_add(MARK_EVERY_MS);
            self.j_ms = self.j_ms.max(by_boot.min(most));
        }
    }

    /// What this start leaves for the next one.
    #[must_use]
    pub fn began(&self, accepts: u64) -> Began {
        Began {
            boot_ms: self.last.boot_ms,
            j_s: Date(self.j_ms / 1000),
            accepts,
        }
    }

    /// Runs on to a reading. True where J made a leap, so that license dates are examined at once.
    pub fn advance(&mut self, reading: Reading) -> bool {
        let elapsed = reading.boot_ms.saturating_sub(self.last.boot_ms);
        self.last = Reading {
            boot_ms: self.last.boot_ms.max(reading.boot_ms),
            wall_s: reading.wall_s,
        };
        self.lease_ms = self.lease_ms.saturating_add(elapsed);
        self.j_ms = self.j_ms.saturating_add(elapsed);
        let before = self.j_ms;
        self.follow(reading, LEAD_AT_ONCE_S);
        // A second is the step of the wall clock, not a leap.
        self.j_ms - before > 1000
    }

    /// A newer vendor `iat` raises J at once.
    pub fn raise(&mut self, iat: Date) {
        self.j_ms = self.j_ms.max(iat.0.saturating_mul(1000));
    }

    /// J was put back (`clock accept`). A lead of the wall clock that was waited for is forgotten with it.
    pub fn accept(&mut self, to: Date) {
        self.j_ms = to.0.saturating_mul(1000);
        self.ahead = None;
    }

    /// Both times, as of the last reading.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            lease: LeaseTime(self.lease_ms),
            j: Date(self.j_ms / 1000),
        }
    }

    /// The last reading.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.last
    }

    /// The mark to write.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            lease_ms: LeaseTime(self.lease_ms),
            j_s: Date(self.j_ms / 1000),
            wall_s: self.last.wall_s,
        }
    }

    /// How the wall clock stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let behind = (self.j_ms / 1000).saturating_sub(self.last.wall_s);
        Standing {
            behind_s: (behind >= LAG_TOLD_S).then_some(behind),
            ahead: self.ahead.map(|(since, _)| Ahead {
                lead_s: self.lead_s(self.last),
                since,
                until: since + STOOD_MS,
            }),
        }
    }

    /// Follows a wall clock that is ahead: at once up to the limit, else after it has stood there for an hour.
    fn follow(&mut self, reading: Reading, at_once_s: u64) {
        let lead = self.lead_s(reading);
        if lead == 0 {
            self.ahead = None;
        } else if lead <= at_once_s || self.stood(lead) {
            self.ahead = None;
            self.j_ms = reading.wall_s.saturating_mul(1000);
        }
    }

    /// Whether the wall clock has stood in this lead for long enough; begins to count where it is new there.
    fn stood(&mut self, lead: u64) -> bool {
        match self.ahead {
            Some((since, first)) if lead.abs_diff(first) <= STOOD_DRIFT_S => {
                LeaseTime(self.lease_ms) - since >= STOOD_MS
            }
            _ => {
                self.ahead = Some((LeaseTime(self.lease_ms), lead));
                false
            }
        }
    }

    fn lead_s(&self, reading: Reading) -> u64 {
        reading.wall_s.saturating_sub(self.j_ms / 1000)
    }
}
