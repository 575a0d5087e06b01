//! How people prove who they are, as far as the rules read it: ids of passwords, hashes of codes, and which account of a
//! machine is signed in as whom. No password and no code is here, nor what either could be guessed from.

use super::State;
use crate::ids::{BearerHash, BearerId, CodeHash, LoginHash, PasswordId, UserId};
use crate::time::{Date, LeaseTime, Now};
use imbl::ordmap::DiffItem;
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Accounts of machines that are signed in as one person, at most.
pub const BOUND_MOST: usize = 64;

/// Tokens of one person, at most; those that are over do not count.
pub const BEARERS_MOST: usize = 64;

/// Sessions of one person, at most; those that are over do not count, and the oldest gives way to one more.
pub const SESSIONS_MOST: usize = 64;

/// How long a session is good, in milliseconds of lease time.
pub const SESSION_MS: u64 = 12 * 3_600_000;

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
    /// Tokens and sessions that stand for a person.
    #[serde(default)]
    pub bearers: OrdMap<BearerId, Bearer>,
    /// The same by what is presented.
    #[serde(default)]
    pub bearer_hashes: OrdMap<BearerHash, BearerId>,
    /// Tokens that were taken back, whose ids are no other's: the audit log tells by them what was done.
    #[serde(default)]
    pub gone_tokens: OrdSet<BearerId>,
    /// Mail addresses that are known to be their user's.
    #[serde(default)]
    pub verified: OrdSet<LoginHash>,
    /// Mail addresses that are not, with those who told them: several may tell one.
    #[serde(default)]
    pub claimed: OrdSet<(LoginHash, UserId)>,
}

impl Credentials {
    /// The tokens that were there in an earlier state and are no more.
    pub fn tokens_gone(&self, before: &Credentials) -> impl Iterator<Item = BearerId> {
        before
            .bearers
            .diff(&self.bearers)
            .filter_map(|one| match one {
                DiffItem::Remove(id, gone) if !gone.is_session() => Some(*id),
                _ => None,
            })
    }
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
    /// Their tokens and sessions.
    #[serde(default)]
    pub bearers: Vec<BearerId>,
}

/// What stands for a person while it is presented, and has never more than they have.
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
    /// They made it themselves: what others made for them ends when they have more than they had then.
    pub own: bool,
    /// Number of the event that made it.
    pub revision: u64,
    /// What it is.
    pub kind: BearerKind,
}

/// What stands for a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BearerKind {
    /// A token, for programs: what would outlast it is not done by it.
    Token,
    /// A session: whoever made it has proved to be the person.
    Session {
        /// It stands for nobody from here on, as from its date: lease time stands still while the daemon does, and goes back
        /// with a restored state.
        until: LeaseTime,
    },
}

impl Bearer {
    /// It is a session, and no token.
    #[must_use]
    pub fn is_session(&self) -> bool {
        matches!(self.kind, BearerKind::Session { .. })
    }

    /// It is not over.
    #[must_use]
    pub fn good(&self, now: Now) -> bool {
        let in_time = match self.kind {
            BearerKind::Token => true,
            BearerKind::Session { until } => now.lease < until,
        };
        in_time && self.until.is_none_or(|until| now.j < until)
    }
}

/// A code that sets a password, or shows that a mail address is somebody's, once.
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
        #[cfg(planted)]
        if crate::planted::is("code-undated") {
            return now.lease < self.until;
        }
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
    /// A mail address that it was mailed to is theirs: it sets no password and signs nobody in.
    Address,
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
            Purpose::Reset | Purpose::Address => 3_600_000,
        }
    }
}

impl State {
    /// The password of a person, where they have one.
    #[must_use]
    pub fn password_of(&self, user: UserId) -> Option<PasswordId> {
        self.credentials.of.get(&user)?.password
    }

    /// What was presented, while it stands for somebody.
    #[must_use]
    pub fn presented(&self, hash: &BearerHash, now: Now) -> Option<(BearerId, &Bearer)> {
        let id = *self.credentials.bearer_hashes.get(hash)?;
        Some((id, self.bearer(id, now)?))
    }

    /// A token or session while it stands for somebody: it is not over, and they are active; of a session, they may sign in.
    #[must_use]
    pub fn bearer(&self, id: BearerId, now: Now) -> Option<&Bearer> {
        let known = self.credentials.bearers.get(&id)?;
        let user = self.users.get(&known.user)?;
        let may = match known.is_session() {
            true => user.may_come(now.j),
            false => user.active(now.j),
        };
        (known.good(now) && may).then_some(known)
    }

    /// Whether a mail address is somebody else's: one that they only told is not.
    #[must_use]
    pub fn taken(&self, address: LoginHash, user: UserId) -> bool {
        self.logins.get(&address).is_some_and(|of| *of != user)
    }

    /// Those who told this mail address, and whose nobody has shown it to be.
    pub fn claimers(&self, address: LoginHash) -> impl Iterator<Item = UserId> {
        let from = (address, UserId([0; 16]));
        let all = self.credentials.claimed.range(from..);
        all.take_while(move |(one, _)| *one == address)
            .map(|(_, user)| *user)
    }

    /// A code that is good still.
    #[must_use]
    pub fn code(&self, code: &CodeHash, now: Now) -> Option<&Code> {
        let known = self.credentials.codes.get(code);
        known.filter(|known| known.good(now))
    }

    /// The codes that somebody has for this and that are good still.
    pub fn codes_of(
        &self,
        user: UserId,
        purpose: Purpose,
        now: Now,
    ) -> impl Iterator<Item = (CodeHash, &Code)> {
        let own = self.credentials.of.get(&user);
        let codes = own.into_iter().flat_map(|own| &own.codes);
        let good = codes.filter_map(move |code| Some((*code, self.code(code, now)?)));
        good.filter(move |(_, code)| code.purpose == purpose)
    }

    /// How many others have a code on its way to an address that is to be shown theirs. A newer one takes the place of their
    /// own.
    #[must_use]
    pub fn others_ask_for(&self, address: LoginHash, user: UserId, now: Now) -> usize {
        let all = self.credentials.codes.values();
        let there = all.filter(|of| of.purpose == Purpose::Address && of.mailed == Some(address));
        there.filter(|of| of.user != user && of.good(now)).count()
    }
}
