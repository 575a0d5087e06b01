//! What a vendor signed, as far as the rules read it.

use crate::command::Signed;
use crate::ids::{LicenseId, Name};
use crate::time::Date;
use serde::{Deserialize, Serialize};

/// A verified license, as far as the rules read it, with its tokens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LicenseTerms {
    /// Vendor and id.
    pub id: LicenseId,
    /// Higher in each renewal.
    pub serial: u64,
    /// The id of the license that this one replaces.
    pub replaces: Option<Name>,
    /// The product.
    pub product: Name,
    /// The customer's id, as the vendor names it; a renewal is for the same one.
    #[serde(default)]
    pub customer: Name,
    /// Thumbprint of the vendor root above it.
    pub root: Name,
    /// Thumbprint of the issuing key that signed it.
    pub kid: Name,
    /// Hash and `iat` of the token.
    pub signed: Signed,
    /// Valid from.
    pub nbf: Date,
    /// Valid until; `None` is perpetual.
    pub exp: Option<Date>,
    /// What it licenses.
    pub features: Vec<Feature>,
    /// The license token.
    pub token: Name,
    /// The issuer token.
    pub issuer: Name,
}

/// One feature of a license.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: Name,
    /// How many seats; `None` is unlimited.
    pub seats: Option<u64>,
    /// Slots at and above `seats` that rule 12 may lend.
    pub overdraft: u64,
    /// How seats are owned.
    pub model: Model,
    /// Who counts as one.
    pub unit: CountingUnit,
    /// Highest version served; `None` is any.
    pub version: Option<Name>,
    /// Seconds that a lease lives.
    pub ttl_s: u64,
    /// Seconds of grace after it.
    pub grace_s: u64,
    /// Seconds that a last lease lives.
    pub save_s: u64,
    /// Seconds after a reclaim.
    pub cool_down_s: u64,
    /// Holders that may share a grant; `None` is any number.
    pub share_max: Option<u64>,
    /// Seconds that a user's seat lingers (rule 12; no effect yet).
    pub linger_s: u64,
    /// Seconds for which a named seat stays its unit's, whatever happens (rule 7).
    pub named_min_s: u64,
    /// Policies always granted.
    pub policies: Vec<Name>,
    /// Policies chosen per assignment.
    pub optional: Vec<Name>,
}

/// How seats are owned (rule 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The grant ends with its last holder.
    Floating,
    /// One seat each, kept for its unit when its last holder has ended.
    Named,
}

/// Who counts as one (rule 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum CountingUnit {
    #[serde(rename = "process")]
    Process,
    #[serde(rename = "user")]
    User,
    #[serde(rename = "host")]
    Host,
    #[serde(rename = "user+host")]
    UserHost,
}
