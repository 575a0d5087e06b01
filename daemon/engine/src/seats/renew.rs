//! A renewal: a full lease, a last one, or the reason why the seat is gone (rules 15, 16, 20).

use super::terms::{self, Under};
use crate::command::{Process, Renew};
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::{EndWhy, EndingWhy, Recorded};
use crate::ids::HolderId;
use crate::losses;
use crate::rollback;
use crate::state::{Ending, Holder, State};
use crate::time::{LEAST_S, Now};

/// Renews a holder for the process that took it.
pub(crate) fn renew(act: &mut Act<'_>, asked: &Renew) -> Result<Verdict, Denial> {
    if let Some(shown) = &asked.shown {
        rollback::witness(act, shown);
    }
    if let Some(no) = rollback::quarantine(act.state(), act.now) {
        return rollback::renew(act, asked, no);
    }
    match act.state().holder(asked.holder) {
        None => Err(gone(act, asked.holder)),
        Some(holder) => {
            owned(holder, &asked.process)?;
            keep(act, asked.holder)
        }
    }
}

/// Whether a renewal records nothing: its holder is there, its caller's, not on its way out, and has its right still.
pub(crate) fn plain(state: &State, now: Now, asked: &Renew) -> bool {
    let Some(holder) = state.holder(asked.holder) else {
        return false;
    };
    holder.ending.is_none()
        && owned(holder, &asked.process).is_ok()
        && !right_lost(state, asked.holder, holder, now)
}

fn right_lost(state: &State, id: HolderId, holder: &Holder, now: Now) -> bool {
    let pool = state.grants.get(&id.gid);
    pool.is_some_and(|pool| state.right_lost(pool, holder.facts.user, now.j))
}

/// Rights are judged when a holder calls (rules 4, 16): one that was lost meanwhile makes it ending, one that came back
/// before the last lease was signed takes that back.
fn judge_right(act: &mut Act<'_>, id: HolderId) {
    let state = act.state();
    // In quarantine those sit whose leases live: what this state says of them may be older than what they were given by.
    if state.quarantined(act.now.lease).is_some() {
        return;
    }
    let Some(holder) = state.holder(id) else {
        return;
    };
    let lost = right_lost(state, id, holder, act.now);
    match holder.ending() {
        None if lost => act.record(Recorded::HoldersEnding {
            holders: vec![id],
            why: EndingWhy::RightLost,
            hard: false,
        }),
        Some(ending) if ending.returns() && losses::returned(state, id, act.now.j) => {
            act.record(Recorded::EndingTakenBack { holders: vec![id] });
        }
        _ => {}
    }
}

/// A holder is renewed and released only by the machine, credential and instance that took it (rule 20).
pub(crate) fn owned(holder: &Holder, by: &Process) -> Result<(), Denial> {
    let of = &holder.facts.process;
    let same = of.machine == by.machine && of.uid == by.uid && of.instance == by.instance;
    if same {
        Ok(())
    } else {
        Err(Denial::new(Code::Forbidden, 20))
    }
}

/// Signs the next lease of a holder that is there, as its right is now.
pub(crate) fn keep(act: &mut Act<'_>, id: HolderId) -> Result<Verdict, Denial> {
    judge_right(act, id);
    sign(act, id)
}

/// Signs the next lease of a holder that is there, and whose right was judged.
pub(crate) fn sign(act: &mut Act<'_>, id: HolderId) -> Result<Verdict, Denial> {
    if let Some(ending) = act.state().holder(id).and_then(Holder::ending) {
        let ending = ending.clone();
        return last(act, id, ending);
    }
    let state = act.state();
    let pool = state
        .grants
        .get(&id.gid)
        .ok_or_else(|| Denial::new(Code::UnknownLease, 20))?;
    let (Some(license), Some(feature)) = (terms::license(state, pool), state.feature(pool)) else {
        return Err(Denial::new(Code::Superseded, 17));
    };
    // J may have been put back behind the first day of a license that seats were given under.
    if license.nbf > act.now.j {
        return Err(Denial {
            date: Some(license.nbf),
            pool: Some(pool.as_ref().clone()),
            ..Denial::new(Code::NotStarted, 17)
        });
    }
    if terms::left_s(license.exp, act.now).is_some_and(|left| left < LEAST_S) {
        let date = license.exp;
        return Err(Denial {
            date,
            pool: Some(pool.as_ref().clone()),
            ..Denial::new(Code::LicenseExpired, 16)
        });
    }
    let user = state.holder(id).map(|holder| holder.facts.user);
    let user = user.ok_or_else(|| Denial::new(Code::UnknownLease, 20))?;
    let policies = state.policies(pool, feature, user);
    let under = Under::in_force(license, feature, policies, act.now);
    let lease = terms::lease(act, id, under, None, false);
    lease
        .map(|terms| Verdict::Leased(Box::new(terms)))
        .ok_or_else(|| Denial::new(Code::UnknownLease, 20))
}

/// The last lease of an ending holder: recorded once, and the same end for every repetition (rule 16).
fn last(act: &mut Act<'_>, id: HolderId, ending: Ending) -> Result<Verdict, Denial> {
    let now = act.now.lease;
    if ending.hard || ending.last.is_some_and(|end| end <= now) {
        return Err(over(ending.why));
    }
    let (under, end) = {
        let state = act.state();
        let pool = state
            .grants
            .get(&id.gid)
            .ok_or_else(|| Denial::new(Code::UnknownLease, 20))?;
        let left = terms::left_s(ending.exp, act.now);
        let until_s = ending.last.map_or(ending.save_s, |end| (end - now) / 1000);
        let term = terms::Term {
            grace_s: 0,
            ..terms::cut(until_s, 0, left)
        };
        let under = Under {
            license: pool.license.clone(),
            signed: ending.signed,
            feature: pool.feature.clone(),
            policies: ending.policies,
            seats: None,
            term,
        };
        (under, ending.last.unwrap_or(now + term.ttl_s * 1000))
    };
    if under.term.ttl_s == 0 {
        return Err(over(ending.why));
    }
    if ending.last.is_none() {
        act.record(Recorded::LastSigned {
            holder: id,
            until: end,
        });
    }
    let lease = terms::lease(act, id, under, Some(ending.why), false);
    lease
        .map(|terms| Verdict::Leased(Box::new(terms)))
        .ok_or_else(|| over(ending.why))
}

/// The no that follows the last lease.
fn over(why: EndingWhy) -> Denial {
    match why {
        EndingWhy::Superseded => Denial::new(Code::Superseded, 17),
        _ => Denial::new(Code::LeaseEnded, 16),
    }
}

/// Why a holder is not there (rule 20).
pub(crate) fn gone(act: &Act<'_>, id: HolderId) -> Denial {
    match act.engine.index.gone(id, act.now.lease) {
        Some(EndWhy::HeartbeatLost) => Denial::new(Code::LeaseLapsed, 15),
        Some(EndWhy::Superseded) => Denial::new(Code::Superseded, 17),
        Some(EndWhy::Displaced) => Denial::new(Code::UnknownLease, 21),
        Some(_) => Denial::new(Code::LeaseEnded, 16),
        None => Denial::new(Code::UnknownLease, 20),
    }
}
