//! Who cannot get in: they ask, whoever they are, and are told the same whether anybody knows them. Administrators see who
//! asked, and answer with a code (D15).

use super::attempts::typed;
use super::codes::IsOut;
use super::guesser;
use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::desk::directory::{STATUS, address_hash, spelled};
use crate::desk::view::{Cursor, page};
use crate::keeper::Snapshot;
use crate::problem::{Refused, problem};
use seatkeeper::wire::{Code, CodeMade, Forgot, Page, ResetAsked};
use seatkeeper_engine::command::Credential;
use seatkeeper_engine::ids::UserId;
use seatkeeper_engine::state::{Purpose, Reset, UserStatus};
use seatkeeper_engine::{Command, Verdict};

impl Desk {
    /// `POST /v1/forgot`: whether it may be asked now. What comes of it is done after the answer
    /// ([`Desk::file_forgotten`]), so that the answer is the same, and as fast, for who is known and who is not.
    ///
    /// # Errors
    /// `too_many_attempts`, or a login of no size.
    pub fn forgot(&self, caller: &Caller, body: &Forgot) -> Result<(), Refused> {
        // Only of who asks: nobody keeps somebody else from asking. A person gets one code an hour all the same.
        let asked = typed(&body.login)
            .and_then(|()| self.attempts.begin(guesser(caller), None, self.now().lease));
        self.traced(caller, asked)
    }

    /// The second half: whoever is known is on the list of those who asked; or, where mail is sent (`is_out`) and they have
    /// an address, gets a code, which the caller sends there: to an address that is known to be theirs, or to one by which
    /// they were invited and did not come yet. While such a code is out no other one is made: it would take its place. One
    /// that was to be mailed and whose mail is not out is no such code. Blocks.
    ///
    /// # Errors
    /// The keeper failed; nobody waits to be told.
    pub fn file_forgotten(
        &self,
        caller: &Caller,
        body: &Forgot,
        is_out: Option<IsOut<'_>>,
    ) -> Result<Option<CodeMade>, Refused> {
        let state = &self.keeper.recorded().state;
        let Some(user) = self.named(state, &body.login) else {
            return Ok(None);
        };
        let mut codes = state.codes_of(user, Purpose::Reset, self.now());
        let reaches =
            |is_out: IsOut<'_>| codes.any(|(code, of)| of.mailed.is_none() || is_out(code));
        if is_out.is_some_and(reaches) {
            return Ok(None);
        }
        let known = |to: &String| {
            let hash = address_hash(self.keys.salt(), to);
            let status = state.users.get(&user).map(|known| known.status);
            state.credentials.verified.contains(&hash) || status == Some(UserStatus::Invited)
        };
        let to = self.mail_address(state, user);
        if let Some(to) = to.filter(|to| is_out.is_some() && known(to)) {
            let (answer, made) = self.make_code(caller, (user, None), Purpose::Reset, Some(to))?;
            return Ok((answer.verdict == Verdict::Done).then_some(made));
        }
        let ask = Command::Credential(Credential::AskReset { user });
        self.asked(caller, ask).map(|_| None)
    }

    /// `GET /v1/resets`: who asked, of those whom the caller may change.
    ///
    /// # Errors
    /// `forbidden`, or a cursor that is none.
    pub fn resets(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<ResetAsked>, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::UserManage)?;
        let units = Sight::of(&snapshot, caller, Permission::UnitRead);
        let state = &snapshot.state;
        let after = cursor.after_id::<UserId>()?;
        let rows = state.credentials.resets.range(after);
        let rows = rows.filter(|(id, _)| sight.over(state, **id));
        let rows = rows.map(|(id, asked)| {
            (
                id.to_string(),
                self.reset_view(&snapshot, (*id, asked), &units),
            )
        });
        Ok(page(rows, cursor.limit()?))
    }

    /// `DELETE /v1/resets/{user}`: they get no code, and are on the list no more. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or nobody of this name asked.
    pub fn drop_reset(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        self.by_rights_of_now(caller, |caller| self.drop_reset_of(caller, user, if_match))
    }

    fn drop_reset_of(
        &self,
        caller: &Caller,
        user: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        let snapshot = self.keeper.snapshot();
        let id = self.user_seen(&snapshot, caller, user)?;
        let caller = &self.user_managed(&snapshot, caller, id)?;
        let login = self.user_name(id);
        let change = Credential::DropReset { user: id, if_match };
        let answer = self.asked(caller, Command::Credential(change))?;
        match &answer.verdict {
            Verdict::Done => Ok(()),
            Verdict::Denied(denial) if denial.code == seatkeeper_engine::denial::Code::NotFound => {
                let detail = format!("{login} asks for no code");
                let mut refused = problem(Code::NotFound, detail);
                refused.hint = "`seatkeeper user resets` shows who does".to_owned();
                Err(refused)
            }
            _ => Err(self.not_done(caller, &format!("what {login} asked"), &answer)),
        }
    }

    fn reset_view(
        &self,
        snapshot: &Snapshot,
        (id, asked): (UserId, &Reset),
        units: &Sight,
    ) -> ResetAsked {
        let state = &snapshot.state;
        let status = state.users.get(&id).map(|known| known.status);
        let at = state.units_of_user(id).iter();
        let at = at.filter(|unit| units.at(state, **unit));
        ResetAsked {
            id: id.to_string(),
            login: self.user_name(id),
            address: self.address_of(state, id),
            address_is: self.address_is(state, id),
            status: status
                .map_or("", |status| spelled(status, STATUS))
                .to_owned(),
            units: at.map(|unit| self.unit_path(state, *unit)).collect(),
            since: asked.since.0,
            revision: asked.revision,
        }
    }
}
