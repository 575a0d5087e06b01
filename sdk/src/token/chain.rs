//! The chain from a vendor's root to a lease: fixed depth, no path building.

mod error;
mod lease;

pub use error::{ChainError, Dated};
pub use lease::Expect;

use super::claims::{Delegation, Feature, Issuer, License, Slots};
use super::error::Kind;
use super::keys::PublicKey;
use super::{bounds, delegation, hash, issuer, jws, license};
use crate::wire;

/// A license with its issuer, verified up to a root.
#[derive(Clone, Debug)]
pub struct VerifiedLicense {
    /// Thumbprint of the root.
    pub root: String,
    /// The issuer's claims.
    pub issuer: Issuer,
    /// The license's claims.
    pub license: License,
    /// base64url SHA-256 of the license token: how leases name it.
    pub hash: String,
    /// The site key that the license is bound to.
    pub site_key: PublicKey,
    /// The issuer token.
    pub issuer_token: String,
    /// The license token.
    pub license_token: String,
}

/// Everything above a lease, verified.
#[derive(Clone, Debug)]
pub struct VerifiedChain {
    /// The license and its issuer.
    pub license: VerifiedLicense,
    /// The delegation's claims.
    pub delegation: Delegation,
    /// The key that signs leases.
    pub lease_key: PublicKey,
}

/// Verifies issuer, license and delegation, whose key must be the one that the license is bound to.
///
/// # Errors
/// A token that is missing, not what it should be, under no root of these, withdrawn, or bound to another site.
pub fn verify(roots: &[PublicKey], tokens: &wire::Chain) -> Result<VerifiedChain, ChainError> {
    let token = |kind, token: &Option<String>| token.clone().ok_or(ChainError::Missing(kind));
    let issuer = token(Kind::Issuer, &tokens.issuer)?;
    let license = token(Kind::License, &tokens.license)?;
    let delegation = token(Kind::Delegation, &tokens.delegation)?;
    verify_license(roots, &issuer, &license)?.delegate(&delegation)
}

/// Verifies issuer and license. The issuer is judged at the license's `iat`; the license's own dates are not judged here.
///
/// # Errors
/// As `verify`.
pub fn verify_license(
    roots: &[PublicKey],
    issuer: &str,
    license: &str,
) -> Result<VerifiedLicense, ChainError> {
    let (root, claims) = verify_issuer(roots, issuer)?;
    verify_under(root, claims, issuer, license)
}

/// Verifies an issuer token and tells the thumbprint of its root.
///
/// # Errors
/// A token that is not what it should be, or under no root of these.
pub fn verify_issuer(roots: &[PublicKey], token: &str) -> Result<(String, Issuer), ChainError> {
    let kid = jws::kid_of(Kind::Issuer, token)?;
    let root = roots.iter().find(|root| root.thumbprint() == kid);
    let root = root.ok_or_else(|| ChainError::WrongVendor { root: kid.clone() })?;
    Ok((kid, issuer::verify(token, root)?))
}

/// Verifies a license under an issuer that is verified already, or, for an inspection, taken on trust.
pub(super) fn verify_under(
    root: String,
    issuer: Issuer,
    issuer_token: &str,
    token: &str,
) -> Result<VerifiedLicense, ChainError> {
    let key = bounds::key(&issuer.cnf).expect("the issuer's check has read this key");
    let license = license::verify(token, &key)?;
    issued(&issuer, &license)?;
    let site_key = bounds::key(&license.cnf).expect("the license's check has read this key");
    Ok(VerifiedLicense {
        root,
        issuer,
        license,
        hash: hash::hash(token),
        site_key,
        issuer_token: issuer_token.to_owned(),
        license_token: token.to_owned(),
    })
}

/// Whether this issuer could issue this license.
fn issued(issuer: &Issuer, license: &License) -> Result<(), ChainError> {
    if license.iss != issuer.iss {
        return Err(ChainError::Vendor {
            license: license.iss.clone(),
            issuer: issuer.iss.clone(),
        });
    }
    if !issuer.products.contains(&license.product) {
        return Err(ChainError::Product {
            product: license.product.clone(),
        });
    }
    Dated::Issuer.judge(issuer.nbf, Some(issuer.exp), license.iat)?;
    if license.serial < issuer.min_serial || issuer.revoked_kids.contains(&issuer.sub) {
        return Err(ChainError::Revoked);
    }
    Ok(())
}

impl VerifiedLicense {
    /// Verifies a delegation by this license's site key.
    ///
    /// # Errors
    /// A token that is not what it should be; `WrongSite` where another site key signed it.
    pub fn delegate(self, token: &str) -> Result<VerifiedChain, ChainError> {
        if jws::kid_of(Kind::Delegation, token)? != self.site_key.thumbprint() {
            return Err(ChainError::WrongSite);
        }
        let delegation = delegation::verify(token, &self.site_key)?;
        let lease_key =
            bounds::key(&delegation.cnf).expect("the delegation's check has read this key");
        Ok(VerifiedChain {
            license: self,
            delegation,
            lease_key,
        })
    }

    /// A feature by its name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.license
            .features
            .iter()
            .find(|feature| feature.name == name)
    }
}

impl VerifiedChain {
    /// Whether the delegation covers this slot of this feature.
    #[must_use]
    pub fn delegates(&self, feature: &str, slot: u64) -> bool {
        let license = &self.license.license;
        match &self.delegation.slots {
            Slots::Word(_) => true,
            Slots::Some(some) => some.ranges.iter().any(|range| {
                range.vendor == license.iss
                    && range.license == license.sub
                    && range.feature == feature
                    && (range.first..=range.last).contains(&slot)
            }),
        }
    }
}
