//! Who loses a right by a change, and who has it again (rules 4, 16).
//!
//! A right is judged when its holder calls. What is looked for here is only whom a change concerns: to end them at once
//! where it is to be felt at once, and to tell an administrator whose seats end for it.

use crate::engine::{Act, Verdict};
use crate::event::{EndingWhy, Recorded};
use crate::ids::{HolderId, LicenseId, UserId};
use crate::seats::release::end_softly;
use crate::seats::{kept, terms};
use crate::state::{State, Target, Within};
use crate::time::{Date, LeaseTime, hold_ms};
use std::collections::BTreeMap;

/// Whom a change concerns.
#[derive(Clone, Debug)]
pub enum Concerned {
    /// These users.
    Users(Vec<UserId>),
    /// All whom one of these covered before.
    Targets(Vec<Target>),
}

/// Ends who lost a right to a license by a change of whom it is assigned to.
pub(crate) fn end(
    act: &mut Act<'_>,
    before: &State,
    license: &LicenseId,
    target: Target,
    hard: bool,
) -> Verdict {
    take_back(act);
    let concerned = Concerned::Targets(vec![target]);
    let lost = lost(before, act.state(), act.now.j, Some(license), &concerned);
    let verdict = end_softly(act, &lost, EndingWhy::RightLost, hard);
    kept::settle(act, |id| id.license == *license);
    verdict
}

/// Who of those sat rightly before and does not any more, of one license or of all.
fn lost(
    before: &State,
    after: &State,
    j: Date,
    license: Option<&LicenseId>,
    concerned: &Concerned,
) -> Vec<HolderId> {
    let within = match concerned {
        Concerned::Users(users) => {
            Within::any(before, users.iter().map(|user| Target::User(*user)))
        }
        Concerned::Targets(targets) => Within::any(before, targets.iter().copied()),
    };
    let concerns = |user| within.has(before, user);
    let mut out = Vec::new();
    let of = |id: &LicenseId| license.is_none_or(|license| license == id);
    for (id, pool) in after.pools.iter().filter(|(id, _)| of(&id.license)) {
        let mut known: BTreeMap<UserId, bool> = BTreeMap::new();
        for (gid, grant) in &pool.grants {
            for holder in &grant.holders {
                let user = holder.facts.user;
                let lost = *known.entry(user).or_insert_with(|| {
                    concerns(user)
                        && after.right_lost(id, user, j)
                        && before.sits_rightly(id, user, j)
                });
                if lost {
                    out.push(HolderId {
                        gid: *gid,
                        h: holder.h,
                    });
                }
            }
        }
    }
    out
}

/// After a change: who has the right again goes on, and who lost it by the change is ending at once where it is hard. Who
/// is named by it is so even where they had lost it before. The others are told when they call.
pub(crate) fn settle(
    act: &mut Act<'_>,
    before: &State,
    concerned: &Concerned,
    hard: bool,
) -> Verdict {
    take_back(act);
    let j = act.now.j;
    if !hard {
        return Verdict::Done;
    }
    let lost = match concerned {
        Concerned::Users(users) => without(act.state(), j, users),
        Concerned::Targets(_) => lost(before, act.state(), j, None, concerned),
    };
    let verdict = end_softly(act, &lost, EndingWhy::RightLost, hard);
    kept::settle(act, |_| true);
    verdict
}

/// The holders of these users who have no right.
fn without(state: &State, j: Date, users: &[UserId]) -> Vec<HolderId> {
    let mut out = Vec::new();
    for (id, pool) in &state.pools {
        for (gid, grant) in &pool.grants {
            let theirs = grant.holders.iter();
            let theirs = theirs.filter(|holder| users.contains(&holder.facts.user));
            let lost = theirs.filter(|holder| state.right_lost(id, holder.facts.user, j));
            out.extend(lost.map(|holder| HolderId {
                gid: *gid,
                h: holder.h,
            }));
        }
    }
    out
}

/// Takes back the ending of holders whose lost right is there again before their last lease was signed (rule 16).
pub(crate) fn take_back(act: &mut Act<'_>) {
    let (state, j) = (act.state(), act.now.j);
    let back = act.engine.index.returning();
    let back = back.filter(|id| returned(state, *id, j));
    let back: Vec<_> = back.collect();
    if !back.is_empty() {
        act.record(Recorded::EndingTakenBack { holders: back });
    }
}

/// The right of a holder is there again: the license is in force and not withdrawn, and covers the user.
pub(crate) fn returned(state: &State, id: HolderId, j: Date) -> bool {
    let (Some(pool), Some(holder)) = (state.grants.get(&id.gid), state.holder(id)) else {
        return false;
    };
    let serves = terms::license(state, pool).is_some_and(|license| !state.revokes(license));
    serves && state.sits_rightly(pool, holder.facts.user, j)
}

/// Who loses a right by a change and is told at their next call, with when their slots are free at the latest: on the
/// states before and after it.
#[must_use]
pub fn losing(
    before: &State,
    after: &State,
    j: Date,
    concerned: &Concerned,
) -> Vec<(HolderId, LeaseTime)> {
    let lost = lost(before, after, j, None, concerned).into_iter();
    lost.filter_map(|id| Some((id, free_by(after, id)?)))
        .collect()
}

/// When the slots of a holder that is to end, or has lost its right, are free at the latest: its `last` may be signed at
/// the very end (rule 16).
#[must_use]
pub fn free_by(state: &State, id: HolderId) -> Option<LeaseTime> {
    let (holder, pool) = (state.holder(id)?, state.grants.get(&id.gid)?);
    let feature = state.feature(pool);
    let save_s = feature.map_or(0, |feature| feature.save_s);
    Some(match holder.ending() {
        Some(_) => holder.latest_end(),
        None => holder.until + hold_ms(save_s * 1000),
    })
}
