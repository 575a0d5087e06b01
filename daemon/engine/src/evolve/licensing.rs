//! Folds what happens to vendors and licenses.

use crate::command::IssuerSeen;
use crate::ids::{AssignmentId, LicenseId, PoolId, UnitId};
use crate::state::{
    Assignment, AssignmentTerms, Feature, License, LicenseTerms, Model, Pool, State, Target, Tokens,
};
use crate::time::LeaseTime;
use imbl::OrdMap;
use std::sync::Arc;

pub(super) fn see(state: &mut State, issuer: &IssuerSeen) {
    state.newest_iat = state.newest_iat.max(issuer.iat);
    state
        .issuers
        .insert(issuer.root.clone(), Arc::new(issuer.clone()));
}

/// A license waits for its first day. One of a lower serial that would begin no earlier never will.
pub(super) fn wait(
    state: &mut State,
    terms: &LicenseTerms,
    (at, account): (LeaseTime, Option<UnitId>),
    revision: u64,
) {
    note_account(state, terms, account);
    state.newest_iat = state.newest_iat.max(terms.signed.iat);
    drop_where(&mut state.waiting, |(id, serial), known| {
        *id == terms.id && *serial < terms.serial && known.terms.nbf >= terms.nbf
    });
    let key = (terms.id.clone(), terms.serial);
    state.removed.remove(&key);
    let license = License {
        terms: terms.clone(),
        account,
        installed: at,
        revision,
    };
    state.waiting.insert(key, Arc::new(license));
}

/// A vendor's id of a customer stands for the account that a license was installed for (rule 1).
fn note_account(state: &mut State, terms: &LicenseTerms, account: Option<UnitId>) {
    if let Some(account) = account {
        let customer = (terms.id.vendor.clone(), terms.customer.clone());
        state.customers.insert(customer, account);
    }
}

pub(super) fn install(
    state: &mut State,
    terms: &LicenseTerms,
    (at, account): (LeaseTime, Option<UnitId>),
    revision: u64,
) {
    note_account(state, terms, account);
    state.newest_iat = state.newest_iat.max(terms.signed.iat);
    let terms_ms = terms.features.iter().map(|f| (f.ttl_s + f.grace_s) * 1000);
    state.longest_ms = terms_ms.fold(state.longest_ms, u64::max);
    let up_to = |id: &LicenseId, serial: u64| *id == terms.id && serial <= terms.serial;
    drop_where(&mut state.waiting, |(id, serial), _| up_to(id, *serial));
    drop_where(&mut state.removed, |(id, serial), _| up_to(id, *serial));
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
        let pool = state.pools.remove(&id).unwrap_or_else(|| Pool {
            id: Arc::new(id.clone()),
            ..Pool::default()
        });
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
        account,
        installed: at,
        revision,
    };
    state.licenses.insert(terms.id.clone(), Arc::new(license));
}

/// A license, or only a serial of it that waited, is taken away. Where none of it is left its assignments go, too. Pools
/// stay as long as a grant lies in them, whose slots nobody else may get, not even over a new install.
pub(super) fn remove(state: &mut State, license: &LicenseId, waiting: Option<u64>) {
    let gone = |id: &LicenseId, serial: u64| {
        id == license && waiting.is_none_or(|waiting| waiting == serial)
    };
    let serials: Vec<_> = state
        .waiting
        .keys()
        .filter(|(id, serial)| gone(id, *serial))
        .cloned()
        .collect();
    for key in serials {
        state.waiting.remove(&key);
        state.removed.insert(key, false);
    }
    if waiting.is_none()
        && let Some(before) = state.licenses.remove(license)
    {
        forget_features(state, &before.terms);
        state
            .removed
            .insert((license.clone(), before.terms.serial), true);
        for (id, pool) in pools_of(state, license) {
            if pool.grants.is_empty() {
                state.pools.remove(&id);
            }
        }
    }
    if !state.installed(license) {
        unassign_all(state, license);
    }
}

fn unassign_all(state: &mut State, license: &LicenseId) {
    let theirs = state.covers.get(license).map(|covers| covers.by.clone());
    for (_, id) in theirs.into_iter().flatten() {
        unassign(state, &id);
    }
}

/// What one assignment gives and withholds where two became one: both give, both withhold, and of two limits of one
/// feature that of the license in force counts.
fn merged(known: &AssignmentTerms, old: &AssignmentTerms) -> AssignmentTerms {
    let mut terms = known.clone();
    for policy in &old.policies {
        if !terms.policies.contains(policy) {
            terms.policies.push(policy.clone());
        }
    }
    for limit in &old.limits {
        let same = terms
            .limits
            .iter_mut()
            .find(|known| known.feature == limit.feature);
        match same {
            Some(known) => {
                known.exclude |= limit.exclude;
                known.max = known.max.or(limit.max);
                known.max_each = known.max_each.or(limit.max_each);
                known.reserve = known.reserve.or(limit.reserve);
            }
            None => terms.limits.push(limit.clone()),
        }
    }
    terms
}

/// An assignment stands, new or changed.
pub(super) fn assign(
    state: &mut State,
    id: AssignmentId,
    (license, target, terms): (&LicenseId, Target, &AssignmentTerms),
    revision: u64,
) {
    unassign(state, &id);
    state.gone_assignments.remove(&id);
    // Nobody counts the seats of users where no limit asks: the first one that does counts them all.
    state.displaced += u64::from(terms.limits_seats());
    let covers = state.covers.entry(license.clone()).or_default();
    covers.by.insert(target, id);
    covers.keep_out += u64::from(terms.excludes());
    covers.policies += u64::from(!terms.policies.is_empty());
    covers.limits += u64::from(terms.limits_seats());
    covers.reserves += u64::from(terms.reserves());
    let assignment = Assignment {
        license: license.clone(),
        target,
        terms: terms.clone(),
        revision,
    };
    state.assignments.insert(id, Arc::new(assignment));
}

