//! The lease token that a client shows (rule 21): read, not believed. It only tells which tokens above a lease the
//! client has already; run, epoch and sequence number ride in it for the reactions of rule 21, which come next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What is read of it. It is not verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) lease_key: String,
    pub(super) license: String,
    pub(super) iat: u64,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    license: String,
    iat: u64,
}

/// Reads a shown token; nothing where it cannot be read: then the whole chain is sent.
pub(super) fn read(token: &str) -> Option<Seen> {
    let payload = token.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Some(Seen {
        lease_key: claims.iss,
        license: claims.license,
        iat: claims.iat,
    })
}
