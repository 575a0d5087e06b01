//! Delegations: a site key names the daemon's lease key, for at most 90 days.

use super::bounds::{self, Check, ensure};
use super::claims::{Delegation, SlotRange, Slots};
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;

/// The longest delegation in seconds: 90 days.
pub const SPAN_MAX_S: u64 = 90 * bounds::DAY;

/// Verifies a delegation under a site key. Dates are judged by the chain.
///
/// # Errors
/// Whatever keeps it from being exactly such a token.
pub fn verify(token: &str, site_key: &PublicKey) -> Result<Delegation, TokenError> {
    jws::open(token, site_key)
}

/// Signs one with a site key.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &Delegation, site_key: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, site_key)
}

impl Claims for Delegation {
    const KIND: Kind = Kind::Delegation;
    /// It travels beside a lease in bodies of 64 KiB.
    const MAX: usize = 16 * 1024;

    fn check(&self) -> Check {
        bounds::hash("iss", &self.iss)?;
        bounds::key_named("sub", &self.sub, &self.cnf)?;
        bounds::name("jti", &self.jti)?;
        bounds::number("iat", self.iat)?;
        bounds::span(self.nbf, self.exp)?;
        let span = self.exp - self.nbf.min(self.iat);
        bounds::at_most("exp - nbf", span, SPAN_MAX_S)?;
        slots(&self.slots)
    }

    fn signer(&self) -> Option<&str> {
        Some(&self.iss)
    }
}

fn slots(slots: &Slots) -> Check {
    match slots {
        Slots::Word(_) => Ok(()),
        Slots::Some(some) => {
            ensure(!some.ranges.is_empty(), || {
                "slots.ranges is empty".to_owned()
            })?;
            some.ranges.iter().try_for_each(range)
        }
    }
}

fn range(range: &SlotRange) -> Check {
    bounds::name("slots.vendor", &range.vendor)?;
    bounds::name("slots.license", &range.license)?;
    bounds::name("slots.feature", &range.feature)?;
    bounds::number("slots.last", range.last)?;
    ensure(range.first <= range.last, || {
        "slots.first is after slots.last".to_owned()
    })
}
