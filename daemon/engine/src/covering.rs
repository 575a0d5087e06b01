//! Which limits and reserves of a pool cover its users (rules 10, 11), asked of thousands of them in one go.

use crate::ids::{AssignmentId, GroupId, Name, PoolId, UnitId, UserId};
use crate::state::{Below, Limit, State, Target, User};
use crate::{limits, reserves};
use imbl::OrdMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the users of a pool stand, kept from one count to the next: most of a count of ten thousand seats is looking up
/// whose they are. A unit that moves changes nobody's stand, and whoever moves by name is looked up again alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stands {
    /// The state's `stands` that they were looked up in.
    as_of: u64,
    of: OrdMap<UserId, usize>,
    /// By number.
    all: Vec<Arc<Stand>>,
    numbers: OrdMap<Arc<Stand>, usize>,
}

/// What decides who is covered by what: all who have the same are counted alike.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Stand {
    /// What covers the users themselves and the groups around them, the most direct first.
    nearer: Vec<AssignmentId>,
    /// The units that they are right in.
    units: Vec<UnitId>,
}

/// The assignments of a pool's license with a limit of its feature, by whom they cover. What they cover is looked up once,
/// from them down: they are few, and the groups of all users are not.
pub(crate) struct Covering<'a> {
    state: &'a State,
    limiting: Vec<(Target, AssignmentId)>,
    stands: Stands,
    nearer: OnceCell<Nearer>,
    /// By a unit: what covers who is right in it, the nearest first.
    units: BTreeMap<UnitId, Vec<AssignmentId>>,
    /// What covers a stand, by its number, where it was asked.
    lists: Vec<Option<Vec<AssignmentId>>>,
}

/// What covers users themselves, and groups.
struct Nearer {
    users: BTreeMap<UserId, AssignmentId>,
    /// By a group: what covers its members, each with the group that it names.
    groups: BTreeMap<GroupId, Vec<(GroupId, AssignmentId)>>,
}

/// Whether a limit is counted for all whom its assignment covers together: a reserve, or what bounds it.
pub(crate) fn counts(limit: &Limit) -> bool {
    limit.reserve.is_some() || limit.max.is_some()
}

/// Counts anew what limits and reserves ask for of a feature's pools, where it is stale.
pub(crate) fn recount(state: &mut State, product: &Name, feature: &Name) {
    let stale = |id: &&PoolId| limits::stale(state, id) || reserves::stale(state, id);
    let stale: Vec<_> = state
        .pools_for(product, feature)
        .filter(stale)
        .cloned()
        .collect();
    for id in stale {
        let mut covering = Covering::of(state, &id);
        let charged = limits::stale(state, &id).then(|| limits::count(state, &id, &mut covering));
        let reserved =
            reserves::stale(state, &id).then(|| reserves::count(state, &id, &mut covering));
        let stands = covering.stands();
        if let Some(pool) = state.pools.get_mut(&id) {
            pool.stands = Some(Arc::new(stands));
            pool.charged = charged.unwrap_or_else(|| std::mem::take(&mut pool.charged));
            pool.reserved = reserved.map(Arc::new).or_else(|| pool.reserved.take());
        }
    }
}

/// Where these users are has changed: they are looked up again.
pub(crate) fn moved(state: &mut State, users: &[UserId]) {
    let stale: Vec<PoolId> = state
        .pools
        .iter()
        .filter(|(_, pool)| {
            let known = pool.stands.as_deref();
            known.is_some_and(|known| users.iter().any(|user| known.of.contains_key(user)))
        })
        .map(|(id, _)| id.clone())
        .collect();
    for id in stale {
        let pool = state.pools.get_mut(&id);
        if let Some(known) = pool.and_then(|pool| pool.stands.as_mut()) {
            let known = Arc::make_mut(known);
            for user in users {
                known.of.remove(user);
            }
        }
    }
}

impl<'a> Covering<'a> {
    /// Of those assignments only with a max or a reserve.
    pub(crate) fn of(state: &'a State, id: &PoolId) -> Self {
        let covers = state.covers.get(&id.license);
        let all = covers.into_iter().flat_map(|covers| &covers.by);
        let limiting = all.filter(|(_, of)| {
            let assignment = state.assignments.get(*of);
            let limit = assignment.and_then(|assignment| assignment.terms.limit(&id.feature));
            limit.is_some_and(counts)
        });
        let limiting: Vec<_> = limiting.map(|(target, of)| (*target, *of)).collect();
        let pool = state.pools.get(id);
        let known = pool.and_then(|pool| pool.stands.as_deref());
        let fresh = |known: &&Stands| {
            // Those who left, and stands that nobody has any more, are forgotten now and then.
            let room = 2 * pool.map_or(0, |pool| pool.grants.len()) + 1024;
            known.as_of == state.stands && known.of.len() <= room && known.all.len() <= room
        };
        let stands = known.filter(fresh).cloned().unwrap_or(Stands {
            as_of: state.stands,
            ..Stands::default()
        });
        Covering {
            state,
            units: by_unit(state, &limiting),
            limiting,
            lists: vec![None; stands.all.len()],
            stands,
            nearer: OnceCell::new(),
        }
    }

