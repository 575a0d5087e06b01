//! The site's keys: made at the first start, kept private, and the delegation from the site key to the lease key. The site
//! key may be kept elsewhere: then its public half stands here, and delegations are signed there and brought.
//!
//! Nothing here that is secret can be printed or serialized (S23).

mod delegated;
mod files;
mod prepared;

pub use delegated::Delegated;
pub use prepared::{Prepared, Salt, prepare};

use crate::random;
use arc_swap::ArcSwapOption;
use files::{bad_file, io_error, read_private, write_private};
use prepared::{PUBLIC_HALF, SiteKey};
use seatkeeper::token::keys::{PublicKey, SigningKey, SiteKeyOrigin};
use seatkeeper::token::{TokenError, dates};
use seatkeeper_engine::time::Date;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// What to do where the site key is not the one that it was.
pub const KEY_BACK: &str = "Put the site's own key back, owned by the daemon's user, mode 0600: from a backup, or from its export with `seatkeeper site key new --from EXPORT --out site.key`";

/// The delegation in force.
const DELEGATION: &str = "delegation";

/// The keys of a site.
pub struct Keys {
    site: SiteKey,
    lease: SigningKey,
    salt: Salt,
    folder: Option<PathBuf>,
    /// The site key's file, where it is this daemon's own.
    site_file: Option<PathBuf>,
    delegated: ArcSwapOption<Delegated>,
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
    /// The site key is kept elsewhere: what it must sign cannot be signed here.
    Elsewhere,
    /// The site key is kept elsewhere, and nothing that it signed lets the lease key sign now.
    NotDelegated {
        /// What of the delegation is missing.
        why: String,
    },
    /// A delegation that was brought is none for this daemon now.
    Refused {
        /// What it is instead.
        why: String,
    },
}

impl Keys {
    /// Opens the keys of a site that was prepared; a lease key that is missing is made. `now` is J.
    ///
    /// # Errors
    /// Files that cannot be read or made, that are no keys or not private.
    pub fn open(prepared: Prepared, now: Date) -> Result<Keys, KeysError> {
        let exported = prepared.copied();
        let Prepared {
            folder,
            site,
            site_file,
            salt,
            ..
        } = prepared;
        let lease = lease_key(&folder.join("lease.key"))?;
        let brought = folder.join(PUBLIC_HALF).exists();
        let keys = (&site.public, &lease);
        let kept = Delegated::kept(&folder.join(DELEGATION), keys, brought, now);
        let keys = Keys {
            site,
            lease,
            salt,
            folder: Some(folder),
            site_file,
            delegated: ArcSwapOption::from_pointee(kept),
            exported: Mutex::new(exported),
            renewing: Mutex::new(()),
        };
        match keys.delegation(now) {
            Err(why @ KeysError::NotDelegated { .. }) => tracing::warn!("{why}"),
            signed => {
                let until = dates::format(signed?.exp);
                if keys.elsewhere() {
                    tracing::info!(
                        until,
                        "the site key is kept elsewhere; seats are signed under a delegation"
                    );
                }
            }
        }
        Ok(keys)
    }

    /// Keys that live as long as this process, for tests.
    ///
    /// # Errors
    /// No randomness.
    pub fn memory(now: Date) -> Result<Keys, KeysError> {
        let random = || random_key(Path::new("memory"));
        let keys = Keys {
            site: SiteKey::here(SigningKey::generate(&random()?)),
            lease: SigningKey::generate(&random()?),
            salt: Salt::of(random()?),
            folder: None,
            site_file: None,
            delegated: ArcSwapOption::empty(),
            exported: Mutex::new(false),
            renewing: Mutex::new(()),
        };
        keys.delegation(now)?;
        Ok(keys)
    }

    /// The public site key.
    #[must_use]
    pub fn site(&self) -> PublicKey {
        self.site.public.clone()
    }

