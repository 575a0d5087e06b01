//! Which seats fill which reserves (rule 11): a function of the grants in the order in which they opened.
//!
//! Each seat in turn takes the first of its reserves that has room. A grant that opens is the last in that order, and
//! changes nothing for those before it. One that ends leaves room to the oldest seat that would rather have had its place,
//! which leaves its own in the same way. So what is kept from one grant to the next is what a count of all of them gives.

use crate::ids::{AssignmentId, Gid};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// Reserves under one bound, and the seats that are charged to them.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Ledger {
    reserves: OrdMap<AssignmentId, Reserve>,
    /// The grants that a reserve covers.
    grants: OrdMap<Gid, Arc<Charges>>,
    /// All that is reserved.
    sum: u64,
    /// What of it no seat fills.
    need: u64,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Reserve {
    seats: u64,
    charged: u64,
    /// Grants with a seat that would rather be charged here: it was full when they opened.
    waiting: OrdSet<Gid>,
}

impl Reserve {
    fn room(&self) -> u64 {
        self.seats - self.charged
    }
}

/// The seats of a grant.
#[derive(Clone, PartialEq, Debug)]
struct Charges {
    /// Charged to its reserves, the first choice first.
    to: Vec<(AssignmentId, u64)>,
    /// Charged to none.
    none: u64,
}

impl Charges {
    /// The seats that would rather be charged to the reserve of this place.
    fn beyond(&self, place: usize) -> u64 {
        let later = self.to[place + 1..].iter().map(|(_, seats)| seats);
        later.sum::<u64>() + self.none
    }
}

impl Ledger {
    /// One in which no seat is charged yet.
    pub(crate) fn of(reserves: impl IntoIterator<Item = (AssignmentId, u64)>) -> Ledger {
        let reserve = |seats| Reserve {
            seats,
            ..Reserve::default()
        };
        let reserves = reserves.into_iter();
        let reserves: OrdMap<_, _> = reserves.map(|(id, seats)| (id, reserve(seats))).collect();
        let sum = reserves
            .values()
            .map(|reserve: &Reserve| reserve.seats)
            .sum();
        Ledger {
            reserves,
            grants: OrdMap::new(),
            sum,
            need: sum,
        }
    }

    /// Nothing is reserved here.
    pub(crate) fn is_empty(&self) -> bool {
        self.reserves.is_empty()
    }

    /// All that is reserved.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }

    /// What no seat fills yet.
    pub(crate) fn need(&self) -> u64 {
        self.need
    }

    /// How many seats of these reserves, and how many of them are not filled: of those of them that are kept here.
    pub(crate) fn reserved_for(&self, ids: &[AssignmentId]) -> (u64, u64) {
        let own = ids.iter().filter_map(|id| self.reserves.get(id));
        own.fold((0, 0), |(seats, room), reserve| {
            (seats + reserve.seats, room + reserve.room())
        })
    }

