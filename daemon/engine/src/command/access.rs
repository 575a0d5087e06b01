//! What can be asked of roles and of who has them. A revision that is named must be the present one.

use crate::access::{Given, Permission, Reach};
use crate::ids::{Name, UserId};

/// A change of who may what.
#[derive(Clone, Debug)]
pub enum Access {
    /// Says what a role is made of: a new one, or another making of one that is there.
    DefineRole {
        /// Its name.
        role: Name,
        /// What it gives.
        permissions: Vec<Permission>,
        /// How far.
        reach: Reach,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Takes a role away that nobody has; a usual one is as it came again.
    RemoveRole {
        /// Which.
        role: Name,
        /// Refused unless it still has this revision.
        if_match: Option<u64>,
    },
    /// Gives a user exactly these roles.
    GiveRoles {
        /// Who.
        user: UserId,
        /// Which, and where.
        roles: Vec<Given>,
        /// Refused unless the user still has this revision.
        if_match: Option<u64>,
    },
}
