//! The six signed tokens: strict compact JWS (RFC 7515) with Ed25519 (RFC 9864), one kind per file.
//!
//! A verifying function takes one kind and one key, and returns its claims; nothing else reads a token.

pub mod anchor;
mod bounds;
pub mod chain;
pub mod claims;
pub mod dates;
pub mod delegation;
mod error;
#[cfg(feature = "issue")]
pub mod file;
mod hash;
#[cfg(feature = "issue")]
pub mod inspect;
pub mod issuer;
mod jws;
pub mod keys;
pub mod lease;
pub mod license;
pub mod request;
#[cfg(feature = "issue")]
mod signing;
#[cfg(feature = "issue")]
pub mod summary;

pub use error::{Fault, Kind, TokenError};
pub use hash::{hash, hash_bytes, host_hash, link};
pub use jws::kid_of;
