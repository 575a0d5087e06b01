//! How people prove who they are, as far as the rules read it: ids of passwords, hashes of codes, and which account of a
//! machine is signed in as whom. No password and no code is here, nor what either could be guessed from.

use super::State;
use crate::ids::{BearerHash, BearerId, CodeHash, LoginHash, PasswordId, UserId};
use crate::time::{Date, LeaseTime, Now};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Accounts of machines that are signed in as one person, at most.
pub const BOUND_MOST: usize = 64;

/// Tokens of one person, at most; those that are over do not count.
pub const BEARERS_MOST: usize = 64;

/// Who proves to be whom, and by what.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Credentials {
    /// What a person has.
    pub of: OrdMap<UserId, Arc<Personal>>,
    /// Who is signed in as whom: by the login `name@machine`.
    pub bound: OrdMap<LoginHash, UserId>,
    /// Codes that were not used yet.
    pub codes: OrdMap<CodeHash, Code>,
    /// Who cannot get in, and asked for a code.
    pub resets: OrdMap<UserId, Reset>,
    /// Tokens that stand for a person.
    #[serde(default)]
    pub bearers: OrdMap<BearerId, Bearer>,
    /// The same by what is presented.
    #[serde(default)]
    pub bearer_hashes: OrdMap<BearerHash, BearerId>,
    /// Mail addresses that are known to be their user's.
    #[serde(default)]
    pub verified: OrdSet<LoginHash>,
}

/// What a person has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Personal {
    /// Their password, where they have one: its hash is kept in the side store under this id.
    pub password: Option<PasswordId>,
    /// The logins `name@machine` that are signed in as them, ascending.
    pub bound: Vec<LoginHash>,
    /// Their codes, one for each purpose at most.
    pub codes: Vec<CodeHash>,
    /// Their tokens.
    #[serde(default)]
    pub bearers: Vec<BearerId>,
}

/// A token that stands for a person, and has never more than they have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bearer {
    /// Whom it stands for.
    pub user: UserId,
    /// Of what is presented.
    pub hash: BearerHash,
    /// It stands for nobody from this date on.
    pub until: Option<Date>,
    /// When it was made, by J.
    pub since: Date,
    /// They made it themselves: what others made for them ends when they are given more than they had then.
    pub own: bool,
    /// Number of the event that made it.
    pub revision: u64,
}

/// A code that sets a password, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Code {
    /// Whose.
    pub user: UserId,
    /// What for.
    pub purpose: Purpose,
    /// It is good for nothing from here on.
    pub until: LeaseTime,
    /// Nor from this date on: lease time stands still while the daemon does, and goes back with a restored state.
    pub until_j: Date,
    /// The mail address that it was sent to: who has the code reads what is sent there.
    pub mailed: Option<LoginHash>,
}

impl Code {
    fn good(&self, now: Now) -> bool {
        now.lease < self.until && now.j < self.until_j
    }
}

/// What a code is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The first password of somebody who is to come.
    Invitation,
    /// Another password.
    Reset,
}

/// Somebody asked for a code because they cannot get in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reset {
    /// When they asked first, by J.
    pub since: Date,
    /// Number of the event that last changed it.
    pub revision: u64,
}

impl Purpose {
    /// How long its codes are good, in milliseconds of lease time.
    #[must_use]
    pub fn lasts_ms(self) -> u64 {
        match self {
            Purpose::Invitation => 7 * 24 * 3_600_000,
            Purpose::Reset => 3_600_000,
        }
    }
}

impl State {
    /// The password of a person, where they have one.
    #[must_use]
    pub fn password_of(&self, user: UserId) -> Option<PasswordId> {
        self.credentials.of.get(&user)?.password
    }

    /// The token that was presented, and whom it stands for: while it is not over, and they are active.
    #[must_use]
    pub fn bearer(&self, hash: &BearerHash, j: Date) -> Option<(BearerId, UserId)> {
        let id = *self.credentials.bearer_hashes.get(hash)?;
        let known = self.credentials.bearers.get(&id)?;
        let user = self.users.get(&known.user)?;
        let lives = known.until.is_none_or(|until| j < until);
        (lives && user.active(j)).then_some((id, known.user))
    }

    /// A code that is good still.
    #[must_use]
    pub fn code(&self, code: &CodeHash, now: Now) -> Option<&Code> {
        let known = self.credentials.codes.get(code);
        known.filter(|known| known.good(now))
    }

    /// Whether somebody has a code for this that is good still.
    #[must_use]
    pub fn has_code(&self, user: UserId, purpose: Purpose, now: Now) -> bool {
        let own = self.credentials.of.get(&user);
        let codes = own.into_iter().flat_map(|own| &own.codes);
        codes
            .filter_map(|code| self.code(code, now))
            .any(|code| code.purpose == purpose)
    }
}
