//! A checkout: the same one again, or a new holder where the judgement puts it (rules 9, 16, 20).

use super::judge::{Choice, decide};
use super::terms::{self, Under};
use super::{kept, pool, renew, version};
use crate::command::Checkout;
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::{EndWhy, EndingWhy, HolderFacts, Recorded, SeatTaken, Terms};
use crate::ids::{Gid, HolderId, PoolId};
use crate::index::CheckoutKey;
use crate::rollback;
use crate::state::{Holder, State, Unit};
use crate::time::Date;

/// Judges and, where it is served, seats the holder.
pub(crate) fn checkout(act: &mut Act<'_>, asked: &Checkout) -> Result<Verdict, Denial> {
    if let Some(shown) = &asked.shown {
        rollback::witness(act, shown);
    }
    if let Some(verdict) = retried(act, asked) {
        return verdict;
    }
    act.count_limits(asked);
    let choice = match decide(act.state(), act.now, asked, &mut ()) {
        // Seats that are nobody's any more are seen now (rule 7).
        Err(_) if kept::settle_of(act, asked) => {
            act.count_limits(asked);
            decide(act.state(), act.now, asked, &mut ())?
        }
        judged => judged?,
    };
    let (Choice::Join(pool, _) | Choice::Open(pool, _)) = &choice;
    let pool = pool.clone();
    if asked.interactive {
        delete_cool_down(act, asked);
    }
    let holder = seat(act, asked, choice);
    let (holders, kept) = superseded(act.state(), asked, (&pool, holder), act.now.j);
    if !holders.is_empty() {
        let why = EndingWhy::Superseded;
        act.record(Recorded::HoldersEnding {
            holders,
            why,
            hard: false,
        });
    }
    for gid in kept {
        kept::end(act, gid, EndWhy::Superseded);
    }
    Ok(leased(act, holder, &pool, true))
}

/// A lease for a holder that sits in this pool under the license in force.
fn leased(act: &mut Act<'_>, holder: HolderId, pool: &PoolId, new: bool) -> Verdict {
    let state = act.state();
    let feature = state.feature(pool).cloned();
    let user = state.holder(holder).map(|holder| holder.facts.user);
    let under =
        terms::license(state, pool)
            .zip(feature)
            .zip(user)
            .map(|((license, feature), user)| {
                let policies = state.policies(pool, &feature, user);
                Under::in_force(license, &feature, policies, act.now)
            });
    under
        .and_then(|under| terms::lease(act, holder, under, None, new))
        .map_or(Verdict::Done, |terms| Verdict::Leased(Box::new(terms)))
}

/// The same id again: the same holder, a conflict, or an end (rule 20).
fn retried(act: &mut Act<'_>, asked: &Checkout) -> Option<Result<Verdict, Denial>> {
    let key = CheckoutKey::of(&asked.process, asked.checkout_id);
    if let Some(id) = act.engine.index.holder_of(act.state(), &key) {
        let here = act.state().grant(id.gid).zip(act.state().holder(id));
        let Some((grant, holder)) = here else {
            // Never a second seat for one checkout, not even over a defect.
            debug_assert!(false, "the index knows {id}, and the state does not");
            return Some(Err(Denial::new(Code::Conflict, 20)));
        };
        let same = same_terms(holder, asked) && grant.slots.len() == asked.n as usize;
        let feature = act
            .state()
            .grants
            .get(&id.gid)
            .map(|pool| pool.feature.clone());
        if !same || feature.as_ref() != Some(&asked.feature) {
            return Some(Err(Denial::new(Code::Conflict, 20)));
        }
        if !rollback::has_renewed(act.state(), id.gid)
            && let Some(no) = rollback::quarantine(act.state(), act.now)
        {
            return Some(Err(no));
        }
        return Some(renew::keep(act, id));
    }
    let ended = act.engine.index.ended(&key, act.now.lease);
    ended.then(|| Err(Denial::new(Code::LeaseEnded, 20)))
}

fn same_terms(holder: &Holder, asked: &Checkout) -> bool {
    let facts = &holder.facts;
    facts.process.instance == asked.process.instance
        && facts.version == asked.version
        && facts.terms == terms_of(asked)
}

