//! The site key and its word for the lease key: shown, exported, brought from elsewhere, and what to do where it is missing.

use super::findings::finding;
use super::{Desk, trace_of};
use crate::authorize::{Caller, Permission};
use crate::keys::{Delegated, KeysError};
use crate::problem::{Refused, internal, problem};
use seatkeeper::token::dates;
use seatkeeper::token::keys::SigningKey;
use seatkeeper::wire::{Code, DelegationBody, ExportBody, ExportReply, Finding, SiteKey};
use seatkeeper_engine::time::Date;
use std::sync::Arc;

/// A delegation with less left than this could not be renewed, or wants renewing by hand.
const DELEGATION_S: u64 = 30 * 86_400;
/// With less left nothing new is signed under a delegation, as under a license (rule 16): a checkout has time to end.
const LEAST_S: u64 = 10;
/// Bytes of a passphrase.
const PASSPHRASE_BYTES: std::ops::RangeInclusive<usize> = 8..=1024;
/// The next step where the site key was never exported.
pub(super) const EXPORT: &str = "the site key exists on this machine only: `seatkeeper site key export --out site.key`, and keep it in a safe place; without it every license must be issued anew";
/// The next step where a delegation is signed elsewhere.
const DELEGATE: &str = "`seatkeeper site key show --lease-key lease.pub.pem` here; `seatkeeper site key delegate --from EXPORT --lease-key lease.pub.pem --out site.delegation` where the site key is kept; then `seatkeeper site key accept site.delegation` here";

impl Desk {
    /// `GET /v1/site-key`.
    ///
    /// # Errors
    /// `forbidden`, or a delegation that could not be renewed.
    pub fn site_key(&self, caller: &Caller) -> Result<SiteKey, Refused> {
        self.authorize(caller, Permission::SiteKeyRead, self.unit)?;
        let what = "the lease key has no delegation";
        let delegated = match self.delegated(self.now().j) {
            Err(KeysError::NotDelegated { .. }) => None,
            signed => Some(signed.map_err(|why| self.keys_failed(caller, what, &why))?),
        };
        Ok(SiteKey {
            thumbprint: self.keys.site_thumbprint().to_owned(),
            pem: self.keys.site().to_pem(),
            exported: self.keys.exported(),
            elsewhere: self.keys.elsewhere(),
            delegation_exp: delegated.map(|delegated| delegated.exp),
            lease_key: self.keys.lease_public().to_pem(),
        })
    }

    /// `POST /v1/site-key/export`. Takes a moment and memory (scrypt), and writes that it was done: blocks.
    ///
    /// # Errors
    /// `forbidden`, a passphrase that is too short, a key that is kept elsewhere, or a mark that cannot be written.
    pub fn export_site_key(
        &self,
        caller: &Caller,
        body: &ExportBody,
    ) -> Result<ExportReply, Refused> {
        self.authorize(caller, Permission::SiteKeyExport, self.unit)?;
        if !PASSPHRASE_BYTES.contains(&body.passphrase.len()) {
            let why = "passphrase: not from 8 to 1024 bytes long";
            return self.traced(caller, Err(problem(Code::BadRequest, why)));
        }
        let done = self.keys.export(body.passphrase.as_bytes(), self.wall_s());
        match done {
            Ok(pem) => {
                tracing::info!(uid = caller.uid, login = %caller.login.name, "the site key was exported");
                Ok(ExportReply {
                    pem: pem.to_string(),
                })
            }
            Err(e @ KeysError::File { .. }) => {
                self.traced(caller, Err(problem(Code::BadRequest, e.to_string())))
            }
            Err(e) => {
                let what = "the site key cannot be exported";
                self.traced(caller, Err(self.keys_failed(caller, what, &e)))
            }
        }
    }

    /// `POST /v1/site-key/delegation`: takes a delegation that the site key signed elsewhere. Writes: blocks.
    ///
    /// # Errors
    /// `forbidden`, a delegation that is not for this daemon or not in force, or files that cannot be written.
    pub fn accept_delegation(
        &self,
        caller: &Caller,
        body: &DelegationBody,
    ) -> Result<SiteKey, Refused> {
        self.authorize(caller, Permission::SiteKeyDelegate, self.unit)?;
        let now = self.now().j;
        let done = self.keys.accept(&body.delegation, now, self.wall_s());
        let accepted = match done {
            Ok(accepted) => accepted,
            Err(e) => {
                let what = "the delegation cannot be kept";
                return self.traced(caller, Err(self.keys_failed(caller, what, &e)));
            }
        };
        tracing::info!(
            uid = caller.uid, login = %caller.login.name, until = %dates::format(accepted.exp),
            "a delegation to the lease key was brought"
        );
        self.site_key(caller)
    }

