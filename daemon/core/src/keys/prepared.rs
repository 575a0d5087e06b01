//! The site key and the salt, read once before the journal is opened: who this state belongs to.

use super::files::{bad_file, io_error, make_folder, read, read_private, write_private};
use super::{DELEGATION, KEY_BACK, KeysError, SiteKeyFrom, random_key};
use seatkeeper::token::keys::{PublicKey, SigningKey, SiteKeyOrigin};
use seatkeeper::token::{self, Kind, delegation};
use seatkeeper_engine::ids::LoginHash;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const KEY_IS_GONE: &str = "it is missing, and every license of this site is bound to it";
const KEY_ELSEWHERE: &str = "Where it is kept elsewhere on purpose, its public half stands here as site.pub.pem (`seatkeeper help site key delegate`)";
const NO_KEY_AT_ALL: &str = "Without either, move the whole state directory away, start a new site, and ask your vendors for new licenses";
/// The file that stands for a site key that is kept elsewhere.
pub(super) const PUBLIC_HALF: &str = "site.pub.pem";
const PUBLIC_BACK: &str = "It stands for a site key that is kept elsewhere: put that key's public half there, as `seatkeeper site key new --public` or `openssl pkey -pubout` writes it";
const SALT_IS_GONE: &str = "it is missing, and logins are known by their hashes under it: with another one nobody would be known any more. Restore it from a backup";

/// What is known of a site before its journal is opened; [`super::Keys::open`] takes it over.
pub struct Prepared {
    pub(super) folder: PathBuf,
    pub(super) site: SiteKey,
    /// The site key's file, where it is this daemon's own.
    pub(super) site_file: Option<PathBuf>,
    pub(super) salt: Salt,
    copied: bool,
}

/// The site key, or the half of it that is here where it is kept elsewhere.
pub(super) struct SiteKey {
    pub(super) public: PublicKey,
    pub(super) thumbprint: String,
    pub(super) signing: Option<SigningKey>,
}

/// What logins are hashed with: 32 secret bytes of this site.
pub struct Salt(Zeroizing<[u8; 32]>);

impl Prepared {
    /// The site key's thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.site.thumbprint
    }

    /// The site key is a copy of a running daemon's, or kept elsewhere, where nobody here knows: in use without its state
    /// it begins in quarantine (rule 21).
    #[must_use]
    pub fn copied(&self) -> bool {
        self.copied
    }
}

impl SiteKey {
    pub(super) fn here(key: SigningKey) -> SiteKey {
        SiteKey {
            public: key.public(),
            thumbprint: key.thumbprint().to_owned(),
            signing: Some(key),
        }
    }

    fn elsewhere(public: PublicKey) -> SiteKey {
        SiteKey {
            thumbprint: public.thumbprint(),
            public,
            signing: None,
        }
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
    let salt_file = folder.join("login.salt");
    let found = found(folder, from)?;
    if let (Found::Nothing { file }, true) = (&found, has_journal) {
        let why = format!("{KEY_IS_GONE}. {KEY_BACK}. {KEY_ELSEWHERE}. {NO_KEY_AT_ALL}");
        return Err(missing(file, why));
    }
    if has_journal
        && !salt_file
            .try_exists()
            .map_err(|e| io_error(&salt_file, e))?
    {
        return Err(missing(&salt_file, SALT_IS_GONE.to_owned()));
    }
    let elsewhere = matches!(found, Found::PublicHalf { .. });
    if has_journal && !elsewhere && !folder.join("lease.key").exists() {
        tracing::warn!(
            "the lease key is missing: a new one is made, and applications follow it at their next renewal"
        );
    }
    let place = found.place().to_owned();
    let (site, copied, site_file) = match found {
        Found::Key { file, text, own } => {
            let key = SigningKey::from_pem(&text, None)
                .map_err(|e| bad_file(&file, format!("{e}. {KEY_BACK}")))?;
            // All that do not say that they were made here, or ahead.
            let copied = SiteKeyOrigin::said_by(&text) != Some(SiteKeyOrigin::New);
            (SiteKey::here(key), copied, own.then_some(file))
        }
        Found::PublicHalf { file, pem } => {
            let key = PublicKey::from_pem(&pem)
                .map_err(|e| bad_file(&file, format!("{e}. {PUBLIC_BACK}")))?;
            (SiteKey::elsewhere(key), true, None)
        }
        Found::Nothing { file } => {
            let key = new_site_key(&file, wall_s)?;
            (SiteKey::here(key), false, Some(file))
        }
    };
    // Before a run is journaled and another delegation made: who this state was served by.
    let delegated = fs::read_to_string(folder.join(DELEGATION)).ok();
    let token = delegated.as_deref().and_then(delegation::token_in);
    let by = token.and_then(|token| token::kid_of(Kind::Delegation, token).ok());
    if let Some(by) = by.filter(|by| has_journal && *by != site.thumbprint) {
        let why = format!(
            "it is not the key that this state was served with (thumbprint {by}). {KEY_BACK}"
        );
        return Err(bad_file(&place, why));
    }
    let salt = salt(&salt_file)?;
    Ok(Prepared {
        folder: folder.to_owned(),
        site,
        site_file,
        salt,
        copied,
    })
}

/// What stands for the site key.
enum Found {
    /// The key itself, in this daemon's own file or in the service manager's.
    Key {
        file: PathBuf,
        text: Zeroizing<String>,
        own: bool,
    },
    /// Its public half: the key is kept elsewhere.
    PublicHalf { file: PathBuf, pem: String },
    /// A site that begins, or has lost it.
    Nothing { file: PathBuf },
}

impl Found {
    fn place(&self) -> &Path {
        match self {
            Found::Key { file, .. } | Found::PublicHalf { file, .. } | Found::Nothing { file } => {
                file
            }
        }
    }
}

fn found(folder: &Path, from: &SiteKeyFrom) -> Result<Found, KeysError> {
    let file = match from {
        // The service manager's file: others cannot touch it, whatever its mode.
        SiteKeyFrom::Credential(file) => {
            let text = fs::read_to_string(file).map_err(|why| io_error(file, why))?;
            return Ok(Found::Key {
                file: file.clone(),
                text: Zeroizing::new(text),
                own: false,
            });
        }
        SiteKeyFrom::Folder => folder.join("site.key"),
    };
    if let Some(text) = read_private(&file)? {
        let own = true;
        return Ok(Found::Key { file, text, own });
    }
    let public = folder.join(PUBLIC_HALF);
    Ok(match read(&public)? {
        Some(pem) => Found::PublicHalf {
            file: public,
            pem: pem.to_string(),
        },
        None => Found::Nothing { file },
    })
}

fn missing(path: &Path, why: String) -> KeysError {
    KeysError::Missing {
        path: path.to_owned(),
        why,
    }
}

fn new_site_key(path: &Path, wall_s: u64) -> Result<SigningKey, KeysError> {
    let key = SigningKey::generate(&random_key(path)?);
    let text = SiteKeyOrigin::New.file(&key.to_pem(), wall_s);
    write_private(path, text.as_bytes())?;
    Ok(key)
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
