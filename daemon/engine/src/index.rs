//! What is found by key or by time: plain maps that can be rebuilt from the state, and are at every start: by its own
//! event, or by the first other command that is judged. `Engine::stale` says that they are not yet.

use crate::command::Process;
use crate::event::{EndWhy, Recorded};
use crate::evolve::{ENDED_MS, UNSEEN_MAX};
use crate::ids::{CheckoutId, Gid, HolderId, MachineId, PoolId, short};
use crate::seats::kept::Sweep;
use crate::state::{Ended, Grant, Holder, State};
use crate::time::LeaseTime;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A checkout id with its scope (rule 20). The id stands first: nearly all of a site share one machine, and what is looked
/// up is told apart by the first bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CheckoutKey {
    pub(crate) id: CheckoutId,
    pub(crate) machine: MachineId,
    pub(crate) uid: u32,
}

impl CheckoutKey {
    pub(crate) fn of(process: &Process, id: CheckoutId) -> Self {
        CheckoutKey {
            id,
            machine: process.machine,
            uid: process.uid,
        }
    }

    pub(crate) fn of_ended(ended: &Ended) -> Self {
        CheckoutKey {
            id: ended.checkout_id,
            machine: ended.machine,
            uid: ended.uid,
        }
    }

    fn credential(&self) -> (MachineId, u32) {
        (self.machine, self.uid)
    }

    /// A short form to find its live holder by: 8 bytes where the key has 36. Where two are the same all the same, the
    /// holder tells them apart.
    fn short(&self) -> u64 {
        let sum = Sha256::new().chain_update(self.id.0);
        let sum = sum.chain_update(self.machine.0);
        short(sum.chain_update(self.uid.to_be_bytes()))
    }
}

/// The indexes.
#[derive(Default)]
pub(crate) struct Index {
    deadlines: BTreeSet<(LeaseTime, HolderId)>,
    /// Holders by the short form of their checkout.
    live: BTreeSet<(u64, HolderId)>,
    ended: BTreeMap<CheckoutKey, LeaseTime>,
    gone: BTreeMap<HolderId, (EndWhy, LeaseTime)>,
    /// When each credential ended a checkout that never had a holder, oldest first.
    unseen: BTreeMap<(MachineId, u32), VecDeque<LeaseTime>>,
    /// Holders whose ending is taken back if their right returns (rule 16).
    returning: BTreeSet<HolderId>,
    /// Looks at large pools of named seats that are under way (rule 7).
    pub(crate) sweeps: VecDeque<Sweep>,
    /// The grant on each slot, from the first adoption of a run on (rule 21).
    slots: Option<BTreeMap<(PoolId, u64), Gid>>,
}

impl Index {
    pub(crate) fn of(state: &State) -> Index {
        let holders = || holders(state);
        // Collected, not inserted one by one: a million of them are there at a start.
        let mut index = Index {
            deadlines: holders().map(|(id, holder)| (holder.until, id)).collect(),
            live: holders()
                .map(|(id, holder)| (key_of(holder).short(), id))
                .collect(),
            returning: holders()
                .filter(|(_, holder)| returns(holder))
                .map(|(id, _)| id)
                .collect(),
            ..Index::default()
        };
        for ended in &state.ended {
            let key = CheckoutKey::of_ended(ended);
            index.ended.insert(key, ended.at);
            match ended.holder {
                Some((holder, why)) => {
                    index.gone.insert(holder, (why, ended.at));
                }
                None => index.end_unseen(key.credential(), ended.at),
            }
        }
        index
    }

    /// Of a copy on which changes are judged: whose hold is over by now, and whose ending may be taken back.
    pub(crate) fn of_draft(state: &State, now: LeaseTime) -> Index {
        let mut index = Index::default();
        for (id, holder) in holders(state) {
            if holder.until <= now {
                index.deadlines.insert((holder.until, id));
            }
            if returns(holder) {
                index.returning.insert(id);
            }
        }
        index
    }

    pub(crate) fn first_deadline(&self) -> Option<(LeaseTime, HolderId)> {
        self.deadlines.first().copied()
    }

    /// The live holder of this checkout. An id that the state lacks is returned, too: then the caller refuses, and seats
    /// nobody (rule 20).
    pub(crate) fn holder_of(&self, state: &State, key: &CheckoutKey) -> Option<HolderId> {
        let of = key.short();
        let gid = Gid { epoch: 0, n: 0 };
        let found = self.live.range((of, HolderId { gid, h: 0 })..);
        found
            .take_while(|(short, _)| *short == of)
            .map(|(_, id)| *id)
            .find(|id| {
                let holder = state.holder(*id);
                holder.is_none_or(|holder| key_of(holder) == *key)
            })
    }

    /// Whether a checkout ended in the last 15 minutes: older ones are as if never seen (rule 20).
    pub(crate) fn ended(&self, key: &CheckoutKey, now: LeaseTime) -> bool {
        self.ended.get(key).is_some_and(|at| *at + ENDED_MS > now)
    }

