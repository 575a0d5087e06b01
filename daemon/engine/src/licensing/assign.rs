//! Assignments: the right comes with them and goes with the last one that covers (rules 3, 4, 11, 16).

use crate::denial::{Code, Denial, never_again};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::{EndingWhy, Recorded};
use crate::ids::{AssignmentId, LicenseId, UnitId};
use crate::losses;
use crate::reserves;
use crate::seats::assigned;
use crate::seats::release::end_softly;
use crate::state::{Assignment, AssignmentTerms, Limit, State, Target};
use std::sync::Arc;

/// Assigns a license. The same license and target are one assignment; the same id with another body is a conflict.
pub(crate) fn assign(
    act: &mut Act<'_>,
    id: AssignmentId,
    license: LicenseId,
    target: Target,
    terms: AssignmentTerms,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let conflict = |id| {
        Err(Denial {
            assignment: Some(id),
            ..Denial::new(Code::Conflict, 20)
        })
    };
    if let Some(known) = state.assignments.get(&id)
        && (known.license != license || known.target != target)
    {
        return conflict(id);
    }
    never_again(anothers(state, id, &license, target), "another assignment")?;
    if !state.installed(&license) {
        return Err(not_found(3));
    }
    there(state, target)?;
    if !state.in_account(&license, target) {
        let limit = Some("the license is installed for another account".to_owned());
        return Err(Denial {
            limit,
            ..Denial::new(Code::BadRequest, 4)
        });
    }
    let covers = state.covers.get(&license);
    if let Some(known) = covers.and_then(|covers| covers.by.get(&target)).copied() {
        let same = state
            .assignments
            .get(&known)
            .is_some_and(|a| a.terms == terms);
        if !same {
            return conflict(known);
        }
        // A seat that was taken from them meanwhile is theirs again.
        let again = Recorded::AssignmentChanged { id: known, terms };
        let seats = assigned::opened(act, &again, (&license, target), true)?;
        give(act, None, seats);
        return Ok(Verdict::Assigned(known));
    }
    offered(state, &license, &terms)?;
    promised(state, &license, (id, target), None, &terms)?;
    let event = Recorded::LicenseAssigned {
        id,
        license: license.clone(),
        target,
        terms,
    };
    let seats = assigned::opened(act, &event, (&license, target), true)?;
    give(act, Some(event), seats);
    losses::take_back(act);
    Ok(Verdict::Assigned(id))
}

/// An assignment that was taken away had this id, and was of another license or for another one.
fn anothers(state: &State, id: AssignmentId, license: &LicenseId, target: Target) -> bool {
    let gone = state.gone_assignments.get(&id);
    gone.is_some_and(|(of, to)| (of, *to) != (license, target))
}

/// Records an assignment and the named seats that it opens (rule 7).
fn give(act: &mut Act<'_>, event: Option<Recorded>, seats: Vec<Recorded>) {
    for event in event.into_iter().chain(seats) {
        act.record(event);
    }
}

/// Changes what an assignment gives and withholds: policies from the next renewals on, and who is kept out is ending.
pub(crate) fn change(
    act: &mut Act<'_>,
    id: AssignmentId,
    terms: AssignmentTerms,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = found(act.state(), id, if_match)?;
    let state = act.state();
    offered(state, &known.license, &terms)?;
    let own = (id, known.target);
    promised(state, &known.license, own, Some(&known.terms), &terms)?;
    if known.terms == terms {
        return Ok(end_softly(act, &[], EndingWhy::RightLost, hard));
    }
    let before = act.state().clone();
    let event = Recorded::AssignmentChanged { id, terms };
    let seats = assigned::opened(act, &event, (&known.license, known.target), false)?;
    give(act, Some(event), seats);
    Ok(losses::end(
        act,
        &before,
        &known.license,
        known.target,
        hard,
    ))
}

/// Whom it is assigned to is there.
fn there(state: &State, target: Target) -> Result<(), Denial> {
    match target {
        Target::User(user) if !state.users.contains_key(&user) => {
            Err(Denial::new(Code::UnknownUser, 3))
        }
        Target::Unit(unit) if !state.units.contains_key(&unit) => Err(not_found(3)),
        Target::Group(group) if !state.groups.contains_key(&group) => Err(not_found(3)),
        _ => Ok(()),
    }
}