fn terms_of(asked: &Checkout) -> Terms {
    Terms {
        product: asked.product.clone(),
        wait_s: asked.wait_s,
        interactive: asked.interactive,
    }
}

fn delete_cool_down(act: &mut Act<'_>, asked: &Checkout) {
    let (user, machine) = (asked.user, asked.process.machine);
    let key = (user, machine, asked.product.clone(), asked.feature.clone());
    if act.state().cool_downs.contains_key(&key) {
        let (_, _, product, feature) = key;
        act.record(Recorded::CoolDownDeleted {
            user,
            machine,
            product,
            feature,
        });
    }
}

/// Records the holder where the choice puts it.
fn seat(act: &mut Act<'_>, asked: &Checkout, choice: Choice) -> HolderId {
    let at = act.now.lease;
    let who = HolderFacts {
        user: asked.user,
        process: asked.process.clone(),
        pid: asked.pid,
        checkout_id: asked.checkout_id,
        version: asked.version.clone(),
        terms: terms_of(asked),
    };
    match choice {
        Choice::Join(_, gid) => {
            let h = act.state().grant(gid).map_or(1, |grant| grant.next_h);
            let holder = HolderId { gid, h };
            act.record(Recorded::HolderJoined {
                holder,
                who: Box::new(who),
                at,
            });
            holder
        }
        Choice::Open(pool, slots) => {
            let gid = act.state().run.next_grant();
            let unit = act.state().feature(&pool).map_or(
                Unit::Process(asked.process.boot, asked.process.instance),
                |feature| pool::unit(feature, &asked.process, asked.user),
            );
            act.record(Recorded::SeatTaken(Box::new(SeatTaken {
                gid,
                pool,
                slots,
                unit,
                who,
                at,
            })));
            HolderId { gid, h: 1 }
        }
    }
}

/// Holders of older grants whose unit a newer version led to `holder`, whose grant serves them, too (rule 9). Only where
/// each of them can sit there beside it, counted as the same unit and within `share_max`: else the second generation
/// would cost a second seat all the same, or leave one of them without any. Who carries another vendor root is not moved.
/// With them the named seats that are kept there for the unit, and that nobody sits on.
fn superseded(
    state: &State,
    asked: &Checkout,
    (here, holder): (&PoolId, HolderId),
    j: Date,
) -> (Vec<HolderId>, Vec<Gid>) {
    let (Some(feature), Some(grant)) = (state.feature(here), state.grant(holder.gid)) else {
        return (Vec::new(), Vec::new());
    };
    let root = |id: &PoolId| terms::license(state, id).map(|license| &license.root);
    let others = state.pools_for(&asked.product, &asked.feature);
    let others = others.filter(|id| *id != here && root(id) == root(here));
    let older: Vec<_> = others
        .filter_map(|id| state.pools.get(id))
        .flat_map(|pool| {
            let older = pool
                .feature
                .as_ref()
                .filter(|f| !version::covers(f.version.as_deref(), asked.version.as_deref()));
            let unit = older.map(|f| pool::unit(f, &asked.process, asked.user));
            unit.into_iter().flat_map(|unit| pool.of_unit(unit))
        })
        .filter(|(_, older)| older.slots.len() == asked.n as usize)
        .collect();
    let served = |h: &Holder| {
        let (version, facts) = (h.facts.version.as_deref(), &h.facts);
        version::covers(feature.version.as_deref(), version)
            && pool::unit(feature, &facts.process, facts.user) == grant.unit
            && state.sits_rightly(here, facts.user, j)
    };
    let mut room = feature.share_max.map_or(u64::MAX, |most| {
        most.saturating_sub(grant.holders.len() as u64)
    });
    let (mut out, mut kept) = (Vec::new(), Vec::new());
    for (gid, older) in older {
        if older.kept() {
            // Its owner has a named seat here instead: a machine's is not given up for what one user took.
            if grant.owned(feature) && older.unit == grant.unit {
                kept.push(gid);
            }
            continue;
        }
        let staying: Vec<_> = older.holders.iter().filter(|h| h.stays()).collect();
        let places = staying.len() as u64;
        if places > room || !staying.iter().all(|h| served(h)) {
            continue;
        }
        room -= places;
        out.extend(staying.iter().map(|h| HolderId { gid, h: h.h }));
    }
    (out, kept)
}
