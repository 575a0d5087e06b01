//! The five signed tokens: strict compact JWS (RFC 7515) with Ed25519 (RFC 9864), one kind per file.
//!
//! A verifier takes one kind and one key, and returns its claims; nothing else reads a token.

pub mod claims;
