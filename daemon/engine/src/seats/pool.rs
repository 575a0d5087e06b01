//! What a pool can give: free slots, lowest first, and the grant that a unit may join (rules 5, 6, 9).

use crate::command::Process;
use crate::ids::{Gid, UserId};
use crate::state::{CountingUnit, Feature, Grant, Holder, Model, Pool, Unit};
use crate::time::LeaseTime;

/// The counting unit of a checkout in a feature (rule 6). A named seat outlives the boots of its machine (rule 7).
pub(crate) fn unit(feature: &Feature, process: &Process, user: UserId) -> Unit {
    let (machine, named) = (process.machine, feature.model == Model::Named);
    match feature.unit {
        CountingUnit::Process => Unit::Process(process.boot, process.instance),
        CountingUnit::User => Unit::User(user),
        CountingUnit::Host if named => Unit::Node(machine),
        CountingUnit::Host => Unit::Host(machine, process.boot),
        CountingUnit::UserHost if named => Unit::UserNode(user, machine),
        CountingUnit::UserHost => Unit::UserHost(user, machine, process.boot),
    }
}

/// The grant that this unit joins or wakes for n seats: the lowest gid that has room (rule 6), and is its own for good
/// (rule 7) or has somebody who stays in it: who has lost the right and did not call since is ending, too (rule 16).
pub(crate) fn joinable(
    pool: &Pool,
    feature: &Feature,
    unit: Unit,
    n: u32,
    stays: impl Fn(&Holder) -> bool,
) -> Option<Gid> {
    let joinable = |grant: &Grant| {
        let room = feature
            .share_max
            .is_none_or(|most| (grant.holders.len() as u64) < most);
        let kept = |holder: &Holder| holder.ending.is_none() && stays(holder);
        let open = grant.owned(feature) || grant.holders.iter().any(kept);
        grant.slots.len() == n as usize && room && open
    };
    let mut grants = pool.of_unit(unit);
    grants
        .find(|(_, grant)| joinable(grant))
        .map(|(gid, _)| gid)
}

impl Grant {
    /// Whether it is its unit's with and without holders (rule 7): named, not taken from it, and no overdraft.
    #[must_use]
    pub fn owned(&self, feature: &Feature) -> bool {
        let regular = |slot: &u64| feature.seats.is_none_or(|seats| *slot < seats);
        feature.model == Model::Named && !self.closed && self.slots.iter().all(regular)
    }

    /// Until when a named one is its unit's, whatever happens (rule 7).
    #[must_use]
    pub fn bound_until(&self, feature: &Feature) -> LeaseTime {
        self.since + feature.named_min_s.saturating_mul(1000)
    }
}

/// The most seats that one checkout can have; `None` is any number.
pub(crate) fn most(feature: &Feature) -> Option<u64> {
    match feature.model {
        Model::Floating => feature.seats,
        Model::Named => Some(1),
    }
}

/// Free slots below `seats`; `None` where the pool is unlimited.
pub(crate) fn free(pool: &Pool, feature: &Feature) -> Option<u64> {
    feature.seats.map(|seats| seats.saturating_sub(pool.used))
}

/// The n lowest free slots, ascending, where there are so many.
pub(crate) fn lowest(pool: &Pool, feature: &Feature, n: u32) -> Option<Vec<u64>> {
    let seats = feature.seats.unwrap_or(u64::MAX);
    let slots: Vec<u64> = pool
        .freed
        .iter()
        .copied()
        .chain(pool.high..)
        .take_while(|slot| *slot < seats)
        .take(n as usize)
        .collect();
    (slots.len() == n as usize).then_some(slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BootId, InstanceId, UserId};
    use crate::state::Slots;
    use std::sync::Arc;

    #[test]
    fn r06_two_units_with_the_same_short_form_are_two() {
        let process = |n| Unit::Process(BootId([1; 16]), InstanceId([n; 16]));
        let (mine, other) = (process(1), process(2));
        let mut pool = Pool::default();
        for (n, unit) in [(1, other), (2, mine)] {
            let gid = Gid { epoch: 1, n };
            let grant = Grant {
                unit,
                user: UserId([1; 16]),
                slots: Slots::One(n),
                holders: Vec::new(),
                next_h: 1,
                since: LeaseTime(0),
                closed: false,
                called: true,
            };
            // Nobody can make two that really have: the set is told so.
            pool.units.insert((mine.short(), gid));
            pool.grants.insert(gid, Arc::new(grant));
        }
        let found: Vec<_> = pool.of_unit(mine).map(|(gid, _)| gid.n).collect();
        assert_eq!(found, [2]);
    }
}
