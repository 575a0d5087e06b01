//! What clients were told, kept outside of the daemon, and the promises that are held against it (claims.md 3).

use super::org::{Learned, Org};
use super::owners::Owners;
use super::people::App;
use seatkeeper_core::journal::{Head, follow, parse};
use seatkeeper_core::keeper::{Handle, Snapshot};
use seatkeeper_engine::ids::{CheckoutId, Gid, HolderId};
use seatkeeper_engine::{LeaseTerms, State};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What one state directory has promised.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The last batch that was answered for.
    pub(super) acknowledged: Option<Arc<Snapshot>>,
    /// The organisation up to it.
    pub(super) org: Org,
    /// Whose the named seats are.
    pub(super) owners: Owners,
    /// What a batch that failed would have changed about it.
    pub(super) undecided: Vec<Learned>,
    /// Of the newest lease.
    newest: (u64, u64),
    epoch: u64,
    released: BTreeSet<HolderId>,
    /// Checkouts that were told to be over, and a moment before they were.
    pub(super) over: BTreeMap<CheckoutId, u64>,
    /// Pairs of grants on one slot from before the first witness of a restored state (rule 21).
    excused: BTreeSet<[Gid; 2]>,
    /// Adopted grants under their first ids.
    adopted: BTreeMap<Gid, Gid>,
    /// The state was restored, and no witness came yet.
    pub(super) rolled_back: bool,
    /// The state was restored at some time: a seat may be lost to those of the lost future.
    pub(super) restored: bool,
}

/// What was counted, so that a run that tests nothing is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) cycles: u64,
    pub(super) failed_in_start: u64,
    pub(super) failed_in_work: u64,
    pub(super) killed: u64,
    pub(super) undecided_kept: u64,
    pub(super) undecided_lost: u64,
    pub(super) leases: u64,
    pub(super) denials: u64,
    pub(super) retries: u64,
    pub(super) restores: u64,
    pub(super) quarantines: u64,
    pub(super) adopted: u64,
    pub(super) expired: u64,
    pub(super) arranged: u64,
    pub(super) not_arranged: u64,
    pub(super) over_limits: u64,
    pub(super) lasts: u64,
    pub(super) owners: u64,
    pub(super) not_opened: u64,
    pub(super) promised: u64,
    pub(super) withheld: u64,
    pub(super) redeemed: u64,
    pub(super) not_redeemed: u64,
    pub(super) accepted: u64,
    pub(super) not_accepted: u64,
    /// Sessions that were opened, before which an older one gave way, and that were over.
    pub(super) sessions: u64,
    pub(super) full: u64,
    pub(super) over: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Counts) {
        let Counts {
            cycles,
            failed_in_start,
            failed_in_work,
            killed,
            undecided_kept,
            undecided_lost,
            leases,
            denials,
            retries,
            restores,
            quarantines,
            adopted,
            expired,
            arranged,
            not_arranged,
            over_limits,
            lasts,
            owners,
            not_opened,
            promised,
            withheld,
            redeemed,
            not_redeemed,
            accepted,
            not_accepted,
            sessions,
            full,
            over,
        } = other;
        self.cycles += cycles;
        self.failed_in_start += failed_in_start;
        self.failed_in_work += failed_in_work;
        self.killed += killed;
        self.undecided_kept += undecided_kept;
        self.undecided_lost += undecided_lost;
        self.leases += leases;
        self.denials += denials;
        self.retries += retries;
        self.restores += restores;
        self.quarantines += quarantines;
        self.adopted += adopted;
        self.expired += expired;
        self.arranged += arranged;
        self.not_arranged += not_arranged;
        self.over_limits += over_limits;
        self.lasts += lasts;
        self.owners += owners;
        self.not_opened += not_opened;
        self.promised += promised;
        self.withheld += withheld;
        self.redeemed += redeemed;
        self.not_redeemed += not_redeemed;
        self.accepted += accepted;
        self.not_accepted += not_accepted;
        self.sessions += sessions;
        self.full += full;
        self.over += over;
    }
}

impl Ledger {
    /// An older state takes the place of this one: what was promised since is in no journal any more.
    pub(super) fn restored(&mut self, saved: Arc<Snapshot>, mut org: Org) {
        org.remember(&self.org);
        *self = Ledger {
            acknowledged: Some(saved),
            org,
            rolled_back: true,
            restored: true,
            excused: std::mem::take(&mut self.excused),
            ..Ledger::default()
        };
    }

    /// I4: epoch and number rise over every lease that was signed from this state directory.
    pub(super) fn signed(&mut self, lease: &LeaseTerms) -> Result<(), String> {
        let number = (lease.epoch, lease.seq);
        if number <= self.newest {
            return Err(format!(
                "I4: lease {number:?} comes after {:?}",
                self.newest
            ));
        }
        self.newest = number;
        Ok(())
    }

    /// One grant under two ids: its sharers go over to the new one, each with its own renewal (rule 21).
    pub(super) fn adopted(&mut self, was: Gid, is: Gid) {
        let first = self.first(was);
        self.adopted.insert(is, first);
    }

