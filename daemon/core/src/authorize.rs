//! Who asks, and whether they may: every handler calls the one [`authorize`].
//!
//! Whoever administers this daemon (uid 0 and the members of its group) may all. Everyone else may what their roles give,
//! where their roles reach (`access` of the engine), and sees what is theirs.

use crate::keeper::{Handle, Snapshot};
use crate::login::Login;
use crate::problem::problem;
use crate::side::Side;
use seatkeeper::wire::{Code, Problem};
use seatkeeper_engine::access::{By, Role, Scope, Standing};
use seatkeeper_engine::command::Pid;
use seatkeeper_engine::ids::{BearerId, MachineId, Name, UnitId, UserId};
use seatkeeper_engine::state::Target;
use seatkeeper_engine::{Actor, State};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use seatkeeper_engine::access::Permission;

/// A local caller, as the kernel named them (S16). Nothing in it comes from a request but the trace id.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The uid of the accepted connection.
    pub uid: u32,
    /// The name that the machine gives this uid.
    pub login: Arc<Login>,
    /// The machine whose kernel named it.
    pub attested_by: MachineId,
    /// The process at the other end, where the kernel tells.
    pub pid: Option<Pid>,
    /// The caller administers this daemon.
    pub administers: bool,
    /// Who does, in words.
    pub administrators: Name,
    /// The account for which they act, being of the one that manages it (rule 1).
    pub acting_for: Option<UnitId>,
    /// The age of the rights by which they are judged, where what they ask is refused once those are others.
    pub judged: Option<u64>,
    /// What they presented, a token or a session: whoever they are for the kernel, they are the person for whom it stands.
    pub presented: Option<Presented>,
    /// Where a refusal looks up which person it is.
    pub names: Option<Arc<Names>>,
    /// The exchange, as in `x-trace-id` and in the journal.
    pub trace: Option<Name>,
}

/// Who people are, for the words of a refusal alone: no request pays for it that is not refused.
#[derive(Debug)]
pub struct Names {
    /// Whom an account is signed in as.
    pub keeper: Handle,
    /// What they are called.
    pub side: Arc<Side>,
}

/// A token or a session that was presented, and looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Presented {
    /// Which.
    pub id: BearerId,
    /// Whom it stands for.
    pub user: UserId,
    /// It is a session: whoever made it proved to be the person.
    pub session: bool,
    /// Whether their account administers this daemon, which nobody does by what they present.
    pub administers: bool,
}

/// How a caller is known to be a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownBy {
    /// A token was presented.
    Token,
    /// A session was presented.
    Session,
    /// `seatkeeper login` on that machine, by that account.
    SignedIn,
    /// The person has the login `name@machine`.
    FullLogin,
    /// The person has the login `name`, and the machine is trusted for names.
    Login,
}

/// Refuses unless the caller has the permission at one of these units: those of what is asked about. Of the daemon it is
/// asked at the root of the home account. Tells the account for which they act by it.
///
/// # Errors
/// `forbidden`, with the permission that is missing.
pub fn authorize(
    snapshot: &Snapshot,
    caller: &Caller,
    permission: Permission,
    units: &[UnitId],
) -> Result<Option<UnitId>, Box<Problem>> {
    if outright(caller, permission) {
        return Ok(None);
    }
    let sight = Sight::of(snapshot, caller, permission);
    let mut by = units
        .iter()
        .filter_map(|unit| sight.by(&snapshot.state, *unit));
    match by.next() {
        Some(first) => match by.fold(first, Ord::min) {
            By::Own => Ok(None),
            By::Managing(account) => Ok(Some(account)),
        },
        None => Err(forbidden(caller, permission)),
    }
}

/// Whether a permission asks for no place: of everyone, and of whoever administers this daemon.
#[must_use]
pub fn outright(caller: &Caller, permission: Permission) -> bool {
    caller.administers || permission.scope() == Scope::Everyone
}

