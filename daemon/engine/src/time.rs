//! The two times of the rules: lease time, which nobody can set, and J, the time of dates.

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// Lease time in milliseconds: a durable mark plus boot time elapsed. Deadlines of seats are in it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LeaseTime(pub u64);

/// A date (J, `iat`, `nbf`, `exp`) in seconds since 1970.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Date(pub u64);

/// What a command is judged at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Now {
    /// Lease time.
    pub lease: LeaseTime,
    /// J.
    pub j: Date,
}

impl Add<u64> for LeaseTime {
    type Output = LeaseTime;
    /// Adds milliseconds.
    fn add(self, ms: u64) -> LeaseTime {
        LeaseTime(self.0.saturating_add(ms))
    }
}

impl Sub for LeaseTime {
    type Output = u64;
    /// Milliseconds from `other` to here, 0 where it lies ahead.
    fn sub(self, other: LeaseTime) -> u64 {
        self.0.saturating_sub(other.0)
    }
}

/// With less than this left, a license serves nothing (rule 16).
pub const LEAST_S: u64 = 10;

/// The hold of a lease of `term_ms` = ttl + grace, in milliseconds (rule 15): × 1.001 + 2 s, rounded up.
#[must_use]
pub const fn hold_ms(term_ms: u64) -> u64 {
    term_ms + term_ms.div_ceil(1000) + 2000
}
