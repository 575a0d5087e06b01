//! What a pool can give: free slots, lowest first, and the grant that a unit may join (rules 5, 6, 9).

use crate::command::Process;
use crate::ids::{Gid, UserId};
use crate::state::{CountingUnit, Feature, Pool, Unit};

/// The counting unit of a checkout in a feature (rule 6).
pub(crate) fn unit(counting: CountingUnit, process: &Process, user: UserId) -> Unit {
    match counting {
        CountingUnit::Process => Unit::Process(process.boot, process.instance),
        CountingUnit::User => Unit::User(user),
        CountingUnit::Host => Unit::Host(process.machine, process.boot),
        CountingUnit::UserHost => Unit::UserHost(user, process.machine, process.boot),
    }
}

/// The grant that this unit joins for n seats: the lowest gid that has room (rule 6).
pub(crate) fn joinable(pool: &Pool, feature: &Feature, unit: Unit, n: u32) -> Option<Gid> {
    let lowest = (unit, Gid { epoch: 0, n: 0 });
    pool.units
        .range(lowest..)
        .take_while(|(of, _)| *of == unit)
        .map(|(_, gid)| *gid)
        .find(|gid| {
            pool.grants.get(gid).is_some_and(|grant| {
                let room = feature
                    .share_max
                    .is_none_or(|most| (grant.holders.len() as u64) < most);
                grant.slots.len() == n as usize && room
            })
        })
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
