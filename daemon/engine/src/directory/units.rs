//! Accounts and the units below them (rule 1).

use super::settled;
use crate::command::{MoveTo, UnitChange};
use crate::denial::{Code, Denial, in_it, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{NameHash, UnitId, UserId};
use crate::losses::Concerned;
use crate::state::{Account, AccountKind, OrgUnit, Place, State, Target, User};
use std::sync::Arc;

/// Units from an account down: a judgement walks them all.
const DEEPEST: usize = 32;

/// Makes an account or a unit. The same id in the same place under the same name is the same one.
pub(super) fn make(
    act: &mut Act<'_>,
    unit: UnitId,
    name: NameHash,
    place: Place,
) -> Result<Verdict, Denial> {
    let state = act.state();
    if let Some(known) = state.units.get(&unit) {
        return if known.name == Some(name) && known.place == place {
            Ok(Verdict::Done)
        } else {
            Err(Denial::new(Code::Conflict, 20))
        };
    }
    never_again(state.gone_units.contains(&unit), "a unit")?;
    match place {
        Place::Below(above) => {
            below(state, above, 1)?;
        }
        Place::Account(account) => manager(state, unit, account.managed_by)?,
    }
    free(state, place, name)?;
    act.record(Recorded::UnitMade { unit, name, place });
    Ok(Verdict::Done)
}

/// Renames it, moves it, or changes who manages it.
pub(super) fn change(
    act: &mut Act<'_>,
    unit: UnitId,
    change: UnitChange,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.units.get(&unit).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    match change {
        UnitChange::Rename(name) => {
            if known.name == Some(name) {
                return Ok(Verdict::Done);
            }
            free(state, known.place, name)?;
            act.record(Recorded::UnitRenamed { unit, name });
            Ok(Verdict::Done)
        }
        UnitChange::Manage(by) => {
            let Place::Account(account) = known.place else {
                return Err(denied(Code::BadRequest, "only accounts are managed"));
            };
            manager(state, unit, by)?;
            if account.managed_by != by {
                act.record(Recorded::AccountManaged { unit, by });
            }
            Ok(Verdict::Done)
        }
        UnitChange::Move { to, hard } => {
            let Some(to) = moved(state, unit, known, to)? else {
                return Ok(Verdict::Done);
            };
            let concerned = Concerned::Targets(vec![Target::Unit(unit)]);
            let moved = Recorded::UnitMoved { unit, to };
            Ok(settled(act, moved, &concerned, hard))
        }
    }
}

/// Takes away what is empty.
pub(super) fn remove(
    act: &mut Act<'_>,
    unit: UnitId,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.units.get(&unit).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    if let Some(what) = occupied(state, unit, known) {
        return Err(denied(Code::NotEmpty, what));
    }
    act.record(Recorded::UnitRemoved { unit });
    Ok(Verdict::Done)
}

/// What stands against taking a unit away.
pub(super) fn occupied(state: &State, unit: UnitId, known: &OrgUnit) -> Option<&'static str> {
    let target = Target::Unit(unit);
    if state.site.is_some_and(|site| site.unit == unit) {
        return Some(in_it::HOME);
    }
    if known.units > 0 {
        return Some(in_it::UNITS);
    }
    if known.users > 0 {
        return Some(in_it::USERS);
    }
    if state.groups.values().any(|group| group.unit == unit) {
        return Some(in_it::GROUPS);
    }
    let at = |user: &Arc<User>| user.roles.iter().any(|given| given.unit == unit);
    if state.users.values().any(at) {
        return Some(in_it::ROLES);
    }
    if state.covers.values().any(|c| c.by.contains_key(&target)) {
        return Some(in_it::ASSIGNMENTS);
    }
    ties(state, unit)
}

fn manages(state: &State, unit: UnitId) -> bool {
    let managed = |known: &OrgUnit| match known.place {
        Place::Account(account) => account.managed_by == Some(unit),
        Place::Below(_) => false,
    };
    state.units.values().any(|known| managed(known))
}

/// What binds an account to being one.
fn ties(state: &State, unit: UnitId) -> Option<&'static str> {
    if manages(state, unit) {
        return Some(in_it::ACCOUNTS);
    }
    let mut licenses = state.licenses.values().chain(state.waiting.values());
    licenses
        .any(|license| license.account == Some(unit))
        .then_some(in_it::LICENSES)
}

