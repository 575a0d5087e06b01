//! Assignments on the wire: whom a license is for, and what each gives, withholds and keeps (rules 3, 10, 11).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An assignment: `POST /v1/assignments` (rule 3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignment {
    /// 32 lower-case hex digits; may be brought by the caller (rule 20).
    pub id: String,
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub license: String,
    /// The user's login. Exactly one of user, group, unit and everyone says to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group's name: its members at any depth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The unit's path: everyone in it and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// For everyone in the account that the license is installed for.
    #[serde(default)]
    pub everyone: bool,
    /// Optional policies that it gives.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Whom it covers is refused: each of these features, or all with `*` (rule 10).
    #[serde(default)]
    pub exclude: Vec<String>,
    /// So many seats of a feature for all whom it covers together, by feature (rule 10).
    #[serde(default)]
    pub max: BTreeMap<String, u64>,
    /// So many seats of a feature for each of them.
    #[serde(default)]
    pub max_each: BTreeMap<String, u64>,
    /// So many seats of a feature are kept for those whom it covers, by feature (rule 11).
    #[serde(default)]
    pub reserve: BTreeMap<String, u64>,
    /// How many of the reserved seats are filled; read only.
    #[serde(default)]
    pub filled: BTreeMap<String, u64>,
    /// 0 to 9, lower first; absent is 5. It counts where requests wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// How many active users its license lets use one of its features at least by now, of those whom the caller sees; in the
    /// reply to one that was made; read only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u64>,
    /// The same of each feature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub may_use: BTreeMap<String, u64>,
    /// For If-Match.
    #[serde(default)]
    pub revision: u64,
}

/// Changes what an assignment gives and withholds: `PATCH /v1/assignments/{id}`. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssignmentChange {
    /// The optional policies that it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// The features that it refuses, or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// So many seats of a feature for all whom it covers together; empty for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<BTreeMap<String, u64>>,
    /// So many seats of a feature for each of them; empty for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_each: Option<BTreeMap<String, u64>>,
    /// So many seats of a feature are kept for those whom it covers; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<BTreeMap<String, u64>>,
    /// 0 to 9, lower first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Who loses a right by it gets no time to save.
    #[serde(default)]
    pub hard: bool,
}
