//! Coming in, on the wire: who asks for an account, and what they are answered (rule 1).

use serde::{Deserialize, Serialize};

/// Somebody who asked to come in: `GET /v1/registrations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registration {
    /// Their id as a user.
    pub id: String,
    /// Their login.
    pub login: String,
    /// `pending`, or `active` where they were let in.
    pub status: String,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `proved` by a code that was mailed there or by `verify`, `given` by an administrator, or `not_proved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_is: Option<String>,
    /// The address is proved: where the account lets in its domain they do not wait.
    #[serde(default)]
    pub verified: bool,
    /// The account that they ask for, by name.
    pub account: String,
    /// The same by id: who knows that of a self-registered account may join it.
    pub account_id: String,
    /// `company`, `join`, `license` or `access`: how they came to it.
    pub way: String,
    /// The license that they named, `VENDOR/ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The account whose administrators answer it, by name; absent for those of this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// When they asked, in seconds since 1970.
    pub since: u64,
    /// For If-Match.
    pub revision: u64,
    /// What of theirs ended with a change; in the answer to that change alone, and where something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<super::Ended>,
}

/// Asks to come in: `POST /v1/registrations`. Exactly one of `company`, `join`, `license` and `access`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationMake {
    /// The id that they get as a user, so that a repetition is the same one (rule 20); else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Their company: an account of this name is made for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The id of a self-registered account, which they join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// The activation id: the id of a license, or `VENDOR/ID`, whose account they join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// The id of an account that they ask access to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
}

/// Lets somebody in: `POST /v1/registrations/{user}/approve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegistrationApprove {
    /// Units of the account that they are in from then on; none is where they asked for.
    #[serde(default)]
    pub units: Vec<String>,
}
