//! Verifying a license file: signature, vendor, site, signing date, and what its installation would meet.

use super::{issuer_seen, keys_of, terms, vendor_of};
use crate::problem::{Refused, problem};
use seatkeeper::token::chain::{ChainError, VerifiedLicense};
use seatkeeper::token::dates;
use seatkeeper::token::file::{self, FileError, Verified};
use seatkeeper::wire::Code;
use seatkeeper_engine::State;
use seatkeeper_engine::command::IssuerSeen;
use seatkeeper_engine::state::LicenseTerms;
use seatkeeper_engine::time::{Date, LEAST_S};
use std::collections::BTreeMap;

/// A token may be signed so far ahead of the wall clock (`clock_skew`).
const AHEAD_S: u64 = 31 * 86_400;

/// What a file is verified against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// Trusted vendors, installed licenses, newest issuers.
    pub state: &'a State,
    /// J.
    pub now: Date,
    /// The wall clock.
    pub wall_s: u64,
    /// Thumbprint of this site's key.
    pub site: &'a str,
    /// Take a token that is signed far ahead of the wall clock.
    pub accept_date: bool,
}

/// What a verified file brings, in the order in which it is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Issuer tokens, oldest first: their minimum serial and revoked keys hold for what follows.
    pub issuers: Vec<IssuerSeen>,
    /// Licenses, by id and rising serial.
    pub licenses: Vec<LicenseTerms>,
    /// What was skipped, and why.
    pub warnings: Vec<String>,
}

/// Verifies a license file. Nothing is changed.
///
/// # Errors
/// The first token that fails refuses the whole file.
pub fn verify(bytes: &[u8], against: &Against<'_>) -> Result<Plan, Refused> {
    let roots: Vec<_> = against.state.vendors.values().flat_map(keys_of).collect();
    let verified = file::read(bytes, &roots).map_err(|e| refuse_file(&e))?;
    for issuer in &verified.issuers {
        signed_when("the issuer token", issuer.claims.iat, against)?;
    }
    for license in &verified.licenses {
        let id = &license.license.sub;
        if license.site_key.thumbprint() != against.site {
            return Err(wrong_site(id, license, against.site));
        }
        signed_when(&format!("license {id}"), license.license.iat, against)?;
    }
    plan(verified, against)
}

impl Against<'_> {
    /// J as this license will find it: a newer vendor `iat` raises it at once.
    fn at(&self, terms: &LicenseTerms) -> Date {
        self.now.max(terms.signed.iat).max(self.state.newest_iat)
    }
}

impl Plan {
    /// What installing would say to a license, as far as it can be seen before: the engine decides.
    ///
    /// # Errors
    /// The refusal to expect.
    pub fn foresee(&self, against: &Against<'_>) -> Result<(), Refused> {
        // One that is in force already is noted or refused as superseded, whatever else could be said of it.
        self.licenses
            .iter()
            .filter(|terms| !self.known(terms, against.state))
            .try_for_each(|terms| self.foresee_one(terms, against))
    }

    /// True where this very license, or a higher serial, is in force already.
    #[must_use]
    pub fn known(&self, terms: &LicenseTerms, state: &State) -> bool {
        state
            .licenses
            .get(&terms.id)
            .is_some_and(|license| license.terms.serial >= terms.serial)
    }