    /// The number of a user's stand.
    pub(crate) fn stand(&mut self, user: UserId) -> usize {
        // A user is looked up only where nothing is kept of them: that is most of what a count costs.
        let known = || self.state.users.get(&user);
        if let Some(number) = self.stands.of.get(&user) {
            debug_assert_eq!(
                Some(&*self.stands.all[*number]),
                known().map(|known| self.look_up(user, known)).as_ref(),
                "{user} stands elsewhere"
            );
            return *number;
        }
        let known = known();
        let stand = known.map(|known| self.look_up(user, known));
        let number = self.number(stand.unwrap_or_default());
        // Of who is gone nothing is kept: whoever has the id one day stands where they are.
        if known.is_some() {
            self.stands.of.insert(user, number);
        }
        number
    }

    fn number(&mut self, stand: Stand) -> usize {
        let Stands { all, numbers, .. } = &mut self.stands;
        if let Some(number) = numbers.get(&stand) {
            return *number;
        }
        let (number, stand) = (all.len(), Arc::new(stand));
        all.push(stand.clone());
        numbers.insert(stand, number);
        self.lists.push(None);
        number
    }

    /// The assignments that cover a stand, each once, the most direct first: as [`State::covering_of`] has them.
    pub(crate) fn list(&mut self, stand: usize) -> &[AssignmentId] {
        self.lists[stand].get_or_insert_with(|| {
            let Stand { nearer, units } = &*self.stands.all[stand];
            let mut found = nearer.clone();
            for of in units
                .iter()
                .filter_map(|unit| self.units.get(unit))
                .flatten()
            {
                // Two units of a user may meet further up.
                if !found.contains(of) {
                    found.push(*of);
                }
            }
            found
        })
    }

    /// What was looked up, for the next count.
    pub(crate) fn stands(self) -> Stands {
        self.stands
    }

    fn look_up(&self, user: UserId, known: &User) -> Stand {
        let nearer = self
            .nearer
            .get_or_init(|| nearer(self.state, &self.limiting));
        let own = nearer.users.get(&user).copied();
        let mut found: Vec<_> = own.into_iter().collect();
        found.extend(nearer.around(known));
        Stand {
            nearer: found,
            units: self.state.units_of(known).to_vec(),
        }
    }
}

impl Nearer {
    /// Groups are asked in one order, whichever of them leads there.
    fn around(&self, known: &User) -> impl Iterator<Item = AssignmentId> + use<> {
        let of = known.groups.iter();
        let of = of.filter_map(|group| self.groups.get(group)).flatten();
        let around: BTreeSet<_> = of.copied().collect();
        around.into_iter().map(|(_, of)| of)
    }
}

fn nearer(state: &State, limiting: &[(Target, AssignmentId)]) -> Nearer {
    let mut found = Nearer {
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
    };
    let mut below = None;
    for (target, of) in limiting {
        match target {
            Target::User(user) => drop(found.users.insert(*user, *of)),
            Target::Group(top) => {
                let below = below.get_or_insert_with(|| Below::groups(state));
                for (group, _) in below.from([*top]) {
                    found.groups.entry(group).or_default().push((*top, *of));
                }
            }
            Target::Unit(_) => {}
        }
    }
    found
}

fn by_unit(
    state: &State,
    limiting: &[(Target, AssignmentId)],
) -> BTreeMap<UnitId, Vec<AssignmentId>> {
    let mut far: BTreeMap<UnitId, Vec<(u32, AssignmentId)>> = BTreeMap::new();
    let mut below = None;
    for (target, of) in limiting {
        let Target::Unit(top) = target else { continue };
        let below = below.get_or_insert_with(|| Below::units(state));
        for (unit, steps) in below.from([*top]) {
            far.entry(unit).or_default().push((steps, *of));
        }
    }
    let nearest_first = |mut all: Vec<(u32, AssignmentId)>| {
        all.sort_unstable();
        all.into_iter().map(|(_, of)| of).collect()
    };
    let far = far.into_iter();
    far.map(|(unit, all)| (unit, nearest_first(all))).collect()
}
