//! Roles: bundles of permissions with a reach, the usual ones and a site's own (requirements: Roles, F8 to F12).

use super::Permission;
use crate::ids::{Name, UnitId};
use crate::state::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far a role reaches from the unit that it is given at. Each reaches all that the one before it does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// That unit alone.
    Unit,
    /// That unit and all below it.
    Below,
    /// From the root of a partner's or producer's account also its customers: the accounts that it manages; from a
    /// producer's the customers that nobody manages, and what only shows in partners and all customers. The home account
    /// is reached by its manager alone.
    Customers,
}

impl Reach {
    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Reach::Unit => "at that unit alone",
            Reach::Below => "at that unit and below",
            Reach::Customers => "at that unit, below, and in the accounts that it manages",
        }
    }
}

/// What a role gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Role {
    /// Ascending, each once.
    pub permissions: Vec<Permission>,
    /// How far.
    pub reach: Reach,
    /// Number of the event that last changed it; 0 for one that is as it came.
    pub revision: u64,
}

/// A role that somebody has at a unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Given {
    /// The role's name.
    pub role: Name,
    /// Where.
    pub unit: UnitId,
}

impl Role {
    /// What everybody has at their own units, without being given it.
    pub const USER: &'static str = "user";
    /// Of an account and its customers.
    pub const ADMINISTRATOR: &'static str = "administrator";
    /// The roles that every site has, as they come. Their permissions can be changed (F12).
    pub const USUAL: &'static [&'static str] = &[
        Role::USER,
        Role::ADMINISTRATOR,
        "portal-administrator",
        "license-manager",
        "auditor",
    ];

    /// A usual role as it comes.
    #[must_use]
    pub fn usual(name: &str) -> Option<Role> {
        use Permission as P;
        let (reach, permissions): (Reach, Vec<P>) = match name {
            Role::USER => (Reach::Unit, vec![P::UnitRead]),
            Role::ADMINISTRATOR => (Reach::Customers, and_audit(of_places(|_| true))),
            "portal-administrator" => (
                Reach::Below,
                shown_and(&[
                    P::UnitManage,
                    P::GroupManage,
                    P::UserManage,
                    P::LicenseManageUsers,
                    P::SeatReclaim,
                ]),
            ),
            "license-manager" => (
                Reach::Below,
                shown_and(&[P::LicenseManageUsers, P::SeatReclaim]),
            ),
            "auditor" => (Reach::Below, and_audit(of_places(P::shows))),
            _ => return None,
        };
        Some(Role {
            permissions,
            reach,
            revision: 0,
        })
    }
}

/// All that only shows, and these.
fn shown_and(more: &[Permission]) -> Vec<Permission> {
    of_places(|one| one.shows() || more.contains(&one))
}

/// It counts at the home account: the journal is one for the whole site.
fn and_audit(mut permissions: Vec<Permission>) -> Vec<Permission> {
    permissions.push(Permission::AuditRead);
    permissions
}

fn of_places(which: impl Fn(Permission) -> bool) -> Vec<Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(|one| one.scope() == super::Scope::Place && which(*one))
        .collect()
}

impl State {
    /// A role as it is on this site.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<Arc<Role>> {
        match self.roles.get(name) {
            Some(defined) => Some(defined.clone()),
            None => Role::usual(name).map(Arc::new),
        }
    }
}
