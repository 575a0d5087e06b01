//! Anchors: the site key signs where the journal's hash chain stands, so that it cannot be rewritten unseen.
//!
//! An anchor grants and restricts nothing, and no application meets one. Kept elsewhere, it shows later whether the events
//! up to its number are still the same.

use super::bounds::{self, Check, ensure};
use super::claims::Anchor;
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Verifies an anchor under a site key.
///
/// # Errors
/// Whatever keeps it from being exactly such a token.
pub fn verify(token: &str, site_key: &PublicKey) -> Result<Anchor, TokenError> {
    jws::open(token, site_key)
}

/// Signs one with the site key.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &Anchor, site_key: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, site_key)
}

/// The claim `hash` of a hash.
#[must_use]
pub fn hash_text(hash: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(hash)
}

/// The hash in a claim `hash`.
#[must_use]
pub fn hash_of(claims: &Anchor) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD
        .decode(&claims.hash)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
}

impl Claims for Anchor {
    const KIND: Kind = Kind::Anchor;
    /// A line of an export; its own claims have some 250 bytes.
    const MAX: usize = 4 * 1024;

    fn check(&self) -> Check {
        bounds::hash("iss", &self.iss)?;
        bounds::number("iat", self.iat)?;
        bounds::number("number", self.number)?;
        ensure(self.number > 0, || {
            "number is 0, and there is no event 0".to_owned()
        })?;
        bounds::hash("hash", &self.hash)?;
        bounds::number("epoch", self.epoch)?;
        bounds::name("run_id", &self.run_id)
    }

    fn signer(&self) -> Option<&str> {
        Some(&self.iss)
    }
}
