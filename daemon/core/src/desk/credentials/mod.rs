//! Who signs in as whom, by a password or a code; and how somebody comes to one who has none (S11, D9, D15).
//!
//! The hash of a password lives in the side store under a random id, which is all that the journal and the rules know of it.
//! Whatever is stretched is stretched on the caller's thread, under no lock.

mod attempts;
mod codes;
mod forgot;
mod own_address;
mod passwords;
mod sessions;
mod tokens;
mod whoami;

pub(super) use attempts::Attempts;
pub use codes::{IsOut, code_hash};
pub use own_address::{AddressShown, AddressToShow};
pub(super) use passwords::Passwords;

use super::Desk;
use super::parse::bad;
use crate::authorize::Caller;
use crate::keeper::{Answer, Snapshot};
use crate::login::hash;
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use attempts::{Guesser, typed};
use passwords::Password;
use seatkeeper::wire::{Code, PasswordChange, SignIn, Whoami};
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::denial;
use seatkeeper_engine::ids::{PasswordId, UserId};
use seatkeeper_engine::{Command, State, Verdict};

impl Desk {
    /// Has somebody look for what is there for whoever was told of it: who guesses fails so often, and no more.
    pub(in crate::desk) fn guessing<T>(
        &self,
        caller: &Caller,
        look: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.attempts
            .begin(guesser(caller), None, self.now().lease)?;
        let found = look()?;
        self.attempts.succeeded(guesser(caller), None);
        Ok(found)
    }

    /// `POST /v1/login`: the calling account is signed in as whoever has this login and this password. Of a login that
    /// nobody has, the work and the answer are those of a wrong password. Takes a moment and memory, and blocks.
    ///
    /// # Errors
    /// `sign_in_failed`, `too_many_attempts`, `terms_not_accepted`, `user_not_active` of who proved to be suspended.
    pub fn sign_in(&self, caller: &Caller, body: &SignIn) -> Result<Whoami, Refused> {
        self.traced(caller, self.sign_in_of(caller, body))
    }

    /// `POST /v1/logout`: the calling account is itself again; in a session that one is over, and nothing else. Blocks.
    ///
    /// # Errors
    /// The keeper failed.
    pub fn sign_out(&self, caller: &Caller) -> Result<Whoami, Refused> {
        if let Some(session) = caller.presented.filter(|of| of.session) {
            return self.leave(caller, session.id);
        }
        if caller.presented.is_some() {
            let mut refused = problem(
                Code::BadRequest,
                "a token is not signed in as anybody, and signs nobody out",
            );
            refused.hint = "`seatkeeper token revoke NAME` takes it back; without it, `seatkeeper logout` is about the account of the machine".to_owned();
            return self.traced(caller, Err(refused));
        }
        let change = Credential::Unbind {
            login: caller.login.full_hash,
        };
        let answer = self.asked(caller, Command::Credential(change))?;
        Ok(self.as_known(&answer.snapshot, caller))
    }

    /// `PUT /v1/password`: whoever else was signed in as the caller is so no more. Takes a moment and memory, and blocks.
    ///
    /// # Errors
    /// `sign_in_failed` where the old one is wrong, `too_many_attempts`, `unknown_user`, or `bad_request` that names the
    /// member.
    pub fn change_password(&self, caller: &Caller, body: &PasswordChange) -> Result<(), Refused> {
        self.traced(caller, self.change_password_of(caller, body))
    }

    /// How often a password was stretched since the start: what shows that two answers cost the same.
    #[must_use]
    pub fn passwords_stretched(&self) -> u64 {
        self.passwords.stretched()
    }

    fn sign_in_of(&self, caller: &Caller, body: &SignIn) -> Result<Whoami, Refused> {
        let account = SignsIn::Account(caller.login.full_hash);
        let (_, answer) = self.proved(caller, body, account)?;
        Ok(self.as_known(&answer.snapshot, caller))
    }

    /// Whoever told the password of this login, and what is signed in by it.
    fn proved(
        &self,
        caller: &Caller,
        body: &SignIn,
        what: SignsIn,
    ) -> Result<(UserId, Answer), Refused> {
        typed(&body.login)?;
        let told = Password::told("password", &body.password)?;
        let of = Some(hash(self.keys.salt(), &body.login));
        self.attempts.begin(guesser(caller), of, self.now().lease)?;
        let state = &self.keeper.recorded().state;
        let user = self.named(state, &body.login);
        let kept = self.fitting(state, user, &told)?;
        let Some((user, by)) = user.zip(kept) else {
            return Err(wrong());
        };
        let met = self.terms_met(caller, user, body.accept_terms.as_deref());
        met.inspect_err(|_| self.attempts.succeeded(guesser(caller), of))?;
        let bind = Credential::Bind { user, what, by };
        let answer = self.asked(caller, Command::Credential(bind))?;
        self.attempts.succeeded(guesser(caller), of);
        match &answer.verdict {
            Verdict::User(_) => Ok((user, answer)),
            // Changed in this moment.
            Verdict::Denied(denial) if denial.code == denial::Code::Conflict => Err(wrong()),
            _ => Err(self.not_done(caller, &self.user_name(user), &answer)),
        }
    }

