//! What the values of claims must keep beyond their types. A text that is returned names the claim.

use super::claims::{Cnf, Count};
use super::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeSet;

/// The largest integer that every JSON reader keeps exactly: 2⁵³−1.
pub(super) const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Bytes of a name: vendor, product, feature, license, policy.
pub(super) const NAME_MAX: usize = 128;
/// Bytes of a text for people.
pub(super) const TEXT_MAX: usize = 256;
/// Members of a list.
pub(super) const LIST_MAX: usize = 10_000;
/// Bytes of the policies of one feature as JSON: every lease carries them.
pub(super) const POLICIES_MAX: usize = 4096;
/// Seconds of any duration: ten years.
pub(super) const DURATION_MAX: u64 = 10 * 366 * DAY;
/// Seconds of a day, and the longest ttl and grace together.
pub(super) const DAY: u64 = 86_400;

pub(super) type Check = Result<(), String>;

/// Refuses with a text where something does not hold.
pub(super) fn ensure(holds: bool, text: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(text()) }
}

pub(super) fn number(claim: &str, value: u64) -> Check {
    at_most(claim, value, NUMBER_MAX)
}

pub(super) fn at_most(claim: &str, value: u64, most: u64) -> Check {
    ensure(value <= most, || {
        format!("{claim} is {value}, at most {most} is allowed")
    })
}

pub(super) fn count(claim: &str, value: Count) -> Check {
    match value {
        Count::Number(0) => Err(format!("{claim} is 0, at least 1 is needed")),
        Count::Number(n) => number(claim, n),
        Count::Unlimited(_) => Ok(()),
    }
}

/// A name: it stands between slashes in `vendor/license/feature`, so it has none itself.
pub(super) fn name(claim: &str, value: &str) -> Check {
    ensure(value.len() <= NAME_MAX, || {
        format!(
            "{claim} has {} bytes, at most {NAME_MAX} are allowed",
            value.len()
        )
    })?;
    text(claim, value)?;
    ensure(!value.contains('/'), || format!("{claim} contains a slash"))
}

/// A text for people, on one line.
pub(super) fn text(claim: &str, value: &str) -> Check {
    ensure(!value.is_empty(), || format!("{claim} is empty"))?;
    ensure(value.len() <= TEXT_MAX, || {
        format!(
            "{claim} has {} bytes, at most {TEXT_MAX} are allowed",
            value.len()
        )
    })?;
    ensure(!value.chars().any(deceives), || {
        format!("{claim} contains a control character")
    })?;
    ensure(value.trim() == value, || {
        format!("{claim} begins or ends with white space")
    })
}

pub(super) fn optional(claim: &str, value: Option<&str>, check: fn(&str, &str) -> Check) -> Check {
    value.map_or(Ok(()), |value| check(claim, value))
}

/// Names, each once.
pub(super) fn names<'a>(claim: &str, values: impl IntoIterator<Item = &'a str>) -> Check {
    let mut seen = BTreeSet::new();
    for value in values {
        name(claim, value)?;
        ensure(seen.insert(value), || {
            format!("{claim} has {value:?} twice")
        })?;
        ensure(seen.len() <= LIST_MAX, || {
            format!("{claim} has more than {LIST_MAX} members")
        })?;
    }
    Ok(())
}

/// base64url of the 32 bytes of a SHA-256.
pub(super) fn hash(claim: &str, value: &str) -> Check {
    // Room for what 43 letters could be at the most.
    let fits = value.len() == 43 && URL_SAFE_NO_PAD.decode_slice(value, &mut [0; 33]).is_ok();
    ensure(fits, || format!("{claim} is not a SHA-256 in base64url"))
}

/// The key in `cnf`, whose thumbprint `name` (claim `claim`) must be.
pub(super) fn key_named(claim: &str, name: &str, cnf: &Cnf) -> Check {
    let key = key(cnf)?;
    ensure(key.thumbprint() == name, || {
        format!("{claim} is not the thumbprint of the key in cnf")
    })
}

pub(super) fn key(cnf: &Cnf) -> Result<PublicKey, String> {
    PublicKey::from_jwk(&cnf.jwk).map_err(|e| format!("cnf: {e}"))
}

/// `nbf` before `exp`.
pub(super) fn span(nbf: u64, exp: u64) -> Check {
    number("nbf", nbf)?;
    number("exp", exp)?;
    ensure(nbf < exp, || "exp is not after nbf".to_owned())
}

/// A version or its limit (rule 12): numbers joined by dots.
pub(super) fn version(claim: &str, value: &str) -> Check {
    name(claim, value)?;
    let numbers = value
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    ensure(numbers, || {
        format!("{claim} is {value:?}, not numbers joined by dots (rule 12)")
    })
}

/// Control characters, and those that change the direction of text.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
