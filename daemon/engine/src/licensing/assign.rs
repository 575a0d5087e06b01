//! Assignments: the right comes with them and goes with the last one that covers (rules 3, 4, 16).

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found};
use crate::event::{EndingWhy, Recorded};
use crate::ids::{AssignmentId, LicenseId, UserId};
use crate::seats::release::end_softly;
use crate::state::Target;

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
    if !state.installed(&license) {
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
    super::take_back(act, &license);
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
    let lost = super::holders(act.state(), &known.license, |state, holder| {
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
