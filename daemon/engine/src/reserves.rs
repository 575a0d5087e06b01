//! Reserves of assignments (rule 11): seats that are promised to whom an assignment covers, and what they hold back.
//!
//! A promise is kept under a bound: the seats of the pool, and each max that covers it. Under each of them the same is
//! asked: is enough left for what no seat fills yet? Like the counts of limits, none of this is recorded, and what a
//! change of the directory, of assignments or of a license made stale is counted anew by the next checkout.

mod ledger;
mod promise;

use crate::covering::{Covering, counts};
use crate::ids::{AssignmentId, Gid, LicenseId, PoolId, UnitId, UserId};
use crate::limits;
use crate::seats::pool as slots;
use crate::state::{Feature, Grant, Limit, Pool, State, Target};
use imbl::OrdMap;
use ledger::Ledger;
pub(crate) use promise::over_promised;
use std::sync::Arc;

/// What is reserved in a pool, and what of it is filled.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reserved {
    /// The state's `places` that it was counted in.
    as_of: u64,
    /// The seats of all grants of the pool, kept from one count to the next; with the state's `displaced` that they were
    /// looked up in.
    seats: Option<(u64, OrdMap<Gid, Seats>)>,
    /// All reserves, under the seats.
    pool: Ledger,
    /// Those that a max covers, under that max: by its assignment.
    under: OrdMap<AssignmentId, Ledger>,
}

/// The seats of a grant that can fill a reserve.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Seats {
    /// Whom they are charged to.
    user: UserId,
    /// Those below the license's seats: one on an overdraft slot fills no reserve of the pool, as its end leaves nothing to
    /// keep the promise with.
    regular: u64,
    all: u64,
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
    fn open(&mut self, gid: Gid, covering: &[AssignmentId], seats: Seats) {
        self.pool.open(gid, covering, seats.regular);
        for max in covering {
            if let Some(under) = self.under.get_mut(max) {
                under.open(gid, covering, seats.all);
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
    change(state, id, gid, |reserved, seats, covering| {
        if let Some((_, known)) = &mut reserved.seats {
            known.insert(gid, seats);
        }
        if let Some(covering) = covering {
            reserved.open(gid, &covering, seats);
        }
    });
}

/// A grant ends: it is there still.
pub(crate) fn end(state: &mut State, id: &PoolId, gid: Gid) {
    change(state, id, gid, |reserved, _, covering| {
        if let Some((_, known)) = &mut reserved.seats {
            known.remove(&gid);
        }
        let Some(covering) = covering else { return };
        reserved.pool.end(gid);
        for max in covering {
            if let Some(under) = reserved.under.get_mut(&max) {
                under.end(gid);
            }
        }
    });
}

/// Changes what is kept, given the seats of a grant and what covers them; not the latter where the counts are stale.
fn change(
    state: &mut State,
    id: &PoolId,
    gid: Gid,
    change: impl FnOnce(&mut Reserved, Seats, Option<Vec<AssignmentId>>),
) {
    if !promised(state, id) {
        // What is not kept up may not be found again.
        forget(state, id);
        return;
    }
    let Some(pool) = state.pools.get(id).filter(|pool| pool.reserved.is_some()) else {
        return;
    };
    let Some(grant) = pool.grants.get(&gid) else {
        return;
    };
    let seats = seats_of(pool, grant);
    let covering = fresh(state, id).map(|_| covering(state, id, seats.user));
    let displaced = state.displaced;
    let pool = state.pools.get_mut(id);
    if let Some(reserved) = pool.and_then(|pool| pool.reserved.as_mut()) {
        let reserved = Arc::make_mut(reserved);
        reserved.seats = reserved
            .seats
            .take()
            .filter(|(as_of, _)| *as_of == displaced);
        change(reserved, seats, covering);
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
        seats: None,
        pool,
        under: under.collect(),
    };
    if reserved.pool.is_empty() {
        return reserved;
    }
    let Some(pool) = state.pools.get(id) else {
        return reserved;
    };
    let seats = seats_in_pool(state, pool);
    let mut by_user: Vec<_> = seats.values().map(|seats| seats.user).zip(0..).collect();
    by_user.sort_unstable();
    let stands = covering.stands_of(by_user.iter().map(|(user, _)| *user));
    let mut by_grant = vec![0; by_user.len()];
    for ((_, grant), stand) in by_user.into_iter().zip(stands) {
        by_grant[grant] = stand;
    }
    for ((gid, seats), stand) in seats.iter().zip(by_grant) {
        reserved.open(*gid, covering.list(stand), *seats);
    }
    reserved.seats = Some((state.displaced, seats));
    reserved
}

/// The seats of a pool by grant: those that are kept, where no seat lost its place since or had it again.
fn seats_in_pool(state: &State, pool: &Pool) -> OrdMap<Gid, Seats> {
    let looked_up = || {
        let all = pool.grants.iter();
        all.map(|(gid, grant)| (*gid, seats_of(pool, grant)))
            .collect()
    };
    let kept = pool
        .reserved
        .as_deref()
        .and_then(|kept| kept.seats.as_ref());
    match kept {
        Some((as_of, kept)) if *as_of == state.displaced => {
            debug_assert_eq!(*kept, looked_up(), "seats are not as they were");
            kept.clone()
        }
        _ => looked_up(),
    }
}

/// The seats of a grant: none of one that has no place any more (rule 17).
fn seats_of(pool: &Pool, grant: &Grant) -> Seats {
    let size = pool.feature.as_ref().and_then(|feature| feature.seats);
    let counts = limits::counts(grant);
    let of = |counted: &dyn Fn(u64) -> bool| {
        let slots = grant.slots.iter().filter(|slot| counts && counted(**slot));
        slots.count() as u64
    };
    Seats {
        user: grant.user,
        regular: of(&|slot| size.is_none_or(|size| slot < size)),
        all: of(&|_| true),
    }
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
