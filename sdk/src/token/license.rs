//! Licenses: an issuing key grants seats of features to one site.

use super::bounds::{self, Check, ensure};
use super::claims::{Borrow, Count, Counting, Customer, Feature, License, Model, Term};
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;

/// The longest borrow in days.
const BORROW_DAYS_MAX: u64 = 30;

/// Verifies a license under an issuing key. Dates, vendor and product are judged by the chain.
///
/// # Errors
/// Whatever keeps it from being exactly such a token.
pub fn verify(token: &str, issuing_key: &PublicKey) -> Result<License, TokenError> {
    jws::open(token, issuing_key)
}

/// Signs one with an issuing key.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &License, issuing_key: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, issuing_key)
}

impl Claims for License {
    const KIND: Kind = Kind::License;
    const MAX: usize = 256 * 1024;

    fn check(&self) -> Check {
        bounds::name("iss", &self.iss)?;
        bounds::name("sub", &self.sub)?;
        bounds::number("iat", self.iat)?;
        bounds::number("serial", self.serial)?;
        ensure(self.serial >= 1, || {
            "serial is 0, the first is 1".to_owned()
        })?;
        bounds::optional("replaces", self.replaces.as_deref(), bounds::name)?;
        ensure(self.replaces.as_ref() != Some(&self.sub), || {
            "replaces names the license itself".to_owned()
        })?;
        bounds::name("product", &self.product)?;
        customer(&self.customer)?;
        term(self)?;
        bounds::key(&self.cnf)?;
        ensure(!self.features.is_empty(), || "features is empty".to_owned())?;
        bounds::names(
            "features",
            self.features.iter().map(|feature| feature.name.as_str()),
        )?;
        self.features
            .iter()
            .try_for_each(|f| feature(f).map_err(|text| format!("feature {:?}: {text}", f.name)))
    }
}

fn customer(customer: &Customer) -> Check {
    bounds::text("customer.id", &customer.id)?;
    bounds::text("customer.name", &customer.name)?;
    bounds::text("customer.contact", &customer.contact)?;
    bounds::optional(
        "customer.managed_by",
        customer.managed_by.as_deref(),
        bounds::text,
    )
}

fn term(license: &License) -> Check {
    bounds::number("nbf", license.nbf)?;
    match (license.term, license.exp) {
        (Term::Dated, Some(exp)) => bounds::span(license.nbf, exp),
        (Term::Perpetual, None) => Ok(()),
        (Term::Dated, None) => Err("term is dated, but exp is missing".to_owned()),
        (Term::Perpetual, Some(_)) => Err("term is perpetual, but there is an exp".to_owned()),
    }
}

fn feature(f: &Feature) -> Check {
    bounds::count("seats", f.seats)?;
    bounds::optional("version", f.version.as_deref(), bounds::version)?;
    ensure(f.ttl_s >= 1, || "ttl_s is 0".to_owned())?;
    bounds::at_most(
        "ttl_s + grace_s",
        f.ttl_s.saturating_add(f.grace_s),
        bounds::DAY,
    )?;
    bounds::at_most("save_s", f.save_s, f.ttl_s)?;
    ensure(f.save_s >= 1, || "save_s is 0".to_owned())?;
    for (claim, value) in [
        ("cool_down_s", f.cool_down_s),
        ("linger_s", f.linger_s),
        ("named_min_s", f.named_min_s),
    ] {
        bounds::at_most(claim, value, bounds::DURATION_MAX)?;
    }
    match f.seats {
        Count::Number(seats) => {
            bounds::number("seats + overdraft", seats.saturating_add(f.overdraft))?
        }
        Count::Unlimited(_) => ensure(f.overdraft == 0, || {
            "overdraft beside unlimited seats".to_owned()
        })?,
    }
    bounds::count("share_max", f.share_max)?;
    named(f)?;
    f.borrow.as_ref().map_or(Ok(()), borrow)?;
    bounds::names(
        "policies",
        f.policies
            .iter()
            .chain(&f.optional_policies)
            .map(String::as_str),
    )?;
    policies_fit_a_lease(f)
}

/// A lease has its bound, and one that cannot be signed would cost every user of the feature a seat.
fn policies_fit_a_lease(f: &Feature) -> Check {
    // Quotes and a comma stand around each, and what JSON escapes takes two bytes.
    let bytes: usize = f
        .policies
        .iter()
        .chain(&f.optional_policies)
        .map(|policy| policy.len() + policy.matches(['"', '\\']).count() + 3)
        .sum();
    ensure(bytes <= bounds::POLICIES_MAX, || {
        format!(
            "policies have {bytes} bytes together, at most {} fit into a lease",
            bounds::POLICIES_MAX
        )
    })
}

/// A named seat belongs to a user or a host, and all its holders share it (rule 7).
fn named(f: &Feature) -> Check {
    if f.model != Model::Named {
        return Ok(());
    }
    ensure(f.counting != Counting::Process, || {
        "a named seat cannot be counted by process (rule 7)".to_owned()
    })?;
    ensure(f.share_max == Count::UNLIMITED, || {
        "a named seat has no share_max (rule 7)".to_owned()
    })
}

fn borrow(terms: &Borrow) -> Check {
    bounds::at_most("borrow.max_days", terms.max_days, BORROW_DAYS_MAX)?;
    ensure(terms.max_days >= 1, || "borrow.max_days is 0".to_owned())?;
    bounds::at_most("borrow.max_share_percent", terms.max_share_percent, 100)?;
    ensure(terms.max_share_percent >= 1, || {
        "borrow.max_share_percent is 0".to_owned()
    })?;
    bounds::number("borrow.write_offs", terms.write_offs)
}
