//! Reserves of assignments (rule 11): seats that are promised to whom an assignment covers, and what they hold back.
//!
//! A promise is kept under a bound: the seats of the pool, and each max that covers it. Under each of them the same is
//! asked: is enough left for what no seat fills yet? Like the counts of limits, none of this is recorded, and what a
//! change of the directory, of assignments or of a license made stale is counted anew by the next checkout.

mod ledger;

use crate::covering::{Covering, counts};
use crate::denial::{Code, Denial};
use crate::ids::{AssignmentId, Gid, LicenseId, Name, PoolId, UnitId, UserId};
use crate::limits;
use crate::seats::pool as slots;
use crate::state::{AssignmentTerms, Feature, Grant, Limit, Pool, State, Target};
use imbl::OrdMap;
use ledger::Ledger;
use std::sync::Arc;

/// What is reserved in a pool, and what of it is filled.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reserved {
    /// The state's `places` that it was counted in.
    as_of: u64,
    /// All reserves, under the seats.
    pool: Ledger,
    /// Those that a max covers, under that max: by its assignment.
    under: OrdMap<AssignmentId, Ledger>,
}

/// Why a request that free slots and limits alone would allow is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Withheld {
    /// 13 where it would be refused, were all seats free: time cannot help.
    pub(crate) rule: u8,
    /// The max under which too little is left; `None`: of the seats.
    pub(crate) max: Option<AssignmentId>,
    /// The seats or the max.
    pub(crate) size: u64,
    /// What is left of them.
    pub(crate) left: u64,
    /// What of it is reserved for others.
    pub(crate) reserved: u64,
    /// The reserve for others of which the most is not filled.
    pub(crate) by: Option<AssignmentId>,
}

impl Reserved {
    /// Counts a grant of whom these assignments cover, the most direct first; behind all that opened before it.
    fn open(&mut self, gid: Gid, covering: &[AssignmentId], regular: u64, all: u64) {
        // A seat on an overdraft slot fills no reserve of the pool: its end leaves nothing to keep the promise with.
        self.pool.open(gid, covering, regular);
        for max in covering {
            if let Some(under) = self.under.get_mut(max) {
                under.open(gid, covering, all);
            }
        }
    }
}

/// Whether anything is reserved in a pool, and was not counted since the last change.
pub(crate) fn stale(state: &State, id: &PoolId) -> bool {
    promised(state, id) && fresh(state, id).is_none()
}

/// What is reserved in a pool, where it was counted and nothing has changed since.
fn fresh<'a>(state: &'a State, id: &PoolId) -> Option<&'a Reserved> {
    let known = state.pools.get(id)?.reserved.as_deref()?;
    (known.as_of == state.places).then_some(known)
}

/// A grant opened.
pub(crate) fn open(state: &mut State, id: &PoolId, gid: Gid) {
    change(state, id, gid, |reserved, covering, (regular, all)| {
        reserved.open(gid, covering, regular, all);
    });
}

/// A grant ends: it is there still.
pub(crate) fn end(state: &mut State, id: &PoolId, gid: Gid) {
    change(state, id, gid, |reserved, covering, _| {
        reserved.pool.end(gid);
        for max in covering {
            if let Some(under) = reserved.under.get_mut(max) {
                under.end(gid);
            }
        }
    });
}

fn change(
    state: &mut State,
    id: &PoolId,
    gid: Gid,
    change: impl FnOnce(&mut Reserved, &[AssignmentId], (u64, u64)),
) {
    if !promised(state, id) || fresh(state, id).is_none() {
        return;
    }
    let Some(pool) = state.pools.get(id) else {
        return;
    };
    let Some(grant) = pool.grants.get(&gid) else {
        return;
    };
    let covering = covering(state, id, grant.user);
    let seats = seats_of(pool, grant);
    let pool = state.pools.get_mut(id);
    if let Some(reserved) = pool.and_then(|pool| pool.reserved.as_mut()) {
        change(Arc::make_mut(reserved), &covering, seats);
    }
}

/// A grant is another user's now: the next checkout counts anew.
pub(crate) fn forget(state: &mut State, id: &PoolId) {
    if let Some(pool) = state.pools.get_mut(id) {
        pool.reserved = None;
    }
}