    /// Why a holder ended in the last 15 minutes.
    pub(crate) fn gone(&self, holder: HolderId, now: LeaseTime) -> Option<EndWhy> {
        let (why, at) = self.gone.get(&holder)?;
        (*at + ENDED_MS > now).then_some(*why)
    }

    /// The grant that has a slot.
    pub(crate) fn occupant(&mut self, state: &State, pool: &PoolId, slot: u64) -> Option<Gid> {
        let slots = self.slots.get_or_insert_with(|| slots(state));
        slots.get(&(pool.clone(), slot)).copied()
    }

    /// When this credential may end the next checkout that was not seen yet, where its share is used up (rule 20).
    pub(crate) fn share_back_at(
        &self,
        machine: MachineId,
        uid: u32,
        now: LeaseTime,
    ) -> Option<LeaseTime> {
        let times = self.unseen.get(&(machine, uid))?;
        let oldest = times.get(times.len().checked_sub(UNSEEN_MAX)?)?;
        let back = *oldest + ENDED_MS;
        (back > now).then_some(back)
    }

    pub(crate) fn drop_deadline(&mut self, at: LeaseTime, holder: HolderId) {
        self.deadlines.remove(&(at, holder));
    }

    pub(crate) fn moved(&mut self, holder: HolderId, from: LeaseTime, to: LeaseTime) {
        self.deadlines.remove(&(from, holder));
        self.deadlines.insert((to, holder));
    }

    /// Before an event is folded: forgets who it ends.
    pub(crate) fn before(&mut self, state: &State, event: &Recorded) {
        match event {
            Recorded::HolderEnded { holder, why, at } => {
                if let Some(found) = state.holder(*holder) {
                    self.leave(holder.gid, found, *why, *at);
                }
            }
            Recorded::SeatEnded { gid, why, at } => {
                let holders = state
                    .grant(*gid)
                    .map(|grant| grant.holders.clone())
                    .unwrap_or_default();
                holders
                    .iter()
                    .for_each(|holder| self.leave(*gid, holder, *why, *at));
                if let Some(slots) = &mut self.slots {
                    for slot in slots_of(state, *gid) {
                        slots.remove(&slot);
                    }
                }
            }
            Recorded::CheckoutEnded {
                machine,
                uid,
                checkout_id,
                at,
            } => {
                let key = CheckoutKey {
                    id: *checkout_id,
                    machine: *machine,
                    uid: *uid,
                };
                self.ended.insert(key, *at);
                self.end_unseen(key.credential(), *at);
            }
            _ => {}
        }
    }

    /// After an event was folded: notes who it seats, and drops what the state forgot.
    pub(crate) fn after(&mut self, state: &State, event: &Recorded) {
        match event {
            Recorded::SeatTaken(taken) => {
                self.sit_all(taken.gid, state.grant(taken.gid));
                if let Some(slots) = &mut self.slots {
                    slots.extend(slots_of(state, taken.gid).map(|slot| (slot, taken.gid)));
                }
            }
            Recorded::SeatAssigned(kept) => {
                if let Some(slots) = &mut self.slots {
                    slots.insert((kept.pool.clone(), kept.slot), kept.gid);
                }
            }
            Recorded::HolderJoined { holder, .. } => {
                if let Some(found) = state.holder(*holder) {
                    self.sit(holder.gid, found);
                }
            }
            #[cfg(planted)]
            Recorded::RunStarted { .. } if crate::planted::is("retry-forgotten") => {
                *self = Index::of(state);
                self.live.clear();
            }
            Recorded::RunStarted { .. } => *self = Index::of(state),
            Recorded::HoldersEnding { holders, .. } | Recorded::EndingTakenBack { holders } => {
                holders.iter().for_each(|id| self.note_ending(state, *id));
            }
            Recorded::LastSigned { holder, .. } => self.note_ending(state, *holder),
            _ => {}
        }
    }

    /// Holders whose ending is taken back if their right returns.
    pub(crate) fn returning(&self) -> impl Iterator<Item = HolderId> {
        self.returning.iter().copied()
    }

    fn note_ending(&mut self, state: &State, id: HolderId) {
        if state.holder(id).is_some_and(returns) {
            self.returning.insert(id);
        } else {
            self.returning.remove(&id);
        }
    }

    /// Forgets an ended checkout that the state dropped.
    pub(crate) fn forget(&mut self, key: &CheckoutKey, at: LeaseTime, holder: Option<HolderId>) {
        if self.ended.get(key) == Some(&at) {
            self.ended.remove(key);
        }
        match holder {
            Some(holder) => {
                self.gone.remove(&holder);
            }
            None => self.forget_unseen(key.credential()),
        }
    }

    fn end_unseen(&mut self, credential: (MachineId, u32), at: LeaseTime) {
        self.unseen.entry(credential).or_default().push_back(at);
    }

    /// What the state forgets is always its oldest.
    fn forget_unseen(&mut self, credential: (MachineId, u32)) {
        if let Some(times) = self.unseen.get_mut(&credential) {
            times.pop_front();
            if times.is_empty() {
                self.unseen.remove(&credential);
            }
        }
    }

