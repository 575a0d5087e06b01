//! Rollback, clone, restore and lost state: what a shown lease proves, quarantine, and the leases that are adopted in it
//! (rule 21).

use crate::command::{Renew, Shown};
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::{EndWhy, HolderFacts, Recorded, SeatTaken, ShownRun, Terms};
use crate::ids::{Gid, HolderId, PoolId, RunId, UserId};
use crate::seats::{pool, renew, terms};
use crate::state::{Holder, State};
use crate::time::{Date, LeaseTime, Now, hold_ms};
use std::collections::BTreeSet;

/// Clocks of two machines differ: a lease signed so shortly before this start may be a running clone's.
const APART_S: u64 = 60;

/// A license that was signed longer ago than this may have served a site whose state was lost.
const NEW_S: u64 = 30 * 86_400;

impl State {
    /// Until when nothing new is granted, where that is so now.
    #[must_use]
    pub fn quarantined(&self, now: LeaseTime) -> Option<LeaseTime> {
        let quarantine = self.quarantine.as_ref()?;
        let longest = self.longest_ms.max(quarantine.shown_ms);
        let until = quarantine.since + if longest == 0 { 0 } else { hold_ms(longest) };
        (until > now).then_some(until)
    }

    /// Whether a lease of this run, grant and number lies in the journal's past, and so proves nothing.
    #[must_use]
    pub fn is_past(&self, run: RunId, gid: Gid, seq: u64) -> bool {
        let within = |epoch, grants| gid.epoch != epoch || gid.n <= grants;
        if run == self.run.id {
            return within(self.run.epoch, self.run.grants) && seq <= self.run.seq;
        }
        let known = self.runs.get(&run);
        known.is_some_and(|known| within(known.epoch, known.grants.max(known.shown)))
    }

    /// Whether the journal has had the grant that a shown lease names.
    fn has_recorded(&self, shown: &Shown) -> bool {
        let (gid, run) = (shown.holder.gid, &self.run);
        let within = |epoch, grants| gid.epoch != epoch || gid.n <= grants;
        match self.runs.get(&shown.run) {
            // One that only shown leases told of has no grants here.
            Some(known) => known.ours && within(known.epoch, known.grants),
            None => shown.run == run.id && within(run.epoch, run.grants),
        }
    }

    /// Whether the holder of a shown lease sits here, as it was.
    fn sits(&self, asked: &Renew, shown: &Shown) -> bool {
        let grant = self.grant(asked.holder.gid);
        let holder = self.holder(asked.holder);
        grant.is_some_and(|grant| *grant.slots == *shown.slots)
            && holder.is_some_and(|holder| renew::owned(holder, &asked.process).is_ok())
    }
}

impl Shown {
    fn lives(&self, j: Date) -> bool {
        self.iat.0.saturating_add(self.term_s) >= j.0
    }
}

/// Looks at what a client shows. Where it proves a future a new run begins, in quarantine.
pub(crate) fn witness(act: &mut Act<'_>, shown: &Shown) {
    let (state, now) = (act.state(), act.now);
    let (gid, run) = (shown.holder.gid, &state.run);
    if state.is_past(shown.run, gid, shown.seq) {
        return;
    }
    let since = if shown.iat.0.saturating_add(APART_S) >= run.j.0 {
        now.lease
    } else {
        run.since
    };
    // The run that began at the first proof stands above all further ones of the same run.
    let lost = state.runs.get(&shown.run).is_some_and(|run| run.lost);
    let (epoch, run) = if lost {
        (run.epoch, run.id)
    } else {
        (run.epoch.max(shown.epoch) + 1, shown.next_run)
    };
    act.record(Recorded::FutureShown {
        shown: Box::new(ShownRun {
            run: shown.run,
            epoch: shown.epoch,
            grant: if gid.epoch == shown.epoch { gid.n } else { 0 },
            seq: shown.seq,
            term_ms: shown.term_s.saturating_mul(1000),
        }),
        epoch,
        run,
        since,
        at: now.lease,
    });
}