/// The refusal of one who lacks a permission.
#[must_use]
pub fn forbidden(caller: &Caller, permission: Permission) -> Box<Problem> {
    let mut refused = problem(
        Code::Forbidden,
        format!(
            "{} lacks the permission {permission} there",
            caller.in_words()
        ),
    );
    refused.hint = match caller.presented {
        Some(of) if of.administers => format!(
            "by what SEATKEEPER_TOKEN_FILE names nobody administers the daemon; {}, your account, does: do it without that",
            caller.login.name
        ),
        _ => caller.ask("to do it"),
    };
    refused
}

/// What would outlast a token is not done by one: whoever found it would keep what they made by it. `what` says what a token
/// does not.
///
/// # Errors
/// `forbidden`, where a token was presented.
pub fn not_by_token(caller: &Caller, what: &str) -> Result<(), Box<Problem>> {
    match caller.presented {
        Some(token) if !token.session => Err(presented_does_not("token", what)),
        _ => Ok(()),
    }
}

/// A seat is held by an account of a machine (rule 20), whoever it is for a while.
///
/// # Errors
/// `forbidden`, where a token or a session was presented.
pub fn holds_no_seat(caller: &Caller) -> Result<(), Box<Problem>> {
    match caller.presented {
        None => Ok(()),
        Some(Presented { session: true, .. }) => {
            Err(presented_does_not("session", "holds no seat"))
        }
        Some(_) => Err(presented_does_not("token", "holds no seat")),
    }
}

fn presented_does_not(kind: &str, what: &str) -> Box<Problem> {
    let mut refused = problem(Code::Forbidden, format!("a {kind} {what}"));
    refused.hint = "do it without SEATKEEPER_TOKEN_FILE, as yourself".to_owned();
    refused
}

/// Where a caller has a permission, on one snapshot: what lists, counts and names are told by.
#[derive(Clone, Debug)]
pub struct Sight {
    everywhere: bool,
    permission: Permission,
    standing: Standing,
    own: Option<UserId>,
    nowhere: bool,
    /// What was found for a unit: a list asks for the same ones row after row.
    found: RefCell<BTreeMap<UnitId, Option<By>>>,
}

impl Sight {
    /// Where they have it.
    #[must_use]
    pub fn of(snapshot: &Snapshot, caller: &Caller, permission: Permission) -> Sight {
        let state = &snapshot.state;
        let own = caller.person(state);
        let known = own.and_then(|own| state.users.get(&own));
        let standing = known.map(|known| Standing::of(state, known, snapshot.now.j));
        let standing = standing.unwrap_or_default();
        Sight {
            everywhere: caller.administers,
            permission,
            nowhere: !standing.somewhere(state, permission),
            standing,
            own,
            found: RefCell::default(),
        }
    }

    /// They have it nowhere.
    #[must_use]
    pub fn is_nowhere(&self) -> bool {
        !self.everywhere && self.nowhere
    }

    /// At a unit.
    #[must_use]
    pub fn at(&self, state: &State, unit: UnitId) -> bool {
        self.by(state, unit).is_some()
    }

    /// At one of the units of a user.
    #[must_use]
    pub fn over(&self, state: &State, user: UserId) -> bool {
        self.any(state, state.units_of_user(user))
    }

    /// Where a target is: who looks after it there sees what is assigned to it.
    #[must_use]
    pub fn on(&self, state: &State, target: Target) -> bool {
        self.any(state, &state.units_of_target(target))
    }

    /// At one of these units.
    fn any(&self, state: &State, units: &[UnitId]) -> bool {
        !self.is_nowhere() && units.iter().any(|unit| self.at(state, *unit))
    }

    /// Over a user, or it is they.
    #[must_use]
    pub fn shows(&self, state: &State, user: UserId) -> bool {
        self.own == Some(user) || self.over(state, user)
    }

    /// Anywhere in the account with this root.
    #[must_use]
    pub fn inside(&self, state: &State, root: UnitId) -> bool {
        self.everywhere || self.standing.inside(state, self.permission, root)
    }

