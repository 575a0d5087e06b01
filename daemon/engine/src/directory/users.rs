//! Users: who they are, where they are, and whether they may sit (rules 1, 4).

use super::{settled, unchanged_still};
use crate::access::keeps_an_administrator;
use crate::denial::{Code, Denial, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{LoginHash, UnitId, UserId};
use crate::losses::Concerned;
use crate::state::{MailAddress, State, User, UserStatus};
use crate::time::Date;

/// Makes a user. The same id with the same login is the same one.
pub(super) fn make(
    act: &mut Act<'_>,
    user: UserId,
    (login, address): (LoginHash, Option<LoginHash>),
    (units, status, until): (Vec<UnitId>, UserStatus, Option<Date>),
) -> Result<Verdict, Denial> {
    let state = act.state();
    let mut names = std::iter::once(login).chain(address);
    let units = ordered(units);
    if let Some(known) = state.users.get(&user) {
        let of = (&known.units, known.status, known.until);
        let same = names.all(|name| known.logins.contains(&name));
        return if same && of == (&units, status, until) {
            Ok(Verdict::User(user))
        } else {
            Err(Denial::new(Code::Conflict, 20))
        };
    }
    never_again(state.gone_users.contains(&user), "a user")?;
    if names.any(|name| state.logins.contains_key(&name)) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    placeable(state, user, &units)?;
    act.record(Recorded::UserMade {
        user,
        login,
        address,
        units,
        status,
        until,
    });
    Ok(Verdict::User(user))
}

/// Says whether they may sit, and until when.
pub(super) fn change(
    act: &mut Act<'_>,
    user: UserId,
    (status, until): (UserStatus, Option<Date>),
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    let concerned = Concerned::Users(vec![user]);
    if (known.status, known.until) == (status, until) {
        return Ok(unchanged_still(act, &concerned, hard));
    }
    let after = User {
        status,
        until,
        ..User::clone(known)
    };
    keeps_an_administrator(state, user, Some(after), act.now.j)?;
    let changed = Recorded::UserChanged {
        user,
        status,
        until,
    };
    Ok(settled(act, changed, &concerned, hard))
}

/// Places them in exactly these units.
pub(super) fn place(
    act: &mut Act<'_>,
    user: UserId,
    units: Vec<UnitId>,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    let units = ordered(units);
    if units.is_empty() {
        return Err(Denial::new(Code::LastUnit, 1));
    }
    placeable(state, user, &units)?;
    let concerned = Concerned::Users(vec![user]);
    if known.units == units {
        return Ok(unchanged_still(act, &concerned, hard));
    }
    let placed = Recorded::UserPlaced { user, units };
    Ok(settled(act, placed, &concerned, hard))
}

/// Gives them another mail address, or none.
pub(super) fn readdress(
    act: &mut Act<'_>,
    user: UserId,
    (was, address): (Option<LoginHash>, Option<MailAddress>),
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    if was.is_some_and(|was| !known.logins.contains(&was)) {
        // Changed in this moment.
        return Err(Denial::new(Code::Conflict, 20));
    }
    let new = address.map(|address| address.hash);
    // One that they only told goes with it, and is theirs where it is the one that is given.
    if new == was && known.claimed.is_none() {
        return Ok(Verdict::Done);
    }
    if new.is_none() && was.is_some() && known.logins.len() < 2 {
        return Err(Denial {
            limit: Some("this address is their only login: give them another one".to_owned()),
            ..Denial::new(Code::BadRequest, 1)
        });
    }
    if new != was && new.is_some_and(|new| state.logins.contains_key(&new)) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    act.record(Recorded::AddressChanged { user, was, address });
    Ok(Verdict::Done)
}

/// Takes them away.
pub(super) fn remove(
    act: &mut Act<'_>,
    user: UserId,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    keeps_an_administrator(state, user, None, act.now.j)?;
    let gone = Recorded::UserRemoved { user };
    Ok(settled(act, gone, &Concerned::Users(vec![user]), hard))
}

pub(super) fn ordered(mut units: Vec<UnitId>) -> Vec<UnitId> {
    units.sort_unstable();
    units.dedup();
    units
}

/// Whether a user may be in all these units together: no two in one line, and all in accounts of one kind (rule 1).
pub(super) fn placeable(state: &State, user: UserId, units: &[UnitId]) -> Result<(), Denial> {
    let refused = |code| {
        Err(Denial {
            users: vec![user],
            ..Denial::new(code, 1)
        })
    };
    let mut kinds = Vec::new();
    for unit in units {
        let (_, account) = state.account_of(*unit).ok_or_else(|| not_found(1))?;
        kinds.push(account.kind);
        if state
            .upwards(*unit)
            .skip(1)
            .any(|above| units.contains(&above))
        {
            return refused(Code::OneLine);
        }
    }
    kinds.dedup();
    if kinds.len() > 1 {
        return refused(Code::MixedKinds);
    }
    Ok(())
}