/// An assignment is gone.
pub(super) fn unassign(state: &mut State, id: &AssignmentId) {
    let Some(gone) = state.assignments.remove(id) else {
        return;
    };
    let was = (gone.license.clone(), gone.target);
    state.gone_assignments.insert(*id, was);
    state.displaced += u64::from(gone.terms.limits_seats());
    if let Some(covers) = state.covers.get_mut(&gone.license) {
        covers.by.remove(&gone.target);
        covers.keep_out -= u64::from(gone.terms.excludes());
        covers.policies -= u64::from(!gone.terms.policies.is_empty());
        covers.limits -= u64::from(gone.terms.limits_seats());
        covers.reserves -= u64::from(gone.terms.reserves());
        if covers.by.is_empty() {
            state.covers.remove(&gone.license);
        }
    }
}

/// Drops what fits. The whole map is looked through: licenses change seldom.
fn drop_where<K: Ord + Clone, V: Clone>(map: &mut OrdMap<K, V>, fits: impl Fn(&K, &V) -> bool) {
    let found: Vec<K> = map
        .iter()
        .filter(|(key, value)| fits(key, value))
        .map(|(key, _)| key.clone())
        .collect();
    for key in found {
        map.remove(&key);
    }
}

/// Another license takes this one's place: pools, assignments and features move to the new id.
fn replace(state: &mut State, old: &LicenseId, new: &LicenseId) {
    state.replaced.insert(old.clone(), new.clone());
    drop_where(&mut state.waiting, |(id, _), _| id == old);
    if let Some(before) = state.licenses.remove(old) {
        forget_features(state, &before.terms);
    }
    let taken = state.has_pools(new);
    for (id, pool) in pools_of(state, old) {
        state.pools.remove(&id);
        let moved = PoolId {
            license: new.clone(),
            feature: id.feature.clone(),
        };
        if taken {
            // Both were in force: the older one's seats are ending, under their old id, and nothing opens there.
            if !pool.grants.is_empty() {
                let feature = None;
                state.pools.insert(id, Pool { feature, ..pool });
            }
            continue;
        }
        let shared = Arc::new(moved.clone());
        for gid in pool.grants.keys() {
            state.grants.insert(*gid, shared.clone());
        }
        state.pools.insert(moved, Pool { id: shared, ..pool });
    }
    let assignments: Vec<_> = state
        .assignments
        .iter()
        .filter(|(_, a)| a.license == *old)
        .map(|(id, a)| (*id, a.clone()))
        .collect();
    for (id, assignment) in assignments {
        let target = assignment.target;
        unassign(state, &id);
        let known = state
            .covers
            .get(new)
            .and_then(|covers| covers.by.get(&target));
        let (id, terms) = match known.and_then(|id| Some((*id, state.assignments.get(id)?))) {
            Some((id, known)) => (id, merged(&known.terms, &assignment.terms)),
            None => (id, assignment.terms.clone()),
        };
        let revision = state.events;
        assign(state, id, (new, target, &terms), revision);
    }
    state.covers.remove(old);
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
    pools(state, license)
        .map(|(id, pool)| (id.clone(), pool.clone()))
        .collect()
}

fn pools<'a>(
    state: &'a State,
    license: &LicenseId,
) -> impl Iterator<Item = (&'a PoolId, &'a Pool)> {
    let from = PoolId {
        license: license.clone(),
        feature: "".into(),
    };
    let license = license.clone();
    state
        .pools
        .range(from..)
        .take_while(move |(id, _)| id.license == license)
}

impl State {
    /// A license is in force, or waits for its first day.
    #[must_use]
    pub fn installed(&self, license: &LicenseId) -> bool {
        self.licenses.contains_key(license) || self.waits(license).next().is_some()
    }

    /// The serials of a license that wait for their first day, lowest first.
    pub fn waits(&self, license: &LicenseId) -> impl Iterator<Item = &Arc<License>> {
        let of = license.clone();
        self.waiting
            .range((license.clone(), 0)..)
            .take_while(move |((id, _), _)| *id == of)
            .map(|(_, waiting)| waiting)
    }

    /// Pools stand under this id: of a license in force, or of one that is gone and has seats that are ending.
    pub(crate) fn has_pools(&self, license: &LicenseId) -> bool {
        pools(self, license).next().is_some()
    }
}

/// The pool under new terms. Nobody joins seats of a feature that is owned or counted in another way now (rule 17).
fn with_terms(mut pool: Pool, feature: &Feature, at: LeaseTime) -> Pool {
    let changed =
        |before: &Arc<Feature>| before.model != feature.model || before.unit != feature.unit;
    if pool.feature.as_ref().is_some_and(changed) {
        pool.units.clear();
        let gids: Vec<_> = pool.grants.keys().copied().collect();
        for gid in gids {
            if let Some(grant) = pool.grants.get_mut(&gid) {
                Arc::make_mut(grant).closed = true;
            }
        }
    }
    if feature.model == Model::Named {
        // A slot that is regular again is its unit's again, whoever is on the way out of it.
        let owned = pool.grants.iter();
        let owned = owned.filter(|(_, grant)| grant.owned(feature));
        let owned: Vec<_> = owned
            .map(|(gid, grant)| (grant.unit.short(), *gid))
            .collect();
        pool.units.extend(owned);
    }
    pool.feature = Some(Arc::new(feature.clone()));
    let term_ms = (feature.ttl_s + feature.grace_s) * 1000;
    pool.terms_ms.push_back((at, term_ms));
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
