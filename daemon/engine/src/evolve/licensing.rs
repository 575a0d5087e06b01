//! Folds what happens to vendors and licenses.

use crate::command::IssuerSeen;
use crate::ids::{LicenseId, PoolId};
use crate::state::{Assignment, Feature, License, LicenseTerms, Pool, State, Tokens};
use crate::time::LeaseTime;
use std::sync::Arc;

pub(super) fn see(state: &mut State, issuer: &IssuerSeen) {
    state.newest_iat = state.newest_iat.max(issuer.iat);
    state
        .issuers
        .insert(issuer.root.clone(), Arc::new(issuer.clone()));
}

pub(super) fn install(state: &mut State, terms: &LicenseTerms, at: LeaseTime, revision: u64) {
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
