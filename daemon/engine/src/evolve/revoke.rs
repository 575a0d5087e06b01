//! What ends with an event that says something else: codes, tokens and sessions that do not outlast it. The same is asked
//! before it is recorded, so that each end is an event of its own and stands in the audit log, and when it is folded, which
//! finds something in journals that were written before that.

use super::credentials::{drop_code, take_bearers};
use crate::access::{Given, Reach, Role};
use crate::event::Recorded;
use crate::ids::{BearerId, CodeHash, LoginHash, UnitId, UserId};
use crate::state::{AccountKind, Bearer, Code, Place, Purpose, State, User, UserStatus};
use std::collections::BTreeSet;

/// What of somebody's ends.
struct Ends {
    user: UserId,
    codes: Vec<CodeHash>,
    bearers: Vec<BearerId>,
}

/// The events that say what ends with this one.
pub(crate) fn ended_with(state: &State, event: &Recorded) -> Vec<Recorded> {
    let ends = ends(state, event);
    ends.into_iter().flat_map(|ends| ends.said(state)).collect()
}

/// Drops what ends with it.
pub(super) fn fold(state: &mut State, event: &Recorded) {
    for gone in ends(state, event) {
        gone.codes.iter().for_each(|code| drop_code(state, *code));
        if !gone.bearers.is_empty() {
            take_bearers(state, gone.user, &gone.bearers);
        }
    }
}

/// Whose ends, each once, and of whom something does.
fn ends(state: &State, event: &Recorded) -> Vec<Ends> {
    let own = own(state, event).into_iter();
    let others = of_role(state, event).into_iter();
    let others = others.chain(of_reach(state, event));
    let ends = own.chain(others).chain(gives_way(state, event));
    ends.filter(Ends::some).collect()
}

/// What ends of the user whom the event is about.
fn own(state: &State, event: &Recorded) -> Option<Ends> {
    match event {
        Recorded::UserPlaced { user, units } => {
            let known = state.users.get(user)?;
            let more = units.iter().any(|unit| !known.units.contains(unit));
            more.then(|| Ends::grown(state, *user))
        }
        Recorded::RolesGiven { user, roles } => {
            let known = state.users.get(user)?;
            let more = roles.iter().any(|role| !known.roles.contains(role));
            more.then(|| Ends::grown(state, *user))
        }
        Recorded::RegistrationApproved { user, .. } => Some(Ends::let_in(state, *user)),
        Recorded::UserChanged { user, status, .. } => match status {
            UserStatus::Active if state.registrations.contains_key(user) => {
                Some(Ends::let_in(state, *user))
            }
            #[cfg(planted)]
            UserStatus::Suspended if crate::planted::is("session-outlasts") => None,
            // Whoever is suspended is out of all sessions for good, and takes no other address.
            UserStatus::Suspended => Some(Ends::of(state, *user, proves, |_, of| of.is_session())),
            _ => None,
        },
        // What was mailed to an address that is theirs no more is good for nothing, nor is what they asked for themselves
        // where somebody else says which it is.
        Recorded::AddressChanged { user, was, .. } => {
            let goes = |of: &Code| proves(of) || was.is_some() && of.mailed == *was;
            Some(Ends::of(state, *user, goes, |_, _| false))
        }
        Recorded::AddressProved {
            user, was, address, ..
        } => {
            let was = Some((*was).filter(|was| *was != address.hash)?);
            Some(Ends::of(state, *user, |of| of.mailed == was, |_, _| false))
        }
        Recorded::UserRemoved { user } | Recorded::RegistrationRefused { user } => {
            Some(Ends::of(state, *user, |_| true, |_, _| true))
        }
        // Codes that lie about set no other one. Nor do tokens outlast it that others made for them, nor any where they came
        // in by a code.
        Recorded::PasswordSet {
            user,
            keeps,
            session,
            ..
        } => {
            let by_code = keeps.is_none() && session.is_none();
            let goes = |id, of: &Bearer| match of.is_session() {
                true => Some(id) != *session,
                false => by_code || !of.own,
            };
            Some(Ends::of(state, *user, |_| true, goes))
        }
        // A new code takes the place of the one for the same purpose.
        Recorded::CodeMade { of: new, .. } => {
            let same = |of: &Code| of.purpose == new.purpose;
            Some(Ends::of(state, new.user, same, |_, _| false))
        }
        _ => None,
    }
}

