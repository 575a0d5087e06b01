//! Why a token is refused.

use crate::wire::Code;
use std::fmt;

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Issuer,
    License,
    Delegation,
    Request,
    Lease,
    Anchor,
}

/// A token that is refused: which kind was expected, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    /// The kind that was expected.
    pub kind: Kind,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a token, in the order in which it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Longer than its kind may be, in bytes.
    Size {
        /// Its length.
        len: usize,
        /// The most that its kind may have.
        most: usize,
    },
    /// Not three segments of base64url without padding.
    Shape,
    /// The header is not exactly `alg`, `typ` and `kid`, or `alg` is not `Ed25519`.
    Header,
    /// Another kind of token.
    Typ {
        /// The typ found, shortened where it is long.
        found: String,
    },
    /// Signed by another key than the one that was expected.
    Kid {
        /// The key that the token names.
        found: String,
        /// The thumbprint that was expected.
        wanted: String,
    },
    /// The signature does not match.
    Signature,
    /// A claim is missing, unknown, doubled, of the wrong type or out of its bounds.
    Claims(String),
}

impl Kind {
    /// Its `typ`.
    #[must_use]
    pub fn typ(self) -> &'static str {
        use super::claims::typ;
        match self {
            Kind::Issuer => typ::ISSUER,
            Kind::License => typ::LICENSE,
            Kind::Delegation => typ::DELEGATION,
            Kind::Request => typ::REQUEST,
            Kind::Lease => typ::LEASE,
            Kind::Anchor => typ::ANCHOR,
        }
    }

    /// The kind behind a `typ`.
    #[must_use]
    pub fn of(typ: &str) -> Option<Kind> {
        [
            Kind::Issuer,
            Kind::License,
            Kind::Delegation,
            Kind::Request,
            Kind::Lease,
            Kind::Anchor,
        ]
        .into_iter()
        .find(|kind| kind.typ() == typ)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Issuer => "issuer token",
            Kind::License => "license",
            Kind::Delegation => "delegation",
            Kind::Request => "license request",
            Kind::Lease => "lease",
            Kind::Anchor => "journal anchor",
        })
    }
}

impl TokenError {
    /// The stable code that goes with it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.fault {
            Fault::Kid { .. } | Fault::Signature => Code::BadSignature,
            _ => Code::BadSyntax,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.fault)
    }
}

impl std::error::Error for TokenError {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Size { len, most } => {
                write!(f, "it has {len} bytes, {most} at most are allowed")
            }
            Fault::Shape => f.write_str(
                "it is not three parts of base64url joined by dots; was it cut or wrapped?",
            ),
            Fault::Header => f.write_str("its header is not exactly alg (Ed25519), typ and kid"),
            Fault::Typ { found } => match Kind::of(found) {
                Some(kind) => write!(f, "it is another kind of token, a {kind}"),
                None => write!(f, "it is another kind of token ({found:?})"),
            },
            Fault::Kid { found, wanted } => {
                write!(
                    f,
                    "it names the key {found:?}, but {wanted:?} should have signed it"
                )
            }
            Fault::Signature => f.write_str(
                "the signature does not match: it was altered, or another key signed it",
            ),
            Fault::Claims(text) => f.write_str(text),
        }
    }
}
