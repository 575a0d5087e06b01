//! A seat given back by its holder, by its user from elsewhere, or taken back by an administrator (rules 16, 20).

use super::{ending, kept, renew};
use crate::command::{Release, Released};
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found};
use crate::event::{EndWhy, EndingWhy, Recorded};
use crate::evolve::UNSEEN_MAX;
use crate::ids::{Gid, HolderId, UserId};
use crate::index::CheckoutKey;
use crate::state::{Grant, Holder};
use crate::time::LeaseTime;

/// Gives back a holder, or the checkout that should have made one. Giving back twice is done, not an error.
pub(crate) fn release(act: &mut Act<'_>, asked: &Release) -> Result<Verdict, Denial> {
    let id = match asked.what {
        Released::Holder(id) => id,
        Released::Checkout(checkout) => {
            let key = CheckoutKey::of(&asked.process, checkout);
            match act.engine.index.holder_of(act.state(), &key) {
                Some(id) => id,
                None => return give_up(act, key),
            }
        }
    };
    match act.state().holder(id) {
        Some(holder) => {
            renew::owned(holder, &asked.process)?;
            ending::end(act, id, EndWhy::Released);
            Ok(Verdict::Done)
        }
        None if act.engine.index.gone(id, act.now.lease).is_some() => Ok(Verdict::Done),
        None => Err(Denial::new(Code::UnknownLease, 20)),
    }
}

/// Remembers a checkout that was not seen yet as ended. Where that cannot be promised the answer is no, and never a
/// silent yes: a late checkout under this id could still take a seat (rule 20).
fn give_up(act: &mut Act<'_>, key: CheckoutKey) -> Result<Verdict, Denial> {
    let CheckoutKey { id, machine, uid } = key;
    let at = act.now.lease;
    if act.engine.index.ended(&key, at) {
        return Ok(Verdict::Done);
    }
    if act.state().storage_low {
        return Err(Denial::new(Code::StorageLow, 20));
    }
    if let Some(back) = act.engine.index.share_back_at(machine, uid, at) {
        return Err(Denial {
            limit: Some(UNSEEN_MAX.to_string()),
            retry_at: Some(back),
            ..Denial::new(Code::ServerBusy, 20)
        });
    }
    #[cfg(planted)]
    if crate::planted::is("given-up-forgotten") {
        return Ok(Verdict::Done);
    }
    act.record(Recorded::CheckoutEnded {
        machine,
        uid,
        checkout_id: id,
        at,
    });
    Ok(Verdict::Done)
}

/// One's own seat, given back from elsewhere.
pub(crate) fn elsewhere(act: &mut Act<'_>, id: HolderId, by: UserId) -> Result<Verdict, Denial> {
    let holder = act.state().holder(id).ok_or_else(|| renew::gone(act, id))?;
    if holder.facts.user != by {
        return Err(Denial::new(Code::Forbidden, 16));
    }
    Ok(end_softly(act, &[id], EndingWhy::Released, false))
}

/// A grant taken back; a pause starts for each of its users on their machine.
pub(crate) fn reclaim(act: &mut Act<'_>, gid: Gid, hard: bool) -> Result<Verdict, Denial> {
    let grant = act.state().grant(gid).ok_or_else(|| not_found(16))?;
    if grant.kept() {
        return Err(told("nobody sits on it, and it is kept for its owner"));
    }
    Ok(take_from(act, gid, hard))
}

/// A named seat taken from its unit, with those who sit on it (rule 7).
pub(crate) fn recall(act: &mut Act<'_>, gid: Gid, hard: bool) -> Result<Verdict, Denial> {
    let state = act.state();
    let grant = state.grant(gid).ok_or_else(|| not_found(7))?;
    let pool = state.grants.get(&gid);
    let feature = pool.and_then(|pool| state.feature(pool));
    let Some(feature) = feature.filter(|feature| grant.owned(feature)) else {
        return Err(told("it has no owner: it ends with those who sit on it"));
    };
    let bound = grant.bound_until(feature);
    if act.now.lease < bound {
        return Err(Denial {
            retry_at: Some(bound),
            pool: pool.map(|pool| pool.as_ref().clone()),
            ..Denial::new(Code::TooSoon, 7)
        });
    }
    act.record(Recorded::SeatRecalled { gid });
    let verdict = take_from(act, gid, hard);
    if act.state().grant(gid).is_some_and(Grant::kept) {
        kept::end(act, gid, EndWhy::Reclaimed);
    }
    Ok(verdict)
}

/// Puts all who sit on a grant on their way out.
fn take_from(act: &mut Act<'_>, gid: Gid, hard: bool) -> Verdict {
    let grant = act.state().grant(gid);
    let holders = grant.into_iter().flat_map(|grant| grant.holders.iter());
    let ids: Vec<_> = holders.map(|h| HolderId { gid, h: h.h }).collect();
    let verdict = end_softly(act, &ids, EndingWhy::Reclaimed, hard);
    for id in ids {
        let latest = latest_end(act, id);
        ending::cool_down(act, id, latest);
    }
    verdict
}

/// The seat is of another kind than the command is for (rule 7).
fn told(why: &str) -> Denial {
    Denial {
        limit: Some(why.to_owned()),
        ..Denial::new(Code::BadRequest, 7)
    }
}

/// Puts holders on their way out, and says by when their slots are free at the latest.
pub(crate) fn end_softly(
    act: &mut Act<'_>,
    ids: &[HolderId],
    why: EndingWhy,
    hard: bool,
) -> Verdict {
    let fresh = |id: &&HolderId| {
        act.state().holder(**id).is_some_and(|h| {
            let returns = why != EndingWhy::RightLost && h.stays();
            returns || h.ending().is_none_or(|ending| hard && !ending.hard)
        })
    };
    let holders: Vec<_> = ids.iter().filter(fresh).copied().collect();
    if !holders.is_empty() {
        act.record(Recorded::HoldersEnding { holders, why, hard });
    }
    Verdict::Ending(ids.iter().map(|id| (*id, latest_end(act, *id))).collect())
}

/// When the slot of a holder is free at the latest.
fn latest_end(act: &Act<'_>, id: HolderId) -> LeaseTime {
    act.state()
        .holder(id)
        .map_or(act.now.lease, Holder::latest_end)
}
