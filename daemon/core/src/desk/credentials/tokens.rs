//! Tokens that stand for a person, for programs: told once, kept as a hash (S14).

use crate::authorize::{Caller, Permission, Presented, Sight, not_by_token};
use crate::desk::Desk;
use crate::desk::directory::{brought, nobody};
use crate::desk::parse::{bad, id, one_line};
use crate::desk::view::{Cursor, page};
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::wire::{
    self, BEARER_CHARS, Code, Page, SESSION_PREFIX, Secret, TOKEN_PREFIX, TokenMade, TokenMake,
};
use seatkeeper_engine::command::Credential;
use seatkeeper_engine::ids::{BearerHash, BearerId, UserId};
use seatkeeper_engine::state::Bearer;
use seatkeeper_engine::time::Date;
use seatkeeper_engine::{Command, State, Verdict};
use sha2::{Digest, Sha256};
use std::sync::PoisonError;
use zeroize::Zeroizing;

/// Random bytes of one: `BEARER_CHARS` tells them.
const BYTES: usize = 32;
/// Bytes of its name.
const NAME_BYTES: usize = 64;
/// How long one lives of which nothing else is said.
const USUAL_S: u64 = 90 * 86_400;

impl Desk {
    /// The caller as the person for whom the token or the session stands that they presented; by it nobody administers the
    /// daemon.
    ///
    /// # Errors
    /// `unauthenticated`, the same of everything that stands for nobody.
    pub fn presenting(
        &self,
        caller: Caller,
        authorization: Option<&str>,
    ) -> Result<Caller, Refused> {
        let snapshot = self.keeper.recorded();
        let token = authorization.and_then(bearer);
        let known = token.and_then(|token| snapshot.state.presented(&hash(token), self.now()));
        match known {
            Some((id, known)) => Ok(Caller {
                presented: Some(Presented {
                    id,
                    user: known.user,
                    session: known.is_session(),
                    administers: caller.administers,
                }),
                administers: false,
                ..caller
            }),
            None => self.traced(&caller, Err(stands_for_nobody())),
        }
    }

    /// Whether what a caller presented stands for somebody still: for those who stay.
    #[must_use]
    pub fn presents_still(&self, caller: &Caller) -> bool {
        let state = &self.keeper.recorded().state;
        let presented = caller.presented;
        presented.is_none_or(|of| state.bearer(of.id, self.now()).is_some())
    }

    /// Refuses whose token or session stands for nobody any more.
    pub(in crate::desk) fn stands(&self, caller: &Caller) -> Result<(), Refused> {
        match self.presents_still(caller) {
            true => Ok(()),
            false => Err(stands_for_nobody()),
        }
    }