    /// The site key's thumbprint.
    #[must_use]
    pub fn site_thumbprint(&self) -> &str {
        &self.site.thumbprint
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

    /// The public half of the key that signs leases.
    #[must_use]
    pub fn lease_public(&self) -> PublicKey {
        self.lease.public()
    }

    /// The site key is not here; this daemon signs under a delegation that was brought.
    #[must_use]
    pub fn elsewhere(&self) -> bool {
        self.site.signing.is_none()
    }

    /// The key that signs requests, anchors and delegations.
    pub(crate) fn site_signing(&self) -> Result<&SigningKey, KeysError> {
        self.site.signing.as_ref().ok_or(KeysError::Elsewhere)
    }

    /// The delegation in force at J. Where the site key is here, it is renewed where half of it is over or J was put back
    /// before it.
    ///
    /// # Errors
    /// A new one could not be signed or kept; or it is signed elsewhere, and none is in force.
    pub fn delegation(&self, now: Date) -> Result<Arc<Delegated>, KeysError> {
        let Some(site) = &self.site.signing else {
            return self.brought(now);
        };
        let serving = || self.delegated.load_full().filter(|d| d.serves(now));
        if let Some(present) = serving() {
            return Ok(present);
        }
        // One renewal at a time: whoever comes second finds the first one's.
        let _one = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = serving() {
            return Ok(present);
        }
        // Kept before anyone is sent it: a restart would sign under another one.
        let new = Arc::new(Delegated::sign(site, &self.lease, now)?);
        self.keep(DELEGATION, &new.token)?;
        self.delegated.store(Some(new.clone()));
        tracing::info!(j = now.0, "the lease key has a new delegation");
        Ok(new)
    }

    fn brought(&self, now: Date) -> Result<Arc<Delegated>, KeysError> {
        let refused = |why: String| KeysError::NotDelegated { why };
        let none = "it has no delegation";
        let present = self.delegated.load_full();
        let present = present.ok_or_else(|| refused(none.to_owned()))?;
        present.in_force(now).map_err(refused)?;
        Ok(present)
    }

    /// Takes a delegation that the site key signed elsewhere, and leaves the site key's public half in the folder: from the
    /// next start on it stands for the key, where that is gone.
    ///
    /// # Errors
    /// One that is not for these keys or not in force, or files that could not be written.
    pub fn accept(&self, text: &str, now: Date, wall_s: u64) -> Result<Arc<Delegated>, KeysError> {
        let refused = |why: String| KeysError::Refused { why };
        let keys = (&self.site.public, &self.lease);
        let new = Delegated::read(text, keys, now).map_err(refused)?;
        new.in_force(now).map_err(refused)?;
        let _one = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever signed it has the key, too.
        self.mark_exported(wall_s)?;
        self.keep(PUBLIC_HALF, &self.site.public.to_pem())?;
        self.keep(DELEGATION, &new.token)?;
        let new = Arc::new(new);
        self.delegated.store(Some(new.clone()));
        Ok(new)
    }

    /// The site key under a passphrase, with its first line; from now on the key counts as exported.
    ///
    /// # Errors
    /// An empty passphrase, or a mark that could not be written: then nothing was exported.
    pub fn export(&self, passphrase: &[u8], wall_s: u64) -> Result<Zeroizing<String>, KeysError> {
        let place = PathBuf::from("site.key");
        let random = random_key(&place)?;
        let site = self.site_signing()?;
        let sealed = site
            .to_encrypted_pem(passphrase, &random)
            .map_err(|e| bad_file(&place, e.to_string()))?;
        self.mark_exported(wall_s)?;
        Ok(SiteKeyOrigin::Export.file(&sealed, wall_s))
    }

    /// There is a copy of the key from now on, which its own file says: one that nobody knows of could be started without
    /// its state (rule 21).
    fn mark_exported(&self, wall_s: u64) -> Result<(), KeysError> {
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        // A credential is its service manager's: there the copy alone says what it is.
        if let (Some(file), Some(site), false) = (&self.site_file, &self.site.signing, *exported) {
            let own = SiteKeyOrigin::Export.file(&site.to_pem(), wall_s);
            write_private(file, own.as_bytes())?;
        }
        *exported = true;
        Ok(())
    }

    fn keep(&self, name: &str, text: &str) -> Result<(), KeysError> {
        match &self.folder {
            Some(folder) => write_private(&folder.join(name), text.as_bytes()),
            None => Ok(()),
        }
    }
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
            KeysError::Elsewhere => f.write_str("the site key is kept elsewhere"),
            KeysError::NotDelegated { why } => write!(
                f,
                "the site key is kept elsewhere, and this daemon's lease key may sign nothing now: {why}"
            ),
            KeysError::Refused { why } => write!(f, "the delegation is not taken: {why}"),
        }
    }
}

impl std::error::Error for KeysError {}
