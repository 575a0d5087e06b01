//! License files on their way in: verified against what this site trusts, put in order, turned into what the rules read.

pub(crate) mod request;
pub(crate) mod verify;

pub use verify::{Against, Plan, verify};

use crate::problem::{Refused, problem};
use seatkeeper::token::chain::{self, VerifiedLicense};
use seatkeeper::token::claims;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::Code;
use seatkeeper_engine::State;
use seatkeeper_engine::command::{IssuerSeen, Signed};
use seatkeeper_engine::ids::{LicenseId, Name, TokenHash};
use seatkeeper_engine::state::{CountingUnit, Feature, LicenseTerms, Model, Vendor};
use seatkeeper_engine::time::Date;

/// What `seatkeeper vendor keygen issuing` writes above both halves.
const ISSUING_KEY: &str = "# seatkeeper vendor issuing key";

/// A vendor name and the thumbprints and PEMs of its roots, from a file of one or several root keys.
///
/// # Errors
/// No name, no key, a key that says it is for issuing, or one that is refused (S3).
pub fn roots_of(name: &str, pem: &str) -> Result<Vec<(Name, Name)>, Refused> {
    if pem.contains("PRIVATE KEY-----") {
        let mut refused = problem(
            Code::BadRequest,
            format!("the file of {name} holds a private key"),
        );
        refused.hint = "take it away from here and tell the vendor: whoever has it signs licenses; the root's public half begins with `-----BEGIN PUBLIC KEY-----`".to_owned();
        return Err(refused);
    }
    if pem.lines().any(|line| line.starts_with(ISSUING_KEY)) {
        let mut refused = problem(
            Code::BadRequest,
            format!("the file of {name} holds an issuing key, and no root key"),
        );
        refused.hint = "ask the vendor for the public half of their root key: it names issuing keys, and can withdraw them".to_owned();
        return Err(refused);
    }
    let keys = PublicKey::all_from_pem(pem).map_err(|e| {
        let mut refused = problem(Code::BadRequest, format!("the root keys of {name}: {e}"));
        refused.hint = "take the vendor's PEM file as it came: `-----BEGIN PUBLIC KEY-----`, one block per root".to_owned();
        refused
    })?;
    Ok(keys
        .iter()
        .map(|key| (Name::from(key.thumbprint()), Name::from(key.to_pem())))
        .collect())
}

/// The root keys of a vendor.
fn keys_of(vendor: &Vendor) -> impl Iterator<Item = PublicKey> {
    // They were read before they were journaled; one that a newer program refuses signs nothing here.
    vendor
        .roots
        .values()
        .filter_map(|pem| PublicKey::from_pem(pem).ok())
}

/// The vendor that a root belongs to on this site.
pub(crate) fn vendor_of<'a>(state: &'a State, root: &str) -> Option<&'a Name> {
    state
        .vendors
        .iter()
        .find(|(_, vendor)| vendor.roots.contains_key(root))
        .map(|(name, _)| name)
}

/// What an installed license says, from its own token: what the rules do not read is not kept twice.
#[must_use]
pub(crate) fn claims_of(state: &State, terms: &LicenseTerms) -> Option<claims::License> {
    let vendor = state.vendors.get(&terms.id.vendor)?;
    let roots: Vec<_> = keys_of(vendor).collect();
    chain::verify_license(&roots, &terms.issuer, &terms.token)
        .ok()
        .map(|verified| verified.license)
}

/// A license that is bound to another site key than this one, with that key's thumbprint: its applications would accept no
/// seat.
#[must_use]
pub fn bound_elsewhere(state: &State, own: &str) -> Option<(String, String)> {
    state.licenses.values().find_map(|license| {
        let claims = claims_of(state, &license.terms)?;
        let bound = PublicKey::from_jwk(&claims.cnf.jwk).ok()?.thumbprint();
        (bound != own).then(|| (license.terms.id.to_string(), bound))
    })
}

fn issuer_seen(root: &str, claims: &claims::Issuer, token: &str) -> IssuerSeen {
    IssuerSeen {
        root: root.into(),
        iat: Date(claims.iat),
        min_serial: claims.min_serial,
        revoked_kids: claims
            .revoked_kids
            .iter()
            .map(|kid| kid.as_str().into())
            .collect(),
        token: token.into(),
    }
}

fn terms(vendor: &Name, verified: &VerifiedLicense) -> LicenseTerms {
    let license = &verified.license;
    LicenseTerms {
        id: LicenseId {
            vendor: vendor.clone(),
            id: license.sub.as_str().into(),
        },
        serial: license.serial,
        replaces: license.replaces.as_deref().map(Name::from),
        product: license.product.as_str().into(),
        customer: license.customer.id.as_str().into(),
        root: verified.root.as_str().into(),
        kid: verified.issuer.sub.as_str().into(),
        signed: Signed {
            hash: TokenHash(seatkeeper::token::hash_bytes(&verified.license_token)),
            iat: Date(license.iat),
        },
        nbf: Date(license.nbf),
        exp: license.exp.map(Date),
        features: license.features.iter().map(feature).collect(),
        token: verified.license_token.as_str().into(),
        issuer: verified.issuer_token.as_str().into(),
    }
}

fn feature(feature: &claims::Feature) -> Feature {
    let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    Feature {
        name: feature.name.as_str().into(),
        seats: feature.seats.number(),
        overdraft: feature.overdraft,
        model: match feature.model {
            claims::Model::Floating => Model::Floating,
            claims::Model::Named => Model::Named,
        },
        unit: match feature.counting {
            claims::Counting::Process => CountingUnit::Process,
            claims::Counting::User => CountingUnit::User,
            claims::Counting::Host => CountingUnit::Host,
            claims::Counting::UserHost => CountingUnit::UserHost,
        },
        version: feature.version.as_deref().map(Name::from),
        ttl_s: feature.ttl_s,
        grace_s: feature.grace_s,
        save_s: feature.save_s,
        cool_down_s: feature.cool_down_s,
        share_max: feature.share_max.number(),
        linger_s: feature.linger_s,
        named_min_s: feature.named_min_s,
        policies: names(&feature.policies),
        optional: names(&feature.optional_policies),
    }
}
