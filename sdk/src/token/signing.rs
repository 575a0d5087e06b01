//! Keys that sign, and their files: PKCS#8 version 1 in PEM, encrypted with a passphrase where wanted.

use super::jws;
use super::keys::{KeyError, PublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::KeypairBytes;
use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::pkcs5::{self, pbes2, scrypt};
use pkcs8::{
    DecodePrivateKey, EncodePrivateKey, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef,
    SecretDocument,
};
use zeroize::Zeroizing;

/// A key file has some 120 bytes, encrypted 400; lines of comment may stand before it.
const PEM_MAX: usize = 16 * 1024;
/// Cost of a passphrase: log₂ N, r, p. OWASP's setting for 16 MiB, rated like its N = 2¹⁷, p = 1, for which OpenSSL
/// refuses to take the memory (its limit is 32 MiB).
const SCRYPT: (u8, u32, u32) = (14, 8, 5);

/// A key that signs. It has no `Debug`, no `Display` and no serde form (S23), and is wiped when dropped.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    thumbprint: String,
}

impl SigningKey {
    /// The key of 32 random bytes, which the caller takes from the operating system.
    #[must_use]
    pub fn generate(random: &Zeroizing<[u8; 32]>) -> SigningKey {
        SigningKey::of(ed25519_dalek::SigningKey::from_bytes(random))
    }

    /// The key in a PEM text (PKCS#8, version 1 or 2, encrypted or not). Lines before it are left alone.
    ///
    /// # Errors
    /// Not such a text, a passphrase that is missing or wrong, or a key that is refused.
    pub fn from_pem(pem: &str, passphrase: Option<&[u8]>) -> Result<SigningKey, KeyError> {
        let pem = block(pem)?;
        let pair = if SigningKey::is_encrypted(pem) {
            let passphrase = passphrase.ok_or(KeyError::NeedsPassphrase)?;
            decrypted(pem, passphrase)?
        } else {
            KeypairBytes::from_pkcs8_pem(pem).map_err(|_| KeyError::Form)?
        };
        let key = ed25519_dalek::SigningKey::try_from(&pair).map_err(|_| KeyError::Form)?;
        Ok(SigningKey::of(key))
    }

    /// Whether a PEM text has an encrypted key.
    #[must_use]
    pub fn is_encrypted(pem: &str) -> bool {
        pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    }

    /// The key as PKCS#8 version 1 in PEM: what OpenSSL 3.0 and Python read too.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.bytes()
            .to_pkcs8_pem(LineEnding::LF)
            .expect("a key of fixed length always encodes")
    }

    /// The key as encrypted PKCS#8 in PEM (scrypt, AES-256-CBC). `random` is for salt and iv, new each time.
    ///
    /// # Errors
    /// An empty passphrase.
    pub fn to_encrypted_pem(
        &self,
        passphrase: &[u8],
        random: &[u8; 32],
    ) -> Result<Zeroizing<String>, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::NeedsPassphrase);
        }
        let (salt, iv) = random.split_at(16);
        let iv = iv.try_into().expect("half of 32 bytes");
        let (log_n, r, p) = SCRYPT;
        let cost = scrypt::Params::new(log_n, r, p).expect("the cost is within scrypt's bounds");
        let parameters = pbes2::Parameters::generate_scrypt_aes256cbc(cost, salt, iv)
            .expect("16 bytes of salt and of iv are valid");
        let der = self
            .bytes()
            .to_pkcs8_der()
            .expect("a key of fixed length always encodes");
        PrivateKeyInfoRef::try_from(der.as_bytes())
            .and_then(|info| info.encrypt_with_params(parameters, passphrase))
            .and_then(|sealed| {
                Ok(sealed.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF)?)
            })
            .map_err(|_| KeyError::Form)
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::of(&self.key)
    }

    /// The thumbprint of its public half: the `kid` of what it signs.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The signature of a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// A token of any typ over a payload that is taken as it is. Use `sign` of the kind's module, which checks it.
    #[must_use]
    pub fn sign_token(&self, typ: &str, payload: &[u8]) -> String {
        let mut token = jws::signing_input(typ, &self.thumbprint, payload);
        let signature = self.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    fn of(key: ed25519_dalek::SigningKey) -> SigningKey {
        let thumbprint = PublicKey::of(&key).thumbprint();
        SigningKey { key, thumbprint }
    }

    fn bytes(&self) -> KeypairBytes {
        KeypairBytes {
            secret_key: self.key.to_bytes(),
            public_key: None,
        }
    }
}

/// The pair in an encrypted PEM block. CBC has no tag: of 256 wrong passphrases one leaves a padding that could be
/// meant, and then no key behind it. So whatever comes out that is no key came of a wrong passphrase.
fn decrypted(pem: &str, passphrase: &[u8]) -> Result<KeypairBytes, KeyError> {
    let (label, der) = SecretDocument::from_pem(pem).map_err(|_| KeyError::Form)?;
    let sealed = match label {
        EncryptedPrivateKeyInfoRef::PEM_LABEL => {
            EncryptedPrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|_| KeyError::Form)?
        }
        _ => return Err(KeyError::Form),
    };
    let clear = sealed.decrypt(passphrase).map_err(|e| match e {
        pkcs8::Error::EncryptedPrivateKey(e) if e != pkcs5::Error::DecryptFailed => KeyError::Form,
        _ => KeyError::WrongPassphrase,
    })?;
    let key = PrivateKeyInfoRef::try_from(clear.as_bytes());
    KeypairBytes::try_from(key.map_err(|_| KeyError::WrongPassphrase)?).map_err(|_| KeyError::Form)
}

/// The PEM block in a text that may have lines before and after it.
fn block(text: &str) -> Result<&str, KeyError> {
    if text.len() > PEM_MAX {
        return Err(KeyError::Form);
    }
    let from = text.find("-----BEGIN ").ok_or(KeyError::Form)?;
    Ok(text[from..].trim_end())
}