    fn change_password_of(&self, caller: &Caller, body: &PasswordChange) -> Result<(), Refused> {
        let told = Password::told("old", &body.old)?;
        let new = Password::new("new", &body.new)?;
        let state = &self.keeper.recorded().state;
        let user = self.somebody(caller, state)?;
        let was = self.proves_anew(caller, state, user, ("old", &told))?;
        let password = self.kept(caller, &new)?;
        let session = caller.presented.filter(|of| of.session).map(|of| of.id);
        let change = Credential::ChangePassword {
            user,
            was,
            password,
            keeps: session.is_none().then_some(caller.login.full_hash),
            session,
        };
        let answer = self.asked(caller, Command::Credential(change))?;
        match &answer.verdict {
            Verdict::Done => {
                self.erase_name(Kind::Password, was.0);
                Ok(())
            }
            _ => {
                self.erase_name(Kind::Password, password.0);
                Err(wrong_present("old"))
            }
        }
    }

    /// Refuses a caller who is nobody here.
    ///
    /// # Errors
    /// `unknown_user`.
    pub fn is_somebody(&self, caller: &Caller) -> Result<(), Refused> {
        let found = self.somebody(caller, &self.keeper.snapshot().state);
        self.traced(caller, found.map(drop))
    }

    /// The caller, who is somebody.
    fn somebody(&self, caller: &Caller, state: &State) -> Result<UserId, Refused> {
        caller.person(state).ok_or_else(|| {
            let who = &caller.login.name;
            let what = format!("{who} is nobody's account here");
            let mut refused = problem(Code::UnknownUser, what);
            refused.hint = self.comes_in(caller);
            refused
        })
    }

    /// Who is somebody tells their password once more; which that is.
    fn proves_anew(
        &self,
        caller: &Caller,
        state: &State,
        user: UserId,
        (member, told): (&str, &Password),
    ) -> Result<PasswordId, Refused> {
        if state.password_of(user).is_none() {
            let name = self.user_name(user);
            let why = format_args!(
                "{name} has no password yet: `seatkeeper forgot {name}` asks for a code that sets one"
            );
            return Err(bad(member, why));
        }
        // One's own, by whatever login: apart from what strangers try.
        let of = Some(hash(self.keys.salt(), &format!("\0password {user}")));
        let by = in_session(caller);
        self.attempts.begin(by, of, self.now().lease)?;
        let was = self.fitting(state, Some(user), told)?;
        let was = was.ok_or_else(|| wrong_present(member))?;
        self.attempts.succeeded(by, of);
        Ok(was)
    }

    /// Whoever signs in has accepted the terms of service in force, or does by it: else they stay out (B15, D16).
    fn terms_met(
        &self,
        caller: &Caller,
        user: UserId,
        accepts: Option<&str>,
    ) -> Result<(), Refused> {
        let Some(version) = self.terms_to_accept(user) else {
            return Ok(());
        };
        if accepts != Some(&*version) {
            let who = self.user_name(user);
            let detail = format!(
                "{who} has not accepted the terms of service of this site, version {version}"
            );
            let mut refused = problem(Code::TermsNotAccepted, detail);
            refused.hint = format!(
                "read them: `seatkeeper terms show`; then sign in with `--accept-terms {version}`"
            );
            return Err(refused);
        }
        let version = version.into();
        let answer = self.asked(caller, Command::AcceptTerms { user, version })?;
        match answer.verdict {
            Verdict::Done => Ok(()),
            _ => Err(self.not_done(caller, "the terms of service", &answer)),
        }
    }

    /// The id of somebody's password, where this is it. Whether they are somebody, and have one, is not told by the work.
    fn fitting(
        &self,
        state: &State,
        user: Option<UserId>,
        told: &Password,
    ) -> Result<Option<PasswordId>, Refused> {
        let id = user.and_then(|user| state.password_of(user));
        let key = id.unwrap_or(PasswordId([0; 16])).0;
        let kept = self.side.name(Kind::Password, key);
        let kept = kept.map_err(|e| internal("a password cannot be read", &e))?;
        let fits = self.passwords.fits(told, kept.as_deref())?;
        Ok(id.filter(|_| fits))
    }

    /// Keeps a new password, durable before the event that names it.
    fn kept(&self, caller: &Caller, password: &Password) -> Result<PasswordId, Refused> {
        self.has_room(caller, "a password")?;
        let id = random::bytes().map_err(|e| internal("no random id", &e))?;
        let text = self.passwords.keep(password)?;
        let kept = self.side.put_name(Kind::Password, id, &text);
        kept.map_err(|e| self.broken(caller, &e))?;
        Ok(PasswordId(id))
    }

    /// Nothing is kept of a password that somebody had.
    pub(super) fn forget_password(&self, before: &State, user: UserId) {
        if let Some(password) = before.password_of(user) {
            self.erase_name(Kind::Password, password.0);
        }
    }

    /// Who a caller is, on a snapshot.
    fn as_known(&self, snapshot: &Snapshot, caller: &Caller) -> Whoami {
        whoami::told(self, &snapshot.state, caller)
    }
}

/// The account that guesses.
fn guesser(caller: &Caller) -> Guesser {
    Guesser::Account(caller.attested_by, caller.uid)
}

/// The same where somebody tells their own password: what others who share the account fail at is not theirs. To sign in is
/// never counted so, or whoever makes sessions could guess at others for ever.
fn in_session(caller: &Caller) -> Guesser {
    let session = caller.presented.filter(|of| of.session);
    session.map_or_else(|| guesser(caller), |of| Guesser::Session(of.id))
}

fn wrong() -> Refused {
    problem(Code::SignInFailed, "the login or the password is wrong")
}

fn wrong_present(member: &str) -> Refused {
    let which = match member {
        "old" => "the old password",
        _ => "the password",
    };
    problem(Code::SignInFailed, format!("{which} is wrong"))
}
