//! Delegations: a site key names the daemon's lease key, for at most 90 days.

use super::bounds::{self, Check, ensure};
#[cfg(feature = "issue")]
use super::claims::Info;
use super::claims::{Delegation, SlotRange, Slots};
#[cfg(feature = "issue")]
use super::dates;
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;
#[cfg(feature = "issue")]
use super::keys::SigningKey;

/// The longest delegation in seconds: 90 days.
pub const SPAN_MAX_S: u64 = 90 * bounds::DAY;
/// A delegation begins this long before it is signed, so that a lease judged a moment earlier is not before it.
#[cfg(feature = "issue")]
const SLACK_S: u64 = 3600;

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
pub fn sign(claims: &Delegation, site_key: &SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, site_key)
}

/// The claims that let a lease key sign all slots for `span_s` seconds from `iat` on; `jti` is an id that nobody else has.
/// The longest ends an hour earlier, because it begins that long before it is signed.
#[cfg(feature = "issue")]
#[must_use]
pub fn to_lease_key(
    lease_key: &PublicKey,
    site_key: &SigningKey,
    (jti, iat): (String, u64),
    span_s: u64,
) -> Delegation {
    let nbf = iat.saturating_sub(SLACK_S);
    let exp = match iat.saturating_add(span_s) {
        exp if span_s <= SPAN_MAX_S => exp.min(nbf + SPAN_MAX_S),
        exp => exp,
    };
    Delegation {
        iss: site_key.thumbprint().to_owned(),
        sub: lease_key.thumbprint(),
        jti,
        iat,
        nbf,
        exp,
        cnf: lease_key.to_cnf(),
        slots: Slots::ALL,
        info: Info::new(),
    }
}

/// A delegation as it is carried from where the site key is to the daemon: a line for people, and the token.
#[cfg(feature = "issue")]
#[must_use]
pub fn file(claims: &Delegation, token: &str) -> String {
    format!(
        "# seatkeeper delegation: site key {} lets lease key {} sign seats from {} to {}\n{token}\n",
        claims.iss,
        claims.sub,
        dates::format(claims.nbf),
        dates::format(claims.exp)
    )
}

/// The token in such a file, or a token alone. Lines that begin with # decide nothing.
#[cfg(feature = "issue")]
#[must_use]
pub fn token_in(file: &str) -> Option<&str> {
    let lines = file.lines().map(str::trim);
    let mut tokens = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    tokens.next().filter(|_| tokens.next().is_none())
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
