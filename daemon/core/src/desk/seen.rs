//! The lease token that a client shows (rule 21). All of them are read, to see which tokens above a lease the client has
//! already; only one that may prove a future of the journal is verified, and in quarantine every renewal's.

use super::Desk;
use crate::problem::{Refused, internal, problem};
use crate::random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::claims::Lease;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::token::{delegation, lease};
use seatkeeper::wire::Code;
use seatkeeper_engine::State;
use seatkeeper_engine::command::Shown;
use seatkeeper_engine::ids::{CheckoutId, Gid, RunId, TokenHash, UserId};
use seatkeeper_engine::time::Date;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Lease keys of this site that are remembered: it has one, and another one after each loss of its state.
const KEYS: usize = 64;

/// What is read of a shown token. It is not verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// It names this daemon's lease key.
    pub(super) ours: bool,
    pub(super) license: TokenHash,
    pub(super) iat: u64,
    run: RunId,
    gid: Gid,
    seq: u64,
}

/// As our own tokens write them: without an escape.
#[derive(Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    license: &'a str,
    iat: u64,
    run_id: &'a str,
    gid: &'a str,
    seq: u64,
}

/// What tells the leases of this daemon from those of another future.
#[derive(Debug, Default)]
pub(super) struct Signed {
    /// The highest number that was signed since the start: snapshots may be behind.
    newest: AtomicU64,
    /// Other lease keys of this site, by thumbprint, as their delegations proved them.
    keys: Mutex<BTreeMap<String, PublicKey>>,
}

/// Reads a shown token; nothing where it cannot be read: then the whole chain is sent.
pub(super) fn read(token: &str, lease_key: &str) -> Option<Seen> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims<'_> = serde_json::from_slice(&payload).ok()?;
    let license = URL_SAFE_NO_PAD.decode(claims.license).ok()?;
    Some(Seen {
        ours: claims.iss == lease_key,
        license: TokenHash(license.try_into().ok()?),
        iat: claims.iat,
        run: claims.run_id.parse().ok()?,
        gid: claims.gid.parse().ok()?,
        seq: claims.seq,
    })
}

impl Signed {
    /// A lease of this number was signed.
    pub(super) fn note(&self, seq: u64) {
        self.newest.fetch_max(seq, Ordering::SeqCst);
    }

    fn key(&self, thumbprint: &str) -> Option<PublicKey> {
        self.keys().get(thumbprint).cloned()
    }

    fn learn(&self, thumbprint: String, key: PublicKey) {
        let mut keys = self.keys();
        if keys.len() < KEYS {
            keys.insert(thumbprint, key);
        }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, PublicKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// What a shown lease says, verified under this site's key, where the engine has to look at it: it may prove a
    /// future, or a renewal comes in quarantine.
    ///
    /// # Errors
    /// `show_delegation`: its key may be one of this site's, and only its delegation can tell.
    pub(super) fn shown(
        &self,
        (token, delegation): (Option<&str>, Option<&str>),
        seen: Option<&Seen>,
        user: impl FnOnce() -> Option<UserId>,
        renewal: bool,
    ) -> Result<Option<Box<Shown>>, Refused> {
        let (Some(token), Some(seen)) = (token, seen) else {
            return Ok(None);
        };
        let state = &self.keeper.recorded().state;
        let quarantined = renewal && state.quarantined(self.now().lease).is_some();
        if !quarantined && self.is_past(state, seen) {
            return Ok(None);
        }
        let Some(lease) = self.verified(token, seen, delegation)? else {
            return Ok(None);
        };
        let shown = read_out(lease, user()).map_err(|e| internal("no randomness", &e))?;
        Ok(shown.map(Box::new))
    }

    /// Whether a lease lies in the journal's past: the common case, which costs no signature.
    fn is_past(&self, state: &State, seen: &Seen) -> bool {
        let newest = self.signed.newest.load(Ordering::SeqCst);
        let signed = seen.run == state.run.id && seen.seq <= newest;
        state.is_past(seen.run, seen.gid, if signed { 0 } else { seen.seq })
    }

    /// The lease, where a lease key of this site signed it. A forged one, and another site's, is as if nothing was shown.
    fn verified(
        &self,
        token: &str,
        seen: &Seen,
        delegation: Option<&str>,
    ) -> Result<Option<Lease>, Refused> {
        if seen.ours {
            return Ok(lease::verify(token, &self.keys.lease().public()).ok());
        }
        let Ok(kid) = lease::kid(token) else {
            return Ok(None);
        };
        if let Some(key) = self.signed.key(&kid) {
            return Ok(lease::verify(token, &key).ok());
        }
        let Some(shown) = delegation else {
            let why = "the lease that was shown names a lease key that this daemon does not know";
            return Err(problem(Code::ShowDelegation, why));
        };
        let Ok(shown) = delegation::verify(shown, &self.keys.site()) else {
            return Ok(None);
        };
        let key = PublicKey::from_jwk(&shown.cnf.jwk).ok();
        let Some(key) = key.filter(|_| shown.sub == kid) else {
            return Ok(None);
        };
        let lease = lease::verify(token, &key).ok();
        if lease.is_some() {
            self.signed.learn(kid, key);
        }
        Ok(lease)
    }
}

/// A verified lease as the engine reads it; `None` where this program never wrote such ids.
fn read_out(lease: Lease, user: Option<UserId>) -> std::io::Result<Option<Shown>> {
    let (next_run, checkout_id) = (RunId(random::bytes()?), CheckoutId(random::bytes()?));
    let parsed = || {
        let license = URL_SAFE_NO_PAD.decode(&lease.license).ok()?;
        Some(Shown {
            run: lease.run_id.parse().ok()?,
            epoch: lease.epoch,
            seq: lease.seq,
            holder: lease.jti.parse().ok()?,
            license: TokenHash(license.try_into().ok()?),
            feature: lease.feature.as_str().into(),
            version: lease.version.as_deref().map(Into::into),
            slots: lease.slots.clone(),
            iat: Date(lease.iat),
            term_s: lease.ttl_s + lease.grace_s,
            last: lease.last.is_some(),
            user,
            next_run,
            checkout_id,
        })
    };
    Ok(parsed())
}
