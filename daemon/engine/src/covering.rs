//! Which limits and reserves of a pool cover its users (rules 10, 11), asked of thousands of them in one go.

use crate::ids::{AssignmentId, GroupId, PoolId, UnitId, UserId};
use crate::state::{Below, Limit, State, Target, User};
use imbl::OrdMap;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;

/// The assignments of a pool's license with a limit of its feature, by whom they cover. What they cover is looked up once,
/// from them down: they are few, and the groups of all users are not.
pub(crate) struct Covering<'a> {
    state: &'a State,
    users: BTreeMap<UserId, AssignmentId>,
    /// By a group: what covers its members, each with the group that it names.
    groups: BTreeMap<GroupId, Vec<(GroupId, AssignmentId)>>,
    /// By a unit: what covers who is right in it, the nearest first.
    units: BTreeMap<UnitId, Vec<AssignmentId>>,
}

impl<'a> Covering<'a> {
    /// Of those assignments only whose limit counts.
    pub(crate) fn of(state: &'a State, id: &PoolId, counts: impl Fn(&Limit) -> bool) -> Self {
        let mut covering = Covering {
            state,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            units: BTreeMap::new(),
        };
        let covers = state.covers.get(&id.license);
        let all = covers.into_iter().flat_map(|covers| &covers.by);
        let counted = all.filter(|(_, of)| {
            let assignment = state.assignments.get(*of);
            let limit = assignment.and_then(|assignment| assignment.terms.limit(&id.feature));
            limit.is_some_and(&counts)
        });
        let (mut groups, mut units) = (None, None);
        let mut far: BTreeMap<UnitId, Vec<(u32, AssignmentId)>> = BTreeMap::new();
        for (target, of) in counted {
            match target {
                Target::User(user) => drop(covering.users.insert(*user, *of)),
                Target::Group(top) => {
                    let below = groups.get_or_insert_with(|| Below::groups(state));
                    for (group, _) in below.from([*top]) {
                        covering.groups.entry(group).or_default().push((*top, *of));
                    }
                }
                Target::Unit(top) => {
                    let below = units.get_or_insert_with(|| Below::units(state));
                    for (unit, steps) in below.from([*top]) {
                        far.entry(unit).or_default().push((steps, *of));
                    }
                }
            }
        }
        let nearest_first = |mut all: Vec<(u32, AssignmentId)>| {
            all.sort_unstable();
            all.into_iter().map(|(_, of)| of).collect()
        };
        let far = far.into_iter();
        covering.units = far.map(|(unit, all)| (unit, nearest_first(all))).collect();
        covering
    }

    /// Tells those that cover each of these users, who come in ascending order: each once, the most direct first, as
    /// [`State::covering_of`] has them.
    pub(crate) fn each(&self, users: &[UserId], mut tell: impl FnMut(&[AssignmentId])) {
        let mut all = Ascending::of(&self.state.users, users.len());
        let (mut found, mut around) = (Vec::new(), Vec::new());
        for user in users {
            found.clear();
            if let Some(known) = all.get(*user) {
                found.extend(self.users.get(user));
                self.by_groups(known, &mut around, &mut found);
                self.by_units(known, &mut found);
            }
            tell(&found);
        }
    }

    fn by_groups(
        &self,
        known: &User,
        around: &mut Vec<(GroupId, AssignmentId)>,
        found: &mut Vec<AssignmentId>,
    ) {
        if self.groups.is_empty() {
            return;
        }
        let of = known.groups.iter();
        around.extend(of.filter_map(|group| self.groups.get(group)).flatten());
        // Groups are asked in one order, whichever of them leads there.
        around.sort_unstable();
        around.dedup();
        found.extend(around.drain(..).map(|(_, of)| of));
    }

    fn by_units(&self, known: &User, found: &mut Vec<AssignmentId>) {
        if self.units.is_empty() {
            return;
        }
        let of = self.state.units_of(known).iter();
        for of in of.filter_map(|unit| self.units.get(unit)).flatten() {
            // Two units of a user may meet further up.
            if !found.contains(of) {
                found.push(*of);
            }
        }
    }
}

/// Users who are asked for in ascending order: where it is many of them, one walk over all takes less than a search for
/// each.
struct Ascending<'a> {
    all: &'a OrdMap<UserId, Arc<User>>,
    walk: Option<
        Peekable<imbl::ordmap::Iter<'a, UserId, Arc<User>, imbl::shared_ptr::DefaultSharedPtr>>,
    >,
}

impl<'a> Ascending<'a> {
    /// A search costs as much as so many steps of the walk, and more.
    const STEPS: usize = 16;

    fn of(all: &'a OrdMap<UserId, Arc<User>>, asked: usize) -> Self {
        let many = asked.saturating_mul(Self::STEPS) >= all.len();
        Ascending {
            all,
            walk: many.then(|| all.iter().peekable()),
        }
    }

    fn get(&mut self, user: UserId) -> Option<&'a User> {
        let Some(walk) = &mut self.walk else {
            return self.all.get(&user).map(|known| &**known);
        };
        while walk.next_if(|(id, _)| **id < user).is_some() {}
        let (_, known) = walk.peek().filter(|(id, _)| **id == user)?;
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LoginHash;

    fn id(n: u8) -> UserId {
        UserId([n; 16])
    }

    /// Few of many are searched for, many are walked to: both find the same, one who is asked for twice and one who is not
    /// there among them.
    #[test]
    fn r10_users_are_found_by_a_walk_as_by_a_search() {
        let user = |n| (id(n), Arc::new(User::met(LoginHash([n; 32]), u64::from(n))));
        let all: OrdMap<_, _> = (0..200).filter(|n| n % 3 != 0).map(user).collect();
        let asked: Vec<_> = (0..220).flat_map(|n| [id(n), id(n)]).collect();
        let found = |asked_of| {
            let mut users = Ascending::of(&all, asked_of);
            let walks = users.walk.is_some();
            let found = asked.iter().map(|id| users.get(*id));
            (walks, found.collect::<Vec<_>>())
        };
        let (searched, walked) = (found(1), found(asked.len()));
        assert!(!searched.0 && walked.0);
        assert_eq!(searched.1, walked.1);
        let there = walked.1.iter().flatten().count();
        assert_eq!(there, 2 * all.len());
    }
}
