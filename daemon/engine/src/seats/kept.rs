//! Named seats that nobody sits on (rule 7): kept for their unit, until its user has no right to them any more.
//!
//! As of all rights (rules 4, 16) that is judged seldom: by the tick of the keeper after something changed, when a checkout
//! finds no seat, and at once where an assignment is taken away or a change is to be felt at once. Of a large pool all of
//! these only begin it.

use super::terms;
use crate::command::Checkout;
use crate::engine::Act;
use crate::event::{EndWhy, Recorded};
use crate::ids::{Gid, PoolId};
use crate::state::{Feature, Grant, Model, Pool, State};
use crate::time::{Date, LeaseTime, Now};
use std::ops::Bound;

/// Of so many grants at most all are looked at in one go: a right takes some 2 µs.
const AT_ONCE: usize = 2_000;

/// When the rights of all for whom a pool keeps seats were judged, and when they have to be again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Owners {
    /// The state's `places` that they were judged in.
    as_of: Option<u64>,
    /// A seat whose user has no right may be taken from them then.
    first_free: Option<LeaseTime>,
    /// The first of the guests among them has no right from then on.
    first_end: Option<Date>,
}

impl Owners {
    /// Nobody is judged yet, as things are now.
    fn begun(state: &State) -> Owners {
        Owners {
            as_of: Some(state.places),
            ..Owners::default()
        }
    }

    fn due(&self, places: u64, now: Now) -> bool {
        let freed = self.first_free.is_some_and(|at| at <= now.lease);
        let ended = self.first_end.is_some_and(|at| at <= now.j);
        self.as_of != Some(places) || freed || ended
    }

    fn note(&mut self, stands: Stands) {
        fn first<T: Ord>(known: &mut Option<T>, new: T) {
            if known.as_ref().is_none_or(|known| new < *known) {
                *known = Some(new);
            }
        }
        match stands {
            Stands::Bound(until) => first(&mut self.first_free, until),
            Stands::Rightly(Some(until)) => first(&mut self.first_end, until),
            Stands::Rightly(None) | Stands::Gone => {}
        }
    }
}

/// How a named seat stands.
#[derive(Clone, Copy)]
enum Stands {
    /// Its unit has it by right, a guest until this date.
    Rightly(Option<Date>),
    /// Its user has no right to it, and has it until here for all that: `named_min_s` after it opened.
    Bound(LeaseTime),
    /// It is nobody's.
    Gone,
}

fn stands(state: &State, id: &PoolId, feature: &Feature, grant: &Grant, now: Now) -> Stands {
    let license = terms::license(state, id);
    let in_force = license.is_some_and(|license| !state.revokes(license));
    if !grant.owned(feature) || !in_force {
        return Stands::Gone;
    }
    let Some(user) = grant.unit.user() else {
        return Stands::Rightly(None);
    };
    // In quarantine this state may be older than what somebody was given: no loss is judged (rule 21). Its beginning makes
    // stale when all were judged, and nothing does so anew before its end.
    if state.quarantined(now.lease).is_some() || state.sits_rightly(id, user, now.j) {
        let known = state.users.get(&user);
        return Stands::Rightly(known.and_then(|known| known.until));
    }
    let bound = grant.bound_until(feature);
    if now.lease < bound {
        Stands::Bound(bound)
    } else {
        Stands::Gone
    }
}

/// Whether a grant stays for its unit when its last holder has ended.
pub(crate) fn keeps(state: &State, id: &PoolId, grant: &Grant, now: Now) -> bool {
    let Some((pool, feature)) = named(state, id) else {
        return false;
    };
    // A unit has one: where another one was opened or adopted beside it, that one stays.
    let mut own = pool.of_unit(grant.unit);
    let other = own.any(|(_, one)| one.slots != grant.slots && one.owned(feature));
    !other && !matches!(stands(state, id, feature, grant, now), Stands::Gone)
}

/// Notes when a grant that is kept from now on has to be judged.
pub(crate) fn note(act: &mut Act<'_>, gid: Gid) {
    let (now, state) = (act.now, &mut act.engine.state);
    let Some(id) = state.grants.get(&gid).cloned() else {
        return;
    };
    let kept = state.grant(gid).filter(|grant| grant.kept());
    let Some(found) = kept
        .zip(state.feature(&id))
        .map(|(g, f)| stands(state, &id, f, g, now))
    else {
        return;
    };
    if let Some(pool) = state.pools.get_mut(id.as_ref()) {
        pool.owners.note(found);
    }
    // A look that has passed it takes it along.
    let sweeps = act.engine.index.sweeps.iter_mut();
    sweeps
        .filter(|sweep| sweep.id == *id)
        .for_each(|sweep| sweep.found.note(found));
}

