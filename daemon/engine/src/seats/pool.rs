//! What a pool can give: free slots, lowest first, and the grant that a unit may join (rules 5, 6, 9).

use crate::command::Process;
use crate::ids::{Gid, UserId};
use crate::state::{CountingUnit, Feature, Grant, Holder, Pool, Unit};

/// The counting unit of a checkout in a feature (rule 6).
pub(crate) fn unit(counting: CountingUnit, process: &Process, user: UserId) -> Unit {
    match counting {
        CountingUnit::Process => Unit::Process(process.boot, process.instance),
        CountingUnit::User => Unit::User(user),
        CountingUnit::Host => Unit::Host(process.machine, process.boot),
        CountingUnit::UserHost => Unit::UserHost(user, process.machine, process.boot),
    }
}

/// The grant that this unit joins for n seats: the lowest gid that has room (rule 6), and somebody who stays in it: who
/// has lost the right and did not call since is ending, too (rule 16).
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
        grant.slots.len() == n as usize && room && grant.holders.iter().any(kept)
    };
    let mut grants = pool.of_unit(unit);
    grants
        .find(|(_, grant)| joinable(grant))
        .map(|(gid, _)| gid)
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
    use crate::time::LeaseTime;
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
