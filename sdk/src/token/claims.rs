//! Claims sets of the token kinds. Closed: an unknown, missing or ill-typed claim refuses the token.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `typ` of each kind. The typ is the version: a new restriction is a new typ.
pub mod typ {
    /// Vendor root → issuing key.
    pub const ISSUER: &str = "seatkeeper-issuer+jwt";
    /// Issuing key → license.
    pub const LICENSE: &str = "seatkeeper-license+jwt";
    /// Site key → lease key.
    pub const DELEGATION: &str = "seatkeeper-delegation+jwt";
    /// A site asks a vendor for a license.
    pub const REQUEST: &str = "seatkeeper-request+jwt";
    /// Lease key → one holder.
    pub const LEASE: &str = "seatkeeper-lease+jwt";
    /// Site key → the head of the journal's hash chain.
    pub const ANCHOR: &str = "seatkeeper-anchor+jwt";
}

/// A set of words that is read from a JSON string and nothing else: derived enums also take `{"word":null}` (S2).
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $word:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $word,)* }

        impl $name {
            /// The word as it stands in the token.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$word => $text,)* }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                match &*String::deserialize(d)? {
                    $($text => Ok($name::$word),)*
                    other => Err(serde::de::Error::unknown_variant(other, &[$($text),*])),
                }
            }
        }
    };
}

/// Signed, ignored when unknown, granting and restricting nothing: the one open member.
pub type Info = serde_json::Map<String, serde_json::Value>;

/// Proof-of-possession key (RFC 7800), exactly `{"jwk":{"kty":"OKP","crv":"Ed25519","x":…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cnf {
    /// The key.
    pub jwk: Jwk,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// base64url of 32 bytes.
    pub x: String,
}

/// An issuer token: a vendor root names an issuing key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Vendor name.
    pub iss: String,
    /// Thumbprint of the issuing key.
    pub sub: String,
    /// Random id.
    pub jti: String,
    /// Signed at.
    pub iat: u64,
    /// Issues from.
    pub nbf: u64,
    /// Issues until.
    pub exp: u64,
    /// The issuing key.
    pub cnf: Cnf,
    /// Products that it may license; never empty.
    pub products: Vec<String>,
    /// Licenses below this serial are withdrawn.
    pub min_serial: u64,
    /// Thumbprints of issuing keys that are withdrawn.
    pub revoked_kids: Vec<String>,
    /// Open.
    pub info: Info,
}

/// A license.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct License {
    /// Vendor name.
    pub iss: String,
    /// License id.
    pub sub: String,
    /// Signed at.
    pub iat: u64,
    /// Higher in each renewal, from 1.
    pub serial: u64,
    /// Id of the license that it replaces, or null.
    #[serde(deserialize_with = "present")]
    pub replaces: Option<String>,
    /// Product.
    pub product: String,
    /// For whom.
    pub customer: Customer,
    /// Valid from.
    pub nbf: u64,
    /// Dated or perpetual.
    pub term: Term,
    /// Valid until; there exactly when `term` is `dated`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "never_null"
    )]
    pub exp: Option<u64>,
    /// The site key.
    pub cnf: Cnf,
    /// What is licensed; names are unique, never empty.
    pub features: Vec<Feature>,
    /// Open: support address and the like.
    pub info: Info,
}

/// The customer of a license.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Account id.
    pub id: String,
    /// Account name.
    pub name: String,
    /// Mail address of the fulfillment contact (B1).
    pub contact: String,
    /// Account id of the partner who manages it, or null (rule 1).
    #[serde(deserialize_with = "present")]
    pub managed_by: Option<String>,
}

words! {
    /// How long a license runs.
    Term {
        /// Until `exp`.
        Dated "dated",
        /// For ever.
        Perpetual "perpetual",
    }
}

/// One feature of a license.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name within the product.
    pub name: String,
    /// A number, or `"unlimited"`.
    pub seats: Count,
    /// How seats are owned (rule 7).
    pub model: Model,
    /// Who counts as one (rule 6).
    pub counting: Counting,
    /// Highest version served, or null (rule 12).
    #[serde(deserialize_with = "present")]
    pub version: Option<String>,
    /// Seconds that a lease lives; ttl + grace ≤ 86,400.
    pub ttl_s: u64,
    /// Seconds of grace.
    pub grace_s: u64,
    /// Seconds to save, at most the ttl.
    pub save_s: u64,
    /// Seconds of pause after a reclaim.
    pub cool_down_s: u64,
    /// Seconds that a seat lingers.
    pub linger_s: u64,
    /// Overdraft slots.
    pub overdraft: u64,
    /// Holders per grant: a number from 1, or `"unlimited"`.
    pub share_max: Count,
    /// Seconds before a named seat may be recalled.
    pub named_min_s: u64,
    /// Borrow terms, or null where it may not be borrowed.
    #[serde(deserialize_with = "present")]
    pub borrow: Option<Borrow>,
    /// Policies always granted.
    pub policies: Vec<String>,
    /// Policies chosen per assignment.
    pub optional_policies: Vec<String>,
}

/// A number, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Count {
    /// So many.
    Number(u64),
    /// No limit.
    Unlimited(Unlimited),
}

words! {
    /// The word `"unlimited"`.
    Unlimited {
        /// The word.
        Unlimited "unlimited",
    }
}

impl Count {
    /// No limit.
    pub const UNLIMITED: Count = Count::Unlimited(Unlimited::Unlimited);

    /// The number, where there is one.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        match self {
            Count::Number(n) => Some(n),
            Count::Unlimited(_) => None,
        }
    }
}

