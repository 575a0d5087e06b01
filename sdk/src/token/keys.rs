//! Ed25519 keys: public ones that are refused unless canonical and strong (S3), and signing ones behind `issue`.

use super::claims::{Cnf, Jwk};
use super::dates;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

#[cfg(feature = "issue")]
pub use super::signing::SigningKey;

/// SubjectPublicKeyInfo of an Ed25519 key (RFC 8410): these bytes, then the 32 of the key.
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// A PEM of one public key has some 115 bytes; comments may stand around it.
const PEM_MAX: usize = 16 * 1024;

/// How the file of a site key begins; `new DATE` or `export DATE` follows.
const SITE_KEY_LINE: &str = "# seatkeeper site key: ";

/// Where a site key comes from, as the first line of its file says (rule 21).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SiteKeyOrigin {
    /// Made by the daemon that uses it, or ahead of its site.
    New,
    /// Copied from a running daemon.
    Export,
}

/// A public key that is canonical and not weak.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why something is no key that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not a key of this form.
    Form,
    /// Not the canonical encoding of a point of the curve.
    NotCanonical,
    /// A key of small order: signatures under it prove nothing.
    Weak,
    /// The key is encrypted and no passphrase was given.
    NeedsPassphrase,
    /// The passphrase does not open the key.
    WrongPassphrase,
}

impl PublicKey {
    /// The key in 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// A key that is not canonical or weak (S3).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(PublicKey(key))
    }

    /// The key in base64url without padding, as in a JWK's `x`.
    ///
    /// # Errors
    /// Not such a text, or a key that is refused.
    pub fn from_x(x: &str) -> Result<PublicKey, KeyError> {
        if x.len() != 43 {
            return Err(KeyError::Form);
        }
        let bytes = URL_SAFE_NO_PAD.decode(x).map_err(|_| KeyError::Form)?;
        PublicKey::from_bytes(&bytes.try_into().map_err(|_| KeyError::Form)?)
    }

    /// The key in a JWK (RFC 8037).
    ///
    /// # Errors
    /// Another type of key, or a key that is refused.
    pub fn from_jwk(jwk: &Jwk) -> Result<PublicKey, KeyError> {
        if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
            return Err(KeyError::Form);
        }
        PublicKey::from_x(&jwk.x)
    }

    /// The one key in a PEM text (SubjectPublicKeyInfo, `-----BEGIN PUBLIC KEY-----`).
    ///
    /// # Errors
    /// None, several, or a key that is refused.
    pub fn from_pem(pem: &str) -> Result<PublicKey, KeyError> {
        let mut keys = PublicKey::all_from_pem(pem)?;
        match (keys.pop(), keys.is_empty()) {
            (Some(key), true) => Ok(key),
            _ => Err(KeyError::Form),
        }
    }

    /// All keys in a PEM text, at least one: a vendor's file has the present root and the next.
    ///
    /// # Errors
    /// None, or one that is refused.
    pub fn all_from_pem(pem: &str) -> Result<Vec<PublicKey>, KeyError> {
        if pem.len() > PEM_MAX {
            return Err(KeyError::Form);
        }
        let mut keys = Vec::new();
        for rest in pem.split(PEM_BEGIN).skip(1) {
            let (body, _) = rest.split_once(PEM_END).ok_or(KeyError::Form)?;
            let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            let der = STANDARD.decode(body).map_err(|_| KeyError::Form)?;
            let key = der.strip_prefix(&SPKI).ok_or(KeyError::Form)?;
            keys.push(PublicKey::from_bytes(
                key.try_into().map_err(|_| KeyError::Form)?,
            )?);
        }
        if keys.is_empty() {
            Err(KeyError::Form)
        } else {
            Ok(keys)
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key in base64url without padding.
    #[must_use]
    pub fn to_x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }

    /// The key as a JWK.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        Jwk {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: self.to_x(),
        }
    }

    /// The key as the claim `cnf`.
    #[must_use]
    pub fn to_cnf(&self) -> Cnf {
        Cnf { jwk: self.to_jwk() }
    }

    /// The key in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut der = SPKI.to_vec();
        der.extend_from_slice(self.0.as_bytes());
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(der))
    }

    /// The JWK thumbprint (RFC 7638, SHA-256, base64url): the `kid` of every token.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.to_x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// Whether this key made this signature, strictly (S3).
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0
            .verify_strict(message, &Signature::from_bytes(signature))
            .is_ok()
    }

    #[cfg(feature = "issue")]
    pub(super) fn of(key: &ed25519_dalek::SigningKey) -> PublicKey {
        PublicKey(key.verifying_key())
    }
}

impl SiteKeyOrigin {
    /// What the file of a site key says of it; a key of which nothing is said counts as an export.
    #[must_use]
    pub fn said_by(file: &str) -> Option<SiteKeyOrigin> {
        let said = file.lines().next()?.strip_prefix(SITE_KEY_LINE)?;
        let (word, _) = said.split_once(' ')?;
        [SiteKeyOrigin::New, SiteKeyOrigin::Export]
            .into_iter()
            .find(|origin| origin.word() == word)
    }

    /// The file of a site key: its first line, of this day, and the key in PEM.
    #[must_use]
    pub fn file(self, pem: &str, unix_s: u64) -> Zeroizing<String> {
        let (word, day) = (self.word(), dates::day(unix_s));
        Zeroizing::new(format!("{SITE_KEY_LINE}{word} {day}\n{pem}"))
    }

    fn word(self) -> &'static str {
        match self {
            SiteKeyOrigin::New => "new",
            SiteKeyOrigin::Export => "export",
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_x())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyError::Form => "not an Ed25519 key of this form",
            KeyError::NotCanonical => "not the canonical encoding of an Ed25519 key (S3)",
            KeyError::Weak => "a weak key: a signature under it proves nothing (S3)",
            KeyError::NeedsPassphrase => "the key is encrypted: a passphrase is needed",
            KeyError::WrongPassphrase => "the passphrase does not open the key",
        })
    }
}

impl std::error::Error for KeyError {}
