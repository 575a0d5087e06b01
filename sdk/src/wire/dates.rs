//! The clocks of a site on the wire: what the wall clock says, what J says, and what was accepted.

use serde::{Deserialize, Serialize};

/// The clocks: `GET /v1/clock`. Moments are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clock {
    /// The machine's wall clock.
    pub wall: u64,
    /// J, which dates of licenses are judged by.
    pub j: u64,
    /// Lease time, which seats run by: seconds that the daemon has run, sleep included, since the site was founded.
    pub lease_s: u64,
    /// Seconds that the wall clock is behind J. J does not go back by itself.
    pub behind_s: u64,
    /// Seconds that the wall clock is ahead of J.
    pub ahead_s: u64,
    /// Where it is too far ahead to be followed at once: seconds until J follows it, if it stays there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed_in_s: Option<u64>,
    /// The newest date that a vendor signed here: J is never below it.
    pub newest_iat: u64,
    /// What accepting the wall clock would do; absent where J is not ahead of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<ClockAccept>,
    /// How often a wrong clock was accepted. Every license request says so.
    pub accepted: u64,
    /// The last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ClockLast>,
    /// For If-Match.
    pub revision: u64,
}

/// What accepting the wall clock would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockAccept {
    /// Where J would go.
    pub to: u64,
    /// The wall clock is below the newest vendor date, so J would go back to that date only.
    pub held_by_vendor: bool,
    /// Licenses that would stand otherwise; told to those who may see licenses.
    pub licenses: Vec<ClockLicense>,
}

/// A license that would stand otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockLicense {
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub id: String,
    /// Its status now, as in the list of licenses.
    pub now: String,
    /// Its status then.
    pub then: String,
}

/// The last time that a wrong clock was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockLast {
    /// J before.
    pub from: u64,
    /// J after.
    pub to: u64,
    /// Seconds of lease time since.
    pub ago_s: u64,
}

/// What accepting did: `POST /v1/clock/accept`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClockAccepted {
    /// J was put back; false where it was not ahead.
    pub accepted: bool,
    /// The clocks before.
    pub before: Clock,
    /// The clocks after.
    pub after: Clock,
}