    /// The delegation in force at J.
    pub(super) fn delegated(&self, j: Date) -> Result<Arc<Delegated>, KeysError> {
        self.keys.delegation(j).inspect_err(|why| {
            if let KeysError::Io { .. } = why {
                self.keeper.fail(why);
            }
        })
    }

    pub(super) fn delegation(&self, caller: &Caller, j: Date) -> Result<Arc<Delegated>, Refused> {
        let what = "the lease key has no delegation";
        self.delegated(j)
            .map_err(|why| self.keys_failed(caller, what, &why))
    }

    /// Refuses before a seat is taken or kept that could not be signed. Where the site key is here it can.
    pub(super) fn may_sign(&self, caller: &Caller) -> Result<(), Refused> {
        if !self.keys.elsewhere() {
            return Ok(());
        }
        let j = self.now().j;
        match self.delegation(caller, j)?.left_s(j) {
            LEAST_S.. => Ok(()),
            _ => Err(not_delegated(
                caller,
                "its delegation ends in less than 10 s",
            )),
        }
    }

    /// Until when seats may be signed, where that does not renew itself.
    pub(super) fn brought_until(&self) -> Option<u64> {
        let elsewhere = self.keys.elsewhere();
        let delegated = elsewhere.then(|| self.delegated(self.now().j).ok())?;
        delegated.map(|delegated| delegated.exp)
    }

    /// The key that signs requests and anchors, where it is here.
    pub(super) fn site_signing(&self, caller: &Caller, what: &str) -> Result<&SigningKey, Refused> {
        let key = self.keys.site_signing();
        key.map_err(|why| self.keys_failed(caller, what, &why))
    }

    /// What broke in the keys: a file that could not be written is the end, like that of any other store.
    fn keys_failed(&self, caller: &Caller, what: &str, why: &KeysError) -> Refused {
        let mut refused = match why {
            KeysError::Io { .. } => return self.broken(caller, why),
            KeysError::Elsewhere => problem(
                Code::SiteKeyElsewhere,
                format!("{what}: the site key is kept elsewhere"),
            ),
            KeysError::NotDelegated { why } => not_delegated(caller, why),
            KeysError::Refused { .. } => {
                let mut refused = problem(Code::BadRequest, why.to_string());
                refused.hint = format!("have one signed for this daemon: {DELEGATE}");
                refused
            }
            _ => internal(what, why),
        };
        refused.trace_id = trace_of(caller);
        refused
    }

    pub(super) fn key_findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if !self.keys.exported() {
            let text = "the site key was never exported".to_owned();
            found.push(finding("warning", "key", text, EXPORT));
        }
        let now = self.now().j;
        let about = |level, text, remedy| finding(level, "delegation", text, remedy);
        match self.delegated(now) {
            Ok(delegated) if delegated.left_s(now) >= DELEGATION_S => {}
            Ok(delegated) => {
                let day = dates::last_day(delegated.exp);
                let text = format!("the lease key's delegation ends on {day}");
                found.push(if self.keys.elsewhere() {
                    let text = format!("{text}: then no seat is given and none renewed");
                    let remedy = format!("have it renewed: {DELEGATE}");
                    about("warning", text, &remedy)
                } else {
                    let remedy = "it renews itself at half of its time; look into the log for why it did not";
                    about("warning", text, remedy)
                });
            }
            Err(e @ KeysError::NotDelegated { .. }) => found.push(Finding {
                code: Some(Code::NotDelegated),
                ..about("error", e.to_string(), DELEGATE)
            }),
            Err(e) => found.push(about(
                "error",
                format!("the lease key has no delegation: {e}"),
                "no seat can be given until this is mended; is the clock right, and the state directory writable?",
            )),
        }
        found
    }
}

/// A remedy that the site key has to sign, where it is kept elsewhere.
pub(super) fn needs_the_key(finding: &mut Finding) {
    if finding.remedy.contains("license request") {
        let first = "; the site key is needed here for that: `seatkeeper help site_key_elsewhere`";
        finding.remedy.push_str(first);
    }
}

fn not_delegated(caller: &Caller, why: &str) -> Refused {
    let text = format!("this daemon may not sign seats now: {why}");
    let mut refused = problem(Code::NotDelegated, text);
    refused.hint = match caller.administers {
        true => DELEGATE.to_owned(),
        false => caller.ask("for a new delegation of its lease key"),
    };
    refused
}