/// Where a unit would come, judged; none where it is there already.
fn moved(
    state: &State,
    unit: UnitId,
    known: &OrgUnit,
    to: MoveTo,
) -> Result<Option<Place>, Denial> {
    if state.site.is_some_and(|site| site.unit == unit) {
        return Err(denied(Code::Conflict, "the home account stays where it is"));
    }
    let to = match (to, known.place) {
        (MoveTo::Below(above), Place::Below(now)) if above == now => return Ok(None),
        // One that made itself becomes a customer like others by being called one.
        (MoveTo::Account(kind), Place::Account(now))
            if kind == now.kind && !now.self_registered =>
        {
            return Ok(None);
        }
        (MoveTo::Below(above), _) => Place::Below(above),
        (MoveTo::Account(kind), Place::Account(now)) => Place::Account(Account {
            kind,
            self_registered: false,
            ..now
        }),
        (MoveTo::Account(kind), Place::Below(_)) => Place::Account(Account {
            kind,
            managed_by: None,
            self_registered: false,
        }),
    };
    let customer = matches!(to, Place::Account(account) if account.kind == AccountKind::Customer);
    if customer && manages(state, unit) {
        return Err(denied(Code::NotEmpty, in_it::ACCOUNTS));
    }
    if let Place::Below(above) = to {
        if state.upwards(above).any(|line| line == unit) {
            return Err(denied(Code::Cycle, "it would be below itself"));
        }
        below(state, above, depth_below(state, unit))?;
        let ties = ties(state, unit).filter(|_| matches!(known.place, Place::Account(_)));
        if let Some(what) = ties {
            return Err(denied(Code::NotEmpty, what));
        }
    }
    if let Some(name) = known.name
        && above(to) != above(known.place)
    {
        free(state, to, name)?;
    }
    whom_it_breaks(state, unit, to)?;
    Ok(Some(to))
}

/// Users of several units that a move would bring into one line, or into accounts of different kinds (rule 1).
fn whom_it_breaks(state: &State, unit: UnitId, to: Place) -> Result<(), Denial> {
    let above: Vec<UnitId> = match to {
        Place::Below(above) => state.upwards(above).collect(),
        Place::Account(_) => Vec::new(),
    };
    let kind = match to {
        Place::Account(account) => Some(account.kind),
        Place::Below(above) => state.account_of(above).map(|(_, account)| account.kind),
    };
    let (mut one_line, mut mixed) = (Vec::new(), Vec::new());
    for user in &state.several {
        let Some(known) = state.users.get(user) else {
            continue;
        };
        let goes = |of: &UnitId| state.upwards(*of).any(|line| line == unit);
        let (go, stay): (Vec<UnitId>, Vec<UnitId>) = known.units.iter().partition(|of| goes(of));
        if go.is_empty() {
            continue;
        }
        if stay.iter().any(|of| above.contains(of)) {
            one_line.push(*user);
        }
        let kind_of = |of: &UnitId| state.account_of(*of).map(|(_, account)| account.kind);
        if stay.iter().any(|of| kind_of(of) != kind) {
            mixed.push(*user);
        }
    }
    whom(Code::OneLine, one_line)?;
    whom(Code::MixedKinds, mixed)
}

fn whom(code: Code, users: Vec<UserId>) -> Result<(), Denial> {
    if users.is_empty() {
        return Ok(());
    }
    Err(Denial {
        users,
        ..Denial::new(code, 1)
    })
}

/// Whether a tree of so many levels may stand below this unit.
fn below(state: &State, above: UnitId, levels: usize) -> Result<(), Denial> {
    if !state.units.contains_key(&above) {
        return Err(not_found(1));
    }
    if state.upwards(above).count() + levels > DEEPEST {
        let limit = Some(format!("{DEEPEST} levels"));
        return Err(Denial {
            limit,
            ..Denial::new(Code::BadRequest, 1)
        });
    }
    Ok(())
}

/// Levels of the tree from this unit down.
fn depth_below(state: &State, unit: UnitId) -> usize {
    let down = |one: &UnitId| {
        let line = state.upwards(*one).position(|above| above == unit);
        line.map(|steps| steps + 1)
    };
    state.units.keys().filter_map(down).max().unwrap_or(1)
}

fn above(place: Place) -> Option<UnitId> {
    match place {
        Place::Account(_) => None,
        Place::Below(above) => Some(above),
    }
}

/// Nothing else in this place has the name.
fn free(state: &State, place: Place, name: NameHash) -> Result<(), Denial> {
    if state.unit_names.contains_key(&(above(place), name)) {
        return Err(Denial::new(Code::NameTaken, 1));
    }
    Ok(())
}

/// Who may manage an account: another account, of a partner or producer.
fn manager(state: &State, unit: UnitId, by: Option<UnitId>) -> Result<(), Denial> {
    let Some(by) = by else { return Ok(()) };
    let known = state.units.get(&by).ok_or_else(|| not_found(1))?;
    match known.place {
        Place::Account(account) if account.kind != AccountKind::Customer && by != unit => Ok(()),
        _ => Err(denied(
            Code::BadRequest,
            "an account is managed by a partner or producer account",
        )),
    }
}

fn denied(code: Code, why: &str) -> Denial {
    Denial {
        limit: Some(why.to_owned()),
        ..Denial::new(code, 1)
    }
}