/// Judges whom these pools keep seats for, where that is due and they are small: the seats that are nobody's any more. The
/// others are told.
fn gone(state: &mut State, ids: &[PoolId], now: Now) -> (Vec<Gid>, Vec<PoolId>) {
    let (mut out, mut large) = (Vec::new(), Vec::new());
    if state.quarantined(now.lease).is_some() {
        return (out, large);
    }
    for id in ids {
        let Some((pool, feature)) = named(state, id) else {
            continue;
        };
        if !pool.owners.due(state.places, now) {
            continue;
        }
        if pool.grants.len() > AT_ONCE {
            large.push(id.clone());
            continue;
        }
        let mut owners = Owners::begun(state);
        for (gid, grant) in pool.grants.iter().filter(|(_, grant)| grant.kept()) {
            match stands(state, id, feature, grant, now) {
                Stands::Gone => out.push(*gid),
                other => owners.note(other),
            }
        }
        if let Some(pool) = state.pools.get_mut(id) {
            pool.owners = owners;
        }
    }
    (out, large)
}

/// A look at all seats that a large pool keeps, a part at a time, so that nobody waits for it.
#[derive(Debug)]
pub(crate) struct Sweep {
    id: PoolId,
    /// It has come so far.
    after: Option<Gid>,
    found: Owners,
}

impl Sweep {
    /// The next part of it: the seats that are nobody's any more, and whether there is more to look at.
    fn part(&mut self, state: &mut State, now: Now) -> (Vec<Gid>, bool) {
        let mut gone = Vec::new();
        let Some((pool, feature)) = named(state, &self.id) else {
            return (gone, false);
        };
        let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut more = false;
        for (gid, grant) in pool
            .grants
            .range((from, Bound::Unbounded))
            .take(AT_ONCE / 2)
        {
            (self.after, more) = (Some(*gid), true);
            if grant.kept() {
                match stands(state, &self.id, feature, grant, now) {
                    Stands::Gone => gone.push(*gid),
                    other => self.found.note(other),
                }
            }
        }
        if let (false, Some(pool)) = (more, state.pools.get_mut(&self.id)) {
            pool.owners = self.found;
        }
        (gone, more)
    }
}

fn named<'a>(state: &'a State, id: &PoolId) -> Option<(&'a Pool, &'a Feature)> {
    let pool = state.pools.get(id)?;
    let feature = pool.feature.as_deref()?;
    (feature.model == Model::Named).then_some((pool, feature))
}

/// Ends the seats of these pools that are nobody's any more; whether there were any. Of a large pool that begins now, and
/// goes on as time goes on.
pub(crate) fn settle(act: &mut Act<'_>, of: impl Fn(&PoolId) -> bool) -> bool {
    let state = act.state();
    let ids = state.pools.keys().filter(|id| of(id));
    let ids: Vec<_> = ids
        .filter(|id| named(state, id).is_some())
        .cloned()
        .collect();
    let (gone, large) = gone(&mut act.engine.state, &ids, act.now);
    for id in large {
        let found = Owners::begun(act.state());
        let (after, sweeps) = (None, &mut act.engine.index.sweeps);
        if !sweeps.iter().any(|sweep| sweep.id == id) {
            sweeps.push_back(Sweep { id, after, found });
        }
    }
    end_all(act, &gone)
}

/// Goes on with a look at a large pool.
pub(crate) fn go_on(act: &mut Act<'_>) {
    let Some(mut sweep) = act.engine.index.sweeps.pop_front() else {
        return;
    };
    // What was judged in it would count for nothing: it begins anew after quarantine.
    if act.state().quarantined(act.now.lease).is_some() {
        return;
    }
    let (gone, more) = sweep.part(&mut act.engine.state, act.now);
    if more {
        act.engine.index.sweeps.push_front(sweep);
    }
    end_all(act, &gone);
}

fn end_all(act: &mut Act<'_>, gone: &[Gid]) -> bool {
    for gid in gone {
        end(act, *gid, EndWhy::RightLost);
    }
    !gone.is_empty()
}

/// The same of what a checkout could get.
pub(crate) fn settle_of(act: &mut Act<'_>, asked: &Checkout) -> bool {
    let ids = act.state().pools_for(&asked.product, &asked.feature);
    let ids: Vec<_> = ids.cloned().collect();
    settle(act, |id| ids.contains(id))
}

/// The same on a snapshot (rule 22).
pub(crate) fn fold_gone(state: &mut State, now: Now, asked: &Checkout) -> bool {
    let ids = state.pools_for(&asked.product, &asked.feature);
    let ids: Vec<_> = ids.cloned().collect();
    let (gone, _) = gone(state, &ids, now);
    for gid in &gone {
        let (gid, why, at) = (*gid, EndWhy::RightLost, now.lease);
        crate::evolve::evolve(state, &Recorded::SeatEnded { gid, why, at });
    }
    !gone.is_empty()
}

/// Ends a seat that is kept.
pub(crate) fn end(act: &mut Act<'_>, gid: Gid, why: EndWhy) {
    let at = act.now.lease;
    act.record(Recorded::SeatEnded { gid, why, at });
}

#[cfg(test)]
mod tests;