/// Whether a reserve for this user is not filled: its pool is tried first (rule 9).
pub(crate) fn awaits(state: &State, id: &PoolId, user: UserId) -> bool {
    let known = fresh(state, id).filter(|_| promised(state, id));
    known.is_some_and(|reserved| {
        let (_, room) = reserved.pool.reserved_for(&covering(state, id, user));
        room > 0
    })
}

/// What keeps n more seats of a user from being given, where free slots and limits alone would do.
pub(crate) fn withheld(
    state: &State,
    id: &PoolId,
    pool: &Pool,
    feature: &Feature,
    (user, n): (UserId, u64),
) -> Option<Withheld> {
    if !promised(state, id) {
        return None;
    }
    #[cfg(planted)]
    if crate::planted::is("reserve-open") {
        return None;
    }
    let reserved = fresh(state, id);
    debug_assert!(reserved.is_some(), "{id}: judged by stale counts");
    let reserved = reserved?;
    let covering = covering(state, id, user);
    let seats = feature.seats.zip(slots::free(pool, feature));
    let seats = seats.map(|(size, left)| (None, (size, left), &reserved.pool));
    let under = covering.iter().filter_map(|max| {
        let ledger = reserved.under.get(max)?;
        let bound = limits::left(state, pool, &id.feature, *max)?;
        Some((Some(*max), bound, ledger))
    });
    let bounds: Vec<_> = seats.into_iter().chain(under).collect();
    let by = |rule: Rule| {
        let mut all = bounds.iter();
        all.find_map(|(max, bound, ledger)| {
            let max = *max;
            rule(ledger, &covering, *bound, n).map(|no| Withheld { max, ..no })
        })
    };
    by(never).or_else(|| by(short))
}

/// Judges n seats under a bound: what is reserved there, whose reserves they may fill, the size of the bound and what is
/// left of it.
type Rule = fn(&Ledger, &[AssignmentId], (u64, u64), u64) -> Option<Withheld>;

/// All that is there would not do for n seats and for what is reserved for others, were it free (rule 13).
fn never(
    ledger: &Ledger,
    covering: &[AssignmentId],
    (size, left): (u64, u64),
    n: u64,
) -> Option<Withheld> {
    let (own, _) = ledger.reserved_for(covering);
    let reserved = ledger.sum() - own;
    (n > own && n > size.saturating_sub(reserved)).then(|| Withheld {
        rule: 13,
        max: None,
        size,
        left,
        reserved,
        by: most(ledger, covering),
    })
}

/// What is left would not do for n seats and for what is reserved and not filled, and would fall further short than it
/// does.
fn short(
    ledger: &Ledger,
    covering: &[AssignmentId],
    (size, left): (u64, u64),
    n: u64,
) -> Option<Withheld> {
    let (_, room) = ledger.reserved_for(covering);
    // Where its own reserves have room for all of it, what is owed shrinks by as much as what is left.
    let reserved = ledger.need() - room;
    (n > room && left < n + reserved).then(|| Withheld {
        rule: 11,
        max: None,
        size,
        left,
        reserved,
        by: most(ledger, covering),
    })
}

/// The reserve of which the most is not filled, of those that do not cover.
fn most(ledger: &Ledger, covering: &[AssignmentId]) -> Option<AssignmentId> {
    let others = ledger.filled().filter(|(id, _, _)| !covering.contains(id));
    let others = others.map(|(id, seats, filled)| (seats - filled, seats, id));
    others.max().map(|(_, _, id)| id)
}

/// The reserves of a pool, each with its seats and how many of them are filled.
#[must_use]
pub fn filled(state: &State, id: &PoolId) -> Vec<(AssignmentId, u64, u64)> {
    if !promised(state, id) {
        return Vec::new();
    }
    match fresh(state, id) {
        Some(known) => known.pool.filled().collect(),
        None => {
            let counted = count(state, id, &mut Covering::of(state, id));
            counted.pool.filled().collect()
        }
    }
}

/// Any assignment of the pool's license reserves seats.
fn promised(state: &State, id: &PoolId) -> bool {
    let covers = state.covers.get(&id.license);
    covers.is_some_and(|covers| covers.reserves > 0)
}