words! {
    /// How seats are owned (rule 7).
    Model {
        /// The grant ends with its last holder.
        Floating "floating",
        /// The grant is kept for its unit.
        Named "named",
    }
}

words! {
    /// Who counts as one (rule 6).
    Counting {
        /// One life of a process.
        Process "process",
        /// A user, wherever they sit.
        User "user",
        /// A machine since its last boot.
        Host "host",
        /// A user on one machine.
        UserHost "user+host",
    }
}

/// Borrow terms (rule 18).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Borrow {
    /// Longest borrow in days, at most 30.
    pub max_days: u64,
    /// Share of the seats open to borrowing, in percent.
    pub max_share_percent: u64,
    /// Early return is trusted.
    pub trust_early_return: bool,
    /// Write-offs per year.
    pub write_offs: u64,
}

/// A delegation: the site key names the lease key, for at most 90 days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Thumbprint of the site key.
    pub iss: String,
    /// Thumbprint of the lease key.
    pub sub: String,
    /// Random id.
    pub jti: String,
    /// Signed at.
    pub iat: u64,
    /// Leases from.
    pub nbf: u64,
    /// Leases until.
    pub exp: u64,
    /// The lease key.
    pub cnf: Cnf,
    /// `"all"`, or ranges per license and feature.
    pub slots: Slots,
    /// Open.
    pub info: Info,
}

/// The slots that a lease key may lease: `"all"`, or `{"ranges":[…]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Slots {
    /// All of them.
    Word(AllSlots),
    /// Only these.
    Some(SlotRanges),
}

words! {
    /// The word `"all"`.
    AllSlots {
        /// The word.
        All "all",
    }
}

/// `{"ranges":[…]}`, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRanges {
    /// The ranges.
    pub ranges: Vec<SlotRange>,
}

impl Slots {
    /// All of them.
    pub const ALL: Slots = Slots::Word(AllSlots::All);
}

/// A range of slots of one pool, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotRange {
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub license: String,
    /// Feature.
    pub feature: String,
    /// First slot.
    pub first: u64,
    /// Last slot.
    pub last: u64,
}

/// A license request, signed by the site key that it carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Thumbprint of the site key.
    pub iss: String,
    /// Random id: a vendor takes a request once.
    pub jti: String,
    /// Signed at.
    pub iat: u64,
    /// The site key.
    pub cnf: Cnf,
    /// The site's name.
    pub site: String,
    /// Account (company) id (L10).
    pub account: String,
    /// Product version to be licensed, or null (L12).
    #[serde(deserialize_with = "present")]
    pub product_version: Option<String>,
    /// Order number, or null.
    #[serde(deserialize_with = "present")]
    pub order: Option<String>,
    /// What is installed.
    pub installed: Vec<InstalledRef>,
    /// How often a wrong clock was accepted; 0 today.
    pub clocks_accepted: u64,
    /// Version of the daemon.
    pub daemon: String,
    /// Open.
    pub info: Info,
}

/// An installed license, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstalledRef {
    /// Vendor name.
    pub vendor: String,
    /// License id.
    pub license: String,
    /// Serial.
    pub serial: u64,
}

/// A lease: one holder may sit, for so long, on these slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// Thumbprint of the lease key.
    pub iss: String,
    /// The person's login, `name@machine`.
    pub sub: String,
    /// The holder, `E.N.H`.
    pub jti: String,
    /// base64url SHA-256 of the license token.
    pub license: String,
    /// The feature.
    pub feature: String,
    /// The version asked for, or null.
    #[serde(deserialize_with = "present")]
    pub version: Option<String>,
    /// Policies granted.
    pub policies: Vec<String>,
    /// Slots, ascending, never empty.
    pub slots: Vec<u64>,
    /// The grant, `E.N`.
    pub gid: String,
    /// Number of this lease in its epoch.
    pub seq: u64,
    /// Epoch of the daemon's run.
    pub epoch: u64,
    /// The daemon's run.
    pub run_id: String,
    /// The call's nonce.
    pub nonce: String,
    /// Signed at (J).
    pub iat: u64,
    /// Seconds that it lives, from the send of the call.
    pub ttl_s: u64,
    /// Seconds of grace after it.
    pub grace_s: u64,
    /// Why it is the last; absent where it is not.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "never_null"
    )]
    pub last: Option<Last>,
    /// Codes of warnings (`expires_soon`, `over_soft_limit`).
    pub warning: Vec<String>,
    /// base64url SHA-256 of the 16 raw bytes of the boot id and the raw nonce.
    pub host: String,
    /// Open.
    pub info: Info,
}

words! {
    /// Why a lease is the last (rule 16).
    Last {
        /// An administrator took the seat back.
        Reclaimed "reclaimed",
        /// Its user released it from elsewhere.
        Released "released",
        /// Its user lost the right.
        RightLost "right_lost",
        /// A newer license or grant took its place.
        Superseded "superseded",
    }
}

/// An anchor: the site key signs where the journal's hash chain stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Thumbprint of the site key.
    pub iss: String,
    /// Signed at (J).
    pub iat: u64,
    /// Number of the last event, from 1.
    pub number: u64,
    /// The hash after it: base64url of 32 bytes.
    pub hash: String,
    /// Epoch of the daemon's run.
    pub epoch: u64,
    /// The daemon's run.
    pub run_id: String,
    /// Open.
    pub info: Info,
}

/// A claim that may be null but must be there (S2): serde alone takes a missing `Option` for null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(d)
}

/// A claim that may be missing but is never null (S2).
fn never_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    T::deserialize(d).map(Some)
}
