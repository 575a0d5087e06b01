//! Changes of the organisation, as they are judged (rules 1, 2). Whether anybody loses a right by one is asked when they
//! call (rule 4), but for a change that is to be felt at once: who loses a right by it is looked for here.

mod groups;
mod units;
mod users;

use crate::command::Arrange;
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::EndingWhy;
use crate::ids::{HolderId, UserId};
use crate::licensing;
use crate::seats::release::end_softly;
use crate::state::State;
use crate::time::{Date, LeaseTime};
use std::collections::BTreeMap;

/// Judges a change.
pub(crate) fn arrange(act: &mut Act<'_>, change: Arrange) -> Result<Verdict, Denial> {
    match change {
        Arrange::MakeUnit { unit, name, place } => units::make(act, unit, name, place),
        Arrange::ChangeUnit {
            unit,
            change,
            if_match,
        } => units::change(act, unit, change, if_match),
        Arrange::RemoveUnit { unit, if_match } => units::remove(act, unit, if_match),
        Arrange::MakeGroup { group, name, unit } => groups::make(act, group, name, unit),
        Arrange::RenameGroup {
            group,
            name,
            if_match,
        } => groups::rename(act, group, name, if_match),
        Arrange::RemoveGroup {
            group,
            hard,
            if_match,
        } => groups::remove(act, group, hard, if_match),
        Arrange::AddMembers {
            group,
            users,
            groups,
        } => groups::add(act, group, users, groups),
        Arrange::DropMembers {
            group,
            users,
            groups,
            hard,
        } => groups::drop_members(act, group, (users, groups), hard),
        Arrange::MakeUser {
            user,
            login,
            units,
            status,
            until,
        } => users::make(
            act,
            user,
            login,
            users::Made {
                units,
                status,
                until,
            },
        ),
        Arrange::ChangeUser {
            user,
            status,
            until,
            hard,
            if_match,
        } => users::change(act, user, (status, until), hard, if_match),
        Arrange::PlaceUser {
            user,
            units,
            hard,
            if_match,
        } => users::place(act, user, units, hard, if_match),
        Arrange::RemoveUser {
            user,
            hard,
            if_match,
        } => users::remove(act, user, hard, if_match),
    }
}

/// Refuses where somebody changed it meanwhile.
fn unchanged(revision: u64, if_match: Option<u64>, rule: u8) -> Result<(), Denial> {
    if if_match.is_none_or(|seen| seen == revision) {
        return Ok(());
    }
    Err(Denial {
        limit: Some(format!("revision {revision}")),
        ..Denial::new(Code::WrongRevision, rule)
    })
}

/// Ends at once, without a `last`, who has lost their right; where it is not to be hard, they are told when they call.
fn felt(act: &mut Act<'_>, hard: bool) -> Verdict {
    if !hard {
        return Verdict::Done;
    }
    let lost = unrightful(act);
    end_softly(act, &lost, EndingWhy::RightLost, true)
}

/// All who sit without a right, told or not.
fn unrightful(act: &Act<'_>) -> Vec<HolderId> {
    sitting_without(act.state(), act.now.j)
}

/// Who sits without a right and was not told yet, with when their slots are free at the latest, on a snapshot: they are
/// ending at their next call (rule 16).
#[must_use]
pub fn losing(state: &State, j: Date) -> Vec<(HolderId, LeaseTime)> {
    let lost = sitting_without(state, j).into_iter();
    let untold = lost.filter(|id| state.holder(*id).is_some_and(|h| h.ending.is_none()));
    untold
        .filter_map(|id| Some((id, licensing::remove::free_by(state, id)?)))
        .collect()
}

fn sitting_without(state: &State, j: Date) -> Vec<HolderId> {
    let mut out = Vec::new();
    for (id, pool) in &state.pools {
        let mut lost: BTreeMap<UserId, bool> = BTreeMap::new();
        for (gid, grant) in &pool.grants {
            for holder in &grant.holders {
                let user = holder.facts.user;
                let lost = lost
                    .entry(user)
                    .or_insert_with(|| state.right_lost(id, user, j));
                if *lost {
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
