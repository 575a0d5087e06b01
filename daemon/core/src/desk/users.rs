//! Persons behind logins: known ones are found without touching the disk, new ones get their name there first.

use super::directory::address_hash;
use super::parse::bad;
use super::refusal::Subject;
use super::{Desk, trace_of};
use crate::authorize::Caller;
use crate::login::{self, hash};
use crate::problem::{Refused, internal, problem};
use crate::random;
use crate::side::Kind;
use seatkeeper::wire::Code;
use seatkeeper_engine::ids::{LoginHash, MachineId, UserId};
use seatkeeper_engine::{Command, Order, Origin, State, Verdict};

impl Desk {
    /// The person behind a caller, where one is known. Reads the snapshot only.
    #[must_use]
    pub fn user_of(&self, caller: &Caller) -> Option<UserId> {
        caller.person(&self.keeper.recorded().state)
    }

    /// The person behind a caller, or a new one where this site makes them. May write to the disk: not on a thread that
    /// others wait for, and only needed where [`Desk::user_of`] finds nobody.
    ///
    /// # Errors
    /// `unknown_user` where the site makes none, or a failure.
    pub fn meet(&self, caller: &Caller) -> Result<UserId, Refused> {
        if let Some(user) = self.user_of(caller) {
            return Ok(user);
        }
        if !self.settings.create_users {
            return Err(self.unknown(caller, &caller.login.name));
        }
        self.meet_login(caller, &caller.login.name, caller.login.name_hash)
    }

    /// The user with a login that an administrator names. An administrator's word makes one even where a first sight
    /// does not (`unknown_users = "refuse"`).
    pub(super) fn meet_named(&self, caller: &Caller, login: &str) -> Result<UserId, Refused> {
        login::check(login).map_err(|why| bad("user", why))?;
        match self.named(&self.keeper.snapshot().state, login) {
            Some(user) => Ok(user),
            None => self.meet_login(caller, login, hash(self.keys.salt(), login)),
        }
    }

    /// The user with this login, or else with this mail address.
    pub(super) fn named(&self, state: &State, login: &str) -> Option<UserId> {
        let (logins, salt) = (&state.logins, self.keys.salt());
        let known = logins.get(&hash(salt, login));
        known
            .or_else(|| logins.get(&address_hash(salt, login)))
            .copied()
    }

    /// The login of a user as text, or the id where the name was erased.
    pub(super) fn user_name(&self, user: UserId) -> String {
        self.side.login(user)
    }

    pub(super) fn machine_name(&self, machine: MachineId) -> String {
        if machine == self.machine {
            return self.settings.machine.clone();
        }
        match self.side.name(Kind::Machine, machine.0) {
            Ok(Some(name)) => name,
            _ => machine.to_string(),
        }
    }

    /// The name is durable before the event that refers to it: no event names an id that nobody could put a name to.
    fn meet_login(&self, caller: &Caller, login: &str, hash: LoginHash) -> Result<UserId, Refused> {
        self.has_room(caller, login)?;
        let user = UserId(random::bytes().map_err(|e| internal("no random id", &e))?);
        self.side
            .put_name(Kind::User, user.0, &login.to_lowercase())
            .map_err(|e| self.broken(caller, &e))?;
        let order = Order {
            actor: caller.actor(None),
            origin: Origin::Socket,
            command: Command::MeetUser { user, login: hash },
        };
        let answer = self
            .ask(order, caller.trace.clone())
            .map_err(|e| self.fail(caller, e))?;
        match answer.verdict {
            Verdict::User(user) => Ok(user),
            Verdict::Denied(denial) => Err(self.refuse(
                &denial,
                Subject {
                    caller,
                    user: login,
                    what: login,
                    version: None,
                },
                &answer.snapshot,
            )),
            other => Err(internal("meeting a user", &format_args!("{other:?}"))),
        }
    }

    fn unknown(&self, caller: &Caller, login: &str) -> Refused {
        let mut refused = problem(Code::UnknownUser, format!("{login} is not known here"));
        refused.rule = Some(4);
        refused.trace_id = trace_of(caller);
        refused.hint = match caller.administers {
            true => makes_known(login),
            false => self.comes_in(caller),
        };
        refused
    }

    /// What somebody can do who is nobody here, by how this site is set up.
    pub(super) fn comes_in(&self, caller: &Caller) -> String {
        let login = &caller.login.name;
        let sign_in = "`seatkeeper login LOGIN` signs in who is a user under another login";
        let first = match self.settings.create_users {
            true => format!("{login} becomes a user with the first seat"),
            false => format!(
                "`seatkeeper register --help` tells how to ask to come in; or {}",
                caller.ask(&format!("for {}", add(login)))
            ),
        };
        format!("{sign_in}; {first}")
    }
}

/// How an administrator makes a login known.
pub(super) fn makes_known(login: &str) -> String {
    format!(
        "{} makes them a user; `unknown_users = \"create\"` would at first sight",
        add(login)
    )
}

/// What makes a login known, to be asked for.
pub(super) fn add(login: &str) -> String {
    format!("`seatkeeper user add {login}`")
}
