//! Why a chain, or a lease under it, is refused.

use crate::token::dates;
use crate::token::error::{Kind, TokenError};
use crate::wire::Code;
use std::fmt;

/// A chain or lease that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// A token of the chain is missing.
    Missing(Kind),
    /// A token is not what it should be.
    Token(TokenError),
    /// The issuer is signed by a root that is not among those trusted.
    WrongVendor {
        /// Thumbprint of that root.
        root: String,
    },
    /// License and issuer name different vendors.
    Vendor {
        /// The license's.
        license: String,
        /// The issuer's.
        issuer: String,
    },
    /// The issuer may not license this product.
    Product {
        /// The product.
        product: String,
    },
    /// The vendor has withdrawn the issuing key or the serial.
    Revoked,
    /// Another site key than the license's signed the delegation.
    WrongSite,
    /// A token was used before its first day.
    NotStarted {
        /// Which.
        what: Dated,
        /// Its `nbf`.
        nbf: u64,
    },
    /// A token was used after its last day, or a lease runs past it.
    Expired {
        /// Which.
        what: Dated,
        /// Its `exp`.
        exp: u64,
    },
    /// The lease is not the answer to this call; the text names the claim.
    NotThisCall(&'static str),
    /// The lease says more than its license allows; the text names the claim.
    BeyondLicense(&'static str),
}

/// What has dates of its own above a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dated {
    Issuer,
    License,
    Delegation,
}

impl Dated {
    /// Judges dates at `at`: from `nbf` on, before `exp`.
    pub(super) fn judge(self, nbf: u64, exp: Option<u64>, at: u64) -> Result<(), ChainError> {
        if at < nbf {
            return Err(ChainError::NotStarted { what: self, nbf });
        }
        match exp {
            Some(exp) if at >= exp => Err(ChainError::Expired { what: self, exp }),
            _ => Ok(()),
        }
    }
}

impl ChainError {
    /// The stable code that goes with it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            ChainError::Token(e) => e.code(),
            ChainError::WrongVendor { .. } | ChainError::Vendor { .. } => Code::WrongVendor,
            ChainError::Revoked => Code::RevokedLicense,
            ChainError::WrongSite => Code::WrongServerHost,
            ChainError::NotStarted {
                what: Dated::License,
                ..
            } => Code::NotStarted,
            ChainError::Expired {
                what: Dated::License,
                ..
            } => Code::LicenseExpired,
            ChainError::Missing(_) => Code::BadSyntax,
            ChainError::Product { .. }
            | ChainError::NotStarted { .. }
            | ChainError::Expired { .. }
            | ChainError::NotThisCall(_)
            | ChainError::BeyondLicense(_) => Code::BadSignature,
        }
    }
}

impl From<TokenError> for ChainError {
    fn from(e: TokenError) -> Self {
        ChainError::Token(e)
    }
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChainError::Missing(kind) => write!(f, "there is no {kind}"),
            ChainError::Token(e) => e.fmt(f),
            ChainError::WrongVendor { root } => {
                write!(f, "its vendor root is not trusted here (thumbprint {root})")
            }
            ChainError::Vendor { license, issuer } => {
                write!(
                    f,
                    "the license names the vendor {license:?}, its issuer {issuer:?}"
                )
            }
            ChainError::Product { product } => {
                write!(f, "the issuing key may not license the product {product:?}")
            }
            ChainError::Revoked => {
                f.write_str("the vendor has withdrawn the key that signed it, or its serial")
            }
            ChainError::WrongSite => f.write_str("the license is bound to another site key"),
            ChainError::NotStarted { what, nbf } => {
                write!(
                    f,
                    "the {what} is valid from {} on, not before",
                    dates::format(*nbf)
                )
            }
            ChainError::Expired { what, exp } => {
                write!(f, "the {what} ended at {}", dates::format(*exp))
            }
            ChainError::NotThisCall(claim) => {
                write!(f, "the lease does not answer this call: {claim} differs")
            }
            ChainError::BeyondLicense(claim) => {
                write!(f, "the lease says more than its license allows: {claim}")
            }
        }
    }
}

impl std::error::Error for ChainError {}

impl fmt::Display for Dated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dated::Issuer => "issuing key",
            Dated::License => "license",
            Dated::Delegation => "delegation",
        })
    }
}