/// What it gives and limits is of this license.
fn offered(state: &State, license: &LicenseId, terms: &AssignmentTerms) -> Result<(), Denial> {
    let in_force = state.licenses.get(license);
    let all = in_force.into_iter().chain(state.waits(license));
    let features: Vec<_> = all.flat_map(|license| &license.terms.features).collect();
    let bad = |what: String| {
        Err(Denial {
            limit: Some(what),
            ..Denial::new(Code::BadRequest, 3)
        })
    };
    for policy in &terms.policies {
        if !features.iter().any(|f| f.optional.contains(policy)) {
            return bad(format!(
                "no feature of the license has the optional policy {policy}"
            ));
        }
    }
    for feature in terms
        .limits
        .iter()
        .filter_map(|limit| limit.feature.as_ref())
    {
        if !features.iter().any(|f| f.name == *feature) {
            return bad(format!("the license has no feature {feature}"));
        }
    }
    let mut named: Vec<_> = terms.limits.iter().map(|limit| &limit.feature).collect();
    named.sort_unstable();
    if named.windows(2).any(|pair| pair[0] == pair[1]) {
        return bad("a feature has two limits".to_owned());
    }
    let counted = |limit: &Limit| {
        let numbers = [limit.max, limit.max_each, limit.reserve];
        numbers.iter().any(Option::is_some)
    };
    if terms
        .limits
        .iter()
        .any(|limit| limit.feature.is_none() && counted(limit))
    {
        return bad("a max, and a reserve, is of a feature that is named".to_owned());
    }
    let reserved = terms.limits.iter().filter_map(|limit| limit.reserve);
    if reserved
        .max()
        .is_some_and(|most| most > Limit::MOST_RESERVED)
    {
        return bad(format!(
            "{} seats are the most that is reserved",
            Limit::MOST_RESERVED
        ));
    }
    if terms.priority > AssignmentTerms::LAST {
        return bad(format!("priority {} is above 9", terms.priority));
    }
    Ok(())
}

/// No more is promised than there is (rule 11).
fn promised(
    state: &State,
    license: &LicenseId,
    own: (AssignmentId, Target),
    before: Option<&AssignmentTerms>,
    terms: &AssignmentTerms,
) -> Result<(), Denial> {
    match reserves::over_promised(state, license, own, before, terms) {
        Some(denial) => Err(denial),
        None => Ok(()),
    }
}

fn found(
    state: &State,
    id: AssignmentId,
    if_match: Option<u64>,
) -> Result<Arc<Assignment>, Denial> {
    let known = state.assignments.get(&id).cloned();
    let known = known.ok_or_else(|| not_found(3))?;
    unchanged(known.revision, if_match, 3).map_err(|no| Denial {
        assignment: Some(id),
        ..no
    })?;
    Ok(known)
}

/// Assigns a license to everyone in an account, unless it is assigned so already, on whatever terms.
pub(crate) fn everyone(act: &mut Act<'_>, id: AssignmentId, license: &LicenseId, unit: UnitId) {
    let target = Target::Unit(unit);
    let covers = act.state().covers.get(license);
    let stands = covers.is_some_and(|covers| covers.by.contains_key(&target));
    let state = act.state();
    let free = !state.assignments.contains_key(&id) && !anothers(state, id, license, target);
    if !stands && free {
        act.record(Recorded::LicenseAssigned {
            id,
            license: license.clone(),
            target,
            terms: AssignmentTerms::default(),
        });
        losses::take_back(act);
    }
}

/// Removes an assignment; holders whose right it was are ending.
pub(crate) fn unassign(
    act: &mut Act<'_>,
    id: AssignmentId,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = found(act.state(), id, if_match)?;
    let before = act.state().clone();
    act.record(Recorded::LicenseUnassigned { id });
    Ok(losses::end(
        act,
        &before,
        &known.license,
        known.target,
        hard,
    ))
}
