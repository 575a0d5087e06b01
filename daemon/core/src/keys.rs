//! The site's keys: made at the first start, kept private, and the delegation from the site key to the lease key.
//!
//! Nothing here that is secret can be printed or serialized (S23).

mod files;
mod prepared;

pub use prepared::{Prepared, Salt, prepare};

use crate::random;
use arc_swap::ArcSwap;
use files::{bad_file, io_error, read_private, write_private};
use seatkeeper::token::claims::{Delegation, Info, Slots};
use seatkeeper::token::keys::{PublicKey, SigningKey, SiteKeyOrigin};
use seatkeeper::token::{TokenError, delegation};
use seatkeeper_engine::time::Date;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::fmt;
use zeroize::Zeroizing;

/// A delegation lives 90 days and is renewed at half of them.
const SPAN_S: u64 = delegation::SPAN_MAX_S;
/// A delegation begins this long before it is signed, so that a lease judged a moment earlier is not before it.
const SLACK_S: u64 = 3600;
/// What to do where the site key is not the one that it was.
pub const KEY_BACK: &str = "Put the site's own key back, owned by the daemon's user, mode 0600: from a backup, or from its export with `seatkeeper site key new --from EXPORT --out site.key`";

/// The keys of a site.
pub struct Keys {
    site: SigningKey,
    lease: SigningKey,
    salt: Salt,
    folder: Option<PathBuf>,
    /// The site key's file, where it is this daemon's own.
    site_file: Option<PathBuf>,
    delegated: ArcSwap<Delegated>,
    exported: Mutex<bool>,
    renewing: Mutex<()>,
}

/// Where the site key is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SiteKeyFrom {
    /// In the folder of the keys, made there where it is missing.
    #[default]
    Folder,
    /// In this file, which only the service manager gives to this daemon (systemd's `LoadCredential=`).
    Credential(PathBuf),
}

/// A delegation to the lease key.
#[derive(Debug)]
pub struct Delegated {
    /// The token.
    pub token: String,
    /// Signed at (J).
    pub iat: u64,
    /// Leases until.
    pub exp: u64,
}

/// There are no keys.
#[derive(Debug)]
pub enum KeysError {
    /// The system refused.
    Io {
        /// What was touched.
        path: PathBuf,
        /// What it said.
        why: io::Error,
    },
    /// A file is not a key, or not private.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file is gone that this state cannot do without.
    Missing {
        /// The file.
        path: PathBuf,
        /// What it was good for, and what to do.
        why: String,
    },
    /// A delegation cannot be signed: the clock stands outside of what tokens can say.
    Delegation(TokenError),
}

impl Keys {
    /// Opens the keys of a site that was prepared; a lease key that is missing is made. `now` is J.
    ///
    /// # Errors
    /// Files that cannot be read or made, that are no keys or not private.
    pub fn open(prepared: Prepared, now: Date) -> Result<Keys, KeysError> {
        let folder = prepared.folder.clone();
        let lease = lease_key(&folder.join("lease.key"))?;
        let kept = kept_delegation(&folder.join("delegation"), &prepared.site, &lease);
        let exported = prepared.copied();
        let (site, salt) = (prepared.site, prepared.salt);
        let keys = Keys::of(site, lease, salt, Some(folder), kept, exported, now)?;
        Ok(Keys {
            site_file: prepared.site_file,
            ..keys
        })
    }

    /// Keys that live as long as this process, for tests.
    ///
    /// # Errors
    /// No randomness.
    pub fn memory(now: Date) -> Result<Keys, KeysError> {
        let random = || random_key(Path::new("memory"));
        let (site, lease, salt) = (random()?, random()?, random()?);
        let (site, lease) = (SigningKey::generate(&site), SigningKey::generate(&lease));
        Keys::of(site, lease, Salt::of(salt), None, None, false, now)
    }

    fn of(
        site: SigningKey,
        lease: SigningKey,
        salt: Salt,
        folder: Option<PathBuf>,
        kept: Option<Delegated>,
        exported: bool,
        now: Date,
    ) -> Result<Keys, KeysError> {
        let (delegated, new) = match kept {
            Some(kept) => (kept, false),
            None => (delegate(&site, &lease, now)?, true),
        };
        let keys = Keys {
            site,
            lease,
            salt,
            folder,
            site_file: None,
            delegated: ArcSwap::from_pointee(delegated),
            exported: Mutex::new(exported),
            renewing: Mutex::new(()),
        };
        if new {
            keys.keep_delegation(&keys.delegated.load())?;
        }
        keys.delegation(now)?;
        Ok(keys)
    }

    /// The public site key.
    #[must_use]
    pub fn site(&self) -> PublicKey {
        self.site.public()
    }

    /// The site key's thumbprint.
    #[must_use]
    pub fn site_thumbprint(&self) -> &str {
        self.site.thumbprint()
    }

