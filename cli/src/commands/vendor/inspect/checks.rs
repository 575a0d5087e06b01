//! The checks: who signed what, whether the chain holds, and what the dates say today.

use super::Token;
use seatkeeper::token::chain::ChainError;
use seatkeeper::token::claims::License;
use seatkeeper::token::inspect::{self, Claims};
use seatkeeper::token::keys::PublicKey;
use seatkeeper::token::{Kind, chain, dates};
use serde::Serialize;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Found {
    Good,
    Wrong,
    /// It could not be made, or decides nothing.
    Open,
}

/// A check that was made, or could not be.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub found: Found,
    pub what: String,
    pub why: String,
}

impl Check {
    pub(super) fn good(what: String) -> Check {
        Check {
            found: Found::Good,
            what,
            why: String::new(),
        }
    }

    pub(super) fn wrong(what: String, why: String) -> Check {
        Check {
            found: Found::Wrong,
            what,
            why,
        }
    }

    pub(super) fn open(what: String, why: String) -> Check {
        Check {
            found: Found::Open,
            what,
            why,
        }
    }
}

/// A key, where it comes from, and what it may sign: a key given with `--key` anything, any other one kind.
pub(super) struct Known {
    pub key: PublicKey,
    from: String,
    signs: Option<Kind>,
}

/// Every key at hand: given ones first, then those that tokens of the file name.
pub(super) fn ring(tokens: &[Token], roots: &[PublicKey], given: &[PublicKey]) -> Vec<Known> {
    let with = |from: &str, signs, keys: &[PublicKey]| {
        keys.iter()
            .map(|key| Known {
                key: key.clone(),
                from: from.to_owned(),
                signs,
            })
            .collect::<Vec<_>>()
    };
    let mut ring = with("--root", Some(Kind::Issuer), roots);
    ring.extend(with("--key", None, given));
    for token in tokens {
        let from = format!("the {} at line {}", token.read.kind, token.line);
        let key = token.read.names_key();
        ring.extend(key.map(|key| Known {
            key,
            from,
            signs: Some(below(token.read.kind)),
        }));
    }
    ring
}

/// What the key that a token names may sign; a license that is signed by its own site key is a forgery.
fn below(kind: Kind) -> Kind {
    match kind {
        Kind::Issuer => Kind::License,
        Kind::License => Kind::Delegation,
        Kind::Delegation | Kind::Lease => Kind::Lease,
        Kind::Request => Kind::Request,
        Kind::Anchor => Kind::Anchor,
    }
}

/// The key that this token says signed it, where that key is at hand and may.
pub(super) fn signer<'a>(token: &Token, ring: &'a [Known]) -> Option<&'a Known> {
    ring.iter().find(|known| {
        known.signs.is_none_or(|kind| kind == token.read.kind)
            && known.key.thumbprint() == token.read.kid
    })
}

/// All of them.
pub(super) fn all(
    tokens: &[Token],
    roots: &[PublicKey],
    given: &[PublicKey],
    now: u64,
) -> Vec<Check> {
    let ring = ring(tokens, roots, given);
    let mut checks: Vec<Check> = tokens
        .iter()
        .map(|token| signature(token, &ring, roots))
        .collect();
    for token in tokens {
        if let Claims::License(license) = &token.read.claims {
            checks.push(issued(token, tokens, roots));
            checks.push(in_force(license, now));
        }
    }
    checks
}

fn signature(token: &Token, ring: &[Known], roots: &[PublicKey]) -> Check {
    let read = &token.read;
    let what = format!("signature of the {} at line {}", read.kind, token.line);
    match signer(token, ring) {
        Some(known) if read.signed_by(&known.key) => {
            Check::good(format!("{what}, by the key {} of {}", read.kid, known.from))
        }
        Some(known) => Check::wrong(
            what,
            format!(
                "it does not match the key of {}: altered, or signed by another",
                known.from
            ),
        ),
        None if read.kind == Kind::Issuer && !roots.is_empty() => Check::wrong(
            what,
            format!("it names the root {}, which is not the one given", read.kid),
        ),
        None => Check::open(
            what,
            format!("the key {} is not at hand: {}", read.kid, remedy(read.kind)),
        ),
    }
}

fn remedy(kind: Kind) -> &'static str {
    match kind {
        Kind::Issuer => "give the vendor's public root with --root",
        _ => "give it with --key",
    }
}

/// Vendor, product, date of signing, serial and withdrawn keys, against the issuer token in the file.
fn issued(token: &Token, tokens: &[Token], roots: &[PublicKey]) -> Check {
    let what = format!("issuer of the license at line {}", token.line);
    let issuers = tokens.iter().filter(|issuer| {
        issuer.read.names_key().is_some_and(|key| {
            issuer.read.kind == Kind::Issuer && key.thumbprint() == token.read.kid
        })
    });
    let mut refused = None;
    for issuer in issuers {
        let result = if roots.is_empty() {
            inspect::license_on_trust(&issuer.text, &token.text)
        } else {
            chain::verify_license(roots, &issuer.text, &token.text)
        };
        match result {
            Ok(_) if roots.is_empty() => {
                return Check::good(format!(
                    "{what}: vendor, product, day of signing, serial and withdrawn keys agree, as far as the issuer token is genuine"
                ));
            }
            Ok(verified) => {
                return Check::good(format!(
                    "{what}: the chain holds up to the root {}",
                    verified.root
                ));
            }
            Err(error @ ChainError::Revoked) => return Check::wrong(what, error.to_string()),
            Err(error) => refused = Some(error.to_string()),
        }
    }
    match refused {
        Some(error) => Check::wrong(what, error),
        None => Check::open(
            what,
            "its issuer token is not in the file; a site would refuse the license without it"
                .to_owned(),
        ),
    }
}

fn in_force(license: &License, now: u64) -> Check {
    let what = format!("dates of {} serial {}", license.sub, license.serial);
    if now < license.nbf {
        return Check::open(what, format!("it starts on {}", dates::format(license.nbf)));
    }
    match license.exp {
        Some(exp) if now >= exp => Check::open(
            what,
            format!("it has ended: its last day was {}", dates::last_day(exp)),
        ),
        Some(exp) => Check::good(format!(
            "{what}: in force today, last day {}",
            dates::last_day(exp)
        )),
        None => Check::good(format!("{what}: in force today, perpetual")),
    }
}
