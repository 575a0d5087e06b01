//! Roles and who has them.

use serde::{Deserialize, Serialize};

/// A role: `GET /v1/roles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it gives, by the names of permissions.
    pub permissions: Vec<String>,
    /// How far from the unit that it is given at: `unit`, `below` (and all below it), `customers` (from an account also
    /// those that it manages).
    pub reach: String,
    /// Every site has it.
    pub usual: bool,
    /// A usual one that this site made otherwise.
    pub changed: bool,
    /// For If-Match; 0 for a usual one that is as it came.
    pub revision: u64,
    /// What ended of those who have it, where it gives more by a change; in the answer to that change alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<super::Ended>,
}

/// What ended with a change: who is given more keeps nothing that others made for them before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ended {
    /// Codes that were out.
    #[serde(default)]
    pub codes: u64,
    /// Tokens.
    #[serde(default)]
    pub tokens: u64,
    /// Sessions.
    #[serde(default)]
    pub sessions: u64,
}

/// Says what a role is made of: `PUT /v1/roles/{role}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleDefine {
    /// What it gives, by the names of permissions.
    pub permissions: Vec<String>,
    /// `unit`, `below` or `customers`.
    pub reach: String,
}

/// A role that somebody has at a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenRole {
    /// The role's name.
    pub role: String,
    /// Where: the path of a unit, or its id. Nowhere is the home account.
    #[serde(default)]
    pub unit: String,
}

/// Roles that somebody gets and loses: `PATCH /v1/users/{user}/roles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RolesChange {
    /// Roles that they get.
    #[serde(default)]
    pub give: Vec<GivenRole>,
    /// Roles that they lose.
    #[serde(default)]
    pub take: Vec<GivenRole>,
}
