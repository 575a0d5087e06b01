//! Compact JWS in its strict form: the only reader and writer of signed bytes.
//!
//! In this order: size, three segments, header against constants, key id, signature over the very bytes that are then parsed.

use super::error::{Fault, Kind, TokenError};
use super::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The one algorithm (RFC 9864). `EdDSA` is refused.
const ALG: &str = "Ed25519";
/// A header has some 110 bytes; the longest that is looked at, encoded.
const HEADER_MAX: usize = 256;
/// Room for the payload of a usual lease, so that it is not moved while it is written.
#[cfg(feature = "issue")]
const PAYLOAD_ROOM: usize = 1000;
/// What follows the signed bytes: a dot, and 64 bytes of signature in base64url.
#[cfg(feature = "issue")]
const SIGNATURE_ROOM: usize = 1 + 86;

/// A claims set that is signed: its kind, its limit, and what its values must keep.
pub(super) trait Claims: Serialize + DeserializeOwned {
    const KIND: Kind;
    /// Bytes that the token may have.
    const MAX: usize;
    /// What the types cannot say; the text names the claim.
    fn check(&self) -> Result<(), String>;
    /// The key id that these claims ask for, where they name their signer.
    fn signer(&self) -> Option<&str> {
        None
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<T> {
    alg: T,
    typ: T,
    kid: T,
}

/// A token that has the right shape and kind, and nothing more.
struct Parts<'a> {
    kid: String,
    signed: &'a str,
    payload: &'a str,
    signature: [u8; 64],
}

/// Verifies a token of the kind `C` under one key.
pub(super) fn open<C: Claims>(token: &str, key: &PublicKey) -> Result<C, TokenError> {
    let parts = split(C::KIND, C::MAX, token)?;
    under(&parts, key).map_err(|fault| C::KIND.refuse(fault))?;
    claims(&parts)
}

/// Verifies a token that carries its own key.
pub(super) fn open_own<C: Claims>(
    token: &str,
    key: impl Fn(&C) -> Result<PublicKey, String>,
) -> Result<C, TokenError> {
    let parts = split(C::KIND, C::MAX, token)?;
    let claims: C = claims(&parts)?;
    let key = key(&claims).map_err(|text| C::KIND.refuse(Fault::Claims(text)))?;
    under(&parts, &key).map_err(|fault| C::KIND.refuse(fault))?;
    Ok(claims)
}

/// The key id that a token of this kind names. Not verified: it only helps to find the key to verify with.
///
/// # Errors
/// Size, shape, header and typ, as in verifying.
pub fn kid_of(kind: Kind, token: &str) -> Result<String, TokenError> {
    split(kind, most(kind), token).map(|parts| parts.kid)
}

/// The typ that a token names, whatever its kind. Not verified.
#[cfg(feature = "issue")]
pub(super) fn typ_of(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.')?;
    header_of(header).map(|header| header.typ)
}

/// Key id, signed bytes and signature of a token, unverified: for an inspection.
#[cfg(feature = "issue")]
pub(super) fn unverified_parts(
    kind: Kind,
    token: &str,
) -> Result<(String, String, [u8; 64]), TokenError> {
    let parts = split(kind, most(kind), token)?;
    Ok((parts.kid, parts.signed.to_owned(), parts.signature))
}

/// The claims of a token, in form and bounds but unverified: for an inspection.
#[cfg(feature = "issue")]
pub(super) fn unverified_claims<C: Claims>(token: &str) -> Result<C, TokenError> {
    claims(&split(C::KIND, C::MAX, token)?)
}

/// Writes the token.
#[cfg(feature = "issue")]
pub(super) fn seal<C: Claims>(
    claims: &C,
    key: &super::keys::SigningKey,
) -> Result<String, TokenError> {
    let refuse = |text| C::KIND.refuse(Fault::Claims(text));
    claims.check().map_err(refuse)?;
    if let Some(signer) = claims.signer()
        && signer != key.thumbprint()
    {
        return Err(refuse(
            "iss is not the thumbprint of the signing key".to_owned(),
        ));
    }
    let mut payload = Vec::with_capacity(PAYLOAD_ROOM);
    serde_json::to_writer(&mut payload, claims).map_err(|e| refuse(e.to_string()))?;
    let token = key.sign_token(C::KIND.typ(), &payload);
    if token.len() > C::MAX {
        return Err(C::KIND.refuse(Fault::Size {
            len: token.len(),
            most: C::MAX,
        }));
    }
    Ok(token)
}

/// The bytes to sign: header and payload, each in base64url, joined by a dot.
#[cfg(feature = "issue")]
pub(super) fn signing_input(typ: &str, kid: &str, payload: &[u8]) -> String {
    let names = Header { alg: ALG, typ, kid };
    let mut header = Vec::with_capacity(HEADER_MAX);
    serde_json::to_writer(&mut header, &names).expect("three strings always serialize");
    let letters = |bytes: usize| bytes.div_ceil(3) * 4;
    let signed = letters(header.len()) + 1 + letters(payload.len());
    let mut text = String::with_capacity(signed + SIGNATURE_ROOM);
    URL_SAFE_NO_PAD.encode_string(header, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    text
}

impl Kind {
    fn refuse(self, fault: Fault) -> TokenError {
        TokenError { kind: self, fault }
    }
}

fn most(kind: Kind) -> usize {
    use super::claims as c;
    match kind {
        Kind::Issuer => c::Issuer::MAX,
        Kind::License => c::License::MAX,
        Kind::Delegation => c::Delegation::MAX,
        Kind::Request => c::Request::MAX,
        Kind::Lease => c::Lease::MAX,
        Kind::Anchor => c::Anchor::MAX,
    }
}

fn split(kind: Kind, most: usize, token: &str) -> Result<Parts<'_>, TokenError> {
    let refuse = |fault| kind.refuse(fault);
    if token.len() > most {
        return Err(refuse(Fault::Size {
            len: token.len(),
            most,
        }));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(|| refuse(Fault::Shape))?;
    let (header, payload) = signed.split_once('.').ok_or_else(|| refuse(Fault::Shape))?;
    if payload.contains('.') {
        return Err(refuse(Fault::Shape));
    }
    let header = header_of(header).ok_or_else(|| refuse(Fault::Header))?;
    if header.alg != ALG {
        return Err(refuse(Fault::Header));
    }
    if header.typ != kind.typ() {
        return Err(refuse(Fault::Typ { found: header.typ }));
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let signature = signature.ok_or_else(|| refuse(Fault::Shape))?;
    Ok(Parts {
        kid: header.kid,
        signed,
        payload,
        signature,
    })
}

fn header_of(segment: &str) -> Option<Header<String>> {
    if segment.len() > HEADER_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(segment).ok()?;
    let header = serde_json::from_slice(&bytes).ok()?;
    named(&bytes, &header).then_some(header)
}

fn under(parts: &Parts<'_>, key: &PublicKey) -> Result<(), Fault> {
    let wanted = key.thumbprint();
    if parts.kid != wanted {
        return Err(Fault::Kid {
            found: parts.kid.clone(),
            wanted,
        });
    }
    if key.signed(parts.signed.as_bytes(), &parts.signature) {
        Ok(())
    } else {
        Err(Fault::Signature)
    }
}

fn claims<C: Claims>(parts: &Parts<'_>) -> Result<C, TokenError> {
    let refuse = |fault| C::KIND.refuse(fault);
    let payload = URL_SAFE_NO_PAD
        .decode(parts.payload)
        .map_err(|_| refuse(Fault::Shape))?;
    let claims: C =
        serde_json::from_slice(&payload).map_err(|e| refuse(Fault::Claims(e.to_string())))?;
    if !named(&payload, &claims) {
        let text = "a list stands where named claims are needed";
        return Err(refuse(Fault::Claims(text.to_owned())));
    }
    claims.check().map_err(|text| refuse(Fault::Claims(text)))?;
    match claims.signer() {
        Some(signer) if signer != parts.kid => Err(refuse(Fault::Claims(
            "iss is not the key that signed".to_owned(),
        ))),
        _ => Ok(claims),
    }
}

/// Whether every struct was read from an object: a derived reader also takes the list of its values (S1, S2).
///
/// Written again, each struct is an object; a list in its place is one object less. `info` is left out: it is open.
fn named<T: Serialize>(json: &[u8], read: &T) -> bool {
    let again = serde_json::to_vec(read).ok();
    again.is_some_and(|again| objects(json).is_some_and(|n| objects(&again) == Some(n)))
}

/// How many objects stand in an object outside its `info`.
fn objects(json: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Open<'a> {
        #[serde(borrow)]
        info: Option<&'a RawValue>,
    }
    if !json.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let open: Open<'_> = serde_json::from_slice(json).ok()?;
    let inside = open.info.map_or(0, |info| braces(info.get().as_bytes()));
    Some(braces(json) - inside)
}

/// How many objects a JSON text has.
fn braces(json: &[u8]) -> usize {
    let (mut many, mut text, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => text = !text,
            b'{' if !text => many += 1,
            _ => {}
        }
    }
    many
}
