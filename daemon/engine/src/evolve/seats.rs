//! Folds what happens to grants and holders.

use crate::command::Signed;
use crate::covering;
use crate::event::{EndWhy, EndingWhy, HolderFacts, SeatAssigned, SeatTaken};
use crate::ids::{CheckoutId, Gid, HolderId, MachineId, PoolId, TokenHash, UserId};
use crate::limits;
use crate::reserves;
use crate::state::{Ended, Ending, Grant, Holder, Model, Pool, State, Unit};
use crate::time::{Date, LeaseTime, hold_ms};
use imbl::OrdSet;
use std::sync::Arc;

/// The least part of a ttl that a start leaves to call, where the ttl is not known any more.
const CALL_MS: u64 = 450_000;

impl State {
    /// The grant of this id, with its holders.
    #[must_use]
    pub fn grant(&self, gid: Gid) -> Option<&Grant> {
        self.pools
            .get(self.grants.get(&gid)?.as_ref())?
            .grants
            .get(&gid)
            .map(Arc::as_ref)
    }

    /// The holder of this id.
    #[must_use]
    pub fn holder(&self, id: HolderId) -> Option<&Holder> {
        self.grant(id.gid)?
            .holders
            .iter()
            .find(|holder| holder.h == id.h)
    }

    /// A holder called, and its hold reaches to here.
    pub(crate) fn call(&mut self, id: HolderId, until: LeaseTime) {
        if let Some((_, grant)) = grant_mut(self, id.gid) {
            grant.called = true;
            if let Some(holder) = grant.holders.iter_mut().find(|holder| holder.h == id.h) {
                holder.until = until;
            }
        }
    }

    /// Changes a holder where it is.
    pub(crate) fn change(&mut self, id: HolderId, change: impl FnOnce(&mut Holder)) {
        if let Some((_, grant)) = grant_mut(self, id.gid)
            && let Some(holder) = grant.holders.iter_mut().find(|holder| holder.h == id.h)
        {
            change(holder);
        }
    }
}

/// The grant of this id to change, and the bookkeeping of its pool beside it.
fn grant_mut(state: &mut State, gid: Gid) -> Option<(&mut OrdSet<(u64, Gid)>, &mut Grant)> {
    let pool = state.pools.get_mut(state.grants.get(&gid)?.as_ref())?;
    Some((&mut pool.units, Arc::make_mut(pool.grants.get_mut(&gid)?)))
}

fn count(pool: &mut Pool, slots: &[u64], taken: bool) {
    let seats = pool
        .feature
        .as_ref()
        .and_then(|feature| feature.seats)
        .unwrap_or(u64::MAX);
    for slot in slots {
        let counter = if *slot < seats {
            &mut pool.used
        } else {
            &mut pool.above
        };
        *counter = if taken {
            *counter + 1
        } else {
            counter.saturating_sub(1)
        };
    }
}

pub(super) fn take(state: &mut State, taken: &SeatTaken) {
    let holder = sit(state, &taken.pool, 1, &taken.who, taken.at);
    let grant = Grant {
        unit: taken.unit,
        user: taken.who.user,
        slots: taken.slots.clone().into(),
        holders: vec![holder],
        next_h: 2,
        since: taken.at,
        closed: false,
        called: true,
    };
    open(state, taken.gid, &taken.pool, grant);
}

/// A named seat opens without a holder (rule 7).
pub(super) fn keep(state: &mut State, kept: &SeatAssigned) {
    let grant = Grant {
        unit: Unit::User(kept.user),
        user: kept.user,
        slots: vec![kept.slot].into(),
        holders: Vec::new(),
        next_h: 1,
        since: kept.at,
        closed: false,
        called: false,
    };
    open(state, kept.gid, &kept.pool, grant);
}

fn open(state: &mut State, gid: Gid, id: &PoolId, grant: Grant) {
    state.run.grants = state.run.grants.max(gid.n);
    let (user, seats) = (grant.user, grant.slots.len() as u64);
    let pool = state.pools.entry(id.clone()).or_default();
    state.grants.insert(gid, pool.id.clone());
    for slot in grant.slots.iter() {
        while pool.high <= *slot {
            pool.freed.insert(pool.high);
            pool.high += 1;
        }
        #[cfg(planted)]
        if crate::planted::is("slot-stays-free") {
            continue;
        }
        pool.freed.remove(slot);
    }
    count(pool, &grant.slots, true);
    pool.units.insert((grant.unit.short(), gid));
    pool.grants.insert(gid, Arc::new(grant));
    covering::came(state, id, user);
    limits::charge(state, id, user, seats, true);
    reserves::open(state, id, gid);
}

/// A named seat is not its unit's any more: nobody joins it.
pub(super) fn recall(state: &mut State, gid: Gid) {
    #[cfg(planted)]
    if crate::planted::is("recall-undone") {
        return;
    }
    if let Some((_, grant)) = grant_mut(state, gid) {
        grant.closed = true;
    }
    list(state, gid);
}

