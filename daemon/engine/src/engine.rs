//! The door: commands in, events and a verdict out. One function decides, one folds.

use crate::command::Signed;
use crate::command::{Checkout, Command};
use crate::denial::{Denial, Step};
use crate::event::{Event, Recorded};
use crate::ids::{AssignmentId, HolderId, LicenseId, Name, RunId, UserId};
use crate::state::State;
use crate::time::{LeaseTime, Now};

/// The answer to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Done; nothing more to tell.
    Done,
    /// A seat: the terms of a lease to sign, after the batch is durable and not before (I6).
    Leased(Box<LeaseTerms>),
    /// No.
    Denied(Box<Denial>),
    /// A license is in force, or was noted as known.
    Installed {
        /// The license.
        license: LicenseId,
        /// False where an inbox brought a known or lower serial.
        new: bool,
        /// Holders that are ending for it.
        ending: Vec<HolderId>,
    },
    /// An assignment stands (again).
    Assigned(AssignmentId),
    /// Holders are ending, by the moment at the latest.
    Ending(Vec<(HolderId, LeaseTime)>),
    /// The user who has the login.
    User(UserId),
    /// The run that started.
    Started {
        /// Its epoch.
        epoch: u64,
        /// Its id.
        run: RunId,
    },
}

/// What a lease will say, beside what its call brings (nonce, host).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseTerms {
    /// The holder: `jti`.
    pub holder: HolderId,
    /// The license.
    pub license: LicenseId,
    /// The license token that the lease names.
    pub signed: Signed,
    /// The feature.
    pub feature: Name,
    /// The version asked for.
    pub version: Option<Name>,
    /// Policies granted now.
    pub policies: Vec<Name>,
    /// The person.
    pub user: UserId,
    /// Slots, ascending.
    pub slots: Vec<u64>,
    /// The run's epoch.
    pub epoch: u64,
    /// The run.
    pub run: RunId,
    /// Number of this lease in the run.
    pub seq: u64,
    /// Judged at; J is the lease's `iat`.
    pub now: Now,
    /// Seconds that it lives.
    pub ttl_s: u64,
    /// Seconds of grace after it.
    pub grace_s: u64,
    /// Why it is the last.
    pub last: Option<crate::event::EndingWhy>,
    /// What the application should know.
    pub warnings: Vec<Warning>,
    /// A seat was taken for it now (201), not found or kept (200).
    pub new: bool,
}

/// What a lease warns of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// Cut to the license's `exp` (rule 16).
    ExpiresSoon,
    /// On an overdraft slot (rule 12).
    OverSoftLimit,
}

/// The engine: a state and indexes that can be rebuilt from it.
pub struct Engine {
    state: State,
}

impl Engine {
    /// An engine that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Engine {
            state: State::default(),
        }
    }

    /// Judges a command and folds what follows from it.
    pub fn apply(&mut self, now: Now, command: Command) -> (Vec<Event>, Verdict) {
        let _ = (now, command);
        (Vec::new(), Verdict::Done)
    }

    /// Folds a recorded event, at a replay.
    pub fn replay(&mut self, event: &Recorded) {
        let _ = event;
    }

    /// When the next hold, cool-down or remembered id is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<LeaseTime> {
        None
    }

    /// A snapshot: cheap to clone, never changes.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

/// Judges a checkout on a snapshot, step by step, by the function that decides it (rule 22).
#[must_use]
pub fn explain(state: &State, now: Now, checkout: &Checkout) -> (Vec<Step>, Verdict) {
    let _ = (state, now, checkout);
    (Vec::new(), Verdict::Done)
}