fn proves(of: &Code) -> bool {
    of.purpose == Purpose::Address
}

/// A role gives more than it did: so it does to everyone who has it, as if they were given it now.
fn of_role(state: &State, event: &Recorded) -> Vec<Ends> {
    let (role, is) = match event {
        Recorded::RoleDefined {
            role,
            permissions,
            reach,
        } => (role, Some((permissions.clone(), *reach))),
        Recorded::RoleRemoved { role } => {
            let is = Role::usual(role);
            (role, is.map(|is| (is.permissions, is.reach)))
        }
        _ => return Vec::new(),
    };
    let (Some(was), Some((permissions, reach))) = (state.role(role), is) else {
        return Vec::new();
    };
    let more = |one| !was.permissions.contains(one);
    if reach <= was.reach && !permissions.iter().any(more) {
        return Vec::new();
    }
    of_those(state, |user| {
        let has = |given: &Given| given.role == *role;
        user.roles.iter().any(has) || **role == *Role::USER
    })
}

/// A unit that moves, or an account that is managed by another one, comes into the reach of roles that are given there.
fn of_reach(state: &State, event: &Recorded) -> Vec<Ends> {
    let gains = gains(state, event);
    if gains.is_empty() {
        return Vec::new();
    }
    let more = |given: &Given| {
        let reach = state.role(&given.role).map(|role| role.reach);
        let mut there = gains.iter().filter(|(unit, _)| *unit == given.unit);
        there.any(|(_, least)| reach >= Some(*least))
    };
    of_those(state, |user| user.roles.iter().any(more))
}

/// From where roles reach more, if they reach so far. Whatever nobody manages is the producers' at any time: that is no more.
fn gains(state: &State, event: &Recorded) -> Vec<(UnitId, Reach)> {
    let (own, manager) = match event {
        Recorded::AccountManaged { by, .. } => (None, *by),
        Recorded::UnitMoved { unit, to } => match to {
            Place::Below(above) => {
                let before: Vec<_> = state.upwards(*unit).collect();
                let above = state.upwards(*above).filter(|one| !before.contains(one));
                return above.map(|one| (one, Reach::Below)).collect();
            }
            // What is an account now may have customers.
            Place::Account(account) => {
                let manages = account.kind != AccountKind::Customer;
                (Some(*unit).filter(|_| manages), account.managed_by)
            }
        },
        _ => return Vec::new(),
    };
    let all = own.into_iter().chain(manager);
    all.map(|one| (one, Reach::Customers)).collect()
}

/// Whoever has more now, of those who have anything that others made.
fn of_those(state: &State, more: impl Fn(&User) -> bool) -> Vec<Ends> {
    let all = &state.credentials;
    let told = all.codes.values().map(|of| of.user);
    let lent = all.bearers.values().filter(|of| !of.own);
    let any: BTreeSet<_> = told.chain(lent.map(|of| of.user)).collect();
    let more = |user: &UserId| state.users.get(user).is_some_and(|known| more(known));
    let concerned = any.into_iter().filter(more);
    concerned.map(|user| Ends::grown(state, user)).collect()
}

/// Mail addresses are somebody's from here on: what was mailed there for those who only told them is good for nothing.
fn gives_way(state: &State, event: &Recorded) -> Vec<Ends> {
    let Some((owner, addresses)) = theirs(state, event) else {
        return Vec::new();
    };
    let of = |address| {
        let claimers = state.claimers(address).filter(|one| *one != owner);
        let mailed = move |of: &Code| of.mailed == Some(address);
        claimers.map(move |user| Ends::of(state, user, mailed, |_, _| false))
    };
    addresses.into_iter().flat_map(of).collect()
}

