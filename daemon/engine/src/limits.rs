//! Limits of assignments (rule 10): how many seats the users of one hold together, and each of them.
//!
//! Counts are kept per pool, and only where a limit asks for one. They are not recorded: a change of the directory, of
//! assignments or of a license makes them stale, and the next checkout of the feature counts anew.

use crate::denial::{Code, Denial};
use crate::event::EndingWhy;
use crate::ids::{AssignmentId, Name, PoolId, UserId};
use crate::state::{Assignment, Grant, Pool, State, Target};
use imbl::OrdMap;

/// Seats charged in a pool.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Charged {
    /// The state's `places` that it was counted in.
    as_of: Option<u64>,
    users: OrdMap<UserId, u64>,
    /// Of the users whom an assignment with a max covers, together.
    together: OrdMap<AssignmentId, u64>,
}

/// Counts anew what is stale of the pools of a feature.
pub(crate) fn refresh(state: &mut State, product: &Name, feature: &Name) {
    let Some(pools) = state.features.get(&(product.clone(), feature.clone())) else {
        return;
    };
    let stale = |id: &&PoolId| limited(state, id) && !fresh(state, id);
    let stale: Vec<_> = pools.iter().filter(stale).cloned().collect();
    for id in stale {
        let charged = counted(state, &id);
        if let Some(pool) = state.pools.get_mut(&id) {
            pool.charged = charged;
        }
    }
}

/// Seats came to a user or left them.
pub(crate) fn charge(state: &mut State, id: &PoolId, user: UserId, seats: u64, taken: bool) {
    if !limited(state, id) || !fresh(state, id) {
        return;
    }
    let over: Vec<_> = maxes(state, id, user).map(|(of, _, _)| of).collect();
    if let Some(pool) = state.pools.get_mut(id) {
        add(&mut pool.charged.users, user, seats, taken);
        for of in over {
            add(&mut pool.charged.together, of, seats, taken);
        }
    }
}

/// The first limit that n more seats would pass.
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
    debug_assert!(fresh(state, id), "{id}: judged by stale counts");
    let own = pool.charged.users.get(&user).copied().unwrap_or_default();
    for (of, assignment) in state.covering_of(&id.license, user) {
        let limits = assignment.terms.limits.iter();
        for limit in limits.filter(|limit| limit.feature.as_ref() == Some(&id.feature)) {
            let together = pool.charged.together.get(&of).copied().unwrap_or_default();
            let passes = |max: Option<u64>, charged: u64| max.filter(|max| charged + n > *max);
            let (max, charged, code) =
                match (passes(limit.max, together), passes(limit.max_each, own)) {
                    (Some(max), _) => (max, together, code_of(assignment)),
                    (None, Some(each)) => (each, own, Code::OverUserMax),
                    (None, None) => continue,
                };
            let (code, rule) = match n > max {
                true => (Code::RequestExceedsTotal, 13),
                false => (code, 10),
            };
            return Some(Denial {
                assignment: Some(of),
                in_use: Some(charged),
                total: Some(max),
                ..Denial::new(code, rule)
            });
        }
    }
    None
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

fn fresh(state: &State, id: &PoolId) -> bool {
    let pool = state.pools.get(id);
    pool.is_some_and(|pool| pool.charged.as_of == Some(state.places))
}

fn counted(state: &State, id: &PoolId) -> Charged {
    let mut charged = Charged {
        as_of: Some(state.places),
        ..Charged::default()
    };
    let grants = state
        .pools
        .get(id)
        .into_iter()
        .flat_map(|pool| pool.grants.values());
    for grant in grants.filter(|grant| counts(grant)) {
        add(
            &mut charged.users,
            grant.user,
            grant.slots.len() as u64,
            true,
        );
    }
    for (user, seats) in &charged.users {
        for (of, _, _) in maxes(state, id, *user) {
            add(&mut charged.together, of, *seats, true);
        }
    }
    charged
}

/// A grant for which the license in force has no place any more counts for no limit (rule 17).
pub(crate) fn counts(grant: &Grant) -> bool {
    let superseded = |ending: &crate::state::Ending| ending.why == EndingWhy::Superseded;
    !grant
        .holders
        .iter()
        .all(|holder| holder.ending().is_some_and(superseded))
}

/// The assignments with a max for this pool's feature that cover a user, each once.
fn maxes<'a>(
    state: &'a State,
    id: &'a PoolId,
    user: UserId,
) -> impl Iterator<Item = (AssignmentId, &'a Assignment, u64)> {
    let mut seen: Vec<AssignmentId> = Vec::new();
    state
        .covering_of(&id.license, user)
        .filter_map(|(of, assignment)| {
            let mut limits = assignment.terms.limits.iter();
            let limit = limits.find(|limit| limit.feature.as_ref() == Some(&id.feature))?;
            Some((of, &**assignment, limit.max?))
        })
        .filter(move |(of, _, _)| {
            let new = !seen.contains(of);
            seen.push(*of);
            new
        })
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
