//! The site key's word for the lease key: signed here, or kept from the last run, or signed elsewhere and brought.

use super::{KeysError, io_error};
use crate::random;
use seatkeeper::token::claims::{Delegation, Slots};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{dates, delegation};
use seatkeeper_engine::ids::RunId;
use seatkeeper_engine::time::Date;
use std::fs;
use std::path::Path;

/// A delegation to the lease key.
#[derive(Debug)]
pub struct Delegated {
    /// The token.
    pub token: String,
    /// Signed at (J).
    pub iat: u64,
    /// Leases from.
    pub nbf: u64,
    /// Leases until.
    pub exp: u64,
    /// Leases were signed under it since (J): older ones do not show that their holders have it.
    pub since: u64,
    /// It was signed elsewhere, by another clock.
    brought: bool,
}

impl Delegated {
    /// A new one, for the longest time.
    pub(super) fn sign(
        site: &SigningKey,
        lease: &SigningKey,
        now: Date,
    ) -> Result<Delegated, KeysError> {
        let random: [u8; 16] = random::bytes().map_err(|why| io_error(Path::new("random"), why))?;
        let signed = (RunId(random).to_string(), now.0);
        let claims =
            delegation::to_lease_key(&lease.public(), site, signed, delegation::SPAN_MAX_S);
        let token = delegation::sign(&claims, site).map_err(KeysError::Delegation)?;
        Ok(Delegated {
            brought: false,
            ..Delegated::brought(&claims, token, now)
        })
    }

    /// That of the last run, where it is for these keys: a restart alone sends nobody a new chain. Since when one that was
    /// `brought` is here it does not say, so there the start counts.
    pub(super) fn kept(
        path: &Path,
        keys: (&PublicKey, &SigningKey),
        brought: bool,
        now: Date,
    ) -> Option<Delegated> {
        let text = fs::read_to_string(path).ok()?;
        match Delegated::read(&text, keys, now) {
            Ok(kept) if brought => Some(kept),
            Ok(kept) => Some(Delegated {
                since: kept.iat,
                brought: false,
                ..kept
            }),
            Err(why) => {
                tracing::warn!("{}: {why}", path.display());
                None
            }
        }
    }

    /// One in a file, where it is for these keys.
    pub(super) fn read(
        text: &str,
        (site, lease): (&PublicKey, &SigningKey),
        now: Date,
    ) -> Result<Delegated, String> {
        let token = delegation::token_in(text).ok_or("there is not exactly one token in it")?;
        let claims = delegation::verify(token, site).map_err(|why| {
            format!(
                "it is no delegation that site key {} signed: {why}",
                site.thumbprint()
            )
        })?;
        if claims.sub != lease.thumbprint() {
            return Err(format!(
                "it is for lease key {}, and this daemon's is {}",
                claims.sub,
                lease.thumbprint()
            ));
        }
        if claims.slots != Slots::ALL {
            return Err("it is for some slots only, and this daemon gives all".to_owned());
        }
        Ok(Delegated::brought(&claims, token.to_owned(), now))
    }

    /// Whether a daemon that has the site key stays with it: renewed where half of it is over.
    pub(super) fn serves(&self, now: Date) -> bool {
        // Signed later than now: J was put back, and a lease is never older than what it stands on.
        let early = !self.brought && now.0 < self.iat;
        let half = self.nbf + (self.exp - self.nbf) / 2;
        !early && (self.nbf..half).contains(&now.0)
    }

    /// Whether leases may be signed under it, and why not.
    pub(super) fn in_force(&self, now: Date) -> Result<(), String> {
        if now.0 < self.nbf {
            let from = dates::format(self.nbf);
            return Err(format!(
                "its delegation begins at {from} only; is the clock right?"
            ));
        }
        if now.0 >= self.exp {
            return Err(format!(
                "its delegation ended at {}",
                dates::format(self.exp)
            ));
        }
        Ok(())
    }

    /// Seconds that are left of it.
    #[must_use]
    pub fn left_s(&self, now: Date) -> u64 {
        self.exp.saturating_sub(now.0)
    }

    fn brought(claims: &Delegation, token: String, now: Date) -> Delegated {
        Delegated {
            token,
            iat: claims.iat,
            nbf: claims.nbf,
            exp: claims.exp,
            since: now.0,
            brought: true,
        }
    }
}
