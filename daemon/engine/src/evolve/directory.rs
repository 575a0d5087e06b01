//! Folds what happens to units, groups and users.

use super::licensing::unassign;
use super::rooms::but;
use super::{addresses, credentials, enlist, registrations, strike};
use crate::event::Recorded;
use crate::ids::{AssignmentId, GroupId, LoginHash, NameHash, UnitId, UserId};
use crate::state::{Account, AccountKind, Group, OrgUnit, Place, State, Target, User, UserStatus};
use crate::time::Date;
use std::sync::Arc;

/// Folds one event of units and groups.
pub(super) fn evolve(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::UnitMade { unit, name, place } => {
            make_unit(state, *unit, Some(*name), *place, revision);
        }
        Recorded::UnitRenamed { unit, name } => {
            forget_name(state, *unit);
            change_unit(state, *unit, |known| known.name = Some(*name), revision);
            note_name(state, *unit);
        }
        Recorded::UnitMoved { unit, to } => {
            leave_place(state, *unit);
            change_unit(state, *unit, |known| known.place = *to, revision);
            enter_place(state, *unit);
        }
        Recorded::AccountManaged { unit, by } => {
            let manage = |known: &mut OrgUnit| {
                if let Place::Account(account) = &mut known.place {
                    account.managed_by = *by;
                }
            };
            change_unit(state, *unit, manage, revision);
        }
        Recorded::UnitRemoved { unit } => {
            leave_place(state, *unit);
            if state.units.remove(unit).is_some() {
                state.gone_units.insert(*unit);
            }
            registrations::closed(state, *unit);
        }
        Recorded::GroupMade { group, name, unit } => {
            let made = Group {
                name: *name,
                unit: *unit,
                groups: Vec::new(),
                users: 0,
                revision,
            };
            state.groups.insert(*group, Arc::new(made));
            state.group_names.insert(*name, *group);
        }
        Recorded::GroupRenamed { group, name } => rename_group(state, *group, *name, revision),
        Recorded::GroupRemoved { group } => {
            if let Some(gone) = state.groups.remove(group) {
                state.group_names.remove(&gone.name);
                state.gone_groups.insert(*group);
            }
            unassign_from(state, Target::Group(*group));
        }
        Recorded::MembersAdded {
            group,
            users,
            groups,
        } => members(state, *group, (users, groups), revision, enlist),
        #[cfg(planted)]
        Recorded::MembersDropped { .. } if crate::planted::is("member-stays") => {}
        Recorded::MembersDropped {
            group,
            users,
            groups,
        } => members(state, *group, (users, groups), revision, strike),
        but!(units) => {}
    }
}

/// Folds one event of a user.
pub(super) fn evolve_user(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::UserMet { user, login } => {
            make_user(state, *user, User::met(*login, revision), revision);
        }
        Recorded::UserMade {
            user,
            login,
            address,
            units,
            status,
            until,
        } => {
            let mut made = User {
                status: *status,
                until: *until,
                ..User::met(*login, revision)
            };
            if let Some(address) = address {
                enlist(&mut made.logins, *address);
            }
            make_user(state, *user, made, revision);
            place(state, *user, units, revision);
        }
        Recorded::UserChanged {
            user,
            status,
            until,
        } => {
            change_status(state, *user, (*status, *until), revision);
        }
        Recorded::UserPlaced { user, units } => {
            place(state, *user, units, revision);
        }
        Recorded::AddressChanged { user, was, address } => {
            addresses::change(state, *user, (*was, *address), revision);
        }
        Recorded::UserRemoved { user } => forget_user(state, *user, revision),
        but!(users) => {}
    }
}

/// Who waited and is active is let in by it.
fn change_status(
    state: &mut State,
    user: UserId,
    (status, until): (UserStatus, Option<Date>),
    revision: u64,
) {
    change_user(state, user, revision, |known| {
        (known.status, known.until) = (status, until);
    });
    registrations::answered(state, user, status);
}

impl User {
    /// One who was met under this login, at home and active.
    #[must_use]
    pub fn met(login: LoginHash, revision: u64) -> User {
        User {
            logins: vec![login],
            claimed: None,
            units: Vec::new(),
            groups: Vec::new(),
            status: UserStatus::Active,
            until: None,
            roles: Vec::new(),
            revision,
        }
    }
}

/// The home account, which a site is founded with: a customer.
pub(super) fn found(state: &mut State, unit: UnitId, revision: u64) {
    let account = Account {
        kind: AccountKind::Customer,
        managed_by: None,
        self_registered: false,
    };
    make_unit(state, unit, None, Place::Account(account), revision);
}

fn make_unit(state: &mut State, unit: UnitId, name: Option<NameHash>, place: Place, revision: u64) {
    let made = OrgUnit {
        name,
        place,
        units: 0,
        users: 0,
        revision,
    };
    state.units.insert(unit, Arc::new(made));
    enter_place(state, unit);
}

pub(super) fn change_unit(
    state: &mut State,
    unit: UnitId,
    change: impl FnOnce(&mut OrgUnit),
    revision: u64,
) {
    if let Some(known) = state.units.get_mut(&unit) {
        let known = Arc::make_mut(known);
        change(known);
        known.revision = revision;
    }
}