    /// The salt of this site's logins.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// Whether the site key was exported, or came from elsewhere.
    #[must_use]
    pub fn exported(&self) -> bool {
        *self.exported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that signs leases. Sign only under [`Keys::delegation`] of the lease's own `iat`.
    #[must_use]
    pub(crate) fn lease(&self) -> &SigningKey {
        &self.lease
    }

    /// The key that signs requests.
    #[must_use]
    pub(crate) fn site_signing(&self) -> &SigningKey {
        &self.site
    }

    /// The delegation in force at J, renewed where half of it is over or J was put back before it.
    ///
    /// # Errors
    /// A new one could not be signed or kept.
    pub fn delegation(&self, now: Date) -> Result<Arc<Delegated>, KeysError> {
        let present = self.delegated.load_full();
        if present.serves(now) {
            return Ok(present);
        }
        // One renewal at a time: whoever comes second finds the first one's.
        let _one = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.delegated.load().serves(now) {
            return Ok(self.delegated.load_full());
        }
        // Kept before anyone is sent it: a restart would sign under another one.
        let new = delegate(&self.site, &self.lease, now)?;
        self.keep_delegation(&new)?;
        self.delegated.store(Arc::new(new));
        tracing::info!(j = now.0, "the lease key has a new delegation");
        Ok(self.delegated.load_full())
    }

    /// The site key under a passphrase, with its first line; from now on the key counts as exported.
    ///
    /// # Errors
    /// An empty passphrase, or a mark that could not be written: then nothing was exported.
    pub fn export(&self, passphrase: &[u8], wall_s: u64) -> Result<Zeroizing<String>, KeysError> {
        let place = PathBuf::from("site.key");
        let random = random_key(&place)?;
        let sealed = self
            .site
            .to_encrypted_pem(passphrase, &random)
            .map_err(|e| bad_file(&place, e.to_string()))?;
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        // A credential is its service manager's: there the copy alone says what it is.
        if let Some(file) = self.site_file.as_ref().filter(|_| !*exported) {
            // Marked before it leaves: a copy that nobody knows of could be started without its state.
            let own = SiteKeyOrigin::Export.file(&self.site.to_pem(), wall_s);
            write_private(file, own.as_bytes())?;
        }
        *exported = true;
        Ok(SiteKeyOrigin::Export.file(&sealed, wall_s))
    }

    fn keep_delegation(&self, new: &Delegated) -> Result<(), KeysError> {
        match &self.folder {
            Some(folder) => write_private(&folder.join("delegation"), new.token.as_bytes()),
            None => Ok(()),
        }
    }
}

impl Delegated {
    fn serves(&self, now: Date) -> bool {
        let begin = self.exp - SPAN_S;
        // Signed later than now: J was put back, and a lease is never older than what it stands on.
        self.iat <= now.0 && (begin..begin + SPAN_S / 2).contains(&now.0)
    }
}

fn delegate(site: &SigningKey, lease: &SigningKey, now: Date) -> Result<Delegated, KeysError> {
    let nbf = now.0.saturating_sub(SLACK_S);
    let exp = nbf + SPAN_S;
    let random: [u8; 16] = random::bytes().map_err(|why| io_error(Path::new("random"), why))?;
    let claims = Delegation {
        iss: site.thumbprint().to_owned(),
        sub: lease.thumbprint().to_owned(),
        jti: seatkeeper_engine::ids::RunId(random).to_string(),
        iat: now.0,
        nbf,
        exp,
        cnf: lease.public().to_cnf(),
        slots: Slots::ALL,
        info: Info::new(),
    };
    let token = delegation::sign(&claims, site).map_err(KeysError::Delegation)?;
    Ok(Delegated {
        token,
        iat: now.0,
        exp,
    })
}

/// The delegation of the last run, where it is for these keys: a restart alone sends nobody a new chain.
fn kept_delegation(path: &Path, site: &SigningKey, lease: &SigningKey) -> Option<Delegated> {
    let token = fs::read_to_string(path).ok()?;
    let claims = delegation::verify(&token, &site.public()).ok()?;
    let ours = claims.sub == lease.thumbprint()
        && claims.slots == Slots::ALL
        && claims.exp >= SPAN_S
        && claims.nbf == claims.exp - SPAN_S;
    ours.then_some(Delegated {
        token,
        iat: claims.iat,
        exp: claims.exp,
    })
}

fn lease_key(path: &Path) -> Result<SigningKey, KeysError> {
    match read_private(path)? {
        Some(text) => SigningKey::from_pem(&text, None).map_err(|e| {
            let remedy = "Move it away: the next start makes a new one, and applications follow it at their next renewal";
            bad_file(path, format!("{e}. {remedy}"))
        }),
        None => {
            let key = SigningKey::generate(&random_key(path)?);
            write_private(path, key.to_pem().as_bytes())?;
            Ok(key)
        }
    }
}

fn random_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    random::bytes()
        .map(Zeroizing::new)
        .map_err(|why| io_error(path, why))
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeysError::Io { path, why } => write!(f, "{}: {why}", path.display()),
            KeysError::File { path, why } => write!(f, "{}: {why}", path.display()),
            KeysError::Missing { path, why } => write!(f, "{}: {why}", path.display()),
            KeysError::Delegation(e) => write!(
                f,
                "the lease key cannot be delegated to: {e}; is the clock set?"
            ),
        }
    }
}

impl std::error::Error for KeysError {}
