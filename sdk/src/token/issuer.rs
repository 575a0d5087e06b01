//! Issuer tokens: a vendor root names an issuing key, its dates and products.

use super::bounds::{self, Check, ensure};
use super::claims::Issuer;
use super::error::{Kind, TokenError};
use super::jws::{self, Claims};
use super::keys::PublicKey;

/// Verifies an issuer token under a vendor root. Dates are judged by the chain.
///
/// # Errors
/// Whatever keeps it from being exactly such a token.
pub fn verify(token: &str, root: &PublicKey) -> Result<Issuer, TokenError> {
    jws::open(token, root)
}

/// Signs one with a vendor root.
///
/// # Errors
/// Claims that `verify` would refuse.
#[cfg(feature = "issue")]
pub fn sign(claims: &Issuer, root: &super::keys::SigningKey) -> Result<String, TokenError> {
    jws::seal(claims, root)
}

impl Claims for Issuer {
    const KIND: Kind = Kind::Issuer;
    const MAX: usize = 32 * 1024;

    fn check(&self) -> Check {
        bounds::name("iss", &self.iss)?;
        bounds::key_named("sub", &self.sub, &self.cnf)?;
        bounds::name("jti", &self.jti)?;
        bounds::number("iat", self.iat)?;
        bounds::span(self.nbf, self.exp)?;
        ensure(!self.products.is_empty(), || "products is empty".to_owned())?;
        bounds::names("products", self.products.iter().map(String::as_str))?;
        bounds::number("min_serial", self.min_serial)?;
        bounds::names("revoked_kids", self.revoked_kids.iter().map(String::as_str))?;
        self.revoked_kids
            .iter()
            .try_for_each(|kid| bounds::hash("revoked_kids", kid))
    }
}
