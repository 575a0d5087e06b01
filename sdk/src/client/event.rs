//! What a seat is in, and what happens to it while the application runs.

use super::schedule::{End, Stage};
use crate::clock::Moment;
use crate::token::claims::Last;
use crate::wire::Code;
use std::fmt;
use std::time::Duration;

/// Whether the application may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It may.
    Held,
    /// It may until then, and should ask its user to save: nothing like this lease will follow.
    Ending {
        /// The end.
        until: Until,
        /// Why it ends.
        reason: EndingReason,
    },
    /// It may until then; it was not renewed, because the daemon could not be reached, or refused.
    Grace {
        /// The end of grace.
        until: Until,
    },
    /// It may not. The SDK goes on trying where the reason allows it.
    Lost {
        /// Why.
        reason: LostReason,
    },
}

/// A moment ahead, seen from when the state was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    at: Moment,
    read: Moment,
}

/// Why a seat is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndingReason {
    /// An administrator took it back.
    Reclaimed,
    /// Its user gave it back from elsewhere.
    Released,
    /// Its user lost the right.
    RightLost,
    /// A newer license does not serve it; the SDK checks out anew.
    Superseded,
    /// The license ends.
    LicenseEnds,
}

/// Why a seat is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostReason {
    /// It was not renewed in time (the daemon was away or refused, or the machine slept); regained when a seat is free.
    Lapsed,
    /// The license ended; regained when it is renewed.
    LicenseEnded,
    /// A newer license does not serve it; regained when a seat is free.
    Superseded,
    /// An administrator took it back.
    Reclaimed,
    /// It was given back.
    Released,
    /// Its user lost the right.
    RightLost,
    /// The daemon ended it at once.
    Ended,
    /// This is a forked child; the seat is its parent's. A checkout in the child takes one of its own.
    Forked,
}

/// Something happened to a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The seat's number within this process, as `Seat::number` tells it.
    pub seat: u64,
    /// Its feature.
    pub feature: String,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// It should have been renewed, and lasts until then: the daemon cannot be reached, or refuses ([`EventKind::Refused`]).
    Grace(Until),
    /// The daemon refused to renew it, or to give it again; it goes on by the lease that it has, and is asked for again.
    /// Told once for each reason.
    Refused {
        /// Why.
        code: Code,
        /// The same for people, with what to do next.
        text: String,
    },
    /// The seat ends then: ask the user to save.
    Ending(Until, EndingReason),
    /// The seat is lost.
    Lost(LostReason),
    /// It is held again, without a word to the user.
    Regained,
    /// Other policies are granted now.
    PoliciesChanged(Vec<String>),
    /// An answer of the daemon was not accepted; the seat goes on by the lease that it has. The text is for a log.
    Untrusted(String),
}

/// An end that is told in whole seconds moves a little at each renewal; that is no news.
const NEW_END: Duration = Duration::from_secs(5);

impl Until {
    pub(crate) fn new(at: Moment, read: Moment) -> Until {
        Until { at, read }
    }

    /// How long it was to then when the state was read.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.at.since(self.read)
    }
}

impl State {
    /// The application may run.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !matches!(self, State::Lost { .. })
    }

    pub(crate) fn of(stage: Stage, now: Moment) -> State {
        match stage {
            Stage::Live => State::Held,
            Stage::Ending(at, end) => State::Ending {
                until: Until::new(at, now),
                reason: end.into(),
            },
            Stage::Grace(at) => State::Grace {
                until: Until::new(at, now),
            },
            Stage::Over(end) => State::Lost {
                reason: LostReason::of(end),
            },
        }
    }

    /// The event that tells of this state after `before`; none where it tells nothing new.
    pub(crate) fn news(&self, before: &State) -> Option<EventKind> {
        match (self, before) {
            (State::Held, State::Held) | (State::Grace { .. }, State::Grace { .. }) => None,
            (State::Held, _) => Some(EventKind::Regained),
            (State::Grace { until }, _) => Some(EventKind::Grace(*until)),
            (
                State::Ending { until, reason },
                State::Ending {
                    until: old,
                    reason: known,
                },
            ) => {
                let moved = until.at.since(old.at).max(old.at.since(until.at));
                let same = reason == known && moved < NEW_END;
                (!same).then_some(EventKind::Ending(*until, *reason))
            }
            (State::Ending { until, reason }, _) => Some(EventKind::Ending(*until, *reason)),
            (State::Lost { reason }, State::Lost { reason: known }) if reason == known => None,
            (State::Lost { reason }, _) => Some(EventKind::Lost(*reason)),
        }
    }
}

impl LostReason {
    fn of(end: Option<End>) -> LostReason {
        match end {
            None => LostReason::Lapsed,
            Some(End::License) => LostReason::LicenseEnded,
            Some(End::Last(Last::Reclaimed)) => LostReason::Reclaimed,
            Some(End::Last(Last::Released)) => LostReason::Released,
            Some(End::Last(Last::RightLost)) => LostReason::RightLost,
            Some(End::Last(Last::Superseded)) => LostReason::Superseded,
        }
    }

    /// A stable code, lower snake case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LostReason::Lapsed => "lapsed",
            LostReason::LicenseEnded => "license_ended",
            LostReason::Superseded => "superseded",
            LostReason::Reclaimed => "reclaimed",
            LostReason::Released => "released",
            LostReason::RightLost => "right_lost",
            LostReason::Ended => "ended",
            LostReason::Forked => "forked",
        }
    }
}

impl From<End> for EndingReason {
    fn from(end: End) -> EndingReason {
        match end {
            End::License => EndingReason::LicenseEnds,
            End::Last(Last::Reclaimed) => EndingReason::Reclaimed,
            End::Last(Last::Released) => EndingReason::Released,
            End::Last(Last::RightLost) => EndingReason::RightLost,
            End::Last(Last::Superseded) => EndingReason::Superseded,
        }
    }
}

impl fmt::Display for EndingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EndingReason::Reclaimed => "an administrator takes the seat back",
            EndingReason::Released => "you gave the seat back from elsewhere",
            EndingReason::RightLost => "the license is no longer assigned to you",
            EndingReason::Superseded => "a newer license does not cover this seat",
            EndingReason::LicenseEnds => "the license ends",
        })
    }
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LostReason::Lapsed => "the seat was not renewed in time",
            LostReason::LicenseEnded => "the license has ended",
            LostReason::Superseded => "a newer license does not cover this seat",
            LostReason::Reclaimed => "an administrator took the seat back",
            LostReason::Released => "the seat was given back",
            LostReason::RightLost => "the license is no longer assigned to you",
            LostReason::Ended => "the license service ended the seat",
            LostReason::Forked => "the seat belongs to the process that forked this one",
        })
    }
}
