//! Named seats that a direct assignment opens (rule 7).

use super::judge::{closed, serves};
use super::{kept, pool, room};
use crate::covering::recount;
use crate::denial::Denial;
use crate::engine::Act;
use crate::event::{Recorded, SeatAssigned};
use crate::evolve::evolve;
use crate::ids::{LicenseId, PoolId, UserId};
use crate::state::{CountingUnit, Feature, Grant, Model, State, Target, Unit};
use crate::time::Now;

/// What follows from an assignment to a user: a seat of each named feature that is counted by user and that they may use
/// then, where they have none. All of them or, where one has no room, the denial. `anew` is false where an assignment is
/// only changed: who could have sat before, and had their seat taken from them, is not given one by the way.
pub(crate) fn opened(
    act: &mut Act<'_>,
    assigned: &Recorded,
    (license, target): (&LicenseId, Target),
    anew: bool,
) -> Result<Vec<Recorded>, Denial> {
    let Target::User(user) = target else {
        return Ok(Vec::new());
    };
    match seats(act, assigned, (license, user), anew) {
        // Seats that are nobody's any more are seen now, as by a checkout.
        Err(_) if kept::settle(act, |id| id.license == *license) => {
            seats(act, assigned, (license, user), anew)
        }
        judged => judged,
    }
}

fn seats(
    act: &Act<'_>,
    assigned: &Recorded,
    (license, user): (&LicenseId, UserId),
    anew: bool,
) -> Result<Vec<Recorded>, Denial> {
    let before = act.state();
    let mut state = before.clone();
    evolve(&mut state, assigned);
    let mut events = Vec::new();
    for id in missing(&state, act.now, license, user) {
        if !anew && before.sits_rightly(&id, user, act.now.j) {
            continue;
        }
        let opened = open(&mut state, act.now, &id, user)?;
        evolve(&mut state, &opened);
        events.push(opened);
    }
    Ok(events)
}

/// The pools that owe a user a seat.
fn missing(state: &State, now: Now, license: &LicenseId, user: UserId) -> Vec<PoolId> {
    let known = state.licenses.get(license);
    let Some(known) = known.filter(|known| serves(state, now, &known.terms).is_none()) else {
        return Vec::new();
    };
    let features = known.terms.features.iter();
    let named = features.filter(|f| f.model == Model::Named && f.unit == CountingUnit::User);
    let ids = named.map(|feature| PoolId {
        license: license.clone(),
        feature: feature.name.clone(),
    });
    // One that ends with those who sit on it is none to stay on.
    let stays = |grant: &Grant, feature: &Feature| grant.owned(feature) || !grant.ending();
    let has_one = |id: &PoolId| {
        let found = state.pools.get(id).zip(state.feature(id));
        found.is_some_and(|(pool, feature)| {
            let mut own = pool.of_unit(Unit::User(user));
            own.any(|(_, grant)| stays(grant, feature))
        })
    };
    #[cfg(planted)]
    let has_one = |id: &PoolId| !crate::planted::is("second-seat") && has_one(id);
    ids.filter(|id| state.sits_rightly(id, user, now.j) && !has_one(id))
        .collect()
}

/// Opens one, judged as a checkout is that finds no grant of its own.
fn open(state: &mut State, now: Now, id: &PoolId, user: UserId) -> Result<Recorded, Denial> {
    let product = state
        .licenses
        .get(&id.license)
        .map(|l| l.terms.product.clone());
    let product = product.unwrap_or_default();
    recount(state, &product, &id.feature);
    let state = &*state;
    let found = state.pools.get(id).zip(state.feature(id));
    let (pool, feature) = found.ok_or_else(|| crate::engine::not_found(7))?;
    let place = room::Place { id, pool, feature };
    let pauses = |trace: &mut ()| closed(state, now, (id, None), trace);
    let slots = room::free_slots(state, (user, 1), place, &mut (), pauses);
    let slots = slots.map_err(|(_, no)| no)?;
    debug_assert!(pool::most(feature) == Some(1), "{id} is not named");
    Ok(Recorded::SeatAssigned(Box::new(SeatAssigned {
        gid: state.run.next_grant(),
        pool: id.clone(),
        slot: slots.first().copied().unwrap_or_default(),
        user,
        at: now.lease,
    })))
}