/// The state of this site key was lost: as if a future had been shown at the start.
pub(crate) fn begin_quarantine(act: &mut Act<'_>) {
    let since = act.now.lease;
    act.record(Recorded::QuarantineBegan { since });
}

/// A site key without a state is new as long as its first license is: an older one may have served before (rule 21).
pub(crate) fn first_license(act: &mut Act<'_>, signed: Date) {
    let state = act.state();
    let known = state.longest_ms > 0 || state.quarantine.is_some();
    if !known && act.now.j.0.saturating_sub(signed.0) >= NEW_S {
        let since = state.run.since;
        act.record(Recorded::QuarantineBegan { since });
    }
}

/// The no to whatever would be new.
pub(crate) fn quarantine(state: &State, now: Now) -> Option<Denial> {
    let until = state.quarantined(now.lease)?;
    #[cfg(planted)]
    if crate::planted::is("quarantine-open") {
        return None;
    }
    Some(Denial {
        retry_at: Some(until),
        ..Denial::new(Code::Quarantine, 21)
    })
}

/// Whether a holder of the grant renewed since the quarantine began.
pub(crate) fn has_renewed(state: &State, gid: Gid) -> bool {
    let quarantine = state.quarantine.as_ref();
    quarantine.is_some_and(|quarantine| quarantine.renewed.contains(&gid))
}

/// Notes in quarantine that a grant is known to be held; after it nobody asks.
pub(crate) fn note_renewed(state: &mut State, gid: Gid, now: LeaseTime) {
    let lasts = state.quarantined(now).is_some();
    if let Some(quarantine) = &mut state.quarantine {
        if lasts {
            quarantine.renewed.insert(gid);
        } else if !quarantine.renewed.is_empty() {
            quarantine.renewed.clear();
        }
    }
}

/// A renewal in quarantine: who shows a lease that lives keeps its seat.
pub(crate) fn renew(act: &mut Act<'_>, asked: &Renew, no: Denial) -> Result<Verdict, Denial> {
    let Some(shown) = asked.shown.as_deref().filter(|s| s.lives(act.now.j)) else {
        return Err(no);
    };
    if shown.holder != asked.holder {
        return Err(no);
    }
    if act.state().sits(asked, shown) {
        return renew::keep(act, asked.holder);
    }
    if !act.state().has_recorded(shown) {
        return adopt(act, asked, shown);
    }
    match act.state().holder(asked.holder) {
        None => Err(renew::gone(act, asked.holder)),
        Some(holder) => {
            renew::owned(holder, &asked.process)?;
            renew::keep(act, asked.holder)
        }
    }
}

