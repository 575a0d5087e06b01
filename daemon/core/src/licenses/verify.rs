//! Verifying a license file: signature, vendor, site, signing date, and what its installation would meet.

use super::{issuer_seen, keys_of, terms, vendor_of};
use crate::problem::{Refused, problem};
use seatkeeper::token::chain::{ChainError, VerifiedLicense};
use seatkeeper::token::dates;
use seatkeeper::token::file::{self, FileError, Verified};
use seatkeeper::wire::Code;
use seatkeeper_engine::command::IssuerSeen;
use seatkeeper_engine::denial::Code::{Conflict, Superseded};
use seatkeeper_engine::denial::Denial;
use seatkeeper_engine::ids::LicenseId;
use seatkeeper_engine::state::LicenseTerms;
use seatkeeper_engine::time::{Date, LEAST_S};
use seatkeeper_engine::{State, foresee_install};
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
    /// What the engine says to it as things stand.
    fn judged(&self, terms: &LicenseTerms) -> Result<Option<Date>, Box<Denial>> {
        foresee_install(self.state, self.now, terms)
    }

    /// The day until which it would wait, where it would.
    #[must_use]
    pub fn waits(&self, terms: &LicenseTerms) -> Option<Date> {
        (terms.nbf > self.at(terms)).then_some(terms.nbf)
    }

    /// J as this license will find it: a newer vendor `iat` raises it at once.
    fn at(&self, terms: &LicenseTerms) -> Date {
        self.now.max(terms.signed.iat).max(self.state.newest_iat)
    }
}

impl Plan {
    /// True where a license of this very file has taken the place of this one already.
    pub(crate) fn replaces(&self, terms: &LicenseTerms, state: &State) -> bool {
        let by = state.replaced.get(&terms.id);
        by.is_some_and(|by| self.licenses.iter().any(|beside| beside.id == *by))
    }

    /// What installing would say to a license, as far as it can be seen before: the engine decides.
    ///
    /// # Errors
    /// The refusal to expect.
    pub fn foresee(&self, against: &Against<'_>) -> Result<(), Refused> {
        // One that is in force already is noted or refused as superseded, whatever else could be said of it.
        self.licenses
            .iter()
            .filter(|terms| !self.known(terms, against))
            .try_for_each(|terms| self.foresee_one(terms, against))
    }

    /// True where this very license is in force or waits already, or a higher serial has its place.
    #[must_use]
    pub fn known(&self, terms: &LicenseTerms, against: &Against<'_>) -> bool {
        let in_force = against.state.licenses.get(&terms.id);
        in_force.is_some_and(|license| license.terms.serial >= terms.serial)
            || against
                .judged(terms)
                .is_err_and(|denial| denial.code == Superseded)
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
        if let Err(denial) = against.judged(terms)
            && denial.code == Conflict
        {
            return Err(other_customer(terms, denial.limit.as_deref()));
        }
        let now = against.at(terms);
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

/// Issuers by date; of each license the generations that can be in force, by serial, and what is replaced before what
/// replaces it.
fn plan(verified: Verified, against: &Against<'_>) -> Result<Plan, Refused> {
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
    let licenses = replaced_first(by_id)
        .into_iter()
        .flat_map(|generations| to_install(generations, against))
        .collect();
    Ok(Plan {
        issuers,
        licenses,
        warnings: verified.warnings,
    })
}

/// The order of a file means nothing: what one license replaces comes before it, else they go by their ids.
fn replaced_first(mut left: BTreeMap<LicenseId, Vec<LicenseTerms>>) -> Vec<Vec<LicenseTerms>> {
    let mut ordered = Vec::new();
    loop {
        let waits_for_none = |(id, terms): &(&LicenseId, &Vec<LicenseTerms>)| {
            let mut olds = terms.iter().filter_map(replaced);
            olds.all(|old| old == **id || !left.contains_key(&old))
        };
        // In a circle there is no first one: the engine refuses what it cannot be.
        let first = left.iter().find(waits_for_none).or(left.iter().next());
        let Some(id) = first.map(|(id, _)| id.clone()) else {
            return ordered;
        };
        ordered.extend(left.remove(&id));
    }
}

/// The license whose place this one takes.
fn replaced(terms: &LicenseTerms) -> Option<LicenseId> {
    let id = terms.replaces.clone()?;
    let vendor = terms.id.vendor.clone();
    Some(LicenseId { vendor, id })
}

/// Of several generations in one file: the highest serial that has begun, and those above it, which wait.
fn to_install(
    mut generations: Vec<LicenseTerms>,
    against: &Against<'_>,
) -> impl Iterator<Item = LicenseTerms> {
    generations.sort_by_key(|terms| terms.serial);
    let begun = |terms: &LicenseTerms| against.waits(terms).is_none();
    let first = generations.iter().rposition(begun).unwrap_or(0);
    generations.into_iter().skip(first)
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

/// A renewal for another customer: a mistake in the vendor's office, mostly.
pub(crate) fn other_customer(terms: &LicenseTerms, limit: Option<&str>) -> Refused {
    let mut refused = problem(
        Code::Conflict,
        format!(
            "license {} serial {} is for customer {}, and the one whose place it takes is for {}",
            terms.id.id,
            terms.serial,
            terms.customer,
            limit.unwrap_or("another customer")
        ),
    );
    refused.rule = Some(17);
    refused.hint = "ask the vendor for a renewal for your own account; a license for another customer has an id of its own".to_owned();
    refused
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
