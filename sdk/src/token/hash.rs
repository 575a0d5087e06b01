//! The hashes that tokens name: of a token's text, of a host with a call's nonce, and of a chain's last link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// SHA-256 of a token's text.
#[must_use]
pub fn hash_bytes(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// base64url SHA-256 of a token's text: how a lease names its license.
#[must_use]
pub fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash_bytes(token))
}

/// base64url SHA-256 of the 16 raw bytes of the boot id and the raw nonce: how a lease names its host without telling its boot id.
#[must_use]
pub fn host_hash(boot_id: [u8; 16], nonce: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(boot_id);
    sha.update(nonce);
    URL_SAFE_NO_PAD.encode(sha.finalize())
}

/// The hash after an event of the journal: SHA-256 over the hash before it and the event's own stored bytes.
#[must_use]
pub fn link(before: &[u8; 32], stored: &[u8]) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(stored);
    sha.finalize().into()
}
