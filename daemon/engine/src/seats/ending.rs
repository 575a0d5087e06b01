//! How holders end: by release, death, or the end of their hold (rules 14, 15, 16).

use super::kept;
use crate::command::Checkout;
use crate::engine::Act;
use crate::event::{EndWhy, EndingWhy, Recorded};
use crate::evolve::evolve;
use crate::ids::HolderId;
use crate::state::{Holder, State};
use crate::time::{LeaseTime, Now};

/// Ends every holder whose hold is over.
pub(crate) fn expire(act: &mut Act<'_>) {
    while let Some((at, id)) = act.engine.index.first_deadline() {
        if at > act.now.lease {
            break;
        }
        end(act, id, EndWhy::HeartbeatLost);
        // An entry without its holder would be found again and again: a defect must not stop the daemon.
        act.engine.index.drop_deadline(at, id);
    }
}

/// Ends the holders whose process died.
pub(crate) fn process_gone(act: &mut Act<'_>, holders: &[HolderId]) {
    holders
        .iter()
        .for_each(|id| end(act, *id, EndWhy::ProcessDied));
}

/// Ends a holder that is there. A pause after a reclaim runs from here (rule 16).
pub(crate) fn end(act: &mut Act<'_>, id: HolderId, how: EndWhy) {
    if act.state().holder(id).is_none() {
        return;
    }
    let now = act.now;
    if paused(act.state(), id) {
        cool_down(act, id, now.lease);
    }
    if let Some(event) = ended(act.state(), id, how, now) {
        let stays = matches!(event, Recorded::HolderEnded { .. });
        act.record(event);
        if stays {
            kept::note(act, id.gid);
        }
    }
}

/// The event that ends a holder. With the last one the grant ends, unless it is kept for its unit (rule 7).
fn ended(state: &State, id: HolderId, how: EndWhy, now: Now) -> Option<Recorded> {
    let (grant, holder) = (state.grant(id.gid)?, state.holder(id)?);
    let (why, at) = (reason(holder).unwrap_or(how), now.lease);
    let keeps = || kept::keeps(state, state.grants.get(&id.gid)?, grant, now).then_some(());
    Some(if grant.holders.len() == 1 && keeps().is_none() {
        Recorded::SeatEnded {
            gid: id.gid,
            why,
            at,
        }
    } else {
        Recorded::HolderEnded {
            holder: id,
            why,
            at,
        }
    })
}

/// The reason of an ending holder stays its reason, however it leaves.
fn reason(holder: &Holder) -> Option<EndWhy> {
    holder.ending().map(|ending| match ending.why {
        EndingWhy::Reclaimed => EndWhy::Reclaimed,
        EndingWhy::Released => EndWhy::ReleasedElsewhere,
        EndingWhy::RightLost => EndWhy::RightLost,
        EndingWhy::Superseded => EndWhy::Superseded,
    })
}

/// A pause runs that this holder's end settles: its user did not delete it by asking, and nobody else of the same grant
/// holds it open.
fn paused(state: &State, id: HolderId) -> bool {
    let (Some(grant), Some(pool), Some(holder)) = (
        state.grant(id.gid),
        state.grants.get(&id.gid),
        state.holder(id),
    ) else {
        return false;
    };
    let whose = |h: &Holder| (h.facts.user, h.facts.process.machine);
    let (user, machine) = whose(holder);
    let key = (
        user,
        machine,
        holder.facts.terms.product.clone(),
        pool.feature.clone(),
    );
    let last = grant
        .holders
        .iter()
        .all(|h| h.h == id.h || whose(h) != (user, machine));
    last && state.cool_downs.contains_key(&key)
}

/// Forgets pauses that are over.
pub(crate) fn forget_pauses(act: &mut Act<'_>) {
    let now = act.now.lease;
    let pauses = act.state().cool_downs.iter();
    let over: Vec<_> = pauses
        .filter(|(_, until)| **until <= now)
        .map(|(key, _)| key.clone())
        .collect();
    for (user, machine, product, feature) in over {
        act.record(Recorded::CoolDownDeleted {
            user,
            machine,
            product,
            feature,
        });
    }
}

/// Starts or moves the pause of a reclaimed holder's user: `cool_down_s` from this moment on.
pub(crate) fn cool_down(act: &mut Act<'_>, id: HolderId, from: LeaseTime) {
    let Some(holder) = act.state().holder(id) else {
        return;
    };
    let Some(ending) = holder
        .ending()
        .filter(|e| e.why == EndingWhy::Reclaimed && e.cool_down_s > 0)
    else {
        return;
    };
    let Some(pool) = act.state().grants.get(&id.gid) else {
        return;
    };
    let event = Recorded::CoolDownStarted {
        user: holder.facts.user,
        machine: holder.facts.process.machine,
        product: holder.facts.terms.product.clone(),
        feature: pool.feature.clone(),
        until: from + ending.cool_down_s * 1000,
    };
    act.record(event);
}

/// Folds due expiries of the pools that a checkout could get into a snapshot of one's own (rule 22).
pub(crate) fn fold_expired(state: &mut State, now: Now, asked: &Checkout) {
    let mut due = Vec::new();
    let pools = state.pools_for(&asked.product, &asked.feature);
    for pool in pools.filter_map(|id| state.pools.get(id)) {
        for (gid, grant) in &pool.grants {
            let over = grant.holders.iter().filter(|h| h.until <= now.lease);
            due.extend(over.map(|h| HolderId { gid: *gid, h: h.h }));
        }
    }
    for id in due {
        if let Some(event) = ended(state, id, EndWhy::HeartbeatLost, now) {
            evolve(state, &event);
        }
    }
}
