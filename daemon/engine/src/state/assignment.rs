//! Assignments: who may use which license, with what (rules 3, 10, 11).

use super::pairs;
use crate::ids::{AssignmentId, GroupId, LicenseId, Name, UnitId, UserId};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

/// To whom a license is assigned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One user.
    User(UserId),
    /// Everyone in this unit and below; the root unit of an account is everyone in it.
    Unit(UnitId),
    /// The members of this group, at any depth.
    Group(GroupId),
}

/// The assignments of a license.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Covers {
    /// One per target.
    #[serde(with = "pairs")]
    pub by: OrdMap<Target, AssignmentId>,
    /// How many of them keep somebody out: where none does, the first that covers gives the right.
    pub keep_out: u64,
    /// How many of them give optional policies.
    pub policies: u64,
    /// How many of them limit the seats of whom they cover.
    pub limits: u64,
    /// How many of them reserve seats.
    #[serde(default)]
    pub reserves: u64,
}

/// An assignment (rule 3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// The license.
    pub license: LicenseId,
    /// To whom.
    pub target: Target,
    /// What it gives and withholds beside the right.
    pub terms: AssignmentTerms,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// What an assignment gives and withholds beside the right (rules 3, 10, 11, 13).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AssignmentTerms {
    /// The optional policies that it gives, of any feature that has them.
    #[serde(default)]
    pub policies: Vec<Name>,
    /// 0 to 9, lower first; it counts where requests wait (rule 13).
    #[serde(default = "AssignmentTerms::usual_priority")]
    pub priority: u8,
    /// Limits, at most one per feature.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// A limit of an assignment, or what it reserves (rules 10, 11).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Limit {
    /// Of this feature; of every feature of the license, where none is named.
    #[serde(default)]
    pub feature: Option<Name>,
    /// Whom it covers is refused.
    #[serde(default)]
    pub exclude: bool,
    /// So many seats for all whom it covers together; of a feature that is named.
    #[serde(default)]
    pub max: Option<u64>,
    /// So many for each of them; of a feature that is named.
    #[serde(default)]
    pub max_each: Option<u64>,
    /// So many seats are kept for those whom it covers; of a feature that is named.
    #[serde(default)]
    pub reserve: Option<u64>,
}

impl Limit {
    /// The most that one assignment reserves: what all of them do can be counted.
    pub const MOST_RESERVED: u64 = u32::MAX as u64;
}

impl Default for AssignmentTerms {
    fn default() -> Self {
        AssignmentTerms {
            policies: Vec::new(),
            priority: Self::usual_priority(),
            limits: Vec::new(),
        }
    }
}

impl AssignmentTerms {
    /// The lowest priority that there is.
    pub const LAST: u8 = 9;

    fn usual_priority() -> u8 {
        5
    }

    /// Whether it refuses whom it covers (rule 10).
    #[must_use]
    pub fn keeps_out(&self, feature: &str) -> bool {
        self.limits
            .iter()
            .any(|limit| limit.exclude && limit.feature.as_deref().is_none_or(|of| of == feature))
    }

    /// What it says of a feature that is named.
    #[must_use]
    pub fn limit(&self, feature: &str) -> Option<&Limit> {
        let mut limits = self.limits.iter();
        limits.find(|limit| limit.feature.as_deref() == Some(feature))
    }

    /// Whether it reserves any seats.
    #[must_use]
    pub fn reserves(&self) -> bool {
        self.limits.iter().any(|limit| limit.reserve.is_some())
    }

    /// Whether it limits anybody's seats.
    #[must_use]
    pub fn limits_seats(&self) -> bool {
        let limits = |limit: &Limit| limit.max.is_some() || limit.max_each.is_some();
        self.limits.iter().any(limits)
    }

    /// Whether it refuses anybody at all.
    #[must_use]
    pub fn excludes(&self) -> bool {
        self.limits.iter().any(|limit| limit.exclude)
    }
}