    /// Whether they may give a role at a unit.
    #[must_use]
    pub fn may_give(&self, state: &State, role: &Role, unit: UnitId) -> bool {
        self.everywhere || self.standing.may_give(state, role, unit)
    }

    /// Whether they have all that a role gives at a unit.
    #[must_use]
    pub fn has_all(&self, state: &State, role: &Role, unit: UnitId) -> bool {
        self.everywhere || self.standing.has_all(state, role, unit)
    }

    fn by(&self, state: &State, unit: UnitId) -> Option<By> {
        if self.everywhere {
            return Some(By::Own);
        }
        let found = self.found.borrow().get(&unit).copied();
        found.unwrap_or_else(|| {
            let by = self.standing.may(state, self.permission, unit);
            self.found.borrow_mut().insert(unit, by);
            by
        })
    }
}

impl Caller {
    /// The next step of someone who may not take it: whom to ask.
    #[must_use]
    pub fn ask(&self, what: &str) -> String {
        format!(
            "ask an administrator of this daemon {what}: {}",
            self.administrators
        )
    }

    /// The person behind the caller, where one is known.
    #[must_use]
    pub fn person(&self, state: &State) -> Option<UserId> {
        self.known_by(state).map(|(user, _)| user)
    }

    /// The person behind the caller, and how they are known: whoever is signed in goes before who has the login.
    #[must_use]
    pub fn known_by(&self, state: &State) -> Option<(UserId, KnownBy)> {
        if let Some(presented) = self.presented {
            // What was taken back meanwhile stands for nobody, on whatever stream it was presented.
            let known = state.credentials.bearers.get(&presented.id);
            let known = known.filter(|known| known.user == presented.user);
            let by = match presented.session {
                true => KnownBy::Session,
                false => KnownBy::Token,
            };
            return known.map(|known| (known.user, by));
        }
        let Login {
            full_hash,
            name_hash,
            ..
        } = &*self.login;
        let of = |users: Option<&UserId>, by| users.map(|user| (*user, by));
        let bound = &state.credentials.bound;
        of(bound.get(full_hash), KnownBy::SignedIn)
            .or_else(|| of(state.logins.get(full_hash), KnownBy::FullLogin))
            .or_else(|| of(state.logins.get(name_hash), KnownBy::Login))
    }

    /// The caller as their account alone makes them.
    #[must_use]
    pub fn by_account(&self) -> Caller {
        Caller {
            administers: self.presented.map_or(self.administers, |of| of.administers),
            presented: None,
            names: None,
            ..self.clone()
        }
    }

    /// Who was refused, in words: the account, or the person and by what they are that. Whoever has the login of the account is
    /// called as it is.
    #[must_use]
    pub fn in_words(&self) -> String {
        let account = &self.login.name;
        let Some(names) = &self.names else {
            return account.clone();
        };
        if let Some(of) = self.presented {
            let by = if of.session {
                "in a session"
            } else {
                "by a token"
            };
            return format!("{}, {by},", names.side.login(of.user));
        }
        let bound = &names.keeper.recorded().state.credentials.bound;
        match bound.get(&self.login.full_hash) {
            Some(user) => {
                let login = names.side.login(*user);
                format!("{login}, signed in by the account {account},")
            }
            None => account.clone(),
        }
    }

    /// The caller as they act for this account.
    #[must_use]
    pub fn acting(&self, acting_for: Option<UnitId>) -> Caller {
        Caller {
            acting_for,
            ..self.clone()
        }
    }

    /// The caller as the journal names them.
    #[must_use]
    pub fn actor(&self, user: Option<UserId>) -> Actor {
        let presented = |session| {
            let of = self.presented.filter(|of| of.session == session);
            of.map(|of| of.id)
        };
        Actor::Local {
            uid: self.uid,
            user,
            attested_by: self.attested_by,
            acting_for: self.acting_for,
            token: presented(false),
            session: presented(true),
        }
    }
}
