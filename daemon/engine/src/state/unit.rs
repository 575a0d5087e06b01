//! A counting unit in person (rules 6, 7).

use crate::ids::{BootId, InstanceId, MachineId, UserId, short};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who holds a grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Process(BootId, InstanceId),
    User(UserId),
    Host(MachineId, BootId),
    UserHost(UserId, MachineId, BootId),
    /// A machine that a named seat is kept for, over its boots: node-locked (rule 7).
    Node(MachineId),
    /// A user on such a machine.
    UserNode(UserId, MachineId),
}

impl Unit {
    /// A short form to find it by. Where two are the same all the same, the grant tells them apart.
    #[must_use]
    pub fn short(&self) -> u64 {
        let sum = Sha256::new();
        short(match self {
            Unit::Process(boot, instance) => sum.chain_update(boot.0).chain_update(instance.0),
            Unit::User(user) => sum.chain_update(user.0),
            Unit::Host(machine, boot) => sum.chain_update(machine.0).chain_update(boot.0),
            Unit::UserHost(user, machine, boot) => sum
                .chain_update(user.0)
                .chain_update(machine.0)
                .chain_update(boot.0),
            Unit::Node(machine) => sum.chain_update(machine.0),
            Unit::UserNode(user, machine) => sum.chain_update(user.0).chain_update(machine.0),
        })
    }

    /// The user without whose right it has none; a machine has no right to lose.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Unit::User(user) | Unit::UserHost(user, ..) | Unit::UserNode(user, _) => Some(*user),
            Unit::Process(..) | Unit::Host(..) | Unit::Node(_) => None,
        }
    }

    /// The machine that it is on, where it is one.
    #[must_use]
    pub fn machine(&self) -> Option<MachineId> {
        match self {
            Unit::Host(machine, _) | Unit::UserHost(_, machine, _) => Some(*machine),
            Unit::Node(machine) | Unit::UserNode(_, machine) => Some(*machine),
            Unit::Process(..) | Unit::User(_) => None,
        }
    }
}
