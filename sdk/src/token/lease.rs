//! Leases: a lease key says that one holder may sit, for so long, on these slots.

use super::bounds::{self, Check, ensure};
use super::claims::Lease;
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes that a nonce has at least (S18) and at most.
pub const NONCE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Verifies a lease under a lease key. What it must say is judged by the chain.
///
/// # Errors
/// Whatever keeps it from being exactly such a token.
pub fn verify(token: &str, lease_key: &PublicKey) -> Result<Lease, TokenError> {
    jws::open(token, lease_key)
}

/// The key id that a lease names. Not verified: it only helps to find the key.
///
/// # Errors
/// Whatever is no lease by size, shape and header.
pub fn kid(token: &str) -> Result<String, TokenError> {
    jws::kid_of(Kind::Lease, token)
}

/// Signs one with the lease key.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &Lease, lease_key: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, lease_key)
}

/// The raw bytes of a nonce, where it is one: base64url of 16 to 64 bytes.
#[must_use]
pub fn nonce(text: &str) -> Option<Vec<u8>> {
    let mut room = [0; NONCE_ROOM];
    let bytes = nonce_bytes(text, &mut room)?;
    Some(room[..bytes].to_vec())
}

/// Room for what the longest nonce's letters could be at the most.
const NONCE_ROOM: usize = 66;

fn nonce_bytes(text: &str, room: &mut [u8; NONCE_ROOM]) -> Option<usize> {
    if text.len() > 4 * NONCE_BYTES.end() / 3 + 1 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode_slice(text, room).ok()?;
    NONCE_BYTES.contains(&bytes).then_some(bytes)
}

impl Claims for Lease {
    const KIND: Kind = Kind::Lease;
    /// Room for 1,024 slots of any number and for the policies of any feature. It travels beside a delegation in bodies
    /// of 64 KiB.
    const MAX: usize = 32 * 1024;

    fn check(&self) -> Check {
        bounds::hash("iss", &self.iss)?;
        bounds::text("sub", &self.sub)?;
        ids(self)?;
        bounds::hash("license", &self.license)?;
        bounds::name("feature", &self.feature)?;
        bounds::optional("version", self.version.as_deref(), bounds::version)?;
        bounds::names("policies", self.policies.iter().map(String::as_str))?;
        slots(&self.slots)?;
        for (claim, value) in [("seq", self.seq), ("epoch", self.epoch), ("iat", self.iat)] {
            bounds::number(claim, value)?;
        }
        bounds::name("run_id", &self.run_id)?;
        let is_nonce = nonce_bytes(&self.nonce, &mut [0; NONCE_ROOM]).is_some();
        ensure(is_nonce, || {
            "nonce is not base64url of 16 to 64 bytes".to_owned()
        })?;
        ensure(self.ttl_s >= 1, || "ttl_s is 0".to_owned())?;
        bounds::at_most(
            "ttl_s + grace_s",
            self.ttl_s.saturating_add(self.grace_s),
            bounds::DAY,
        )?;
        ensure(self.last.is_none() || self.grace_s == 0, || {
            "a last lease with grace (rule 16)".to_owned()
        })?;
        bounds::names("warning", self.warning.iter().map(String::as_str))?;
        bounds::hash("host", &self.host)
    }

    fn signer(&self) -> Option<&str> {
        Some(&self.iss)
    }
}

/// `gid` is `E.N`, and `jti` a holder `E.N.H` of it.
fn ids(lease: &Lease) -> Check {
    let number = |part: &str| {
        part == "0"
            || !part.starts_with('0') && part.parse().is_ok_and(|n: u64| n <= bounds::NUMBER_MAX)
    };
    let numbers = |text: &str, many: usize| {
        text.split('.').count() == many
            && text
                .split('.')
                .all(|part| part.bytes().all(|b| b.is_ascii_digit()) && number(part))
    };
    ensure(numbers(&lease.gid, 2), || "gid is not EPOCH.N".to_owned())?;
    let of_gid = lease
        .jti
        .rsplit_once('.')
        .is_some_and(|(gid, _)| gid == lease.gid);
    ensure(of_gid && numbers(&lease.jti, 3), || {
        "jti is not a holder of gid".to_owned()
    })
}

fn slots(slots: &[u64]) -> Check {
    let last = slots.last().ok_or_else(|| "slots is empty".to_owned())?;
    bounds::number("slots", *last)?;
    ensure(slots.is_sorted_by(|a, b| a < b), || {
        "slots are not ascending".to_owned()
    })
}
