//! Assignments: the right comes with them and goes with the last one that covers (rules 3, 4, 16).

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found};
use crate::event::{EndingWhy, Recorded};
use crate::evolve::pools_of;
use crate::ids::{AssignmentId, HolderId, LicenseId, UserId};
use crate::seats::release::end_softly;
use crate::state::{Holder, State, Target};

/// Assigns a license. The same license and target are one assignment; the same id with another body is a conflict.
pub(crate) fn assign(
    act: &mut Act<'_>,
    id: AssignmentId,
    license: LicenseId,
    target: Target,
) -> Result<Verdict, Denial> {
    let state = act.state();
    if let Some(known) = state.assignments.get(&id)
        && (known.license != license || known.target != target)
    {
        return Err(Denial {
            assignment: Some(id),
            ..Denial::new(Code::Conflict, 20)
        });
    }
    if !state.licenses.contains_key(&license) {
        return Err(not_found(3));
    }
    match target {
        Target::User(user) if !state.users.contains_key(&user) => {
            return Err(Denial::new(Code::UnknownUser, 3));
        }
        Target::Unit(unit) if state.site.is_none_or(|site| site.unit != unit) => {
            return Err(not_found(3));
        }
        _ => {}
    }
    if let Some(known) = state.covers.get(&(license.clone(), target)) {
        return Ok(Verdict::Assigned(*known));
    }
    act.record(Recorded::LicenseAssigned {
        id,
        license: license.clone(),
        target,
    });
    let back = returned(act.state(), &license);
    if !back.is_empty() {
        act.record(Recorded::EndingTakenBack { holders: back });
    }
    Ok(Verdict::Assigned(id))
}

/// Removes an assignment; holders whose right it was are ending.
pub(crate) fn unassign(
    act: &mut Act<'_>,
    id: AssignmentId,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = act
        .state()
        .assignments
        .get(&id)
        .cloned()
        .ok_or_else(|| not_found(3))?;
    if if_match.is_some_and(|revision| revision != known.revision) {
        let limit = Some(format!("revision {}", known.revision));
        return Err(Denial {
            limit,
            assignment: Some(id),
            ..Denial::new(Code::WrongRevision, 3)
        });
    }
    act.record(Recorded::LicenseUnassigned { id });
    let lost = holders(act.state(), &known.license, |state, holder| {
        state.right(&known.license, holder.facts.user).is_none()
            && concerned(known.target, holder.facts.user)
    });
    Ok(end_softly(act, &lost, EndingWhy::RightLost, hard))
}

fn concerned(target: Target, user: UserId) -> bool {
    match target {
        Target::User(one) => one == user,
        Target::Unit(_) => true,
    }
}

/// Holders whose lost right came back before their last lease was signed.
fn returned(state: &State, license: &LicenseId) -> Vec<HolderId> {
    holders(state, license, |state, holder| {
        let lost = holder.ending().is_some_and(|ending| ending.returns());
        lost && state.right(license, holder.facts.user).is_some()
    })
}

/// Holders of a license that fit.
fn holders(
    state: &State,
    license: &LicenseId,
    fits: impl Fn(&State, &Holder) -> bool,
) -> Vec<HolderId> {
    let pools = pools_of(state, license);
    let grants = pools.iter().flat_map(|(_, pool)| pool.grants.iter());
    grants
        .flat_map(|(gid, grant)| {
            grant
                .holders
                .iter()
                .map(move |h| (HolderId { gid: *gid, h: h.h }, h))
        })
        .filter(|(_, holder)| fits(state, holder))
        .map(|(id, _)| id)
        .collect()
}
