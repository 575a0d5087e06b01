//! Changes of roles and of who has them, as they are judged.

use super::{By, Given, Permission, Reach, Role, Standing};
use crate::command::Access;
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{Name, UnitId, UserId};
use crate::state::{State, User};
use crate::time::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Roles that a site defines, at most.
const MOST_ROLES: usize = 256;
/// Roles that one user has, at most.
const MOST_GIVEN: usize = 64;

/// What was judged by rights of this age is judged by those of now.
pub(crate) fn judged_now(state: &State, rights: u64) -> Result<(), Denial> {
    if rights == state.rights {
        return Ok(());
    }
    Err(Denial {
        limit: Some("rights that were changed".to_owned()),
        ..Denial::new(Code::WrongRevision, 1)
    })
}

/// Judges a change.
pub(crate) fn change(act: &mut Act<'_>, change: Access) -> Result<Verdict, Denial> {
    match change {
        Access::DefineRole {
            role,
            permissions,
            reach,
            if_match,
        } => define(act, role, (permissions, reach), if_match),
        Access::RemoveRole { role, if_match } => remove(act, role, if_match),
        Access::GiveRoles {
            user,
            roles,
            if_match,
        } => give(act, user, roles, if_match),
    }
}

fn define(
    act: &mut Act<'_>,
    role: Name,
    (mut permissions, reach): (Vec<Permission>, Reach),
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.role(&role);
    let revision = known.as_ref().map_or(0, |known| known.revision);
    unchanged(revision, if_match, 1)?;
    permissions.sort_unstable();
    permissions.dedup();
    if known.is_some_and(|known| (&known.permissions, known.reach) == (&permissions, reach)) {
        return Ok(Verdict::Done);
    }
    if state.roles.len() >= MOST_ROLES && !state.roles.contains_key(&role) {
        return Err(beyond(format!("{MOST_ROLES} roles are defined already")));
    }
    let after = Role {
        permissions: permissions.clone(),
        reach,
        revision,
    };
    keeps_administrators(state, &role, Some(after), act.now.j)?;
    act.record(Recorded::RoleDefined {
        role,
        permissions,
        reach,
    });
    Ok(Verdict::Done)
}

/// Takes away a role that nobody has; a usual one is as it came again.
fn remove(act: &mut Act<'_>, role: Name, if_match: Option<u64>) -> Result<Verdict, Denial> {
    let state = act.state();
    let usual = Role::usual(&role).is_some();
    let Some(known) = state.roles.get(&role) else {
        return match usual {
            true => Ok(Verdict::Done),
            false => Err(not_found(1)),
        };
    };
    unchanged(known.revision, if_match, 1)?;
    let has = |given: &Given| given.role == role;
    if !usual && state.users.values().any(|user| user.roles.iter().any(has)) {
        return Err(Denial {
            limit: Some("somebody has it".to_owned()),
            ..Denial::new(Code::NotEmpty, 1)
        });
    }
    keeps_administrators(state, &role, Role::usual(&role), act.now.j)?;
    act.record(Recorded::RoleRemoved { role });
    Ok(Verdict::Done)
}

/// Gives a user exactly these roles.
fn give(
    act: &mut Act<'_>,
    user: UserId,
    mut roles: Vec<Given>,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let (state, j) = (act.state(), act.now.j);
    let known = state.users.get(&user).ok_or_else(|| not_found(1))?;
    unchanged(known.revision, if_match, 1)?;
    roles.sort_unstable();
    roles.dedup();
    if roles.len() > MOST_GIVEN {
        return Err(beyond(format!("a user has at most {MOST_GIVEN} roles")));
    }
    for given in &roles {
        let unit = state.units.contains_key(&given.unit);
        if !unit || state.role(&given.role).is_none() {
            return Err(not_found(1));
        }
    }
    if known.roles == roles {
        return Ok(Verdict::Done);
    }
    let after = User {
        roles: roles.clone(),
        ..User::clone(known)
    };
    keeps_an_administrator(state, user, Some(after), j)?;
    act.record(Recorded::RolesGiven { user, roles });
    Ok(Verdict::Done)
}

/// Refuses where a change of one user (to `after`; gone, where that is none) leaves an account with people in it, and nobody who could give a role there.
pub(crate) fn keeps_an_administrator(
    state: &State,
    user: UserId,
    after: Option<User>,
    j: Date,
) -> Result<(), Denial> {
    let Some(known) = state.users.get(&user).filter(|user| !user.roles.is_empty()) else {
        return Ok(());
    };
    let was = Standing::of(state, known, j);
    // Who goes on a day that is known keeps nothing.
    let stays = |user: &User| user.until.is_none();
    let is = after
        .filter(stays)
        .map(|after| Standing::of(state, &after, j));
    let roots = known.roles.iter();
    let roots = roots.filter_map(|given| state.account_of(given.unit).map(|(root, _)| root));
    for root in roots.collect::<BTreeSet<_>>() {
        let gives = |who: &Standing| who.may(state, Permission::RoleGive, root) == Some(By::Own);
        if !gives(&was) || is.as_ref().is_some_and(gives) {
            continue;
        }
        let (mut people, mut others) = (false, false);
        for (_, other) in state.users.iter().filter(|(id, _)| **id != user) {
            people |= state.in_account_of(other, root);
            others |=
                !other.roles.is_empty() && stays(other) && gives(&Standing::of(state, other, j));
            if others {
                break;
            }
        }
        if people && !others {
            return Err(Denial::new(Code::LastAdministrator, 1));
        }
    }
    Ok(())
}

/// Refuses where a role that is another from here on (none, where that is none) leaves an account with people in it, and
/// nobody who could give a role there.
fn keeps_administrators(
    state: &State,
    role: &Name,
    after: Option<Role>,
    j: Date,
) -> Result<(), Denial> {
    let gives = |role: &Role| role.permissions.contains(&Permission::RoleGive);
    if !state.role(role).is_some_and(|was| gives(&was)) {
        return Ok(());
    }
    let mut then = state.clone();
    match after {
        Some(after) => then.roles.insert(role.clone(), Arc::new(after)),
        None => then.roles.remove(role),
    };
    let mut with_roles: BTreeMap<UnitId, Vec<&User>> = BTreeMap::new();
    for user in state.users.values().filter(|user| user.until.is_none()) {
        let roots = user.roles.iter();
        let roots = roots.filter_map(|given| state.account_of(given.unit).map(|(root, _)| root));
        for root in roots.collect::<BTreeSet<_>>() {
            with_roles.entry(root).or_default().push(user);
        }
    }
    for (root, users) in with_roles {
        let anybody = |state: &State| {
            let gives = |user: &&User| {
                let standing = Standing::of(state, user, j);
                standing.may(state, Permission::RoleGive, root) == Some(By::Own)
            };
            users.iter().any(gives)
        };
        let people = || {
            state
                .users
                .values()
                .any(|user| state.in_account_of(user, root))
        };
        if anybody(state) && !anybody(&then) && people() {
            return Err(Denial::new(Code::LastAdministrator, 1));
        }
    }
    Ok(())
}

fn beyond(what: String) -> Denial {
    Denial {
        limit: Some(what),
        ..Denial::new(Code::BadRequest, 1)
    }
}
