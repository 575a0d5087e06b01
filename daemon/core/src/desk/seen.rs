//! The lease token that a client shows (rule 21): read, not believed. It only tells which tokens above a lease the
//! client has already; run, epoch and sequence number ride in it for the reactions of rule 21, which come next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper_engine::ids::TokenHash;
use serde::Deserialize;

/// What is read of it. It is not verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// It names this daemon's lease key.
    pub(super) ours: bool,
    pub(super) license: TokenHash,
    pub(super) iat: u64,
}

/// As our own tokens write them: without an escape.
#[derive(Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    license: &'a str,
    iat: u64,
}

/// Reads a shown token; nothing where it cannot be read: then the whole chain is sent.
pub(super) fn read(token: &str, lease_key: &str) -> Option<Seen> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims<'_> = serde_json::from_slice(&payload).ok()?;
    let license = URL_SAFE_NO_PAD.decode(claims.license).ok()?;
    Some(Seen {
        ours: claims.iss == lease_key,
        license: TokenHash(license.try_into().ok()?),
        iat: claims.iat,
    })
}
