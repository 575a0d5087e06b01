//! Runs of the daemon, and what shown leases told of others (rule 21).

use crate::ids::{Gid, RunId};
use crate::time::{Date, LeaseTime};
use imbl::OrdSet;
use serde::{Deserialize, Serialize};

/// One run of the daemon (rule 21).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Higher at each start.
    pub epoch: u64,
    /// Random at each start.
    pub id: RunId,
    /// Grants opened in this run.
    pub grants: u64,
    /// Leases signed in this run (fleeting).
    #[serde(skip)]
    pub seq: u64,
    /// When the daemon started.
    pub since: LeaseTime,
    /// J at that moment.
    pub j: Date,
}

/// What is known of a run that is over, or that shown leases told of (rule 21).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PastRun {
    /// Its epoch.
    pub epoch: u64,
    /// It was a run of this journal.
    pub ours: bool,
    /// Grants that this journal has of it.
    pub grants: u64,
    /// A shown lease proved more of it than this journal has.
    pub lost: bool,
    /// The highest number of a grant that such a lease named.
    pub shown: u64,
}

/// A time in which nothing new is granted, because leases may be out that this journal does not know (rule 21).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Quarantine {
    /// It lasts one longest hold from here.
    pub since: LeaseTime,
    /// The longest ttl + grace of a lease that was shown, in milliseconds.
    pub shown_ms: u64,
    /// Grants of which a holder renewed in it (fleeting).
    #[serde(skip)]
    pub renewed: OrdSet<Gid>,
}

impl Default for Run {
    fn default() -> Self {
        Run {
            epoch: 0,
            id: RunId([0; 16]),
            grants: 0,
            seq: 0,
            since: LeaseTime(0),
            j: Date(0),
        }
    }
}

impl Run {
    /// The id of the next grant that opens.
    #[must_use]
    pub(crate) fn next_grant(&self) -> Gid {
        Gid {
            epoch: self.epoch,
            n: self.grants + 1,
        }
    }
}
