//! Room for a checkout: seats, limits, reserves and free slots of one pool (rules 8 to 11, 13).

use super::judge::Stage;
use super::pool;
use crate::denial::{Code, Denial, Step, Trace};
use crate::ids::{PoolId, UserId};
use crate::limits;
use crate::reserves::{self, Withheld};
use crate::state::{Feature, Model, Pool, State};
use crate::time::LeaseTime;
use std::sync::Arc;

/// Where room is looked for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) id: &'a PoolId,
    pub(super) pool: &'a Pool,
    pub(super) feature: &'a Arc<Feature>,
}

/// Pass (b): the lowest free slots, for n seats of a user. `pauses` is judged between what waiting cannot help and what it
/// can (rule 22).
pub(super) fn free_slots<T: Trace>(
    state: &State,
    (user, n): (UserId, u32),
    one: Place<'_>,
    trace: &mut T,
    pauses: impl FnOnce(&mut T) -> Result<(), (Stage, Denial)>,
) -> Result<Vec<u64>, (Stage, Denial)> {
    let (total, in_use) = (one.feature.seats, one.pool.used + one.pool.above);
    let (few, n) = (n, u64::from(n));
    let counted = |code, rule| Denial {
        pool: Some(one.id.clone()),
        in_use: Some(in_use),
        total,
        ..Denial::new(code, rule)
    };
    if let Some(most) = pool::most(one.feature).filter(|most| n > *most) {
        let (rule, text) = match one.feature.model {
            Model::Named => (7, format!("{n} seats asked for, a named seat is one")),
            Model::Floating => (13, format!("{n} seats asked for, {most} in the license")),
        };
        trace.step(|| Step::no(Some(one.id), rule, Code::RequestExceedsTotal, text));
        let no = Denial {
            total: Some(most),
            ..counted(Code::RequestExceedsTotal, rule)
        };
        return Err((Stage::Total, no));
    }
    let limit = limits::over(state, one.id, one.pool, user, n);
    let exceeds = |no: &Denial| no.code == Code::RequestExceedsTotal;
    if let Some(no) = limit.clone().filter(exceeds) {
        return Err((Stage::Total, over_limit(one.id, no, trace)));
    }
    let withheld = reserves::withheld(state, one.id, one.pool, one.feature, (user, n));
    if let Some(no) = withheld.as_ref().filter(|no| no.rule == 13) {
        let no = reserved(one, no, trace);
        return Err((Stage::Total, no));
    }
    pauses(trace)?;
    if let Some(no) = limit {
        return Err((Stage::Max, over_limit(one.id, no, trace)));
    }
    let of = || {
        total.map_or_else(
            || "no limit".to_owned(),
            |seats| format!("{in_use} of {seats} seats in use"),
        )
    };
    let free = pool::free(one.pool, one.feature);
    let slots =
        pool::lowest(one.pool, one.feature, few).filter(|_| free.is_none_or(|free| free >= n));
    let Some(slots) = slots else {
        // Of named seats those are missed that have owners, whether they sit or not.
        let (rule, text) = match one.feature.model {
            Model::Named => (7, of().replace("in use", "have owners")),
            Model::Floating => (9, of()),
        };
        trace.step(|| Step::no(Some(one.id), rule, Code::NoSeatFree, text));
        let no = counted(Code::NoSeatFree, rule);
        // What ends on a named seat frees none.
        let floating = one.feature.model == Model::Floating;
        let retry_at = first_end(one.pool).filter(|_| floating);
        return Err((Stage::Seats, Denial { retry_at, ..no }));
    };
    if let Some(no) = withheld {
        let no = reserved(one, &no, trace);
        let retry_at = first_end(one.pool);
        return Err((Stage::Reserve, Denial { retry_at, ..no }));
    }
    trace.step(|| {
        let text = format!("{}, slot {} is free", of(), slots[0]);
        Step::ok(Some(one.id), 9, text)
    });
    Ok(slots)
}

fn over_limit(id: &PoolId, no: Denial, trace: &mut impl Trace) -> Denial {
    let text = || {
        let count = |n: Option<u64>| n.unwrap_or_default();
        let of = no.assignment.map_or_else(String::new, |of| of.to_string());
        let (charged, max) = (count(no.in_use), count(no.total));
        format!("the limit of the assignment {of}: {charged} in use count for it, and it is {max}")
    };
    trace.step(|| Step {
        assignment: no.assignment,
        ..Step::no(Some(id), no.rule, no.code, text())
    });
    Denial {
        pool: Some(id.clone()),
        ..no
    }
}

/// The denial where reserves make the difference.
fn reserved(one: Place<'_>, no: &Withheld, trace: &mut impl Trace) -> Denial {
    let text = || {
        let of = match no.max {
            Some(max) => format!("seats under the max of the assignment {max}"),
            None => "seats".to_owned(),
        };
        let Withheld {
            size,
            left,
            reserved,
            ..
        } = no;
        match no.rule {
            13 => format!("{reserved} of {size} {of} are reserved for others"),
            _ => format!("{left} of {size} {of} are left, and {reserved} are reserved for others"),
        }
    };
    let code = Code::ReservedForOthers;
    trace.step(|| Step {
        assignment: no.by,
        ..Step::no(Some(one.id), no.rule, code, text())
    });
    Denial {
        pool: Some(one.id.clone()),
        assignment: no.by,
        in_use: Some(no.size - no.left),
        total: Some(no.size),
        reserved: Some(no.reserved),
        ..Denial::new(code, no.rule)
    }
}

/// When the first hold of a small pool is over at the latest; large ones are not searched.
fn first_end(pool: &Pool) -> Option<LeaseTime> {
    let few = pool.grants.len() <= 64;
    few.then(|| {
        pool.grants
            .values()
            .flat_map(|grant| grant.holders.iter().map(|h| h.until))
            .min()
    })
    .flatten()
}
