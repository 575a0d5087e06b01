//! Terms of service: which were published, and which of them somebody accepted (B15).

use super::State;
use crate::ids::{Name, TextHash, UserId};
use crate::time::Date;
use serde::{Deserialize, Serialize};

/// Versions that a site publishes, at most.
pub const TERMS_MOST: usize = 1000;

/// A version of the terms of service. Its text is kept elsewhere, under its hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceTerms {
    /// What it is called; no other one is called so.
    pub version: Name,
    /// Of its text.
    pub text: TextHash,
    /// When it was published, by J.
    pub at: Date,
}

impl State {
    /// The terms of service that are in force, with their number.
    #[must_use]
    pub fn present_terms(&self) -> Option<(u32, &ServiceTerms)> {
        let (number, present) = self.terms.get_max()?;
        Some((*number, present))
    }

    /// The terms that a user accepted last.
    #[must_use]
    pub fn terms_of(&self, user: UserId) -> Option<&ServiceTerms> {
        let number = self.accepted_terms.get(&user)?;
        self.terms.get(number).map(|terms| &**terms)
    }

    /// The terms that are in force and that this user has not accepted.
    #[must_use]
    pub fn terms_to_accept(&self, user: UserId) -> Option<&ServiceTerms> {
        let (number, present) = self.present_terms()?;
        let accepted = self.accepted_terms.get(&user) == Some(&number);
        (!accepted).then_some(present)
    }
}
