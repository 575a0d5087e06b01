//! What can be asked of the directory (rules 1, 2). Ids are brought by the caller, so that the same id and body is the
//! same thing (rule 20); a revision that is named must be the present one.

use super::Admission;
use crate::ids::{GroupId, LoginHash, NameHash, UnitId, UserId};
use crate::state::{AccountKind, MailAddress, Place, UserStatus};
use crate::time::Date;

/// A change of the organisation.
#[derive(Clone, Debug)]
pub enum Arrange {
    /// Makes an account, or a unit below another.
    MakeUnit {
        /// Its id.
        unit: UnitId,
        /// Its name, which nothing else in the same place has.
        name: NameHash,
        /// Where.
        place: Place,
    },
    /// Changes an account or a unit.
    ChangeUnit {
        /// Which.
        unit: UnitId,
        /// What about it.
        change: UnitChange,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Takes away an account or a unit that nothing is in, and nothing is assigned to.
    RemoveUnit {
        /// Which.
        unit: UnitId,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Makes a group.
    MakeGroup {
        /// Its id.
        group: GroupId,
        /// Its name, which no other group has.
        name: NameHash,
        /// The unit that it belongs to.
        unit: UnitId,
    },
    /// Gives a group another name.
    RenameGroup {
        /// Which.
        group: GroupId,
        /// Its name.
        name: NameHash,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Takes a group away with its assignments.
    RemoveGroup {
        /// Which.
        group: GroupId,
        /// Whoever loses a right by it gets no `last`.
        hard: bool,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Puts users and groups into a group. Who is in it already stays in it.
    AddMembers {
        /// Into which.
        group: GroupId,
        /// Users.
        users: Vec<UserId>,
        /// Groups.
        groups: Vec<GroupId>,
        /// Refused unless the group still has this revision.
        if_match: Option<u64>,
    },
    /// Takes users and groups out of a group.
    DropMembers {
        /// Out of which.
        group: GroupId,
        /// Users.
        users: Vec<UserId>,
        /// Groups.
        groups: Vec<GroupId>,
        /// Whoever loses a right by it gets no `last`.
        hard: bool,
        /// Refused unless the group still has this revision.
        if_match: Option<u64>,
    },
    /// Makes a user.
    MakeUser {
        /// Their id.
        user: UserId,
        /// Their login, which nobody else has.
        login: LoginHash,
        /// Their mail address, which nobody else has.
        address: Option<LoginHash>,
        /// Where they are.
        units: Vec<UnitId>,
        /// Whether they may sit.
        status: UserStatus,
        /// A guest, until this date.
        until: Option<Date>,
    },
    /// Says whether a user may sit, and until when.
    ChangeUser {
        /// Who.
        user: UserId,
        /// Whether they may sit.
        status: UserStatus,
        /// A guest, until this date.
        until: Option<Date>,
        /// Where they lose a right by it they get no `last`.
        hard: bool,
        /// Refused unless they still have this revision.
        if_match: Option<u64>,
    },
    /// Places a user in exactly these units.
    PlaceUser {
        /// Who.
        user: UserId,
        /// Where: at least one.
        units: Vec<UnitId>,
        /// Where they lose a right by it they get no `last`.
        hard: bool,
        /// Refused unless they still have this revision.
        if_match: Option<u64>,
    },
    /// Gives a user another mail address, or none.
    ChangeAddress {
        /// Who.
        user: UserId,
        /// Which of their logins the present one is, where they have one.
        was: Option<LoginHash>,
        /// The new one, which nobody else has.
        address: Option<MailAddress>,
        /// Refused unless they still have this revision.
        if_match: Option<u64>,
    },
    /// Takes a user away, with their assignments.
    RemoveUser {
        /// Who.
        user: UserId,
        /// They get no `last`.
        hard: bool,
        /// Refused unless they still have this revision.
        if_match: Option<u64>,
    },
    /// Lets somebody in, or has them wait.
    Admit(Admission),
}

/// A change of an account or a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitChange {
    /// Another name.
    Rename(NameHash),
    /// Another place: all that is in it goes with it.
    Move {
        /// Where to: below another unit, or to the top as an account of this kind.
        to: MoveTo,
        /// Whoever loses a right by it gets no `last`.
        hard: bool,
    },
    /// Another manager of an account, or none.
    Manage(Option<UnitId>),
}

/// A customer's account that is made for its first license (rule 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewAccount {
    /// Its id.
    pub unit: UnitId,
    /// Its name, which no other account has.
    pub name: NameHash,
    /// The partner or producer account that manages it.
    pub managed_by: Option<UnitId>,
    /// The license's fulfillment contact: becomes a user who is not registered yet (B1), unless the address is a user's.
    pub contact: Option<(UserId, LoginHash)>,
}

/// Where a unit goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoveTo {
    /// Right below this unit.
    Below(UnitId),
    /// To the top.
    Account(AccountKind),
}
