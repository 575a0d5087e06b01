//! The audit log on the wire: events exactly as the journal keeps them, and beside them what helps to read them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An event of the journal with its stored bytes: `GET /v1/audit`.
///
/// Only `stored` is hashed. All else is read from it, or from the store of names, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEvent {
    /// Its number, from 1.
    pub n: u64,
    /// The hash after it, in hex: SHA-256 over the 32 bytes of the hash before it and the bytes of `stored`. Before
    /// event 1 the hash is 32 zero bytes.
    pub hash: String,
    /// The event as JSON, exactly as it is stored: do not write it anew before hashing it.
    pub stored: String,
    /// Wall clock when it was recorded.
    pub wall_s: u64,
    /// The event's name.
    pub kind: String,
    /// Who caused it.
    pub actor: String,
    /// Where it came in: `socket`, `inbox`, `run` (a start or stop) or `watch` (a deadline).
    pub origin: String,
    /// The trace id of the exchange that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What happened, in words.
    pub text: String,
    /// Names of the users and machines whose ids stand in it; who was erased has none.
    pub names: BTreeMap<String, String>,
}

/// Where the journal stands, signed by the site key: `GET /v1/audit/anchor`, and the last line of an export. Where events
/// were pruned, also what stands for them: `GET /v1/audit/pruned`, and the first line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditAnchor {
    /// The token (`seatkeeper-anchor+jwt`): number and hash of the last event, site key, date, epoch and run.
    pub anchor: String,
    /// The public site key (SubjectPublicKeyInfo PEM), so that the anchor can be verified where the daemon is not. Whose
    /// key it is, only its thumbprint says: compare it with one that came another way.
    pub site_key: String,
}
