//! License files (`.lic`): tokens as text, with a summary for people that decides nothing.

use super::chain::{self, ChainError, VerifiedLicense};
use super::claims::Issuer;
use super::error::{Fault, Kind, TokenError};
use super::keys::PublicKey;
use super::{jws, summary};
use crate::wire::Code;
use std::fmt;

/// Bytes that a license file may have.
pub const MAX: usize = 256 * 1024;

/// The tokens of a file, sorted by kind; nothing is verified yet.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Issuer tokens.
    pub issuers: Vec<String>,
    /// License tokens.
    pub licenses: Vec<String>,
    /// What was skipped, and why.
    pub warnings: Vec<String>,
}

/// A file of which every token is verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Every issuer token.
    pub issuers: Vec<VerifiedIssuer>,
    /// Every license with its issuer, in the order of the file; none where a vendor sends only a newer issuer token.
    pub licenses: Vec<VerifiedLicense>,
    /// What was skipped, and why.
    pub warnings: Vec<String>,
}

/// An issuer token, verified under a root.
#[derive(Clone, Debug)]
pub struct VerifiedIssuer {
    /// Thumbprint of the root.
    pub root: String,
    /// Its claims.
    pub claims: Issuer,
    /// The token.
    pub token: String,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// Longer than 256 KiB.
    TooLarge {
        /// Its length in bytes.
        len: usize,
    },
    /// Not UTF-8.
    NotText,
    /// Neither license nor issuer token in it.
    Empty,
    /// A known token that belongs into no license file.
    NotALicense(Kind),
    /// A license whose issuer token is not in the file.
    NoIssuer {
        /// The key that the license names.
        kid: String,
    },
    /// The block at this line is no token.
    Block {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        error: TokenError,
    },
    /// A token of the file fails.
    Chain(ChainError),
}

/// Reads and verifies a license file.
///
/// # Errors
/// A file that is too large or no text, that has no token, or of which a known token fails.
pub fn read(bytes: &[u8], roots: &[PublicKey]) -> Result<Verified, FileError> {
    parse(bytes)?.verify(roots)
}

/// Splits a license file into its tokens.
///
/// # Errors
/// A file that is too large or no text, that has no token, or a block in it that is no token.
pub fn parse(bytes: &[u8]) -> Result<Tokens, FileError> {
    if bytes.len() > MAX {
        return Err(FileError::TooLarge { len: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| FileError::NotText)?;
    let mut tokens = Tokens::default();
    for (line, token) in blocks(text) {
        tokens.sort_in(line, token)?;
    }
    if tokens.licenses.is_empty() && tokens.issuers.is_empty() {
        return Err(FileError::Empty);
    }
    Ok(tokens)
}

/// Writes a license file: a summary, then every token once, issuers first.
#[must_use]
pub fn write(licenses: &[VerifiedLicense]) -> String {
    let mut text = String::from(
        "# A Seatkeeper license file. Lines like this one are for people and decide nothing.\n",
    );
    text.push_str("# Install: seatkeeper license install THIS_FILE\n");
    for verified in licenses {
        text.push_str("#\n");
        for line in summary::license(verified) {
            text.push_str(&format!("# {line}\n"));
        }
    }
    let mut written = Vec::new();
    let issuers = licenses.iter().map(|verified| &verified.issuer_token);
    for token in issuers.chain(licenses.iter().map(|verified| &verified.license_token)) {
        if !written.contains(&token) {
            text.push_str(&format!("\n{token}\n"));
            written.push(token);
        }
    }
    text
}

impl Tokens {
    /// Verifies every token up to these roots.
    ///
    /// # Errors
    /// The first token that fails; a license whose issuer is not in the file.
    pub fn verify(self, roots: &[PublicKey]) -> Result<Verified, FileError> {
        let mut issuers = Vec::new();
        for token in self.issuers {
            let (root, claims) = chain::verify_issuer(roots, &token).map_err(FileError::Chain)?;
            issuers.push(VerifiedIssuer {
                root,
                claims,
                token,
            });
        }
        let licenses = self
            .licenses
            .iter()
            .map(|token| under_issuer(&issuers, token))
            .collect::<Result<_, _>>()?;
        Ok(Verified {
            issuers,
            licenses,
            warnings: self.warnings,
        })
    }

    fn sort_in(&mut self, line: usize, token: String) -> Result<(), FileError> {
        let not_a_token = |kind, fault| FileError::Block {
            line,
            error: TokenError { kind, fault },
        };
        let typ = jws::typ_of(&token).ok_or_else(|| not_a_token(Kind::License, Fault::Shape))?;
        let list = match Kind::of(&typ) {
            Some(Kind::Issuer) => &mut self.issuers,
            Some(Kind::License) => &mut self.licenses,
            Some(kind) => return Err(FileError::NotALicense(kind)),
            None => {
                self.warnings.push(format!(
                    "line {line}: a token of the unknown kind {typ:?} was skipped"
                ));
                return Ok(());
            }
        };
        if !list.contains(&token) {
            list.push(token);
        }
        Ok(())
    }
}

/// Tries every issuer token for the license's key, the newest first: a file may have two generations of one.
fn under_issuer(issuers: &[VerifiedIssuer], token: &str) -> Result<VerifiedLicense, FileError> {
    let kid = jws::kid_of(Kind::License, token).map_err(|e| FileError::Chain(e.into()))?;
    let mut candidates: Vec<_> = issuers
        .iter()
        .filter(|issuer| issuer.claims.sub == kid)
        .collect();
    candidates.sort_by_key(|issuer| std::cmp::Reverse(issuer.claims.iat));
    let mut refused = FileError::NoIssuer { kid };
    for issuer in candidates {
        let (root, claims) = (issuer.root.clone(), issuer.claims.clone());
        match chain::verify_under(root, claims, &issuer.token, token) {
            Ok(verified) => return Ok(verified),
            // A newer issuer that withdraws the license is not outvoted by an older one.
            Err(ChainError::Revoked) => return Err(FileError::Chain(ChainError::Revoked)),
            Err(e) if matches!(refused, FileError::NoIssuer { .. }) => {
                refused = FileError::Chain(e)
            }
            Err(_) => {}
        }
    }
    Err(refused)
}

/// The blocks between blank lines, each with its first line (from 1) and without the white space in it.
#[must_use]
pub fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        let line: String = line
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\u{feff}')
            .collect();
        if line.starts_with('#') {
            continue;
        }
        match blocks.last_mut() {
            Some((_, block)) if open && !line.is_empty() => block.push_str(&line),
            _ if !line.is_empty() => blocks.push((n + 1, line.clone())),
            _ => {}
        }
        open = !line.is_empty();
    }
    blocks
}

impl FileError {
    /// The stable code that goes with it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            FileError::TooLarge { .. } => Code::BodyTooLarge,
            FileError::Chain(e) => e.code(),
            _ => Code::BadSyntax,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::TooLarge { len } => write!(
                f,
                "the file has {len} bytes, a license file has {MAX} at most"
            ),
            FileError::NotText => {
                f.write_str("the file is not text: was it opened and saved by a word processor?")
            }
            FileError::Empty => f.write_str("there is no license in the file"),
            FileError::NotALicense(kind) => write!(f, "this is a {kind}, not a license"),
            FileError::NoIssuer { kid } => {
                write!(
                    f,
                    "the issuer token of the key {kid:?}, which the license names, is not in the file"
                )
            }
            FileError::Block { line, error } => write!(f, "line {line}: {}", error.fault),
            FileError::Chain(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}
