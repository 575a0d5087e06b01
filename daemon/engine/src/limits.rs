//! Limits of assignments (rule 10): how many seats the users of one hold together, and each of them.
//!
//! Counts are kept per pool, and only where a limit asks for one. They are not recorded: a change of the directory, of
//! assignments or of a license makes them stale, and the next checkout of the feature counts anew.

use crate::covering::Covering;
use crate::denial::{Code, Denial};
use crate::ids::{AssignmentId, PoolId, UserId};
use crate::state::{Assignment, Grant, Holder, Pool, State, Target};
use imbl::OrdMap;
use std::collections::{BTreeMap, BTreeSet};

/// Seats charged in a pool.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Charged {
    /// The state's `displaced` that the seats of users were counted in.
    users_as_of: Option<u64>,
    /// The state's `places` that the others were counted in.
    as_of: Option<u64>,
    users: OrdMap<UserId, u64>,
    /// Of the users whom an assignment with a max covers, together.
    together: OrdMap<AssignmentId, u64>,
}

/// Whether a limit asks for the counts of a pool, and they are not those of now.
pub(crate) fn stale(state: &State, id: &PoolId) -> bool {
    let known = state.pools.get(id).map(|pool| &pool.charged);
    limited(state, id)
        && known.is_some_and(|known| {
            known.users_as_of != Some(state.displaced) || known.as_of != Some(state.places)
        })
}

/// Counts a pool's seats anew.
pub(crate) fn count(state: &State, id: &PoolId, covering: &mut Covering<'_>) -> Charged {
    let known = state.pools.get(id).map(|pool| &pool.charged);
    let known = known.filter(|known| known.users_as_of == Some(state.displaced));
    let users = match known {
        Some(known) => known.users.clone(),
        None => seats_of_users(state, id),
    };
    Charged {
        users_as_of: Some(state.displaced),
        as_of: Some(state.places),
        together: together(state, id, &users, covering),
        users,
    }
}

/// Seats came to a user or left them.
pub(crate) fn charge(state: &mut State, id: &PoolId, user: UserId, seats: u64, taken: bool) {
    if !limited(state, id) {
        return;
    }
    #[cfg(planted)]
    if taken && crate::planted::is("seat-uncounted") {
        return;
    }
    let (displaced, places) = (state.displaced, state.places);
    let over = maxes(state, id, user);
    let Some(charged) = state.pools.get_mut(id).map(|pool| &mut pool.charged) else {
        return;
    };
    if charged.users_as_of == Some(displaced) {
        add(&mut charged.users, user, seats, taken);
    }
    if charged.as_of == Some(places) {
        for of in over {
            add(&mut charged.together, of, seats, taken);
        }
    }
}

/// The limit that n more seats would pass: the first that is too small for them alone, which no time helps (rule 13), else
/// the first.
pub(crate) fn over(
    state: &State,
    id: &PoolId,
    pool: &Pool,
    user: UserId,
    n: u64,
) -> Option<Denial> {
    if !limited(state, id) {
        return None;
    }
    debug_assert!(
        pool.charged.as_of == Some(state.places),
        "{id}: judged by stale counts"
    );
    let own = pool.charged.users.get(&user).copied().unwrap_or_default();
    let mut first = None;
    for (of, assignment) in state.covering_of(&id.license, user) {
        let Some(limit) = assignment.terms.limit(&id.feature) else {
            continue;
        };
        let together = pool.charged.together.get(&of).copied().unwrap_or_default();
        let both = [
            (limit.max, together, code_of(assignment), false),
            (limit.max_each, own, Code::OverUserMax, true),
        ];
        for (max, charged, code, each) in both {
            let Some(max) = max.filter(|max| charged + n > *max) else {
                continue;
            };
            let told = |code, rule| Denial {
                assignment: Some(of),
                in_use: Some(charged),
                total: Some(max),
                each,
                ..Denial::new(code, rule)
            };
            if n > max {
                return Some(told(Code::RequestExceedsTotal, 13));
            }
            first.get_or_insert_with(|| told(code, 10));
        }
    }
    first
}

fn code_of(assignment: &Assignment) -> Code {
    match assignment.target {
        Target::User(_) => Code::OverUserMax,
        Target::Group(_) => Code::OverGroupMax,
        Target::Unit(_) => Code::OverUnitMax,
    }
}

fn limited(state: &State, id: &PoolId) -> bool {
    let covers = state.covers.get(&id.license);
    covers.is_some_and(|covers| covers.limits > 0)
}

fn seats_of_users(state: &State, id: &PoolId) -> OrdMap<UserId, u64> {
    let mut users = OrdMap::new();
    let grants = state.pools.get(id);
    let grants = grants.into_iter().flat_map(|pool| pool.grants.values());
    for grant in grants.filter(|grant| counts(grant)) {
        add(&mut users, grant.user, grant.slots.len() as u64, true);
    }
    users
}

fn together(
    state: &State,
    id: &PoolId,
    users: &OrdMap<UserId, u64>,
    covering: &mut Covering<'_>,
) -> OrdMap<AssignmentId, u64> {
    let mut by_stand: BTreeMap<usize, u64> = BTreeMap::new();
    let stands = covering.stands_of(users.keys().copied());
    for (stand, seats) in stands.into_iter().zip(users.values()) {
        *by_stand.entry(stand).or_default() += seats;
    }
    let mut together: BTreeMap<AssignmentId, u64> = BTreeMap::new();
    let bounds = |of: &&AssignmentId| {
        let assignment = state.assignments.get(*of);
        assignment.is_some_and(|assignment| max_of(assignment, id).is_some())
    };
    for (stand, seats) in by_stand {
        for of in covering.list(stand).iter().filter(bounds) {
            *together.entry(*of).or_default() += seats;
        }
    }
    together.into_iter().collect()
}

fn max_of(assignment: &Assignment, id: &PoolId) -> Option<u64> {
    assignment.terms.limit(&id.feature)?.max
}

/// The max of an assignment for a feature, and what is left of it.
pub(crate) fn left(
    state: &State,
    pool: &Pool,
    feature: &str,
    of: AssignmentId,
) -> Option<(u64, u64)> {
    let max = state.assignments.get(&of)?.terms.limit(feature)?.max?;
    let together = pool.charged.together.get(&of).copied().unwrap_or_default();
    Some((max, max.saturating_sub(together)))
}

/// A grant for which the license in force has no place any more counts for no limit (rule 17).
pub(crate) fn counts(grant: &Grant) -> bool {
    let mut holders = grant.holders.iter();
    let superseded = |holder: &Holder| holder.ending().is_some_and(|ending| ending.superseded);
    // One that is kept counts for whom it is kept for (rule 10).
    grant.kept() || !holders.all(superseded)
}

/// The assignments with a max for this pool's feature that cover a user, each once.
fn maxes(state: &State, id: &PoolId, user: UserId) -> BTreeSet<AssignmentId> {
    let covering = state.covering_of(&id.license, user);
    let limited = covering.filter(|(_, assignment)| max_of(assignment, id).is_some());
    limited.map(|(of, _)| of).collect()
}

fn add<K: Ord + Clone>(counts: &mut OrdMap<K, u64>, key: K, seats: u64, more: bool) {
    let count = counts.entry(key.clone()).or_default();
    *count = match more {
        true => *count + seats,
        false => count.saturating_sub(seats),
    };
    if *count == 0 {
        counts.remove(&key);
    }
}
