//! Reading a token without trusting it: for a vendor's tools, which show what is there before they say what of it holds.

use super::chain::{self, ChainError, VerifiedLicense};
use super::claims::{Anchor, Cnf, Delegation, Issuer, Lease, License, Request};
use super::error::{Fault, Kind, TokenError};
use super::keys::PublicKey;
use super::{bounds, jws};

/// A token that has the right shape, header and claims; nobody has checked its signature yet.
#[derive(Clone, Debug)]
pub struct Unverified {
    /// Its kind.
    pub kind: Kind,
    /// The key that it says signed it.
    pub kid: String,
    /// The bytes that were signed: header and payload in base64url, joined by a dot.
    pub signed: String,
    /// The signature.
    pub signature: [u8; 64],
    /// What it says.
    pub claims: Claims,
}

/// The claims of a token of any kind.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Claims {
    Issuer(Box<Issuer>),
    License(Box<License>),
    Delegation(Box<Delegation>),
    Request(Box<Request>),
    Lease(Box<Lease>),
    Anchor(Box<Anchor>),
}

impl Unverified {
    /// Whether this key made the signature, strictly (S3).
    #[must_use]
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        self.kid == key.thumbprint() && key.signed(self.signed.as_bytes(), &self.signature)
    }

    /// The key that the token speaks for: issuing, site or lease key; a lease and an anchor have none.
    #[must_use]
    pub fn names_key(&self) -> Option<PublicKey> {
        let cnf: &Cnf = match &self.claims {
            Claims::Issuer(claims) => &claims.cnf,
            Claims::License(claims) => &claims.cnf,
            Claims::Delegation(claims) => &claims.cnf,
            Claims::Request(claims) => &claims.cnf,
            Claims::Lease(_) | Claims::Anchor(_) => return None,
        };
        bounds::key(cnf).ok()
    }
}

/// Reads a token of any kind.
///
/// # Errors
/// Size, shape, header or claims that its kind refuses; an unknown typ.
pub fn read(token: &str) -> Result<Unverified, TokenError> {
    let kind = kind_of(token)?;
    let (kid, signed, signature) = jws::unverified_parts(kind, token)?;
    let claims = match kind {
        Kind::Issuer => Claims::Issuer(Box::new(jws::unverified_claims(token)?)),
        Kind::License => Claims::License(Box::new(jws::unverified_claims(token)?)),
        Kind::Delegation => Claims::Delegation(Box::new(jws::unverified_claims(token)?)),
        Kind::Request => Claims::Request(Box::new(jws::unverified_claims(token)?)),
        Kind::Lease => Claims::Lease(Box::new(jws::unverified_claims(token)?)),
        Kind::Anchor => Claims::Anchor(Box::new(jws::unverified_claims(token)?)),
    };
    Ok(Unverified {
        kind,
        kid,
        signed,
        signature,
        claims,
    })
}

/// Verifies a license under an issuer token whose own signature is taken on trust, because the root is not at hand.
///
/// # Errors
/// As `chain::verify_license`, save `WrongVendor`.
pub fn license_on_trust(issuer: &str, license: &str) -> Result<VerifiedLicense, ChainError> {
    let root = jws::kid_of(Kind::Issuer, issuer)?;
    let claims: Issuer = jws::unverified_claims(issuer)?;
    chain::verify_under(root, claims, issuer, license)
}

fn kind_of(token: &str) -> Result<Kind, TokenError> {
    let refuse = |fault| TokenError {
        kind: Kind::License,
        fault,
    };
    let typ = jws::typ_of(token).ok_or_else(|| refuse(Fault::Shape))?;
    Kind::of(&typ).ok_or_else(|| refuse(Fault::Typ { found: typ }))
}
