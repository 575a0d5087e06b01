//! The organisation on the wire: accounts and units, groups, users. Ids are 32 lower-case hex digits; wherever one of these is
//! referred to, its name does as well: a unit's path (`East/Boston`), a group's name, a user's login.

use super::EndingHolder;
use serde::{Deserialize, Serialize};

/// What was changed, and who loses a seat by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changed<T> {
    /// As it is now.
    pub item: T,
    /// Holders whose user has no right any more: told at their next renewal, or refused there where it was hard.
    pub ending: Vec<EndingHolder>,
}

/// An account or a unit: `GET /v1/units`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unit {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The names from its account down, joined by `/`.
    pub path: String,
    /// The unit above it, by id; absent for an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// Of an account: `producer`, `partner`, `customer`, or `self-registered` (a customer that made itself).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of an account: the name of the account that manages it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Of an account: the ids by which vendors know it as a customer (rule 1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<CustomerAlias>,
    /// Of an account: domains whose people it lets in by itself, where their address is verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lets_in: Vec<String>,
    /// The home account: everyone is in it who was not placed elsewhere.
    #[serde(default)]
    pub home: bool,
    /// Units right below it.
    pub units: u64,
    /// Users who were placed in it (in the home account nobody needs to be).
    pub users: u64,
    /// For If-Match.
    pub revision: u64,
    /// What ended of those whose roles reach more by a change; in the answer to that change alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<super::Ended>,
}

/// A customer's id at a vendor, as a license of theirs names it: it stands for one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerAlias {
    /// Vendor name.
    pub vendor: String,
    /// The customer's id.
    pub id: String,
}

/// Makes an account or a unit: `POST /v1/units`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitMake {
    /// Brought by the caller, so that a repetition makes no second one (rule 20); else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 128 bytes without `/`; nothing else in the same place has it, whatever the case.
    pub name: String,
    /// The unit that it comes below; absent for an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// Of an account: `producer`, `partner` or `customer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of an account: the partner or producer account that manages it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// Changes one thing about an account or a unit: `PATCH /v1/units/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitChange {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// It moves below this unit, with all that is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// It becomes an account of this kind, or an account gets another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Another manager of an account; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// Who loses a right by a move gets no time to save.
    #[serde(default)]
    pub hard: bool,
}

/// A group: `GET /v1/groups`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The unit that it belongs to, as a path.
    pub unit: String,
    /// The groups that hold it, by name.
    pub groups: Vec<String>,
    /// Users right in it.
    pub users: u64,
    /// For If-Match.
    pub revision: u64,
}

/// Makes a group: `POST /v1/groups`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupMake {
    /// Brought by the caller (rule 20); else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// 1 to 128 bytes without `/`; no other group has it, whatever the case.
    pub name: String,
    /// The unit that it belongs to; else the home account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// Changes a group: `PATCH /v1/groups/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupChange {
    /// Another name.
    pub name: String,
}

/// Who comes into a group and who leaves it: `PATCH /v1/groups/{id}/members`. At most 500 in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembersChange {
    /// Users who join.
    #[serde(default)]
    pub add_users: Vec<String>,
    /// Groups that join.
    #[serde(default)]
    pub add_groups: Vec<String>,
    /// Users who leave.
    #[serde(default)]
    pub drop_users: Vec<String>,
    /// Groups that leave.
    #[serde(default)]
    pub drop_groups: Vec<String>,
    /// Who loses a right by leaving gets no time to save.
    #[serde(default)]
    pub hard: bool,
}

/// Who came into a group and who left it, and who loses a seat by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembersChanged {
    /// Users and groups that joined; those that were in it already did not.
    #[serde(default)]
    pub joined: u64,
    /// Users and groups that left.
    #[serde(default)]
    pub left: u64,
    /// Holders whose user has no right any more.
    pub ending: Vec<EndingHolder>,
}

/// One in a group: `GET /v1/groups/{id}/members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// `user` or `group`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The login, or the group's name.
    pub name: String,
}

/// A user: `GET /v1/users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Their id.
    pub id: String,
    /// Their login.
    pub login: String,
    /// Their mail address, where it is known and is not the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `proved` by a code that was mailed there, `given` by an administrator, or `not_proved`; where the login is the address,
    /// how that is known to be theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_is: Option<String>,
    /// `producer`, `partner`, `customer` or `self-registered`, by the accounts that they are in.
    #[serde(default)]
    pub kind: String,
    /// `invited`, `pending`, `active` or `suspended`.
    pub status: String,
    /// A guest, until this date (seconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// That date is over, by the daemon's time of dates: whatever the status, they have no right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// The units that they are in, as paths.
    pub units: Vec<String>,
    /// The same by id; none where they were made at first sight and are in the home account until they are placed.
    #[serde(default)]
    pub unit_ids: Vec<String>,
    /// The groups that they are in, by name.
    pub groups: Vec<String>,
    /// The roles that they were given, of the units that the caller sees.
    #[serde(default)]
    pub roles: Vec<super::GivenRole>,
    /// For If-Match.
    pub revision: u64,
    /// What of theirs ended with a change; in the answer to that change alone, and where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<super::Ended>,
}

/// Makes a user: `POST /v1/users`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserMake {
    /// Brought by the caller (rule 20); else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Their login: `name`, or `name@machine`.
    pub login: String,
    /// Their mail address, which is theirs alone: codes are mailed to it, and they may sign in by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Where they are; nowhere is the home account.
    #[serde(default)]
    pub units: Vec<String>,
    /// `active` unless another one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A guest, until this date (seconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// Changes a user: `PATCH /v1/users/{id}`. What is absent stays; `units` apart from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserChange {
    /// Whether they may sit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A guest, until this date (seconds since 1970); 0 for no guest any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// They are in exactly these units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<String>>,
    /// Their mail address, in a call of its own; empty for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// They get no time to save where they lose a right by it.
    #[serde(default)]
    pub hard: bool,
}