/// Where a unit is, by what is above it.
fn above(state: &State, unit: UnitId) -> Option<UnitId> {
    match state.units.get(&unit)?.place {
        Place::Below(above) => Some(above),
        Place::Account(_) => None,
    }
}

fn note_name(state: &mut State, unit: UnitId) {
    if let Some(name) = state.units.get(&unit).and_then(|known| known.name) {
        state.unit_names.insert((above(state, unit), name), unit);
    }
}

fn forget_name(state: &mut State, unit: UnitId) {
    if let Some(name) = state.units.get(&unit).and_then(|known| known.name) {
        state.unit_names.remove(&(above(state, unit), name));
    }
}

fn enter_place(state: &mut State, unit: UnitId) {
    note_name(state, unit);
    count_below(state, unit, |units| units + 1);
}

fn leave_place(state: &mut State, unit: UnitId) {
    forget_name(state, unit);
    count_below(state, unit, |units| units.saturating_sub(1));
}

fn count_below(state: &mut State, unit: UnitId, count: impl FnOnce(u64) -> u64) {
    if let Some(above) = above(state, unit)
        && let Some(above) = state.units.get_mut(&above)
    {
        let above = Arc::make_mut(above);
        above.units = count(above.units);
    }
}

fn rename_group(state: &mut State, group: GroupId, name: NameHash, revision: u64) {
    if let Some(known) = state.groups.get_mut(&group) {
        let known = Arc::make_mut(known);
        state.group_names.remove(&known.name);
        state.group_names.insert(name, group);
        known.name = name;
        known.revision = revision;
    }
}

/// Adds or takes out of what holds a user or a group. The group itself is another one by it, too: who edits its
/// members is told of others who do.
fn members(
    state: &mut State,
    group: GroupId,
    (users, groups): (&[UserId], &[GroupId]),
    revision: u64,
    change: fn(&mut Vec<GroupId>, GroupId),
) {
    let (mut came, mut left) = (0, 0);
    for user in users {
        if let Some(known) = state.users.get_mut(user) {
            let of = &mut Arc::make_mut(known).groups;
            let before = of.len() as u64;
            change(of, group);
            let after = of.len() as u64;
            came += after.saturating_sub(before);
            left += before.saturating_sub(after);
        }
    }
    for member in groups {
        if let Some(known) = state.groups.get_mut(member) {
            change(&mut Arc::make_mut(known).groups, group);
        }
    }
    if let Some(known) = state.groups.get_mut(&group) {
        let known = Arc::make_mut(known);
        known.users = (known.users + came).saturating_sub(left);
        known.revision = revision;
    }
}

pub(super) fn make_user(state: &mut State, user: UserId, made: User, revision: u64) {
    let logins = made.logins.clone();
    let claimed = made.claimed.map(|address| (address, user));
    state.credentials.claimed.extend(claimed);
    state.users.insert(user, Arc::new(made));
    for login in logins {
        state.logins.insert(login, user);
        addresses::gives_way(state, login, revision);
    }
}

pub(super) fn change_user(
    state: &mut State,
    user: UserId,
    revision: u64,
    change: impl FnOnce(&mut User),
) {
    if let Some(known) = state.users.get_mut(&user) {
        let known = Arc::make_mut(known);
        change(known);
        known.revision = revision;
    }
}

pub(super) fn place(state: &mut State, user: UserId, units: &[UnitId], revision: u64) {
    let Some(known) = state.users.get(&user) else {
        return;
    };
    let left = known.units.clone();
    let mut count = |of: &[UnitId], more: bool| {
        for unit in of {
            if let Some(known) = state.units.get_mut(unit) {
                let known = Arc::make_mut(known);
                known.users = match more {
                    true => known.users + 1,
                    false => known.users.saturating_sub(1),
                };
            }
        }
    };
    count(&left, false);
    count(units, true);
    if units.len() > 1 {
        state.several.insert(user);
    } else {
        state.several.remove(&user);
    }
    change_user(state, user, revision, |known| known.units = units.to_vec());
}

/// A user is gone, with their logins, what they asked for, and what was assigned to them.
pub(super) fn forget_user(state: &mut State, user: UserId, revision: u64) {
    place(state, user, &[], revision);
    if let Some(gone) = state.users.remove(&user) {
        state.gone_users.insert(user);
        for login in &gone.logins {
            state.logins.remove(login);
            state.credentials.verified.remove(login);
        }
        let claimed = gone.claimed.map(|address| (address, user));
        claimed.and_then(|claim| state.credentials.claimed.remove(&claim));
        for group in &gone.groups {
            if let Some(known) = state.groups.get_mut(group) {
                let known = Arc::make_mut(known);
                known.users = known.users.saturating_sub(1);
            }
        }
    }
    state.registrations.remove(&user);
    state.accepted_terms.remove(&user);
    credentials::forget(state, user);
    unassign_from(state, Target::User(user));
}

/// Takes away all assignments to one who is gone.
fn unassign_from(state: &mut State, target: Target) {
    let with = state.covers.values();
    let gone: Vec<AssignmentId> = with.filter_map(|c| c.by.get(&target)).copied().collect();
    gone.iter().for_each(|id| unassign(state, id));
}
