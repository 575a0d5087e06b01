//! Changes on a copy of the state, told as the desk tells what was done: what an assignment to somebody new would be, and
//! what is supposed in a `why`. Nothing of it happens.

use super::Desk;
use super::parse::bad;
use super::refusal::Subject;
use crate::authorize::Caller;
use crate::keeper::Snapshot;
use crate::login;
use crate::problem::{Refused, internal};
use crate::random;
use seatkeeper_engine::ids::UserId;
use seatkeeper_engine::{Command, State, Verdict};

/// A copy of a state in which things are so that are not.
pub(super) struct Draft<'a> {
    desk: &'a Desk,
    caller: &'a Caller,
    /// What the caller sees.
    snapshot: &'a Snapshot,
    copy: seatkeeper_engine::Draft,
}

impl<'a> Draft<'a> {
    /// Of this state, as it is by now.
    pub(super) fn of(
        desk: &'a Desk,
        (caller, snapshot): (&'a Caller, &'a Snapshot),
        state: &State,
    ) -> Draft<'a> {
        Draft {
            desk,
            caller,
            snapshot,
            copy: seatkeeper_engine::Draft::of(state.clone(), desk.now()),
        }
    }

    /// As it is with all that.
    pub(super) fn state(&self) -> &State {
        self.copy.state()
    }

    /// Somebody whom nobody has met yet comes to be, in the home account.
    pub(super) fn meet(&mut self, login: &str) -> Result<UserId, Refused> {
        login::check(login).map_err(|why| bad("user", why))?;
        let user = UserId(random::bytes().map_err(|e| internal("no random id", &e))?);
        let login = login::hash(self.desk.keys.salt(), login);
        self.copy.suppose(Command::MeetUser { user, login });
        Ok(user)
    }

    /// Has it judged and folded, as the keeper would.
    ///
    /// # Errors
    /// The denial that it would get.
    pub(super) fn give(
        &mut self,
        change: Command,
        (user, what): (&str, &str),
    ) -> Result<(), Refused> {
        let Verdict::Denied(denial) = self.copy.suppose(change) else {
            return Ok(());
        };
        let subject = Subject {
            caller: self.caller,
            user,
            what,
            version: None,
        };
        Err(self.desk.refuse(&denial, subject, self.snapshot))
    }
}