fn sit(state: &mut State, pool: &PoolId, h: u32, facts: &HolderFacts, at: LeaseTime) -> Holder {
    let mut facts = facts.clone();
    share_version(state, pool, &mut facts);
    // All holders under a license share one copy of its product's name.
    if let Some(license) = state.licenses.get(&pool.license)
        && license.terms.product == facts.terms.product
    {
        facts.terms.product = license.terms.product.clone();
    }
    Holder {
        h,
        facts: Arc::new(facts),
        since: at,
        ending: None,
        adopted: None,
        until: at,
    }
}

/// Takes the text of the version from the holder before, where it is the same.
fn share_version(state: &mut State, pool: &PoolId, facts: &mut HolderFacts) {
    let Some(pool) = state.pools.get_mut(pool) else {
        return;
    };
    if pool.version == facts.version {
        facts.version = pool.version.clone();
    } else {
        pool.version = facts.version.clone();
    }
}

pub(super) fn join(state: &mut State, holder: HolderId, who: &HolderFacts, at: LeaseTime) {
    let Some(pool) = state.grants.get(&holder.gid).cloned() else {
        return;
    };
    let joined = sit(state, &pool, holder.h, who, at);
    let Some((_, grant)) = grant_mut(state, holder.gid) else {
        return;
    };
    let wakes = grant.kept();
    grant.holders.push(joined);
    grant.next_h = holder.h + 1;
    // A woken grant belongs to who woke it (rule 5).
    if wakes && grant.user != who.user {
        charge_to(state, &pool, holder.gid, who.user);
    }
}

/// A grant is charged to another user from now on (rule 6).
fn charge_to(state: &mut State, pool: &PoolId, gid: Gid, to: UserId) {
    let Some((_, grant)) = grant_mut(state, gid) else {
        return;
    };
    let from = std::mem::replace(&mut grant.user, to);
    let seats = grant.slots.len() as u64;
    covering::came(state, pool, to);
    limits::charge(state, pool, from, seats, false);
    limits::charge(state, pool, to, seats, true);
    reserves::forget(state, pool);
}

pub(super) fn end_soon(state: &mut State, id: HolderId, why: EndingWhy, hard: bool) {
    let Some(pool_id) = state.grants.get(&id.gid) else {
        return;
    };
    let feature = state.feature(pool_id).cloned();
    let unknown = Signed {
        hash: TokenHash([0; 32]),
        iat: Date(0),
    };
    let license = state.licenses.get(&pool_id.license);
    let (signed, exp) = license.map_or((unknown, None), |license| {
        (license.terms.signed, license.terms.exp)
    });
    let (save_s, cool_down_s) = feature
        .as_ref()
        .map_or((0, 0), |f| (f.save_s, f.cool_down_s));
    let user = state.holder(id).map(|holder| holder.facts.user);
    let policies = feature
        .clone()
        .zip(user)
        .map(|(feature, user)| state.policies(pool_id, &feature, user))
        .unwrap_or_default();
    let ending = Ending {
        why,
        hard,
        superseded: why == EndingWhy::Superseded,
        last: None,
        signed,
        exp,
        save_s,
        cool_down_s,
        policies,
    };
    state.change(id, |holder| {
        // A second reason may only make it harder; the first one stays the reason, unless it could be taken back.
        match &mut holder.ending {
            Some(first) => {
                if first.returns() {
                    first.why = why;
                }
                first.hard |= hard;
                first.superseded |= why == EndingWhy::Superseded;
            }
            none => *none = Some(Box::new(ending)),
        }
    });
    // A named seat that is superseded ends with its holders (rule 7).
    if why == EndingWhy::Superseded
        && feature.is_some_and(|feature| feature.model == Model::Named)
        && let Some((_, grant)) = grant_mut(state, id.gid)
    {
        grant.closed = true;
    }
    list(state, id.gid);
}

/// Lists a grant by its unit, or not: nobody joins one whose holders are all ending, if it is not the unit's own for good,
/// or one that is closed.
fn list(state: &mut State, gid: Gid) {
    let Some(pool) = state.grants.get(&gid) else {
        return;
    };
    let feature = state.feature(pool).cloned();
    if let Some((units, grant)) = grant_mut(state, gid) {
        let unit = (grant.unit.short(), gid);
        let owned = feature.is_some_and(|feature| grant.owned(&feature));
        if grant.closed || grant.ending() && !owned {
            units.remove(&unit);
        } else {
            units.insert(unit);
        }
    }
}

impl Grant {
    /// All its holders are on their way out.
    #[must_use]
    pub fn ending(&self) -> bool {
        !self.kept() && self.holders.iter().all(|holder| holder.ending.is_some())
    }

    /// It has no holders, and is kept for its unit (rule 7).
    #[must_use]
    pub fn kept(&self) -> bool {
        self.holders.is_empty()
    }
}

pub(super) fn take_back(state: &mut State, id: HolderId) {
    state.change(id, |holder| holder.ending = None);
    list(state, id.gid);
}