    /// `GET /v1/tokens`: one's own, and those of whom one may change.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn tokens(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Token>, Refused> {
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let sight = Sight::of(&snapshot, caller, Permission::UserManage);
        let after = cursor.after_id::<BearerId>()?;
        let rows = state.credentials.bearers.range(after);
        let rows = rows.filter(|(_, known)| !known.is_session() && sight.shows(state, known.user));
        let rows = rows.map(|(id, known)| (id.to_string(), self.token_view(*id, known)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `POST /v1/tokens`: for oneself, or for somebody who has no more than the caller. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `user_not_active`, `bad_request` that names the member, or the denial.
    pub fn make_token(&self, caller: &Caller, body: &TokenMake) -> Result<TokenMade, Refused> {
        self.by_rights_of_now(caller, |caller| self.make_token_of(caller, body))
    }

    /// `DELETE /v1/tokens/{id}`. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `wrong_revision`, or there is none that the caller sees.
    pub fn revoke_token(
        &self,
        caller: &Caller,
        token: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        self.by_rights_of_now(caller, |caller| {
            self.revoke_token_of(caller, token, if_match)
        })
    }

    /// What its person calls a token, while it is there.
    pub(in crate::desk) fn token_name(&self, token: BearerId) -> Option<String> {
        self.side.name(Kind::Token, token.0).ok()?
    }

    fn make_token_of(&self, caller: &Caller, body: &TokenMake) -> Result<TokenMade, Refused> {
        not_by_token(caller, "makes no token")?;
        let snapshot = &self.keeper.snapshot();
        let (user, caller) = self.whom_for(snapshot, caller, body.user.as_deref())?;
        let caller = &caller;
        one_line("name", &body.name, NAME_BYTES)?;
        let token: BearerId = brought(body.id.as_deref())?;
        let until = match body.until {
            None => Some(self.now().j.0 + USUAL_S),
            Some(0) => None,
            Some(until) if until < 1 << 53 => Some(until),
            Some(_) => return Err(bad("until", "is above 2^53 - 1")),
        };
        self.has_room(caller, "a token")?;
        let text = secret(TOKEN_PREFIX)?;
        if snapshot.state.credentials.bearers.contains_key(&token) {
            let detail = "a token of this id is there, and is told once";
            return Err(problem(Code::Conflict, detail));
        }
        // One at a time: two that are made at once have two names.
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        self.name_is_free(user, &body.name)?;
        let kept = self.side.put_name(Kind::Token, token.0, &body.name);
        kept.map_err(|e| self.broken(caller, &e))?;
        let make = Credential::MakeBearer {
            user,
            bearer: token,
            hash: hash(&text),
            until: until.map(Date),
            own: caller.person(&snapshot.state) == Some(user),
        };
        let answer = self.asked(caller, Command::Credential(make))?;
        let state = &answer.snapshot.state;
        match &answer.verdict {
            Verdict::Done => Ok(TokenMade {
                id: token.to_string(),
                name: body.name.clone(),
                login: self.user_name(user),
                token: Secret::new(&*text as &str),
                until,
            }),
            _ => {
                if !state.credentials.bearers.contains_key(&token) {
                    self.erase_name(Kind::Token, token.0);
                }
                let what = format!("a token of {}", self.user_name(user));
                Err(self.not_done(caller, &what, &answer))
            }
        }
    }

    /// No token of theirs that stands for them still is called so: `token revoke NAME` is to know which one is meant.
    fn name_is_free(&self, user: UserId, name: &str) -> Result<(), Refused> {
        let (snapshot, now) = (self.keeper.recorded(), self.now());
        let all = &snapshot.state.credentials;
        let own = all.of.get(&user).into_iter().flat_map(|of| &of.bearers);
        let mut live = own.filter(|id| all.bearers.get(*id).is_some_and(|of| of.good(now)));
        let same = live.find(|id| self.token_name(**id).as_deref() == Some(name));
        let Some(same) = same else {
            return Ok(());
        };
        let detail = format!("{} has a token {name} already", self.user_name(user));
        let mut refused = problem(Code::NameTaken, detail);
        refused.hint = format!(
            "take another name, and take the old one back once the new one is in place: `seatkeeper token revoke {same}`"
        );
        Err(refused)
    }

    /// Whom a new token stands for, and the caller as they act: themselves, or somebody whom they may change and who has
    /// no more than they.
    fn whom_for(
        &self,
        snapshot: &Snapshot,
        caller: &Caller,
        whom: Option<&str>,
    ) -> Result<(UserId, Caller), Refused> {
        let own = caller.person(&snapshot.state);
        let user = match whom {
            Some(login) => self.user_seen(snapshot, caller, login)?,
            None => own.ok_or_else(|| {
                let who = &caller.login.name;
                let mut refused = problem(
                    Code::UnknownUser,
                    format!("{who} is nobody's account here, and a token stands for a user"),
                );
                refused.hint = "name whom it is for: `seatkeeper token create NAME --for LOGIN`; or sign in first: `seatkeeper login LOGIN`".to_owned();
                refused
            })?,
        };
        match Some(user) == own {
            true => Ok((user, caller.clone())),
            false => Ok((user, self.user_managed(snapshot, caller, user)?)),
        }
    }

    fn revoke_token_of(
        &self,
        caller: &Caller,
        text: &str,
        if_match: Option<u64>,
    ) -> Result<(), Refused> {
        let none = || nobody("token", &text, "token list");
        let (token, caller) = self.bearer_of(caller, text, false)?.ok_or_else(none)?;
        self.revoke(&caller, &format!("token {text}"), token, if_match)?;
        Ok(())
    }

    /// A token or a session that the caller may take back, and the caller as they act.
    pub(super) fn bearer_of(
        &self,
        caller: &Caller,
        text: &str,
        session: bool,
    ) -> Result<Option<(BearerId, Caller)>, Refused> {
        let Ok(bearer) = id::<BearerId>("id", text, crate::desk::parse::HEX) else {
            return Ok(None);
        };
        let snapshot = self.keeper.snapshot();
        let state = &snapshot.state;
        let known = state.credentials.bearers.get(&bearer);
        let Some(known) = known.filter(|known| known.is_session() == session) else {
            return Ok(None);
        };
        let sight = Sight::of(&snapshot, caller, Permission::UserManage);
        if !sight.shows(state, known.user) {
            return Ok(None);
        }
        let own = caller.person(state) == Some(known.user);
        let caller = match own {
            true => caller.clone(),
            false => self.user_managed(&snapshot, caller, known.user)?,
        };
        Ok(Some((bearer, caller)))
    }

    /// Takes it back.
    pub(super) fn revoke(
        &self,
        caller: &Caller,
        what: &str,
        bearer: BearerId,
        if_match: Option<u64>,
    ) -> Result<Answer, Refused> {
        let revoke = Credential::RevokeBearer { bearer, if_match };
        let answer = self.asked(caller, Command::Credential(revoke))?;
        match &answer.verdict {
            Verdict::Done => Ok(answer),
            _ => Err(self.not_done(caller, what, &answer)),
        }
    }

    /// The names of those tokens that were there and are no more.
    pub(in crate::desk) fn erase_ended(&self, before: &State, after: &State) {
        let gone = after.credentials.tokens_gone(&before.credentials);
        gone.for_each(|token| self.erase_name(Kind::Token, token.0));
    }

    fn token_view(&self, id: BearerId, known: &Bearer) -> wire::Token {
        wire::Token {
            id: id.to_string(),
            name: self
                .token_name(id)
                .unwrap_or_else(|| "(its name was lost)".to_owned()),
            login: self.user_name(known.user),
            since: known.since.0,
            until: known.until.map(|until| until.0),
            revision: known.revision,
        }
    }
}

/// A new one.
pub(super) fn secret(prefix: &str) -> Result<Zeroizing<String>, Refused> {
    let bytes = random::bytes::<BYTES>().map_err(|e| internal("no random token", &e))?;
    let bytes = Zeroizing::new(bytes);
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
    Ok(Zeroizing::new(format!("{prefix}{}", *text)))
}

/// The token or session in `Authorization: Bearer …`, where it has the form of one.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let secret = token.strip_prefix(TOKEN_PREFIX);
    let secret = secret.or_else(|| token.strip_prefix(SESSION_PREFIX))?;
    let form = secret.len() == BEARER_CHARS && scheme.eq_ignore_ascii_case("bearer");
    form.then_some(token)
}

pub(super) fn hash(token: &str) -> BearerHash {
    BearerHash(Sha256::digest(token).into())
}

/// One body, whatever is wrong with it.
fn stands_for_nobody() -> Refused {
    let mut refused = problem(
        Code::Unauthenticated,
        "the token or session that was presented stands for nobody",
    );
    refused.hint = "it is wrong, is over or was ended, or who has it may not sit: `seatkeeper token create NAME` makes another token, `seatkeeper login LOGIN --session FILE` another session".to_owned();
    refused
}
