//! Room for a checkout: seats, limits, reserves and free slots of one pool (rules 8 to 11, 13).

use super::judge::{Candidate, Stage, pauses};
use super::pool;
use crate::command::Checkout;
use crate::denial::{Code, Denial, Step, Trace};
use crate::ids::PoolId;
use crate::limits;
use crate::reserves::{self, Withheld};
use crate::state::{Pool, State};
use crate::time::{LeaseTime, Now};

/// Pass (b): the lowest free slots.
pub(super) fn free_slots(
    state: &State,
    now: Now,
    asked: &Checkout,
    one: &Candidate<'_>,
    trace: &mut impl Trace,
) -> Result<Vec<u64>, (Stage, Denial)> {
    let (total, in_use) = (one.feature.seats, one.pool.used + one.pool.above);
    let n = u64::from(asked.n);
    let counted = |code, rule| Denial {
        pool: Some(one.id.clone()),
        in_use: Some(in_use),
        total,
        ..Denial::new(code, rule)
    };
    if total.is_some_and(|seats| n > seats) {
        let seats = total.unwrap_or_default();
        let text = || format!("{n} seats asked for, {seats} in the license");
        trace.step(|| Step::no(Some(one.id), 13, Code::RequestExceedsTotal, text()));
        return Err((Stage::Total, counted(Code::RequestExceedsTotal, 13)));
    }
    let limit = limits::over(state, one.id, one.pool, asked.user, n);
    let exceeds = |no: &Denial| no.code == Code::RequestExceedsTotal;
    if let Some(no) = limit.clone().filter(exceeds) {
        return Err((Stage::Total, over_limit(one.id, no, trace)));
    }
    let withheld = reserves::withheld(state, one.id, one.pool, one.feature, (asked.user, n));
    if let Some(no) = withheld.as_ref().filter(|no| no.rule == 13) {
        let no = reserved(one, no, trace);
        return Err((Stage::Total, no));
    }
    pauses(state, now, asked, (one.id, None), trace)?;
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
        pool::lowest(one.pool, one.feature, asked.n).filter(|_| free.is_none_or(|free| free >= n));
    let Some(slots) = slots else {
        trace.step(|| Step::no(Some(one.id), 9, Code::NoSeatFree, of()));
        let no = counted(Code::NoSeatFree, 9);
        let retry_at = first_end(one.pool);
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
        format!("the limit of the assignment {of}: {charged} of {max} seats are in use")
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
fn reserved(one: &Candidate<'_>, no: &Withheld, trace: &mut impl Trace) -> Denial {
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