/// Gives a lease that the journal does not know its slots under a new grant, where nobody else may have them.
fn adopt(act: &mut Act<'_>, asked: &Renew, shown: &Shown) -> Result<Verdict, Denial> {
    let unknown = || Denial::new(Code::UnknownLease, 21);
    let (id, user) = place(act.state(), shown)
        .filter(|_| !shown.last)
        .ok_or_else(unknown)?;
    let under: BTreeSet<Gid> = {
        let engine = &mut *act.engine;
        let of = |slot| engine.index.occupant(&engine.state, &id, slot);
        shown.slots.iter().copied().filter_map(of).collect()
    };
    let of_shown = |h: &Holder| {
        let was = h.adopted.as_deref();
        was.filter(|(run, was)| *run == shown.run && was.gid == shown.holder.gid)
            .map(|(_, was)| *was)
    };
    let sits = |gid: &Gid| {
        let grant = act.state().grant(*gid)?;
        let adopted = grant.holders.iter().any(|h| of_shown(h).is_some());
        adopted.then_some((*gid, grant))
    };
    if let Some((gid, grant)) = under.iter().find_map(sits) {
        let again = grant
            .holders
            .iter()
            .find(|h| of_shown(h) == Some(shown.holder));
        if let Some(again) = again {
            renew::owned(again, &asked.process)?;
            let again = HolderId { gid, h: again.h };
            return renew::keep(act, again);
        }
        return join(act, asked, shown, (&id, user), gid);
    }
    let called = |gid: &Gid| act.state().grant(*gid).is_some_and(|grant| grant.called);
    if under.iter().any(called) {
        return Err(unknown());
    }
    let unit = unit(act.state(), &id, asked, user).ok_or_else(unknown)?;
    // A unit has one named seat: another one that is kept for it was given up in what this journal lost (rule 7).
    let kept = act.state().pools.get(&id);
    let kept = kept.into_iter().flat_map(|pool| pool.of_unit(unit));
    let kept = kept.filter(|(gid, grant)| grant.kept() && !under.contains(gid));
    let kept: Vec<_> = kept.map(|(gid, _)| gid).collect();
    for gid in under.into_iter().chain(kept) {
        act.record(Recorded::SeatEnded {
            gid,
            why: EndWhy::Displaced,
            at: act.now.lease,
        });
    }
    let gid = act.state().run.next_grant();
    act.record(Recorded::SeatTaken(Box::new(SeatTaken {
        gid,
        unit,
        pool: id.clone(),
        slots: shown.slots.clone(),
        who: facts(act.state(), &id, asked, shown, user),
        at: act.now.lease,
    })));
    seated(act, shown, HolderId { gid, h: 1 })
}

/// Another holder of a grant that was adopted: one grant, as it was.
fn join(
    act: &mut Act<'_>,
    asked: &Renew,
    shown: &Shown,
    (id, user): (&PoolId, UserId),
    gid: Gid,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let same = state.grant(gid).filter(|grant| {
        Some(grant.unit) == unit(state, id, asked, user) && *grant.slots == *shown.slots
    });
    let Some(grant) = same else {
        return Err(Denial::new(Code::UnknownLease, 21));
    };
    let holder = HolderId {
        gid,
        h: grant.next_h,
    };
    let who = Box::new(facts(state, id, asked, shown, user));
    let at = act.now.lease;
    act.record(Recorded::HolderJoined { holder, who, at });
    seated(act, shown, holder)
}

fn seated(act: &mut Act<'_>, shown: &Shown, holder: HolderId) -> Result<Verdict, Denial> {
    act.record(Recorded::LeaseAdopted {
        holder,
        run: shown.run,
        was: shown.holder,
    });
    renew::keep(act, holder)
}

/// The pool that serves the lease's feature under its license, with room for its slots, and who sits there.
fn place(state: &State, shown: &Shown) -> Option<(PoolId, UserId)> {
    let id = PoolId {
        license: state.tokens.get(&shown.license)?.license.clone(),
        feature: shown.feature.clone(),
    };
    let feature = state.feature(&id)?;
    terms::license(state, &id)?;
    let fits = |slot: &u64| feature.seats.is_none_or(|seats| *slot < seats);
    (!shown.slots.is_empty() && shown.slots.iter().all(fits)).then_some((id, shown.user?))
}

fn unit(state: &State, id: &PoolId, asked: &Renew, user: UserId) -> Option<crate::state::Unit> {
    let feature = state.feature(id)?;
    Some(pool::unit(feature, &asked.process, user))
}

fn facts(state: &State, id: &PoolId, asked: &Renew, shown: &Shown, user: UserId) -> HolderFacts {
    let product = terms::license(state, id).map(|license| license.product.clone());
    HolderFacts {
        user,
        process: asked.process.clone(),
        pid: None,
        checkout_id: shown.checkout_id,
        version: shown.version.clone(),
        terms: Terms {
            product: product.unwrap_or_default(),
            wait_s: 0,
            interactive: false,
        },
    }
}
