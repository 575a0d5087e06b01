//! Folds what happens to roles.

use super::directory::change_user;
use super::rooms::but;
use crate::access::Role;
use crate::event::Recorded;
use crate::state::State;
use std::sync::Arc;

/// Folds one event of a role.
pub(super) fn evolve(state: &mut State, event: &Recorded, revision: u64) {
    match event {
        Recorded::RoleDefined {
            role,
            permissions,
            reach,
        } => {
            let defined = Role {
                permissions: permissions.clone(),
                reach: *reach,
                revision,
            };
            state.roles.insert(role.clone(), Arc::new(defined));
        }
        Recorded::RoleRemoved { role } => {
            state.roles.remove(role);
        }
        Recorded::RolesGiven { user, roles } => {
            change_user(state, *user, revision, |known| {
                known.roles.clone_from(roles)
            });
        }
        but!(access) => {}
    }
}
