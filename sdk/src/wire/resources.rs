//! What the lists and pages of the API show. Dates are seconds since 1970 (J); ids are text.

use super::{Assignment, Code, MailStatus};
use serde::{Deserialize, Serialize};

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name { $($body)* }
    )*};
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the next page (`?after=`), absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

resources! {
    /// A vendor that this site trusts: `GET /v1/vendors`.
    Vendor {
        /// The name.
        pub name: String,
        /// Its root keys.
        pub roots: Vec<Root>,
        /// For If-Match.
        pub revision: u64,
    }
    /// A vendor root key.
    Root {
        /// RFC 7638 thumbprint.
        pub thumbprint: String,
        /// SubjectPublicKeyInfo PEM.
        pub pem: String,
    }
    /// An installed license.
    License {
        /// Vendor name.
        pub vendor: String,
        /// License id.
        pub id: String,
        /// Serial.
        pub serial: u64,
        /// Id of the license that it replaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub replaces: Option<String>,
        /// Product.
        pub product: String,
        /// `in_force`, `waiting` (for its first day), `not_started` (in force, and the dates were put back before its
        /// first day), `expired` or `revoked`.
        pub status: String,
        /// Customer account id and name, as signed.
        pub customer: String,
        /// The account that it is installed for, by name.
        #[serde(default)]
        pub account: String,
        /// Valid from.
        pub nbf: u64,
        /// Valid until; absent where perpetual.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub exp: Option<u64>,
        /// Features.
        pub features: Vec<LicenseFeature>,
        /// What this version does not serve yet, in sentences.
        pub notes: Vec<String>,
        /// base64url SHA-256 of the token.
        pub hash: String,
        /// For If-Match.
        pub revision: u64,
        /// Higher serials that wait for their first day, lowest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub waiting: Vec<WaitingLicense>,
    }
    /// A serial of a license that waits for its first day (rule 17).
    WaitingLicense {
        /// Serial.
        pub serial: u64,
        /// Product.
        pub product: String,
        /// `waiting`, or why it would not begin: `revoked`, `expired`.
        pub status: String,
        /// Its first day: in force from then on.
        pub nbf: u64,
        /// Valid until; absent where perpetual.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub exp: Option<u64>,
        /// Features.
        pub features: Vec<LicenseFeature>,
        /// base64url SHA-256 of the token.
        pub hash: String,
        /// For If-Match.
        pub revision: u64,
    }
    /// A feature of a license with its counts.
    LicenseFeature {
        /// The name.
        pub name: String,
        /// Seats; absent where unlimited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seats: Option<u64>,
        /// Slots in use; of named seats those that have owners.
        pub in_use: u64,
        /// Of those, the named seats that nobody sits on now (rule 7).
        #[serde(default)]
        pub kept: u64,
        /// Seats that assignments reserve (rule 11).
        #[serde(default)]
        pub reserved: u64,
        /// How many of those are filled.
        #[serde(default)]
        pub reserved_filled: u64,
        /// `floating` or `named`.
        pub model: String,
        /// `process`, `user`, `host` or `user+host`.
        pub counting: String,
        /// Highest version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<String>,
        /// Lease times in seconds: ttl, grace, save, cool-down.
        pub ttl_s: u64,
        /// Grace.
        pub grace_s: u64,
        /// Time to save.
        pub save_s: u64,
        /// Cool-down after a reclaim.
        pub cool_down_s: u64,
        /// Overdraft slots.
        pub overdraft: u64,
        /// Linger.
        pub linger_s: u64,
        /// Holders per grant; absent where any number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub share_max: Option<u64>,
        /// Default policies.
        pub policies: Vec<String>,
        /// Optional policies.
        pub optional: Vec<String>,
    }
    /// What a removal did, or would do: `DELETE /v1/licenses` and below (rule 17).
    Removed {
        /// False where it only says what it would do.
        pub changed: bool,
        /// What was taken away.
        pub licenses: Vec<RemovedLicense>,
        /// Whose seats end for it, by when at the latest.
        pub ending: Vec<EndingHolder>,
        /// Assignments that went with it.
        pub assignments: Vec<Assignment>,
        /// The license file of all that was taken away: to be kept, and installed to bring it back.
        pub file: String,
    }
    /// A serial that was taken away.
    RemovedLicense {
        /// Vendor name.
        pub vendor: String,
        /// License id.
        pub id: String,
        /// Serial.
        pub serial: u64,
        /// It had not begun.
        pub waiting: bool,
    }
    /// The holders that something ends.
    EndingReply {
        /// The holders.
        pub ending: Vec<EndingHolder>,
    }
    /// A user, a group or a registration that was taken away, and what went with it.
    TakenAway {
        /// The holders whose user has no right any more.
        pub ending: Vec<EndingHolder>,
        /// What was assigned to it, of what the caller sees.
        #[serde(default)]
        pub assignments: Vec<Assignment>,
    }
    /// A holder on its way out.
    EndingHolder {
        /// The holder.
        pub id: String,
        /// Its slots are free at the latest after so many seconds.
        pub within_s: u64,
    }
    /// A pool and its counts; read only.
    Pool {
        /// `vendor/license/feature`.
        pub id: String,
        /// Product.
        pub product: String,
        /// Feature.
        pub feature: String,
        /// Seats; absent where unlimited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub seats: Option<u64>,
        /// Slots in use; of named seats those that have owners.
        pub in_use: u64,
        /// Of those, the named seats that nobody sits on now (rule 7).
        #[serde(default)]
        pub kept: u64,
        /// Seats that assignments reserve (rule 11).
        #[serde(default)]
        pub reserved: u64,
        /// How many of those are filled.
        #[serde(default)]
        pub reserved_filled: u64,
        /// Free regular seats; absent where unlimited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub free: Option<u64>,
        /// `floating` or `named`.
        pub model: String,
        /// `process`, `user`, `host` or `user+host`.
        pub counting: String,
        /// False where it gives nothing now, for the reason in `status`.
        pub served: bool,
        /// `in_force`, `waiting`, `not_started`, `expired`, `revoked` or `superseded`.
        pub status: String,
    }
    /// A holder and its slots, or a named seat that nobody sits on: `GET /v1/seats`.
    Seat {
        /// The holder, `E.N.H`; of a seat that is kept the grant, `E.N`.
        pub id: String,
        /// The pool, `vendor/license/feature`.
        pub pool: String,
        /// Product.
        pub product: String,
        /// Feature.
        pub feature: String,
        /// Slots.
        pub slots: Vec<u64>,
        /// The person's login; of a seat that is kept whom it is kept for, empty where that is a machine.
        pub user: String,
        /// The machine's name; empty where a seat is kept for a user wherever they are.
        pub machine: String,
        /// The uid that took it; absent of a seat that is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub uid: Option<u32>,
        /// The pid, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub pid: Option<u32>,
        /// The version asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub version: Option<String>,
        /// `live`, or the reason of its ending; `kept` where nobody sits on it (rule 7).
        pub state: String,
        /// It stays its owner's when nobody sits on it (rule 7).
        #[serde(default)]
        pub named: bool,
        /// The process is watched; else only the hold counts (rule 14).
        pub watched: bool,
        /// Seconds since it sat down, as the daemon counts them; of a seat that is kept, since it was given.
        pub held_s: u64,
        /// It sat down before the daemon's last start: the time that the daemon did not run is not in `held_s`.
        #[serde(default)]
        pub held_at_least: bool,
        /// Seconds until its hold ends unless renewed; of a seat that is kept, until it may be taken from its owner.
        pub hold_s: u64,
    }
    /// An event of the journal: `GET /v1/events`.
    Event {
        /// Its number, from 1.
        pub n: u64,
        /// Its name.
        pub event: String,
        /// Wall clock when it was recorded, for people.
        pub wall_s: u64,
        /// Who caused it.
        pub actor: String,
        /// Where it came in.
        pub origin: String,
        /// The event as journaled.
        pub body: serde_json::Value,
    }
    /// `GET /v1/status`.
    Status {
        /// Version of the daemon.
        pub version: String,
        /// The site's name.
        pub site: String,
        /// Thumbprint of the site key.
        pub site_key: String,
        /// The present run.
        pub epoch: u64,
        /// Random id of the run.
        pub run_id: String,
        /// J.
        pub j: u64,
        /// Seconds that the wall clock stands behind J, from 5 minutes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub clock_behind_s: Option<u64>,
        /// How often a wrong clock was accepted.
        #[serde(default)]
        pub clocks_accepted: u64,
        /// Seconds that nothing new is granted yet, in quarantine (rule 21).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub quarantine_s: Option<u64>,
        /// The four counts that follow are of what the caller sees: false for those who administer the daemon, who see all.
        #[serde(default)]
        pub partial: bool,
        /// Licenses in force.
        pub licenses: u64,
        /// Licenses and renewals that wait for their first day.
        #[serde(default)]
        pub waiting: u64,
        /// Holders.
        pub holders: u64,
        /// Users.
        pub users: u64,
        /// Events in the journal, from the first one ever.
        pub events: u64,
        /// Events that were pruned: the first so many, which are there no more.
        #[serde(default)]
        pub pruned: u64,
        /// Free bytes below the state directory, and how many are kept in reserve.
        pub disk_free: u64,
        /// `disk_reserve`.
        pub disk_reserve: u64,
        /// The site key is kept elsewhere.
        #[serde(default)]
        pub site_key_elsewhere: bool,
        /// End of the delegation under which seats are signed then; absent where none is in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub delegation_exp: Option<u64>,
        /// Nothing new is granted (`storage_low`).
        pub storage_low: bool,
        /// Who administers this daemon, in words.
        #[serde(default)]
        pub administrators: String,
        /// The outbox, where mail is configured; told to those who operate the daemon.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub mail: Option<MailStatus>,
        /// What wants doing; told to them. Who waits for an answer is told to whoever may give it.
        pub findings: Vec<Finding>,
    }
    /// Something that wants doing, with its remedy.
    Finding {
        /// `ok` is never listed: `warning` or `error`.
        pub level: String,
        /// What it concerns: socket, clock, disk, key, delegation, license, inbox, mail,
        /// registration, reset.
        pub about: String,
        /// What is wrong.
        pub text: String,
        /// What to do.
        pub remedy: String,
        /// The code, where a refusal stands behind it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub code: Option<Code>,
        /// The file, where an inbox refused one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub file: Option<String>,
    }
    /// One setting and where it came from.
    ConfigEntry {
        /// The key.
        pub key: String,
        /// The value, as it would stand in the file.
        pub value: String,
        /// `default`, `FILE:LINE`, `environment NAME` or `flag`.
        pub origin: String,
    }
    /// `GET /v1/site-key`.
    SiteKey {
        /// RFC 7638 thumbprint.
        pub thumbprint: String,
        /// SubjectPublicKeyInfo PEM.
        pub pem: String,
        /// Exported at least once, or kept elsewhere.
        pub exported: bool,
        /// The key is not here: its daemon signs seats under a delegation that is brought.
        #[serde(default)]
        pub elsewhere: bool,
        /// End of the present delegation; absent where none is in force.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub delegation_exp: Option<u64>,
        /// The public half of the daemon's lease key, to be delegated to: SubjectPublicKeyInfo PEM.
        #[serde(default)]
        pub lease_key: String,
    }
    /// `POST /v1/site-key/delegation`.
    DelegationBody {
        /// What `site key delegate` wrote: the token, and lines that begin with #.
        pub delegation: String,
    }
    /// `POST /v1/license-request`.
    LicenseRequestBody {
        /// The account (company) id that the vendor gave.
        pub account: String,
        /// The product version to be licensed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub product_version: Option<String>,
        /// The order number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub order: Option<String>,
    }
    /// The request: a token to send to the vendor.
    LicenseRequestReply {
        /// The `.req` token.
        pub request: String,
        /// What else should be done now, in sentences (site key export).
        pub warnings: Vec<String>,
    }
    /// `POST /v1/site-key/export`.
    ExportBody {
        /// Protects the exported key.
        pub passphrase: String,
    }
    /// The exported site key.
    ExportReply {
        /// Encrypted PKCS#8 PEM under its `# seatkeeper site key: export DATE` line.
        pub pem: String,
    }
    /// `POST /v1/vendors`.
    TrustBody {
        /// The vendor's name.
        pub name: String,
        /// One or several SubjectPublicKeyInfo PEMs.
        pub pem: String,
    }
    /// `POST /v1/seats/{gid}/reclaim`.
    ReclaimBody {
        /// End without time to save.
        #[serde(default)]
        pub hard: bool,
        /// Take a named seat from its owner, too (rule 7).
        #[serde(default)]
        pub owner: bool,
    }
}
