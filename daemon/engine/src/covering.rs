//! Which limits and reserves of a pool cover its users (rules 10, 11), asked of thousands of them in one go.

use crate::ids::{AssignmentId, GroupId, PoolId, UnitId, UserId};
use crate::state::{Below, Limit, State, Target, User};
use std::collections::{BTreeMap, BTreeSet};

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

    /// Those that cover a user, each once, the most direct first: as [`State::covering_of`] has them.
    pub(crate) fn user(&self, user: UserId) -> Vec<AssignmentId> {
        let mut found = Vec::new();
        if let Some(known) = self.state.users.get(&user) {
            found.extend(self.users.get(&user));
            self.by_groups(known, &mut found);
            self.by_units(known, &mut found);
        }
        found
    }

    fn by_groups(&self, known: &User, found: &mut Vec<AssignmentId>) {
        if self.groups.is_empty() {
            return;
        }
        let of = known.groups.iter();
        let of = of.filter_map(|group| self.groups.get(group)).flatten();
        // Groups are asked in one order, whichever of them leads there.
        let around: BTreeSet<_> = of.collect();
        found.extend(around.into_iter().map(|(_, of)| of));
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
