//! Folds a recorded event into the state. Decides nothing: what an event says has happened.

use crate::command::IssuerSeen;
use crate::command::Signed;
use crate::event::{EndWhy, EndingWhy, HolderFacts, Recorded, SeatTaken};
use crate::ids::{Gid, HolderId, LicenseId, PoolId, TokenHash};
use crate::state::{
    Assignment, Ended, Ending, Feature, Grant, Holder, License, LicenseTerms, Pool, Run, Site,
    State, Tokens, User, Vendor,
};
use crate::time::{Date, LeaseTime, hold_ms};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// How long an ended checkout is remembered (rule 20).
pub(crate) const ENDED_MS: u64 = 15 * 60 * 1000;
/// How many are remembered at most (rule 20).
pub(crate) const ENDED_MAX: usize = 262_144;
/// The least part of a ttl that a start leaves to call, where the ttl is not known any more.
const CALL_MS: u64 = 450_000;

/// Folds one event.
pub(crate) fn evolve(state: &mut State, event: &Recorded) {
    state.events += 1;
    let revision = state.events;
    match event {
        Recorded::SiteFounded { unit, machine } => {
            state.site = Some(Site {
                unit: *unit,
                machine: *machine,
            })
        }
        Recorded::RunStarted { epoch, run, at } => {
            state.run = Run {
                epoch: *epoch,
                id: *run,
                grants: 0,
                seq: 0,
                since: *at,
            };
            set_holds(state, *at);
        }
        Recorded::RunStopped { holds } => state.stopped = holds.iter().copied().collect(),
        Recorded::VendorTrusted { vendor, roots } => {
            let known = state.vendors.entry(vendor.clone()).or_insert(Vendor {
                roots: OrdMap::new(),
                revision,
            });
            known.revision = revision;
            known.roots.extend(roots.iter().cloned());
        }
        Recorded::IssuerSeen(issuer) => see(state, issuer),
        Recorded::LicenseInstalled { terms, at } => install(state, terms, *at, revision),
        Recorded::LicenseAssigned {
            id,
            license,
            target,
        } => {
            state.covers.insert((license.clone(), *target), *id);
            let assignment = Assignment {
                license: license.clone(),
                target: *target,
                revision,
            };
            state.assignments.insert(*id, Arc::new(assignment));
        }
        Recorded::LicenseUnassigned { id } => {
            if let Some(gone) = state.assignments.remove(id) {
                state.covers.remove(&(gone.license.clone(), gone.target));
            }
        }
        Recorded::UserMet { user, login } => {
            state.logins.insert(*login, *user);
            state.users.insert(
                *user,
                Arc::new(User {
                    logins: OrdSet::unit(*login),
                    revision,
                }),
            );
        }
        Recorded::SeatTaken(taken) => take(state, taken),
        Recorded::HolderJoined { holder, who, at } => join(state, *holder, who, *at),
        Recorded::HoldersEnding { holders, why, hard } => {
            holders
                .iter()
                .for_each(|holder| end_soon(state, *holder, *why, *hard));
        }
        Recorded::EndingTakenBack { holders } => {
            holders.iter().for_each(|holder| take_back(state, *holder))
        }
        Recorded::LastSigned { holder, until } => {
            state.change(*holder, |h| {
                h.ending = h.ending.map(|ending| Ending {
                    last: Some(*until),
                    ..ending
                })
            });
        }
        Recorded::HolderEnded { holder, why, at } => leave(state, *holder, *why, *at),
        Recorded::SeatEnded { gid, why, at } => give_back(state, *gid, *why, *at),
        Recorded::CheckoutEnded {
            machine,
            uid,
            checkout_id,
            at,
        } => {
            remember(
                state,
                Ended {
                    at: *at,
                    machine: *machine,
                    uid: *uid,
                    checkout_id: *checkout_id,
                    holder: None,
                },
            );
        }
        Recorded::CoolDownStarted {
            user,
            machine,
            product,
            feature,
            until,
        } => {
            state
                .cool_downs
                .insert((*user, *machine, product.clone(), feature.clone()), *until);
        }
        Recorded::CoolDownDeleted {
            user,
            machine,
            product,
            feature,
        } => {
            state
                .cool_downs
                .remove(&(*user, *machine, product.clone(), feature.clone()));
        }
    }
}