pub(super) fn leave(state: &mut State, id: HolderId, why: EndWhy, at: LeaseTime) {
    let Some((_, grant)) = grant_mut(state, id.gid) else {
        return;
    };
    let Some(place) = grant.holders.iter().position(|holder| holder.h == id.h) else {
        return;
    };
    let counted = limits::counts(grant);
    let gone = grant.holders.remove(place);
    let counts = limits::counts(grant);
    if !grant
        .holders
        .iter()
        .any(|holder| holder.facts.user == grant.user)
        && let Some(oldest) = grant.holders.first()
    {
        let to = oldest.facts.user;
        if let Some(pool) = state.grants.get(&id.gid).cloned() {
            charge_to(state, &pool, id.gid, to);
        }
    }
    // The others of it may have no place any more: then it counts for nobody (rule 17).
    state.displaced += u64::from(counted != counts);
    state.places += u64::from(counted != counts);
    remember(state, ended(id.gid, &gone, why, at));
    list(state, id.gid);
}

pub(super) fn give_back(state: &mut State, gid: Gid, why: EndWhy, at: LeaseTime) {
    let Some(pool_id) = state.grants.remove(&gid) else {
        return;
    };
    reserves::end(state, &pool_id, gid);
    let Some(pool) = state.pools.get_mut(pool_id.as_ref()) else {
        return;
    };
    let Some(grant) = pool.grants.remove(&gid) else {
        return;
    };
    pool.units.remove(&(grant.unit.short(), gid));
    count(pool, &grant.slots, false);
    if limits::counts(&grant) {
        limits::charge(state, &pool_id, grant.user, grant.slots.len() as u64, false);
    }
    let Some(pool) = state.pools.get_mut(pool_id.as_ref()) else {
        return;
    };
    #[cfg(planted)]
    if crate::planted::is("slot-leaks") {
        return;
    }
    pool.freed.extend(grant.slots.iter().copied());
    if pool.grants.is_empty() && !state.licenses.contains_key(&pool_id.license) {
        state.pools.remove(pool_id.as_ref());
    }
    grant
        .holders
        .iter()
        .for_each(|holder| remember(state, ended(gid, holder, why, at)));
}

fn ended(gid: Gid, holder: &Holder, why: EndWhy, at: LeaseTime) -> Ended {
    Ended {
        at,
        machine: holder.facts.process.machine,
        uid: holder.facts.process.uid,
        checkout_id: holder.facts.checkout_id,
        holder: Some((HolderId { gid, h: holder.h }, why)),
    }
}

/// A checkout that never had a holder is over.
pub(super) fn give_up(
    state: &mut State,
    (machine, uid, checkout_id): (MachineId, u32, CheckoutId),
    at: LeaseTime,
) {
    let ended = Ended {
        at,
        machine,
        uid,
        checkout_id,
        holder: None,
    };
    remember(state, ended);
}

/// Remembers an ended checkout. Old ones are dropped by `Engine::fold`, which keeps its index beside this queue.
fn remember(state: &mut State, ended: Ended) {
    state.ended.push_back(ended);
}

/// At a start: a clean stop's ends of holds with at least half a ttl to call, or one fresh hold (rule 19).
pub(crate) fn set_holds(state: &mut State, at: LeaseTime) {
    let stopped = std::mem::take(&mut state.stopped);
    let pools: Vec<_> = state.pools.keys().cloned().collect();
    for id in pools {
        let Some(pool) = state.pools.get_mut(&id) else {
            continue;
        };
        let call = pool
            .feature
            .as_ref()
            .map_or(CALL_MS, |feature| feature.ttl_s * 500);
        let grants = pool.grants.iter();
        let grants: Vec<_> = grants.map(|(gid, grant)| (*gid, grant.since)).collect();
        for (gid, since) in grants {
            let fresh = at + hold_ms(longest_ms(pool, since));
            #[cfg(planted)]
            let fresh = if crate::planted::is("no-fresh-hold") {
                at
            } else {
                fresh
            };
            let Some(grant) = pool.grants.get_mut(&gid) else {
                continue;
            };
            let grant = Arc::make_mut(grant);
            grant.called = false;
            for holder in &mut grant.holders {
                let id = HolderId { gid, h: holder.h };
                let recorded = stopped.binary_search_by_key(&id, |(id, _)| *id);
                holder.until = recorded.map_or(fresh, |place| stopped[place].1.max(at + call));
            }
        }
    }
}

/// The largest ttl + grace of any serial in force since then.
fn longest_ms(pool: &Pool, since: LeaseTime) -> u64 {
    let starts = pool.terms_ms.iter();
    let ends = pool
        .terms_ms
        .iter()
        .skip(1)
        .map(|(at, _)| *at)
        .chain(std::iter::once(LeaseTime(u64::MAX)));
    starts
        .zip(ends)
        .filter(|(_, end)| *end >= since)
        .map(|((_, ms), _)| *ms)
        .max()
        .unwrap_or_default()
}
