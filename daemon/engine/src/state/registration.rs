//! Who asked to come in and waits for somebody's yes, and which domains an account lets in by itself (rule 1).

use super::State;
use crate::ids::{LicenseId, LoginHash, NameHash, UnitId};
use crate::time::Date;
use serde::{Deserialize, Serialize};

/// Registrations that wait at a site, at most: anybody may ask.
pub const REGISTRATIONS_MOST: usize = 1000;
/// Domains that an account lets in by itself, at most.
pub const DOMAINS_MOST: usize = 100;

/// A user who asked to come in, and waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The account that they ask for.
    pub account: UnitId,
    /// How they came to it.
    pub way: Way,
    /// The account whose administrators answer it: the manager, else a producer; none are those of the home account.
    pub to: Option<UnitId>,
    /// Their mail address, where they told one.
    pub address: Option<MailAddress>,
    /// The address is known to be theirs.
    pub verified: bool,
    /// When they asked.
    pub since: Date,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// A mail address, as the engine knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailAddress {
    /// Keyed hash of the address.
    pub hash: LoginHash,
    /// Keyed hash of its domain.
    pub domain: NameHash,
}

/// How somebody came to ask for an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// They named their company, which made the account (F13).
    Company,
    /// They named a self-registered account (F14).
    Joined,
    /// They named a license that is installed for it (F19).
    License(LicenseId),
    /// They asked for access to it (H3).
    Access,
}

impl State {
    /// Whether the account of a unit lets this address in by itself: exactly its domain (D7).
    #[must_use]
    pub fn lets_in(&self, unit: UnitId, address: &MailAddress) -> bool {
        let account = self.account_of(unit).map(|(account, _)| account);
        let domains = account.and_then(|account| self.approved_domains.get(&account));
        domains.is_some_and(|domains| domains.contains(&address.domain))
    }

    /// The account whose administrators answer who asks for this one: its manager, else a producer (H3).
    #[must_use]
    pub fn answers_for(&self, unit: UnitId) -> Option<UnitId> {
        let manager = self.account_of(unit)?.1.managed_by;
        manager.or_else(|| self.producer())
    }

    /// The producer's account; of several the first one by id.
    fn producer(&self) -> Option<UnitId> {
        use super::{AccountKind, Place};
        let mut units = self.units.iter();
        let producer = units.find(|(_, known)| match known.place {
            Place::Account(account) => account.kind == AccountKind::Producer,
            Place::Below(_) => false,
        });
        producer.map(|(unit, _)| *unit)
    }
}