/// Who has which addresses from here on, of those that others may have told.
fn theirs(state: &State, event: &Recorded) -> Option<(UserId, Vec<LoginHash>)> {
    // Whoever uses what was mailed to an address that they told reads it.
    let shows = |user: UserId, address| {
        let known = state.users.get(&user)?;
        let shown = known.claimed == Some(address) && !state.taken(address, user);
        shown.then(|| (user, vec![address]))
    };
    match event {
        Recorded::UserMet { user, login } => Some((*user, vec![*login])),
        Recorded::UserMade {
            user,
            login,
            address,
            ..
        } => {
            let address = address.iter().copied();
            Some((*user, address.chain([*login]).collect()))
        }
        Recorded::Registered(asked) => {
            let address = asked.address.filter(|_| asked.verified);
            let address = address.into_iter().map(|address| address.hash);
            Some((asked.user, address.chain([asked.login]).collect()))
        }
        Recorded::AddressChanged { user, address, .. } => Some((*user, vec![(*address)?.hash])),
        Recorded::AddressProved { user, address, .. } => Some((*user, vec![address.hash])),
        Recorded::CodeUsed { user, code } => {
            shows(*user, state.credentials.codes.get(code)?.mailed?)
        }
        Recorded::AddressVerified { user } => {
            shows(*user, state.registrations.get(user)?.address?.hash)
        }
        _ => None,
    }
}

impl Ends {
    fn of(
        state: &State,
        user: UserId,
        code: impl Fn(&Code) -> bool,
        bearer: impl Fn(BearerId, &Bearer) -> bool,
    ) -> Ends {
        let all = &state.credentials;
        let own = all.of.get(&user);
        let codes = own.iter().flat_map(|own| &own.codes);
        let codes = codes.filter(|one| all.codes.get(*one).is_some_and(&code));
        let bearers = own.iter().flat_map(|own| &own.bearers);
        let bearers =
            bearers.filter(|one| all.bearers.get(*one).is_some_and(|of| bearer(**one, of)));
        Ends {
            user,
            codes: codes.copied().collect(),
            bearers: bearers.copied().collect(),
        }
    }

    /// Somebody is given more than they had: what others made for them by then is good no more. An invitation is, because a
    /// role is given as the last step (H14), and so is what was mailed: whoever made it does not know it. No address becomes
    /// theirs by a code that is out: whoever asked for it is not known to be them any more.
    fn grown(state: &State, user: UserId) -> Ends {
        let told = |of: &Code| of.purpose == Purpose::Reset && of.mailed.is_none();
        let goes = |of: &Code| told(of) || proves(of);
        Ends::of(state, user, goes, |_, one| !one.own)
    }

    /// Somebody who waited is let in. Whoever was told a code for them was told it for one who had nothing: an invitation is
    /// good no more either.
    fn let_in(state: &State, user: UserId) -> Ends {
        let goes = |of: &Code| of.mailed.is_none() || proves(of);
        Ends::of(state, user, goes, |_, one| !one.own)
    }

    /// Something does.
    fn some(&self) -> bool {
        !self.codes.is_empty() || !self.bearers.is_empty()
    }

    /// The events that say so.
    fn said(self, state: &State) -> Vec<Recorded> {
        let Ends {
            user,
            codes,
            bearers,
        } = self;
        let kind = |one: &BearerId| {
            let known = state.credentials.bearers.get(one);
            known.is_some_and(Bearer::is_session)
        };
        let (sessions, tokens): (Vec<_>, Vec<_>) = bearers.into_iter().partition(kind);
        let mut said = Vec::new();
        if !codes.is_empty() {
            said.push(Recorded::CodesDropped { user, codes });
        }
        if !tokens.is_empty() {
            said.push(Recorded::TokensRevoked { user, tokens });
        }
        if !sessions.is_empty() {
            said.push(Recorded::SessionsEnded { user, sessions });
        }
        said
    }
}
