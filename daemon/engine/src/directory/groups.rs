//! Groups and who is in them (rule 2).

use super::settled;
use crate::denial::{Code, Denial, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::Recorded;
use crate::ids::{GroupId, NameHash, UnitId, UserId};
use crate::losses::{self, Concerned};
use crate::state::{State, Target};

/// Makes a group. The same id under the same name in the same unit is the same one.
pub(super) fn make(
    act: &mut Act<'_>,
    group: GroupId,
    name: NameHash,
    unit: UnitId,
) -> Result<Verdict, Denial> {
    let state = act.state();
    if let Some(known) = state.groups.get(&group) {
        return if known.name == name && known.unit == unit {
            Ok(Verdict::Done)
        } else {
            Err(Denial::new(Code::Conflict, 20))
        };
    }
    never_again(state.gone_groups.contains(&group), "a group")?;
    if !state.units.contains_key(&unit) {
        return Err(not_found(1));
    }
    free(state, name)?;
    act.record(Recorded::GroupMade { group, name, unit });
    Ok(Verdict::Done)
}

/// Gives it another name.
pub(super) fn rename(
    act: &mut Act<'_>,
    group: GroupId,
    name: NameHash,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.groups.get(&group).ok_or_else(|| not_found(2))?;
    unchanged(known.revision, if_match, 2)?;
    if known.name != name {
        free(state, name)?;
        act.record(Recorded::GroupRenamed { group, name });
    }
    Ok(Verdict::Done)
}

/// Takes it away with its assignments. Who was in it is in one group less.
pub(super) fn remove(
    act: &mut Act<'_>,
    group: GroupId,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.groups.get(&group).ok_or_else(|| not_found(2))?;
    unchanged(known.revision, if_match, 2)?;
    let concerned = Concerned::Targets(vec![Target::Group(group)]);
    let gone = Recorded::GroupRemoved { group };
    Ok(settled(act, gone, &concerned, hard))
}

/// Puts users and groups into it.
pub(super) fn add(
    act: &mut Act<'_>,
    group: GroupId,
    (users, groups): (Vec<UserId>, Vec<GroupId>),
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.groups.get(&group).ok_or_else(|| not_found(2))?;
    unchanged(known.revision, if_match, 2)?;
    let (mut new_users, mut new_groups) = (Vec::new(), Vec::new());
    for user in users {
        let known = state.users.get(&user);
        let known = known.ok_or_else(|| Denial::new(Code::UnknownUser, 2))?;
        if !known.groups.contains(&group) && !new_users.contains(&user) {
            new_users.push(user);
        }
    }
    let around = state.groups_around(&[group]);
    for member in groups {
        let known = state.groups.get(&member).ok_or_else(|| not_found(2))?;
        if around.contains(&member) {
            return Err(Denial::new(Code::Cycle, 2));
        }
        if !known.groups.contains(&group) && !new_groups.contains(&member) {
            new_groups.push(member);
        }
    }
    if new_users.is_empty() && new_groups.is_empty() {
        return Ok(Verdict::Done);
    }
    act.record(Recorded::MembersAdded {
        group,
        users: new_users,
        groups: new_groups,
    });
    // Whom the group keeps out is told at the next call.
    losses::take_back(act);
    Ok(Verdict::Done)
}

/// Takes users and groups out of it. Who is not in it is out already.
pub(super) fn drop_members(
    act: &mut Act<'_>,
    group: GroupId,
    (users, groups): (Vec<UserId>, Vec<GroupId>),
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.groups.get(&group).ok_or_else(|| not_found(2))?;
    unchanged(known.revision, if_match, 2)?;
    let in_it = |of: &[GroupId]| of.contains(&group);
    let users: Vec<_> = users
        .into_iter()
        .filter(|user| state.users.get(user).is_some_and(|u| in_it(&u.groups)))
        .collect();
    let groups: Vec<_> = groups
        .into_iter()
        .filter(|member| state.groups.get(member).is_some_and(|g| in_it(&g.groups)))
        .collect();
    if users.is_empty() && groups.is_empty() {
        return Ok(Verdict::Done);
    }
    let who = users.iter().map(|user| Target::User(*user));
    let inner = groups.iter().map(|member| Target::Group(*member));
    let concerned = Concerned::Targets(who.chain(inner).collect());
    let left = Recorded::MembersDropped {
        group,
        users,
        groups,
    };
    Ok(settled(act, left, &concerned, hard))
}

fn free(state: &State, name: NameHash) -> Result<(), Denial> {
    if state.group_names.contains_key(&name) {
        return Err(Denial::new(Code::NameTaken, 2));
    }
    Ok(())
}