    /// Each reserve with its seats and how many of them are filled.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (AssignmentId, u64, u64)> {
        let all = self.reserves.iter();
        all.map(|(id, reserve)| (*id, reserve.seats, reserve.charged))
    }

    /// A grant opens, the youngest of all. Its seats may be charged to these reserves, the first choice first.
    pub(crate) fn open(&mut self, gid: Gid, ids: &[AssignmentId], seats: u64) {
        if seats == 0 {
            return;
        }
        debug_assert!(
            self.grants.get_max().is_none_or(|(last, _)| *last < gid),
            "{gid} opens behind a younger one"
        );
        let mut none = seats;
        let mut to = Vec::new();
        for id in ids {
            let Some(reserve) = self.reserves.get_mut(id) else {
                continue;
            };
            let taken = none.min(reserve.room());
            reserve.charged += taken;
            self.need -= taken;
            none -= taken;
            if none > 0 {
                reserve.waiting.insert(gid);
            }
            to.push((*id, taken));
        }
        if to.is_empty() {
            return;
        }
        let charges = Charges { to, none };
        // Most are charged as the one before: they share what is told of both.
        let before = self.grants.get_max().map(|(_, before)| before);
        let shared = before.filter(|before| ***before == charges).cloned();
        self.grants
            .insert(gid, shared.unwrap_or_else(|| Arc::new(charges)));
    }

    /// A grant ended.
    pub(crate) fn end(&mut self, gid: Gid) {
        let Some(gone) = self.grants.remove(&gid) else {
            return;
        };
        let mut open = Vec::new();
        for (id, seats) in &gone.to {
            if let Some(reserve) = self.reserves.get_mut(id) {
                reserve.waiting.remove(&gid);
                reserve.charged -= seats;
                self.need += seats;
                open.extend((*seats > 0).then_some(*id));
            }
        }
        while let Some(id) = open.pop() {
            while let Some(left) = self.take_in(id) {
                open.extend(left);
            }
        }
    }

    /// Where a reserve has room, the oldest seats that wait for it move there. Returns the reserve that they leave, if it
    /// was one.
    fn take_in(&mut self, id: AssignmentId) -> Option<Option<AssignmentId>> {
        let reserve = self.reserves.get_mut(&id)?;
        let room = reserve.room();
        let gid = *reserve.waiting.get_min().filter(|_| room > 0)?;
        let charges = Arc::make_mut(self.grants.get_mut(&gid)?);
        let place = charges.to.iter().position(|(to, _)| *to == id)?;
        let later = charges.to[place + 1..].iter_mut();
        let from = later.into_iter().find(|(_, seats)| *seats > 0);
        let (seats, left) = match from {
            Some((left, seats)) => (seats, Some(*left)),
            None => (&mut charges.none, None),
        };
        let moved = room.min(*seats);
        *seats -= moved;
        charges.to[place].1 += moved;
        reserve.charged += moved;
        self.need -= moved;
        let charges = self.grants.get(&gid)?.clone();
        for (place, (to, _)) in charges.to.iter().enumerate() {
            let reserve = self.reserves.get_mut(to)?;
            if charges.beyond(place) == 0 {
                reserve.waiting.remove(&gid);
            }
            if Some(*to) == left {
                reserve.charged -= moved;
                self.need += moved;
            }
        }
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Reserves by number, the seats of each; then grants that open (with whom they may be charged to, and how many
    /// seats), or end (the how manieth of those that are there).
    #[derive(Clone, Debug)]
    enum Op {
        Open(Vec<u8>, u64),
        End(usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        let choices = Just((0..5u8).collect::<Vec<_>>()).prop_shuffle();
        let choices = (choices, 0..5usize).prop_map(|(mut all, n)| {
            all.truncate(n);
            all
        });
        prop_oneof![
            3 => (choices, 1..4u64).prop_map(|(of, seats)| Op::Open(of, seats)),
            2 => any::<usize>().prop_map(Op::End),
        ]
    }

    fn id(n: u8) -> AssignmentId {
        AssignmentId([n; 16])
    }

    fn reserves(seats: &[u64]) -> impl Iterator<Item = (AssignmentId, u64)> {
        (0u8..).map(id).zip(seats.iter().copied())
    }

    /// Seat by seat, in the order of opening: the words of the rule.
    fn naive(seats: &[u64], open: &BTreeMap<Gid, (Vec<u8>, u64)>) -> Vec<(AssignmentId, u64, u64)> {
        let mut charged = vec![0; seats.len()];
        for (of, n) in open.values() {
            for _ in 0..*n {
                let first = of.iter().map(|n| usize::from(*n));
                let first = first
                    .filter(|n| *n < seats.len())
                    .find(|n| charged[*n] < seats[*n]);
                if let Some(first) = first {
                    charged[first] += 1;
                }
            }
        }
        let all = reserves(seats).zip(charged);
        all.map(|((id, seats), charged)| (id, seats, charged))
            .collect()
    }

    proptest! {
        #[test]
        fn r11_what_is_kept_is_what_a_count_gives(
            seats in proptest::collection::vec(0..4u64, 1..5),
            ops in proptest::collection::vec(op(), 1..60),
        ) {
            let mut kept = Ledger::of(reserves(&seats));
            let mut open = BTreeMap::new();
            for (n, op) in (1..).zip(ops) {
                match op {
                    Op::Open(of, seats) => {
                        let gid = Gid { epoch: 1, n };
                        let ids: Vec<_> = of.iter().map(|n| id(*n)).collect();
                        kept.open(gid, &ids, seats);
                        open.insert(gid, (of, seats));
                    }
                    Op::End(which) => {
                        let gids: Vec<Gid> = open.keys().copied().collect();
                        let Some(gid) = gids.get(which % gids.len().max(1)) else {
                            continue;
                        };
                        let (before, need) = (kept.clone(), kept.need());
                        kept.end(*gid);
                        let (_, seats) = open.remove(gid).expect("one that is open");
                        // What comes free is enough for what is owed for it.
                        prop_assert!(kept.need() <= need + seats, "{before:?} {kept:?}");
                    }
                }
                let mut counted = Ledger::of(reserves(&seats));
                for (gid, (of, seats)) in &open {
                    let ids: Vec<_> = of.iter().map(|n| id(*n)).collect();
                    counted.open(*gid, &ids, *seats);
                }
                prop_assert_eq!(&kept, &counted);
                let told: Vec<_> = kept.filled().collect();
                prop_assert_eq!(&told, &naive(&seats, &open));
                let need: u64 = told.iter().map(|(_, seats, charged)| seats - charged).sum();
                prop_assert_eq!(kept.need(), need);
            }
        }
    }
}