    fn sit_all(&mut self, gid: Gid, grant: Option<&Grant>) {
        if let Some(grant) = grant {
            grant
                .holders
                .iter()
                .for_each(|holder| self.sit(gid, holder));
        }
    }

    fn sit(&mut self, gid: Gid, holder: &Holder) {
        let id = HolderId { gid, h: holder.h };
        self.live.insert((key_of(holder).short(), id));
        self.deadlines.insert((holder.until, id));
    }

    fn leave(&mut self, gid: Gid, holder: &Holder, why: EndWhy, at: LeaseTime) {
        let id = HolderId { gid, h: holder.h };
        self.live.remove(&(key_of(holder).short(), id));
        self.deadlines.remove(&(holder.until, id));
        self.returning.remove(&id);
        self.ended.insert(key_of(holder), at);
        self.gone.insert(id, (why, at));
    }
}

fn holders(state: &State) -> impl Iterator<Item = (HolderId, &Holder)> {
    let pools = state.pools.values();
    let grants = pools.flat_map(|pool| pool.grants.iter());
    grants.flat_map(|(gid, grant)| {
        let holders = grant.holders.iter();
        holders.map(|holder| {
            (
                HolderId {
                    gid: *gid,
                    h: holder.h,
                },
                holder,
            )
        })
    })
}

fn slots(state: &State) -> BTreeMap<(PoolId, u64), Gid> {
    let of = |gid: &Gid| {
        let gid = *gid;
        slots_of(state, gid).map(move |slot| (slot, gid))
    };
    state.grants.keys().flat_map(of).collect()
}

/// The slots of a grant, with their pool.
fn slots_of(state: &State, gid: Gid) -> impl Iterator<Item = (PoolId, u64)> {
    let pool = state.grants.get(&gid);
    let grant = pool.zip(state.grant(gid));
    grant.into_iter().flat_map(|(pool, grant)| {
        let slots = grant.slots.iter();
        slots.map(|slot| (pool.as_ref().clone(), *slot))
    })
}

fn returns(holder: &Holder) -> bool {
    holder.ending().is_some_and(|ending| ending.returns())
}

fn key_of(holder: &Holder) -> CheckoutKey {
    CheckoutKey::of(&holder.facts.process, holder.facts.checkout_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::engine::Engine;
    use crate::event::{HolderFacts, SeatTaken, Terms};
    use crate::ids::{BootId, InstanceId, UserId};
    use crate::state::Unit;
    use crate::time::{Date, Now};

    #[test]
    fn r15_a_deadline_without_its_holder_ends_nobody_and_stops_nothing() {
        let mut engine = Engine::new();
        let gid = Gid { epoch: 1, n: 1 };
        let nobody = HolderId { gid, h: 1 };
        engine.index.deadlines.insert((LeaseTime(5), nobody));
        let now = Now {
            lease: LeaseTime(10),
            j: Date(0),
        };
        let (events, _) = engine.apply(now, Command::Expire);
        assert!(events.is_empty() && engine.next_deadline().is_none());
    }

    #[test]
    fn r20_checkouts_of_the_same_short_form_are_told_apart_by_their_holders() {
        let process = |uid| Process {
            machine: MachineId([1; 16]),
            attested_by: MachineId([1; 16]),
            uid,
            boot: BootId([2; 16]),
            instance: InstanceId([3; 16]),
        };
        let (gid, user) = (Gid { epoch: 1, n: 1 }, UserId([4; 16]));
        let taken = Recorded::SeatTaken(Box::new(SeatTaken {
            gid,
            pool: PoolId::default(),
            unit: Unit::User(user),
            slots: vec![0],
            who: HolderFacts {
                user,
                process: process(1000),
                pid: None,
                checkout_id: CheckoutId([5; 16]),
                version: None,
                terms: Terms {
                    product: "cad".into(),
                    wait_s: 0,
                    interactive: false,
                },
            },
            at: LeaseTime(0),
        }));
        let (mut state, mut index) = (State::default(), Index::default());
        crate::evolve::evolve(&mut state, &taken);
        index.after(&state, &taken);
        let (holder, id) = (HolderId { gid, h: 1 }, CheckoutId([5; 16]));
        let own = CheckoutKey::of(&process(1000), id);
        let other = CheckoutKey::of(&process(1001), id);
        // As if the sums of both began alike.
        index.live.insert((other.short(), holder));
        assert_eq!(index.holder_of(&state, &own), Some(holder));
        assert_eq!(index.holder_of(&state, &other), None);
        let unknown = HolderId { gid, h: 9 };
        index.live.insert((other.short(), unknown));
        assert_eq!(index.holder_of(&state, &other), Some(unknown));
        // Nobody else's: what is found stops at the next short form.
        let mut uids = 1002..;
        let lower = uids.find_map(|uid| {
            let key = CheckoutKey::of(&process(uid), id);
            (key.short() < other.short()).then_some(key)
        });
        let lower = lower.expect("half of them are");
        assert_eq!(index.holder_of(&state, &lower), None);
    }
}
