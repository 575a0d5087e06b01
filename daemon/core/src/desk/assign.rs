//! Assignments: license to user or to everyone (rule 3).

use super::parse::{self, bad};
use super::refusal::Subject;
use super::release::ending;
use super::{Desk, view};
use crate::authorize::{Caller, Permission, authorize};
use crate::keeper::Answer;
use crate::problem::{Refused, internal, problem};
use crate::random;
use seatkeeper::wire::{Assignment, Code, EndingReply};
use seatkeeper_engine::ids::{AssignmentId, LicenseId};
use seatkeeper_engine::state::Target;
use seatkeeper_engine::{Command, State, Verdict};
use std::collections::BTreeSet;

impl Desk {
    /// `POST /v1/assignments`. The vendor may be left empty where one license only has this id. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn assign(&self, caller: &Caller, body: &Assignment) -> Result<Assignment, Refused> {
        authorize(caller, Permission::LicenseManageUsers, self.unit)?;
        self.traced(caller, self.assign_of(caller, body))
    }

    /// `DELETE /v1/assignments/{id}`; `if_match` is the revision that was seen. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none.
    pub fn unassign(
        &self,
        caller: &Caller,
        id: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<EndingReply, Refused> {
        authorize(caller, Permission::LicenseManageUsers, self.unit)?;
        self.traced(caller, self.unassign_of(caller, id, hard, if_match))
    }

    fn assign_of(&self, caller: &Caller, body: &Assignment) -> Result<Assignment, Refused> {
        let license = license_named(&self.keeper.snapshot().state, &body.vendor, &body.license)?;
        let id = if body.id.is_empty() {
            AssignmentId(random::bytes().map_err(|e| internal("no random id", &e))?)
        } else {
            parse::id("id", &body.id, "not 32 hex digits")?
        };
        let target = match (&body.user, body.everyone) {
            (Some(login), false) => Target::User(self.meet_named(caller, login)?),
            (None, true) => Target::Unit(self.unit),
            _ => return Err(bad("user", "exactly one of user and everyone is needed")),
        };
        let what = format!("the assignment of {}", license.id);
        let answer = self.asked(
            caller,
            Command::Assign {
                id,
                license,
                target,
            },
        )?;
        match &answer.verdict {
            Verdict::Assigned(id) => {
                let state = &answer.snapshot.state;
                let known = state.assignments.get(id);
                known
                    .map(|known| self.assignment_view(*id, known))
                    .ok_or_else(|| internal("an assignment that was made is not there", id))
            }
            _ => Err(self.not_done(caller, &what, &answer)),
        }
    }

    fn unassign_of(
        &self,
        caller: &Caller,
        id: &str,
        hard: bool,
        if_match: Option<u64>,
    ) -> Result<EndingReply, Refused> {
        let id = parse::id("id", id, "not 32 hex digits")?;
        let what = format!("assignment {id}");
        let answer = self.asked(caller, Command::Unassign { id, hard, if_match })?;
        match &answer.verdict {
            Verdict::Ending(holders) => Ok(ending(holders, answer.now.lease)),
            Verdict::Done => Ok(ending(&[], answer.now.lease)),
            _ => Err(self.not_done(caller, &what, &answer)),
        }
    }

    pub(super) fn asked(&self, caller: &Caller, command: Command) -> Result<Answer, Refused> {
        self.ask(self.order(caller, command), caller.trace.clone())
            .map_err(|e| self.fail(caller, e))
    }

    pub(super) fn not_done(&self, caller: &Caller, what: &str, answer: &Answer) -> Refused {
        match &answer.verdict {
            Verdict::Denied(denial) => self.refuse(
                denial,
                Subject {
                    caller,
                    user: &caller.login.name,
                    what,
                    version: None,
                },
                &answer.snapshot,
            ),
            other => internal("an answer that does not fit", &format_args!("{other:?}")),
        }
    }

    pub(super) fn assignment_view(
        &self,
        id: AssignmentId,
        known: &seatkeeper_engine::state::Assignment,
    ) -> Assignment {
        let user = match known.target {
            Target::User(user) => Some(self.user_name(user)),
            Target::Unit(_) => None,
        };
        view::assignment(id, known, user)
    }
}

/// The license with this id that is in force or waits; the vendor decides where several have it.
pub(super) fn license_named(state: &State, vendor: &str, id: &str) -> Result<LicenseId, Refused> {
    let waiting = state.waiting.keys().map(|(license, _)| license);
    let found: BTreeSet<_> = state
        .licenses
        .keys()
        .chain(waiting)
        .filter(|license| *license.id == *id && (vendor.is_empty() || *license.vendor == *vendor))
        .collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(license), None) => Ok(license.clone()),
        (Some(_), Some(_)) => Err(bad(
            "vendor",
            format_args!("several vendors have a license {id}; name one"),
        )),
        (None, _) => {
            let mut refused = problem(Code::NotFound, format!("no license {id} is installed"));
            refused.hint = "`seatkeeper license list` shows what is".to_owned();
            Err(refused)
        }
    }
}