    fn foresee_one(&self, terms: &LicenseTerms, against: &Against<'_>) -> Result<(), Refused> {
        let id = &terms.id.id;
        let known = against
            .state
            .issuers
            .get(&terms.root)
            .map(|issuer| &**issuer);
        let issuers = self
            .issuers
            .iter()
            .filter(|issuer| issuer.root == terms.root);
        let revoked = |issuer: &IssuerSeen| {
            terms.serial < issuer.min_serial || issuer.revoked_kids.contains(&terms.kid)
        };
        if issuers
            .chain(known)
            .max_by_key(|issuer| issuer.iat)
            .is_some_and(revoked)
        {
            return Err(problem(
                Code::RevokedLicense,
                format!(
                    "the vendor has withdrawn license {id} serial {}",
                    terms.serial
                ),
            ));
        }
        let now = against.at(terms);
        if terms.nbf > now {
            let day = dates::format(terms.nbf.0);
            let mut refused = problem(
                Code::NotStarted,
                format!(
                    "license {id} serial {} is valid from {day}, not before",
                    terms.serial
                ),
            );
            refused.hint = format!(
                "install it again on {}: `seatkeeper license install FILE`",
                dates::day(terms.nbf.0)
            );
            return Err(refused);
        }
        match terms.exp {
            Some(exp) if exp.0 < now.0 + LEAST_S => Err(problem(
                Code::LicenseExpired,
                format!(
                    "license {id} serial {} ended at {}",
                    terms.serial,
                    dates::format(exp.0)
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Issuers by date; of each license the generations that can be in force, by serial.
fn plan(verified: Verified, against: &Against<'_>) -> Result<Plan, Refused> {
    let mut warnings = verified.warnings;
    let mut issuers: Vec<_> = verified
        .issuers
        .iter()
        .map(|issuer| issuer_seen(&issuer.root, &issuer.claims, &issuer.token))
        .collect();
    issuers.sort_by_key(|issuer| issuer.iat);
    let mut by_id: BTreeMap<_, Vec<LicenseTerms>> = BTreeMap::new();
    for license in &verified.licenses {
        let vendor =
            vendor_of(against.state, &license.root).ok_or_else(|| untrusted(&license.root))?;
        let terms = terms(vendor, license);
        by_id.entry(terms.id.clone()).or_default().push(terms);
    }
    let licenses = by_id
        .into_values()
        .filter_map(|generations| newest(generations, against, &mut warnings))
        .collect();
    Ok(Plan {
        issuers,
        licenses,
        warnings,
    })
}

/// Of several generations in one file: the highest serial that has begun; where none has, the lowest, which is refused
/// with its date.
fn newest(
    mut generations: Vec<LicenseTerms>,
    against: &Against<'_>,
    warnings: &mut Vec<String>,
) -> Option<LicenseTerms> {
    generations.sort_by_key(|terms| terms.serial);
    let at = generations
        .iter()
        .rposition(|terms| terms.nbf <= against.at(terms))
        .unwrap_or(0);
    for later in &generations[(at + 1).min(generations.len())..] {
        warnings.push(format!(
            "license {} serial {} is valid from {} and was not put in force; install this file again then",
            later.id.id,
            later.serial,
            dates::format(later.nbf.0)
        ));
    }
    (at < generations.len()).then(|| generations.swap_remove(at))
}

fn signed_when(what: &str, iat: u64, against: &Against<'_>) -> Result<(), Refused> {
    if against.accept_date || iat <= against.wall_s.saturating_add(AHEAD_S) {
        return Ok(());
    }
    Err(problem(
        Code::ClockSkew,
        format!(
            "{what} was signed at {}, and this machine's clock shows {}",
            dates::format(iat),
            dates::format(against.wall_s)
        ),
    ))
}

fn wrong_site(id: &str, license: &VerifiedLicense, own: &str) -> Refused {
    let mut refused = problem(
        Code::WrongServerHost,
        format!(
            "license {id} is bound to the site key {}, and this site's is {own}",
            license.site_key.thumbprint()
        ),
    );
    refused.hint = "send this site's request to the vendor: `seatkeeper license request --account ID --out site.req`".to_owned();
    refused
}

fn untrusted(root: &str) -> Refused {
    let mut refused = problem(
        Code::WrongVendor,
        format!("its vendor root is not trusted here (thumbprint {root})"),
    );
    refused.hint = format!(
        "compare {root} with the vendor, then `seatkeeper vendor trust FILE` with the root key from the vendor's package"
    );
    refused
}

fn refuse_file(e: &FileError) -> Refused {
    match e {
        FileError::Chain(ChainError::WrongVendor { root }) => untrusted(root),
        e => problem(e.code(), e.to_string()),
    }
}
