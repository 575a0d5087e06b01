//! Changes of the organisation, as they are judged (rules 1, 2). Whether anybody loses a right by one is asked when they
//! call (rule 4); whom a change that is to be felt at once ends is looked for in `losses.rs`.

mod groups;
pub(crate) mod registrations;
mod units;
mod users;

use crate::command::Arrange;
use crate::denial::Denial;
use crate::engine::{Act, Verdict};
use crate::event::Recorded;
use crate::losses::{self, Concerned};

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
            if_match,
        } => groups::add(act, group, (users, groups), if_match),
        Arrange::DropMembers {
            group,
            users,
            groups,
            hard,
            if_match,
        } => groups::drop_members(act, group, (users, groups), hard, if_match),
        Arrange::MakeUser {
            user,
            login,
            address,
            units,
            status,
            until,
        } => users::make(act, user, (login, address), (units, status, until)),
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
        Arrange::ChangeAddress {
            user,
            was,
            address,
            if_match,
        } => users::readdress(act, user, (was, address), if_match),
        Arrange::RemoveUser {
            user,
            hard,
            if_match,
        } => users::remove(act, user, hard, if_match),
        Arrange::Admit(admission) => registrations::admit(act, admission),
    }
}

/// Records a change by which these may gain or lose a right.
fn settled(act: &mut Act<'_>, event: Recorded, concerned: &Concerned, hard: bool) -> Verdict {
    let before = act.state().clone();
    act.record(event);
    losses::settle(act, &before, concerned, hard)
}

/// Nothing is to be changed; where it is hard, who has no right any more is to feel that now.
fn unchanged_still(act: &mut Act<'_>, concerned: &Concerned, hard: bool) -> Verdict {
    let before = act.state().clone();
    losses::settle(act, &before, concerned, hard)
}