    pub(super) fn released(&mut self, holder: HolderId) {
        self.released.insert(holder);
    }

    fn first(&self, gid: Gid) -> Gid {
        self.adopted.get(&gid).copied().unwrap_or(gid)
    }

    /// I1, I3, I5: no two applications believe to hold one slot under two grants.
    pub(super) fn alone(
        &mut self,
        apps: &[App],
        now_s: u64,
        witnessed: bool,
    ) -> Result<(), String> {
        let sits: Vec<_> = apps.iter().filter_map(|app| app.sits(now_s)).collect();
        let live: BTreeSet<_> = sits
            .iter()
            .map(|held| self.first(held.holder.gid))
            .collect();
        self.excused
            .retain(|pair| pair.iter().all(|gid| live.contains(gid)));
        for (n, one) in sits.iter().enumerate() {
            for two in &sits[n + 1..] {
                let mut pair = [one.holder.gid, two.holder.gid].map(|gid| self.first(gid));
                pair.sort_unstable();
                let shared = one.slots.iter().find(|slot| two.slots.contains(slot));
                let (Some(slot), false) = (shared, pair[0] == pair[1]) else {
                    continue;
                };
                if !self.rolled_back && !self.excused.contains(&pair) {
                    return Err(format!(
                        "I1: {} and {} both hold slot {slot}",
                        one.holder, two.holder
                    ));
                }
                self.excused.insert(pair);
            }
        }
        let old = sits.iter().any(|held| held.old);
        self.rolled_back &= old && !witnessed;
        Ok(())
    }

    /// I2: a batch that nobody was answered for is in the journal, all of it, or nothing of it; and the organisation is what
    /// was answered for.
    pub(super) fn decided(&mut self, kept: bool, found: &Snapshot) -> Result<(), String> {
        let undecided = std::mem::take(&mut self.undecided);
        if kept {
            self.org = self.org.after(&undecided, found);
        }
        self.org.started();
        self.org_is(found)
    }

    /// The organisation as the daemon has it, beside what was answered for.
    pub(super) fn org_is(&self, found: &Snapshot) -> Result<(), String> {
        let differs = self.org.differs(&found.state, found.now);
        differs.map_or(Ok(()), |what| Err(format!("I2: {what}")))
    }

    /// The named seats as the daemon has them, beside what was answered for.
    pub(super) fn owners_are(&self, state: &State) -> Result<(), String> {
        self.owners.stand(state, self.restored)
    }

    /// I2, I12: what was answered for is in the journal that this start found. What came after it is told.
    pub(super) fn survived(
        &mut self,
        handle: &Handle,
        apps: &[App],
        now_s: u64,
    ) -> Result<Since, String> {
        let state = &handle.recorded().state;
        if state.run.epoch <= self.epoch {
            return Err(format!("I12: epoch {} comes again", self.epoch));
        }
        self.epoch = state.run.epoch;
        let acknowledged = self.acknowledged.as_ref().map(|before| before.head);
        let kept = acknowledged.map_or(Ok(Since::default()), |head| after(handle, head))?;
        if let Some(holder) = self.released.iter().find(|id| state.holder(**id).is_some()) {
            return Err(format!("I2: {holder} was given back, and sits again"));
        }
        self.owners_are(state)?;
        if !self.restored {
            let sits = apps.iter().filter_map(|app| app.sits(now_s));
            let mut lost =
                sits.filter(|held| !held.doubtful && state.holder(held.holder).is_none());
            if let Some(held) = lost.next() {
                return Err(format!("I2: {} was leased, and is gone", held.holder));
            }
        }
        let mut checkouts = BTreeSet::new();
        for grant in state.pools.values().flat_map(|pool| pool.grants.values()) {
            for holder in &grant.holders {
                if !checkouts.insert(holder.facts.checkout_id) {
                    return Err(format!("I8: {} sits twice", holder.facts.checkout_id));
                }
            }
        }
        Ok(kept)
    }
}

/// What the journal has behind the last event that was answered for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Since {
    /// The batch that was under way.
    pub(super) batch: bool,
    /// Starts, those that failed later included.
    pub(super) starts: usize,
}

/// The journal still has the event that was the last to be answered for, and behind it this.
fn after(handle: &Handle, head: Head) -> Result<Since, String> {
    let read = |from, limit| handle.read(from, limit).map_err(|e| e.to_string());
    let page = read(head.number, 1)?;
    let gone = || format!("I2: event {} was answered for, and is gone", head.number);
    let (_, raw) = page.first().ok_or_else(gone)?;
    let noted = parse(raw).map_err(|e| e.to_string())?;
    let mut found = Head {
        number: head.number - 1,
        hash: noted.prev,
    };
    follow(&mut found, raw).map_err(|e| e.to_string())?;
    if found != head {
        return Err(format!("I2: event {} is another one now", head.number));
    }
    let behind = read(head.number + 1, 200)?;
    let is_start = |(_, raw): &&(u64, Box<str>)| raw.contains("\"RunStarted\"");
    Ok(Since {
        batch: behind.first().is_some_and(|first| !is_start(&first)),
        starts: behind.iter().filter(is_start).count(),
    })
}