impl State {
    /// The grant of this id, with its holders.
    #[must_use]
    pub fn grant(&self, gid: Gid) -> Option<&Grant> {
        self.pools
            .get(self.grants.get(&gid)?)?
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
fn grant_mut(
    state: &mut State,
    gid: Gid,
) -> Option<(&mut OrdSet<(crate::state::Unit, Gid)>, &mut Grant)> {
    let pool = state.pools.get_mut(state.grants.get(&gid)?)?;
    Some((&mut pool.units, Arc::make_mut(pool.grants.get_mut(&gid)?)))
}

fn see(state: &mut State, issuer: &IssuerSeen) {
    state.newest_iat = state.newest_iat.max(issuer.iat);
    state
        .issuers
        .insert(issuer.root.clone(), Arc::new(issuer.clone()));
}

fn install(state: &mut State, terms: &LicenseTerms, at: LeaseTime, revision: u64) {
    state.newest_iat = state.newest_iat.max(terms.signed.iat);
    let tokens = Tokens {
        license: terms.id.clone(),
        token: terms.token.clone(),
        issuer: terms.issuer.clone(),
    };
    state.tokens.insert(terms.signed.hash, Arc::new(tokens));
    if let Some(old) = &terms.replaces {
        replace(
            state,
            &LicenseId {
                vendor: terms.id.vendor.clone(),
                id: old.clone(),
            },
            &terms.id,
        );
    }
    if let Some(before) = state.licenses.get(&terms.id).cloned() {
        forget_features(state, &before.terms);
    }
    for (id, pool) in pools_of(state, &terms.id) {
        if !terms
            .features
            .iter()
            .any(|feature| feature.name == id.feature)
        {
            state.pools.insert(
                id,
                Pool {
                    feature: None,
                    ..pool
                },
            );
        }
    }
    for feature in &terms.features {
        let id = PoolId {
            license: terms.id.clone(),
            feature: feature.name.clone(),
        };
        let pool = state.pools.remove(&id).unwrap_or_default();
        state
            .pools
            .insert(id.clone(), with_terms(pool, feature, at));
        state
            .features
            .entry((terms.product.clone(), feature.name.clone()))
            .or_default()
            .insert(id);
    }
    let license = License {
        terms: terms.clone(),
        installed: at,
        revision,
    };
    state.licenses.insert(terms.id.clone(), Arc::new(license));
}

/// Another license takes this one's place: pools, assignments and features move to the new id.
fn replace(state: &mut State, old: &LicenseId, new: &LicenseId) {
    state.replaced.insert(old.clone(), new.clone());
    let Some(before) = state.licenses.remove(old) else {
        return;
    };
    forget_features(state, &before.terms);
    let taken = state.licenses.contains_key(new);
    for (id, pool) in pools_of(state, old) {
        state.pools.remove(&id);
        let moved = PoolId {
            license: new.clone(),
            feature: id.feature.clone(),
        };
        if taken {
            // Both were in force: the older one's seats are ending, under their old id, and nothing opens there.
            state.pools.insert(
                id,
                Pool {
                    feature: None,
                    ..pool
                },
            );
            continue;
        }
        for gid in pool.grants.keys() {
            state.grants.insert(*gid, moved.clone());
        }
        state.pools.insert(moved, pool);
    }
    let assignments: Vec<_> = state
        .assignments
        .iter()
        .filter(|(_, a)| a.license == *old)
        .map(|(id, a)| (*id, a.clone()))
        .collect();
    for (id, assignment) in assignments {
        state.covers.remove(&(old.clone(), assignment.target));
        if state.covers.contains_key(&(new.clone(), assignment.target)) {
            state.assignments.remove(&id);
            continue;
        }
        state.covers.insert((new.clone(), assignment.target), id);
        let moved = Assignment {
            license: new.clone(),
            target: assignment.target,
            revision: state.events,
        };
        state.assignments.insert(id, Arc::new(moved));
    }
}

fn forget_features(state: &mut State, terms: &LicenseTerms) {
    for feature in &terms.features {
        let key = (terms.product.clone(), feature.name.clone());
        let id = PoolId {
            license: terms.id.clone(),
            feature: feature.name.clone(),
        };
        if let Some(pools) = state.features.get_mut(&key) {
            pools.remove(&id);
            if pools.is_empty() {
                state.features.remove(&key);
            }
        }
    }
}

/// The pools of a license, present and past features.
pub(crate) fn pools_of(state: &State, license: &LicenseId) -> Vec<(PoolId, Pool)> {
    let from = PoolId {
        license: license.clone(),
        feature: "".into(),
    };
    state
        .pools
        .range(from..)
        .take_while(|(id, _)| id.license == *license)
        .map(|(id, pool)| (id.clone(), pool.clone()))
        .collect()
}

fn with_terms(mut pool: Pool, feature: &Feature, at: LeaseTime) -> Pool {
    pool.feature = Some(Arc::new(feature.clone()));
    pool.terms_ms
        .push_back((at, (feature.ttl_s + feature.grace_s) * 1000));
    let slots = pool.grants.values().flat_map(|grant| grant.slots.iter());
    let (used, above) = slots.fold((0, 0), |(used, above), slot| {
        if feature.seats.is_none_or(|seats| *slot < seats) {
            (used + 1, above)
        } else {
            (used, above + 1)
        }
    });
    Pool {
        used,
        above,
        ..pool
    }
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

fn take(state: &mut State, taken: &SeatTaken) {
    state.run.grants = state.run.grants.max(taken.gid.n);
    state.grants.insert(taken.gid, taken.pool.clone());
    let holder = sit(1, &taken.who, taken.at);
    let grant = Grant {
        unit: taken.unit,
        user: taken.who.user,
        slots: taken.slots.clone(),
        holders: vec![holder],
        next_h: 2,
        since: taken.at,
    };
    let pool = state.pools.entry(taken.pool.clone()).or_default();
    for slot in &taken.slots {
        while pool.high <= *slot {
            pool.freed.insert(pool.high);
            pool.high += 1;
        }
        pool.freed.remove(slot);
    }
    count(pool, &taken.slots, true);
    pool.units.insert((taken.unit, taken.gid));
    pool.grants.insert(taken.gid, Arc::new(grant));
}

fn sit(h: u32, facts: &HolderFacts, at: LeaseTime) -> Holder {
    Holder {
        h,
        facts: Arc::new(facts.clone()),
        since: at,
        ending: None,
        until: at,
    }
}

fn join(state: &mut State, holder: HolderId, who: &HolderFacts, at: LeaseTime) {
    if let Some((_, grant)) = grant_mut(state, holder.gid) {
        grant.holders.push(sit(holder.h, who, at));
        grant.next_h = holder.h + 1;
    }
}

fn end_soon(state: &mut State, id: HolderId, why: EndingWhy, hard: bool) {
    let Some(pool_id) = state.grants.get(&id.gid) else {
        return;
    };
    let feature = state
        .pools
        .get(pool_id)
        .and_then(|pool| pool.feature.clone());
    let signed = state.licenses.get(&pool_id.license).map_or(
        Signed {
            hash: TokenHash([0; 32]),
            iat: Date(0),
        },
        |license| license.terms.signed,
    );
    let (save_s, cool_down_s) = feature.map_or((0, 0), |f| (f.save_s, f.cool_down_s));
    let ending = Ending {
        why,
        hard,
        last: None,
        signed,
        save_s,
        cool_down_s,
    };
    state.change(id, |holder| {
        // A second reason may only make it harder; the first one stays the reason.
        holder.ending = Some(holder.ending.map_or(ending, |first| Ending {
            hard: first.hard || hard,
            ..first
        }));
    });
    close_if_ending(state, id.gid);
}

/// Nobody joins a grant whose holders are all ending.
fn close_if_ending(state: &mut State, gid: Gid) {
    if let Some((units, grant)) = grant_mut(state, gid) {
        let unit = (grant.unit, gid);
        if grant.ending() {
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
        self.holders.iter().all(|holder| holder.ending.is_some())
    }
}

fn take_back(state: &mut State, id: HolderId) {
    state.change(id, |holder| holder.ending = None);
    close_if_ending(state, id.gid);
}

fn leave(state: &mut State, id: HolderId, why: EndWhy, at: LeaseTime) {
    let Some((_, grant)) = grant_mut(state, id.gid) else {
        return;
    };
    let Some(place) = grant.holders.iter().position(|holder| holder.h == id.h) else {
        return;
    };
    let gone = grant.holders.remove(place);
    if !grant
        .holders
        .iter()
        .any(|holder| holder.facts.user == grant.user)
        && let Some(oldest) = grant.holders.first()
    {
        grant.user = oldest.facts.user;
    }
    remember(state, ended(id.gid, &gone, why, at));
    close_if_ending(state, id.gid);
}

fn give_back(state: &mut State, gid: Gid, why: EndWhy, at: LeaseTime) {
    let Some(pool_id) = state.grants.remove(&gid) else {
        return;
    };
    let Some(pool) = state.pools.get_mut(&pool_id) else {
        return;
    };
    let Some(grant) = pool.grants.remove(&gid) else {
        return;
    };
    pool.units.remove(&(grant.unit, gid));
    count(pool, &grant.slots, false);
    pool.freed.extend(grant.slots.iter().copied());
    if pool.feature.is_none()
        && pool.grants.is_empty()
        && !state.licenses.contains_key(&pool_id.license)
    {
        state.pools.remove(&pool_id);
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

/// Remembers an ended checkout. Old ones are dropped by `Engine::fold`, which keeps its index beside this queue.
fn remember(state: &mut State, ended: Ended) {
    state.ended.push_back(ended);
}

/// At a start: a clean stop's ends of holds with at least half a ttl to call, or one fresh hold (rule 19).
fn set_holds(state: &mut State, at: LeaseTime) {
    let stopped = std::mem::take(&mut state.stopped);
    let ids: Vec<_> = state.grants.keys().copied().collect();
    for gid in ids {
        let Some(pool) = state
            .grants
            .get(&gid)
            .and_then(|id| state.pools.get_mut(id))
        else {
            continue;
        };
        let call = pool
            .feature
            .as_ref()
            .map_or(CALL_MS, |feature| feature.ttl_s * 500);
        let Some(since) = pool.grants.get(&gid).map(|grant| grant.since) else {
            continue;
        };
        let fresh = at + hold_ms(longest_ms(pool, since));
        let Some(grant) = pool.grants.get_mut(&gid) else {
            continue;
        };
        for holder in &mut Arc::make_mut(grant).holders {
            let recorded = stopped.get(&HolderId { gid, h: holder.h });
            holder.until = recorded.map_or(fresh, |until| (*until).max(at + call));
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