/// Counts what is reserved in a pool, and what of it is filled.
pub(crate) fn count(state: &State, id: &PoolId, covering: &mut Covering<'_>) -> Reserved {
    let all = limits_of(state, &id.license, &id.feature);
    let reserves: Vec<_> = all
        .iter()
        .filter_map(|(of, target, limit)| Some((*of, *target, limit.reserve?)))
        .collect();
    let account = state.account_for(&id.license);
    let pool = Ledger::of(reserves.iter().map(|(of, _, seats)| (*of, *seats)));
    let maxes = all.iter().filter(|(_, _, limit)| limit.max.is_some());
    let under = maxes.filter_map(|(max, wide, _)| {
        let covered = reserves.iter();
        let covered = covered.filter(|(_, target, _)| covers(state, account, *wide, *target));
        let ledger = Ledger::of(covered.map(|(of, _, seats)| (*of, *seats)));
        (!ledger.is_empty()).then_some((*max, ledger))
    });
    let mut reserved = Reserved {
        as_of: state.places,
        pool,
        under: under.collect(),
    };
    if reserved.pool.is_empty() {
        return reserved;
    }
    let Some(pool) = state.pools.get(id) else {
        return reserved;
    };
    for (gid, grant) in &pool.grants {
        let (regular, all) = seats_of(pool, grant);
        let stand = covering.stand(grant.user);
        reserved.open(*gid, covering.list(stand), regular, all);
    }
    reserved
}

/// The seats of a grant that can fill a reserve: those below `seats`, and all; none of one that has no place any more
/// (rule 17).
fn seats_of(pool: &Pool, grant: &Grant) -> (u64, u64) {
    if !limits::counts(grant) {
        return (0, 0);
    }
    let seats = pool.feature.as_ref().and_then(|feature| feature.seats);
    let regular = |slot: &&u64| seats.is_none_or(|seats| **slot < seats);
    let regular = grant.slots.iter().filter(regular).count();
    (regular as u64, grant.slots.len() as u64)
}

/// The assignments with a limit or a reserve for this pool's feature that cover a user, the most direct first.
fn covering(state: &State, id: &PoolId, user: UserId) -> Vec<AssignmentId> {
    let mut found = Vec::new();
    for (of, assignment) in state.covering_of(&id.license, user) {
        let limit = assignment.terms.limit(&id.feature);
        if limit.is_some_and(counts) && !found.contains(&of) {
            found.push(of);
        }
    }
    found
}

/// The limits of a feature that the assignments of a license set.
fn limits_of<'a>(
    state: &'a State,
    license: &LicenseId,
    feature: &str,
) -> Vec<(AssignmentId, Target, &'a Limit)> {
    let covers = state.covers.get(license);
    let all = covers.into_iter().flat_map(|covers| covers.by.values());
    all.filter_map(|id| {
        let assignment = state.assignments.get(id)?;
        let limit = assignment.terms.limit(feature)?;
        Some((*id, assignment.target, limit))
    })
    .collect()
}

/// Whether one target covers whomever the other covers and may sit at all, whoever joins: it is the same, a unit above or
/// a group around it, one that the user is in, or everyone in the account that the license is for.
fn covers(state: &State, account: Option<UnitId>, wide: Target, narrow: Target) -> bool {
    match (wide, narrow) {
        (wide, narrow) if wide == narrow => true,
        (Target::Unit(wide), _) if Some(wide) == account => true,
        (Target::Unit(wide), Target::Unit(narrow)) => state.upwards(narrow).any(|one| one == wide),
        (Target::Group(wide), Target::Group(narrow)) => {
            state.groups_around(&[narrow]).contains(&wide)
        }
        (wide, Target::User(user)) => state
            .users
            .get(&user)
            .is_some_and(|known| state.around(user, known).any(|one| one == wide)),
        _ => false,
    }
}

/// Why an assignment may not be made or changed so: more would be promised than there is, and more than is so now.
pub(crate) fn over_promised(
    state: &State,
    license: &LicenseId,
    (id, target): (AssignmentId, Target),
    before: Option<&AssignmentTerms>,
    terms: &AssignmentTerms,
) -> Option<Denial> {
    let features = terms.limits.iter().filter_map(|limit| {
        let feature = limit.feature.as_ref()?;
        let was = before.and_then(|before| before.limit(feature));
        Some((feature, was.cloned().unwrap_or_default(), limit))
    });
    for (feature, was, limit) in features {
        let others = limits_of(state, license, feature);
        let others = others.into_iter().filter(|(of, _, _)| *of != id).collect();
        let change = Change {
            state,
            account: state.account_for(license),
            others,
            own: (id, target),
        };
        let bounds = change.bounds(&was, limit, seats_in(state, license, feature));
        for bound in bounds {
            let over = bound.promised.saturating_sub(bound.size);
            if over > bound.before.saturating_sub(bound.size_before) {
                return Some(Denial {
                    assignment: bound.of,
                    in_use: Some(bound.promised),
                    total: Some(bound.size),
                    limit: Some(feature.to_string()),
                    ..Denial::new(Code::OverPromised, 11)
                });
            }
        }
    }
    None
}

