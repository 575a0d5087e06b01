//! The site key and the salt, read once before the journal is opened: who this state belongs to.

use super::files::{bad_file, io_error, make_folder, read_private, write_private};
use super::{KEY_BACK, KeysError, SiteKeyFrom, random_key};
use seatkeeper::token::keys::{SigningKey, SiteKeyOrigin};
use seatkeeper::token::{self, Kind};
use seatkeeper_engine::ids::LoginHash;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const KEY_IS_GONE: &str = "it is missing, and every license of this site is bound to it";
const NO_KEY_AT_ALL: &str = "Without either, move the whole state directory away, start a new site, and ask your vendors for new licenses";
const SALT_IS_GONE: &str = "it is missing, and logins are known by their hashes under it: with another one nobody would be known any more. Restore it from a backup";

/// What is known of a site before its journal is opened; [`super::Keys::open`] takes it over.
pub struct Prepared {
    pub(super) folder: PathBuf,
    pub(super) site: SigningKey,
    /// The site key's file, where it is this daemon's own.
    pub(super) site_file: Option<PathBuf>,
    pub(super) salt: Salt,
    copied: bool,
}

/// What logins are hashed with: 32 secret bytes of this site.
pub struct Salt(Zeroizing<[u8; 32]>);

impl Prepared {
    /// The site key's thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        self.site.thumbprint()
    }

    /// The site key is a copy of a running daemon's: in use without its state it begins in quarantine (rule 21).
    #[must_use]
    pub fn copied(&self) -> bool {
        self.copied
    }
}

impl Salt {
    pub(super) fn of(bytes: Zeroizing<[u8; 32]>) -> Salt {
        Salt(bytes)
    }

    /// The raw bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Makes what a new site needs before its journal is there, and takes a state whose own is gone, or that another key served,
/// for what it is: damaged. The site key is made too, unless it comes `from` elsewhere.
///
/// # Errors
/// A file that is missing beside a journal, cannot be read or made, is no key or not private.
pub fn prepare(
    folder: &Path,
    from: &SiteKeyFrom,
    has_journal: bool,
    wall_s: u64,
) -> Result<Prepared, KeysError> {
    make_folder(folder)?;
    let (site_file, salt_file) = (folder.join("site.key"), folder.join("login.salt"));
    let site_path = match from {
        SiteKeyFrom::Folder => &site_file,
        SiteKeyFrom::Credential(path) => path,
    };
    let mut needed = vec![(&salt_file, SALT_IS_GONE.to_owned())];
    if *from == SiteKeyFrom::Folder {
        let why = format!("{KEY_IS_GONE}. {KEY_BACK}. {NO_KEY_AT_ALL}");
        needed.push((&site_file, why));
    }
    for (path, why) in needed {
        if has_journal && !path.try_exists().map_err(|e| io_error(path, e))? {
            let path = path.clone();
            return Err(KeysError::Missing { path, why });
        }
    }
    if has_journal && !folder.join("lease.key").exists() {
        tracing::warn!(
            "the lease key is missing: a new one is made, and applications follow it at their next renewal"
        );
    }
    let (site, copied) = match from {
        SiteKeyFrom::Folder => site_key(&site_file, wall_s)?,
        SiteKeyFrom::Credential(path) => credential(path)?,
    };
    // Before a run is journaled and another delegation made: who this state was served by.
    let delegated = fs::read_to_string(folder.join("delegation")).ok();
    let by = delegated.and_then(|token| token::kid_of(Kind::Delegation, token.trim()).ok());
    if let Some(by) = by.filter(|by| has_journal && by != site.thumbprint()) {
        let why = format!(
            "it is not the key that this state was served with (thumbprint {by}). {KEY_BACK}"
        );
        return Err(bad_file(site_path, why));
    }
    let salt = salt(&salt_file)?;
    Ok(Prepared {
        folder: folder.to_owned(),
        site,
        site_file: (*from == SiteKeyFrom::Folder).then_some(site_file),
        salt,
        copied,
    })
}

fn site_key(path: &Path, wall_s: u64) -> Result<(SigningKey, bool), KeysError> {
    match read_private(path)? {
        Some(text) => Ok((parse(path, &text)?, is_copy(&text))),
        None => {
            let key = SigningKey::generate(&random_key(path)?);
            let text = SiteKeyOrigin::New.file(&key.to_pem(), wall_s);
            write_private(path, text.as_bytes())?;
            Ok((key, false))
        }
    }
}

/// A site key that the service manager keeps.
fn credential(path: &Path) -> Result<(SigningKey, bool), KeysError> {
    let text = fs::read_to_string(path).map_err(|why| io_error(path, why))?;
    let text = Zeroizing::new(text);
    Ok((parse(path, &text)?, is_copy(&text)))
}

/// Whether a key counts as copied from a running daemon: all but those that say that they were made here, or ahead.
fn is_copy(text: &str) -> bool {
    SiteKeyOrigin::said_by(text) != Some(SiteKeyOrigin::New)
}

fn parse(path: &Path, text: &str) -> Result<SigningKey, KeysError> {
    SigningKey::from_pem(text, None).map_err(|e| bad_file(path, format!("{e}. {KEY_BACK}")))
}

/// The salt, and beside it the begin of its SHA-256: another digit would be another salt, and everybody a stranger.
fn salt(path: &Path) -> Result<Salt, KeysError> {
    match read_private(path)? {
        Some(text) => {
            let salt = text.trim().split_once(' ').and_then(|(salt, sum)| {
                let salt = salt.parse::<LoginHash>().ok()?;
                (salt_sum(&salt.0) == sum).then_some(salt)
            });
            let broken = "its bytes are not those that were written. Restore it from a backup: logins are known by their hashes under it";
            match salt {
                Some(salt) => Ok(Salt(Zeroizing::new(salt.0))),
                None => Err(bad_file(path, broken.to_owned())),
            }
        }
        None => {
            let bytes = random_key(path)?;
            let text = Zeroizing::new(format!("{} {}", LoginHash(*bytes), salt_sum(&bytes)));
            write_private(path, text.as_bytes())?;
            Ok(Salt(bytes))
        }
    }
}

fn salt_sum(salt: &[u8; 32]) -> String {
    let sum: [u8; 32] = Sha256::digest(salt).into();
    LoginHash(sum).to_string()[..16].to_owned()
}
