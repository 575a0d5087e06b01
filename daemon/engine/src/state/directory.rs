//! The organisation: units in trees, groups, and where a user is in them (rules 1, 2).
//!
//! Every pointer goes up, from a user to units and groups and from those to what holds them. So a unit or a group with
//! thousands in it moves, or goes, by one change; who is covered is asked when it matters (rule 4), and counted by the next
//! checkout where a limit or a reserve needs it (rules 10, 11).

use super::{State, Target, User};
use crate::ids::{GroupId, NameHash, UnitId, UserId};
use crate::time::Date;
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A node of the organisation tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OrgUnit {
    /// Keyed hash of its name, which no other unit of the same place has; `None` for a home account without a name of
    /// its own.
    pub name: Option<NameHash>,
    /// Where it is.
    pub place: Place,
    /// Units right below it.
    pub units: u64,
    /// Users who were placed in it.
    pub users: u64,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// Where a unit is in its tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the top: it is an account.
    Account(Account),
    /// Right below this unit.
    Below(UnitId),
}

/// What only a root of the tree has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Its kind.
    pub kind: AccountKind,
    /// The partner or producer account whose administrators may act in it: a link, no nesting.
    pub managed_by: Option<UnitId>,
    /// It made itself (a customer).
    pub self_registered: bool,
}

/// What an account is to the vendor's business (rule 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Makes the software.
    Producer,
    /// Sells it.
    Partner,
    /// Uses it.
    Customer,
}

/// A named set of users and groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Keyed hash of its name, which no other group has.
    pub name: NameHash,
    /// The unit that it belongs to: whose administrators look after it.
    pub unit: UnitId,
    /// The groups that hold it, ascending.
    pub groups: Vec<GroupId>,
    /// How many users are right in it.
    #[serde(default)]
    pub users: u64,
    /// Number of the event that last changed it.
    pub revision: u64,
}

/// Whether a user may sit at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// Was asked to come, and did not yet.
    Invited,
    /// Came, and waits for somebody's yes.
    Pending,
    /// May sit where an assignment covers.
    #[default]
    Active,
    /// May not, until this is taken back.
    Suspended,
}

impl User {
    /// Active, and no guest whose last day is over (rule 4).
    #[must_use]
    pub fn active(&self, j: Date) -> bool {
        self.status == UserStatus::Active && !self.is_over(j)
    }

    /// A guest whose last day is over.
    #[must_use]
    pub fn is_over(&self, j: Date) -> bool {
        self.until.is_some_and(|until| until <= j)
    }

    /// May sign in. Whoever waits, or was only invited, may have a password; who was suspended, or is a guest of the past,
    /// may not.
    #[must_use]
    pub fn may_come(&self, j: Date) -> bool {
        self.status != UserStatus::Suspended && !self.is_over(j)
    }
}

impl State {
    /// A unit and those above it, up to the account.
    pub fn upwards(&self, unit: UnitId) -> impl Iterator<Item = UnitId> {
        let mut at = Some(unit);
        std::iter::from_fn(move || {
            let unit = at?;
            at = match self.units.get(&unit)?.place {
                Place::Account(_) => None,
                Place::Below(above) => Some(above),
            };
            Some(unit)
        })
    }

    /// The account that a unit is in: the root of its tree.
    #[must_use]
    pub fn account_of(&self, unit: UnitId) -> Option<(UnitId, Account)> {
        let root = self.upwards(unit).last()?;
        match self.units.get(&root)?.place {
            Place::Account(account) => Some((root, account)),
            Place::Below(_) => None,
        }
    }

    /// The units that a user was placed in; who was made at first sight is in the home account (rule 1).
    #[must_use]
    pub fn units_of<'a>(&'a self, user: &'a User) -> &'a [UnitId] {
        match (&self.site, user.units.is_empty()) {
            (Some(site), true) => std::slice::from_ref(&site.unit),
            _ => &user.units,
        }
    }

    /// The groups that these are in, at any depth, themselves included, by id.
    #[must_use]
    pub fn groups_around(&self, groups: &[GroupId]) -> BTreeSet<GroupId> {
        let mut around = BTreeSet::new();
        let mut next = groups.to_vec();
        while let Some(group) = next.pop() {
            // A group that was taken away is in nobody's way, and holds nobody.
            if let Some(known) = self.groups.get(&group)
                && around.insert(group)
            {
                next.extend(&known.groups);
            }
        }
        around
    }
}