/// The seats of a feature in the license in force, or in the first one that waits; `None` where unlimited.
fn seats_in(state: &State, license: &LicenseId, feature: &Name) -> Option<u64> {
    let known = state.licenses.get(license);
    let mut all = known.into_iter().chain(state.waits(license));
    all.find_map(|known| {
        let mut features = known.terms.features.iter();
        features.find(|one| one.name == *feature)
    })?
    .seats
}

/// What is promised under a bound, before a change and after it.
struct Bound {
    /// The assignment whose max it is; `None`: the seats.
    of: Option<AssignmentId>,
    size_before: u64,
    before: u64,
    size: u64,
    promised: u64,
}

/// An assignment that is made or changed, among the other ones of its license with a limit of the same feature.
struct Change<'a> {
    state: &'a State,
    account: Option<UnitId>,
    others: Vec<(AssignmentId, Target, &'a Limit)>,
    own: (AssignmentId, Target),
}

impl Change<'_> {
    /// The bounds that the change concerns.
    fn bounds(&self, was: &Limit, limit: &Limit, seats: Option<u64>) -> Vec<Bound> {
        let (id, own) = self.own;
        let (before, now) = (was.reserve.unwrap_or(0), limit.reserve.unwrap_or(0));
        let mut bounds = Vec::new();
        let others = self.others.iter();
        let others: u64 = others.filter_map(|(_, _, other)| other.reserve).sum();
        bounds.extend(seats.map(|size| Bound {
            of: None,
            size_before: size,
            before: others + before,
            size,
            promised: others + now,
        }));
        let around = self.others.iter();
        let around = around.filter(|(_, wide, _)| self.covers(*wide, own));
        for (of, wide, other) in around {
            bounds.extend(other.max.map(|size| Bound {
                of: Some(*of),
                size_before: size,
                before: self.reserved_in(*wide) + before,
                size,
                promised: self.reserved_in(*wide) + now,
            }));
            let each = other.max_each.filter(|_| matches!(own, Target::User(_)));
            bounds.extend(each.map(|size| Bound {
                of: Some(*of),
                size_before: size,
                before,
                size,
                promised: now,
            }));
        }
        bounds.extend(limit.max.map(|size| Bound {
            of: Some(id),
            size_before: was.max.unwrap_or(u64::MAX),
            before: self.reserved_in(own) + before,
            size,
            promised: self.reserved_in(own) + now,
        }));
        bounds.extend(limit.max_each.into_iter().flat_map(|size| {
            let bound = move |before, promised| Bound {
                of: Some(id),
                size_before: was.max_each.unwrap_or(u64::MAX),
                before,
                size,
                promised,
            };
            let of_users = self.users_in(own);
            let itself = matches!(own, Target::User(_)).then(|| bound(before, now));
            of_users.map(move |seats| bound(seats, seats)).chain(itself)
        }));
        bounds
    }

    fn covers(&self, wide: Target, narrow: Target) -> bool {
        covers(self.state, self.account, wide, narrow)
    }

    /// What the other assignments reserve for whom this target covers.
    fn reserved_in(&self, wide: Target) -> u64 {
        let others = self.others.iter();
        let within = others.filter(|(_, narrow, _)| self.covers(wide, *narrow));
        within.filter_map(|(_, _, limit)| limit.reserve).sum()
    }

    /// What the other assignments reserve for each user whom this target covers.
    fn users_in(&self, wide: Target) -> impl Iterator<Item = u64> {
        let others = self.others.iter();
        let users = others.filter(|(_, narrow, _)| matches!(narrow, Target::User(_)));
        let within = users.filter(move |(_, narrow, _)| self.covers(wide, *narrow));
        within.filter_map(|(_, _, limit)| limit.reserve)
    }
}
