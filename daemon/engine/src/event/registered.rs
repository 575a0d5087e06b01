//! Who asks to come in.

use crate::ids::{LoginHash, UnitId, UserId};
use crate::state::{MailAddress, Way};
use crate::time::Date;
use serde::{Deserialize, Serialize};

/// Somebody who asked to come in (rule 1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registered {
    /// Who: a user who waits.
    pub user: UserId,
    /// Their login.
    pub login: LoginHash,
    /// The account that they ask for.
    pub account: UnitId,
    /// How they came to it.
    pub way: Way,
    /// Whose administrators answer it; none are those of the home account.
    pub to: Option<UnitId>,
    /// Their mail address.
    pub address: Option<MailAddress>,
    /// It is known to be theirs.
    pub verified: bool,
    /// When, by J.
    pub at: Date,
}
