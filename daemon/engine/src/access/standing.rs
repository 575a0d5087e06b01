//! What somebody may, and where: asked of a state, for one person at a time.

use super::{Given, Permission, Reach, Role, Scope};
use crate::ids::{Name, UnitId, UserId};
use crate::state::{Account, AccountKind, Place, State, Target, User};
use crate::time::Date;
use std::sync::Arc;

/// A person with their roles, as one state has them. Somebody who is not active stands nowhere.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    roles: Vec<(Given, Arc<Role>)>,
}

/// By what somebody may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum By {
    /// A role whose reach covers the place.
    Own,
    /// A role in the account that manages the place's account: they act for it (rule 1).
    Managing(UnitId),
}

impl Standing {
    /// What a user may at the date J.
    #[must_use]
    pub fn of(state: &State, user: &User, j: Date) -> Standing {
        let roles = user.active(j).then(|| roles_of(state, user));
        Standing {
            roles: roles.unwrap_or_default(),
        }
    }

    /// Whether they have a permission at a unit, and by what. One of the daemon is had at the root of the home account.
    #[must_use]
    pub fn may(&self, state: &State, permission: Permission, unit: UnitId) -> Option<By> {
        let mut by = self.at(state, permission, unit).map(|(by, _)| by);
        let first = by.next()?;
        Some(by.fold(first, Ord::min))
    }

    /// Whether they have it anywhere in the account with this root.
    #[must_use]
    pub fn inside(&self, state: &State, permission: Permission, root: UnitId) -> bool {
        let within = |given: &Given| {
            state
                .account_of(given.unit)
                .is_some_and(|(of, _)| of == root)
        };
        let mut having = self.having(state, permission);
        having.any(|(given, _)| within(given)) || self.may(state, permission, root).is_some()
    }

    /// Whether they have it anywhere.
    #[must_use]
    pub fn somewhere(&self, state: &State, permission: Permission) -> bool {
        self.having(state, permission).next().is_some()
    }

    /// Whether they may give a role at a unit: they have all that it gives there, as far as it reaches.
    #[must_use]
    pub fn may_give(&self, state: &State, role: &Role, unit: UnitId) -> bool {
        self.may(state, Permission::RoleGive, unit).is_some() && self.has_all(state, role, unit)
    }

    /// Whether they have all that a role gives at a unit, as far as it reaches.
    #[must_use]
    pub fn has_all(&self, state: &State, role: &Role, unit: UnitId) -> bool {
        let home = state.site.map(|site| site.unit);
        let far = |permission: &Permission| {
            let mut reaches = self.at(state, *permission, unit);
            match permission.scope() {
                Scope::Everyone => true,
                Scope::Daemon => Some(unit) != home || reaches.next().is_some(),
                Scope::Place => reaches.any(|(_, reach)| reach >= role.reach),
            }
        };
        role.permissions.iter().all(far)
    }

    /// Where they were given it so that it counts: one of the daemon at the root of the home account alone.
    fn having(
        &self,
        state: &State,
        permission: Permission,
    ) -> impl Iterator<Item = (&Given, Reach)> {
        let home = state.site.map(|site| site.unit);
        let daemon = permission.scope() == Scope::Daemon;
        let with = self.roles.iter().filter(move |(given, role)| {
            let counts = !daemon || Some(given.unit) == home;
            counts && role.permissions.contains(&permission)
        });
        with.map(|(given, role)| (given, role.reach))
    }

    fn at<'a>(
        &'a self,
        state: &'a State,
        permission: Permission,
        unit: UnitId,
    ) -> impl Iterator<Item = (By, Reach)> + 'a {
        let having = self.having(state, permission);
        having.filter_map(move |(given, reach)| {
            let by = match permission.scope() {
                Scope::Everyone => None,
                Scope::Daemon => (given.unit == unit).then_some(By::Own),
                Scope::Place => reached(state, given.unit, reach, permission, unit),
            };
            let by = by?;
            // Who acts for an account has no customers by it: a customer has none.
            let reach = match by {
                By::Managing(root) if !is_customer(state, root) => reach.min(Reach::Below),
                By::Own | By::Managing(_) => reach,
            };
            Some((by, reach))
        })
    }
}

/// The roles that somebody was given, and what everybody has at their own units.
fn roles_of(state: &State, known: &User) -> Vec<(Given, Arc<Role>)> {
    let given = known.roles.iter().cloned();
    let own = state.units_of(known).iter().map(|unit| Given {
        role: Name::from(Role::USER),
        unit: *unit,
    });
    let all = given.chain(own);
    all.filter_map(|given| {
        let role = state.role(&given.role)?;
        Some((given, role))
    })
    .collect()
}

/// Whether a role that is given at one unit reaches another.
fn reached(
    state: &State,
    from: UnitId,
    reach: Reach,
    permission: Permission,
    unit: UnitId,
) -> Option<By> {
    if from == unit {
        return Some(By::Own);
    }
    if reach >= Reach::Below && state.upwards(unit).any(|above| above == from) {
        return Some(By::Own);
    }
    if reach < Reach::Customers {
        return None;
    }
    let Place::Account(manager) = state.units.get(&from)?.place else {
        return None;
    };
    let (root, account) = state.account_of(unit)?;
    let home = state.site.is_some_and(|site| site.unit == root);
    let reaches = account.managed_by == Some(from)
        || (!home && of_the_producer(manager, account, permission));
    reaches.then_some(By::Managing(root))
}

/// What a producer's administrators reach without being named as the manager: customers that nobody manages, and to see
/// only, partners and all customers.
fn of_the_producer(manager: Account, account: Account, permission: Permission) -> bool {
    let nobodys = account.kind == AccountKind::Customer && account.managed_by.is_none();
    let seen = account.kind != AccountKind::Producer && permission.shows();
    manager.kind == AccountKind::Producer && (nobodys || seen)
}

fn is_customer(state: &State, root: UnitId) -> bool {
    let account = state.account_of(root).map(|(_, account)| account.kind);
    account == Some(AccountKind::Customer)
}

impl State {
    /// Where somebody is; whom nobody knows any more counts as of the home account.
    #[must_use]
    pub fn units_of_user(&self, user: UserId) -> &[UnitId] {
        match (self.users.get(&user), &self.site) {
            (Some(known), _) => self.units_of(known),
            (None, Some(site)) => std::slice::from_ref(&site.unit),
            (None, None) => &[],
        }
    }

    /// Whether one of the units of a user is in the account with this root.
    #[must_use]
    pub fn in_account_of(&self, user: &User, root: UnitId) -> bool {
        let of_root = |unit: &UnitId| self.account_of(*unit).is_some_and(|(of, _)| of == root);
        self.units_of(user).iter().any(of_root)
    }

    /// Where a target is: to look after it, a right at one of these units is enough.
    #[must_use]
    pub fn units_of_target(&self, target: Target) -> Vec<UnitId> {
        match target {
            Target::Unit(unit) => vec![unit],
            Target::Group(group) => {
                let known = self.groups.get(&group);
                known.map(|known| known.unit).into_iter().collect()
            }
            Target::User(user) => self.units_of_user(user).to_vec(),
        }
    }
}
