//! Sessions: for a while whoever presents one is the person who proved by it who they are, and by whatever account they come:
//! where an account of a machine is nobody's own (S11).

use super::tokens::{hash, secret};
use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::desk::directory::nobody;
use crate::desk::parse::bad;
use crate::desk::view::{Cursor, page};
use crate::problem::{Refused, internal};
use crate::random;
use seatkeeper::wire::{
    Page, Redeem, SESSION_PREFIX, SESSION_S, Secret, Session, SessionMade, SessionMake, SignIn,
    Whoami,
};
use seatkeeper_engine::Command;
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::ids::BearerId;
use seatkeeper_engine::state::{Bearer, SESSION_MS};

// The engine knows no wire, and clients no engine: how long a session is good both say, and say the same.
const _: () = assert!(SESSION_MS == SESSION_S * 1000);

impl Desk {
    /// `POST /v1/sessions`: by a password or a code as `login` takes them, with the same answers; the calling account stays
    /// who it is. Takes a moment and memory, and blocks.
    ///
    /// # Errors
    /// Those of [`Desk::sign_in`], or of [`Desk::redeem`].
    pub fn open_session(
        &self,
        caller: &Caller,
        body: &SessionMake,
    ) -> Result<SessionMade, Refused> {
        self.traced(caller, self.open_session_of(caller, body))
    }

    /// `GET /v1/sessions`: one's own that go on, and those of whom one may change.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn sessions(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<Session>, Refused> {
        let snapshot = self.keeper.snapshot();
        let (state, now) = (&snapshot.state, self.now());
        let sight = Sight::of(&snapshot, caller, Permission::UserManage);
        let after = cursor.after_id::<BearerId>()?;
        let rows = state.credentials.bearers.range(after);
        let rows = rows.filter(|(id, known)| {
            known.is_session()
                && sight.shows(state, known.user)
                && state.bearer(**id, now).is_some()
        });
        let rows = rows.map(|(id, known)| {
            let current = caller.presented.is_some_and(|of| of.id == *id);
            (id.to_string(), self.session_view(*id, known, current))
        });
        Ok(page(rows, cursor.limit()?))
    }

    /// `DELETE /v1/sessions/{id}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none that the caller sees.
    pub fn end_session(
        &self,
        caller: &Caller,
        session: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.end_session_of(caller, session, if_match)
        })
    }

    /// The session in which the caller is somebody is over.
    pub(super) fn leave(&self, caller: &Caller, session: BearerId) -> Result<Whoami, Refused> {
        let leave = Credential::RevokeBearer {
            bearer: session,
            if_match: None,
        };
        // One that was ended in this moment is over, too.
        let answer = self.asked(caller, Command::Credential(leave))?;
        Ok(self.as_known(&answer.snapshot, &caller.by_account()))
    }

    fn open_session_of(&self, caller: &Caller, body: &SessionMake) -> Result<SessionMade, Refused> {
        let id = BearerId(random::bytes().map_err(|e| internal("no random id", &e))?);
        let text = secret(SESSION_PREFIX)?;
        let what = SignsIn::Session {
            id,
            hash: hash(&text),
        };
        let (password, accept_terms) = (body.password.clone(), body.accept_terms.clone());
        let (user, answer) = match (&body.login, &body.code) {
            (Some(login), None) => {
                let login = login.clone();
                let body = SignIn {
                    login,
                    password,
                    accept_terms,
                };
                self.proved(caller, &body, what)?
            }
            (None, Some(code)) => {
                let code = code.clone();
                let body = Redeem {
                    code,
                    password,
                    accept_terms,
                };
                self.redeemed(caller, &body, what)?
            }
            _ => {
                let why = "stands instead of a login: one of the two makes a session";
                return Err(bad("code", why));
            }
        };
        let made = answer.snapshot.state.credentials.bearers.get(&id);
        Ok(SessionMade {
            id: id.to_string(),
            login: self.user_name(user),
            session: Secret::new(&*text as &str),
            // One that was ended in the same batch is over already.
            until: made.and_then(|made| made.until).unwrap_or(answer.now.j).0,
        })
    }

    fn end_session_of(
        &self,
        caller: &Caller,
        text: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        let none = || nobody("session", &text, "session list");
        let (session, caller) = self.bearer_of(caller, text, true)?.ok_or_else(none)?;
        let what = format!("session {text}");
        self.revoke(&caller, &what, session, if_match).map(drop)
    }

    fn session_view(&self, id: BearerId, known: &Bearer, current: bool) -> Session {
        Session {
            id: id.to_string(),
            login: self.user_name(known.user),
            since: known.since.0,
            until: known.until.map_or(0, |until| until.0),
            current,
            revision: known.revision,
        }
    }
}