/// All whom some targets cover, looked up once for all users: for lists, and where many are asked about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Within {
    users: BTreeSet<UserId>,
    /// Whoever is right in one of them.
    groups: BTreeSet<GroupId>,
    units: BTreeSet<UnitId>,
}

impl Within {
    /// Whom a target covers: a group its members at any depth, a unit everyone in it and below.
    #[must_use]
    pub fn of(state: &State, target: Target) -> Within {
        Within::any(state, [target])
    }

    /// Whom one of these covers.
    #[must_use]
    pub fn any(state: &State, targets: impl IntoIterator<Item = Target>) -> Within {
        let mut within = Within::default();
        for target in targets {
            match target {
                Target::User(user) => drop(within.users.insert(user)),
                Target::Group(group) => drop(within.groups.insert(group)),
                Target::Unit(unit) => drop(within.units.insert(unit)),
            }
        }
        if !within.groups.is_empty() {
            let below = Below::groups(state).from(within.groups);
            within.groups = below.into_keys().collect();
        }
        if !within.units.is_empty() {
            let below = Below::units(state).from(within.units);
            within.units = below.into_keys().collect();
        }
        within
    }

    /// Whether this user is one of them.
    #[must_use]
    pub fn has(&self, state: &State, user: UserId) -> bool {
        let known = state.users.get(&user);
        known.is_some_and(|known| self.has_known(state, user, known))
    }

    /// Among whom they are: only who is named, where it is users alone. Whoever else is covered is found by a look at all.
    pub fn among<'a>(
        &'a self,
        state: &'a State,
    ) -> impl Iterator<Item = (&'a UserId, &'a Arc<User>)> {
        let named_alone = self.groups.is_empty() && self.units.is_empty();
        let named = self.users.iter().filter(move |_| named_alone);
        let named = named.filter_map(|user| state.users.get_key_value(user));
        let all = state.users.iter().take_while(move |_| !named_alone);
        named.chain(all)
    }

    /// Whether a user who is at hand is one of them.
    #[must_use]
    pub fn has_known(&self, state: &State, user: UserId, known: &User) -> bool {
        let groups = |of: &Vec<GroupId>| of.iter().any(|group| self.groups.contains(group));
        let units = |of: &[UnitId]| of.iter().any(|unit| self.units.contains(unit));
        self.users.contains(&user)
            || !self.groups.is_empty() && groups(&known.groups)
            || !self.units.is_empty() && units(state.units_of(known))
    }
}

/// Groups or units, by what holds them.
pub(crate) struct Below<T>(Vec<(T, T)>);

impl Below<GroupId> {
    pub(crate) fn groups(state: &State) -> Self {
        let held = state.groups.iter();
        let held = held.flat_map(|(id, known)| known.groups.iter().map(|above| (*above, *id)));
        Below::of(held.collect())
    }
}

impl Below<UnitId> {
    pub(crate) fn units(state: &State) -> Self {
        let held = state.units.iter();
        let held = held.filter_map(|(id, known)| match known.place {
            Place::Below(above) => Some((above, *id)),
            Place::Account(_) => None,
        });
        Below::of(held.collect())
    }
}

impl<T: Ord + Copy> Below<T> {
    fn of(mut held: Vec<(T, T)>) -> Self {
        held.sort_unstable();
        Below(held)
    }

    /// What is below these at any depth, themselves included, and how many steps down.
    pub(crate) fn from(&self, tops: impl IntoIterator<Item = T>) -> BTreeMap<T, u32> {
        let mut found: BTreeMap<T, u32> = tops.into_iter().map(|top| (top, 0)).collect();
        let mut next: Vec<_> = found.iter().map(|(top, steps)| (*top, *steps)).collect();
        while let Some((above, steps)) = next.pop() {
            let first = self.0.partition_point(|(holds, _)| *holds < above);
            let right_below = self.0[first..].iter();
            for (_, one) in right_below.take_while(|(holds, _)| *holds == above) {
                if let Entry::Vacant(entry) = found.entry(*one) {
                    entry.insert(steps + 1);
                    next.push((*one, steps + 1));
                }
            }
        }
        found
    }
}
