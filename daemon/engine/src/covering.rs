//! Which limits and reserves of a pool cover its users (rules 10, 11), asked of thousands of them in one go.

use crate::ids::{AssignmentId, GroupId, Name, PoolId, UnitId, UserId};
use crate::state::{Below, Limit, Pool, State, Target, User};
use crate::{limits, reserves};
use imbl::OrdMap;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the users of a pool stand, kept from one count to the next, and added to with each seat that is taken: most of a
/// count of ten thousand seats is looking up whose they are. A unit that moves changes nobody's stand, and whoever moves by
/// name is looked up again alone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stands {
    /// The state's `stands` that they were looked up in.
    as_of: u64,
    of: OrdMap<UserId, usize>,
    /// By number.
    all: OrdMap<usize, Arc<Stand>>,
    numbers: OrdMap<Arc<Stand>, usize>,
}

impl Stands {
    /// None is kept of more users than a few times those who have seats.
    fn has_room(&self, pool: &Pool) -> bool {
        let room = 2 * pool.grants.len() + 1024;
        self.of.len() <= room && self.all.len() <= room
    }

    fn number(&mut self, stand: Arc<Stand>) -> usize {
        if let Some(number) = self.numbers.get(&stand) {
            return *number;
        }
        let number = self.all.len();
        self.all.insert(number, stand.clone());
        self.numbers.insert(stand, number);
        number
    }

    /// What is kept of who has a seat.
    fn of_seats(&self, pool: &Pool) -> Stands {
        let mut kept = Stands {
            as_of: self.as_of,
            ..Stands::default()
        };
        let users: BTreeSet<UserId> = pool.grants.values().map(|grant| grant.user).collect();
        for user in users {
            let stand = self.of.get(&user).and_then(|number| self.all.get(number));
            if let Some(stand) = stand {
                let number = kept.number(stand.clone());
                kept.of.insert(user, number);
            }
        }
        kept
    }
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
    /// By a unit: what covers who is right in it, by how many steps up, the nearest first.
    units: BTreeMap<UnitId, Vec<(u32, AssignmentId)>>,
    /// What covers a stand, by its number, where it was asked.
    lists: BTreeMap<usize, Vec<AssignmentId>>,
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

/// A user has a seat now. Where they stand is looked up for it, so that the next count finds it.
pub(crate) fn came(state: &mut State, id: &PoolId, user: UserId) {
    let pool = state.pools.get(id);
    let kept = pool.and_then(|pool| Some((pool, pool.stands.as_deref()?)));
    let wanted = kept.is_some_and(|(pool, kept)| {
        kept.as_of == state.stands && kept.has_room(pool) && !kept.of.contains_key(&user)
    });
    let stand = wanted.then(|| stand_of(state, id, user)).flatten();
    let pool = state.pools.get_mut(id);
    let kept = pool.and_then(|pool| pool.stands.as_mut());
    if let Some((kept, stand)) = kept.zip(stand) {
        let kept = Arc::make_mut(kept);
        let number = kept.number(Arc::new(stand));
        kept.of.insert(user, number);
    }
}

/// Where one user stands, from them up: what [`Covering`] finds from the assignments down.
fn stand_of(state: &State, id: &PoolId, user: UserId) -> Option<Stand> {
    let units = state.units_of(state.users.get(&user)?).to_vec();
    let nearer = state.covering_of(&id.license, user);
    let nearer = nearer.filter(|(_, assignment)| {
        let limit = assignment.terms.limit(&id.feature);
        !matches!(assignment.target, Target::Unit(_)) && limit.is_some_and(counts)
    });
    Some(Stand {
        nearer: nearer.map(|(of, _)| of).collect(),
        units,
    })
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
        let known = pool.zip(known.filter(|known| known.as_of == state.stands));
        let stands = match known {
            Some((pool, known)) if known.has_room(pool) => known.clone(),
            // Those who left, and stands that nobody has any more, are forgotten now and then.
            Some((pool, known)) => known.of_seats(pool),
            None => Stands {
                as_of: state.stands,
                ..Stands::default()
            },
        };
        Covering {
            state,
            units: by_unit(state, &limiting),
            limiting,
            lists: BTreeMap::new(),
            stands,
            nearer: OnceCell::new(),
        }
    }

    /// The numbers of the stands of these users, who come by their ids: a walk beside what is kept, where each by itself
    /// would be a search.
    pub(crate) fn stands_of(&mut self, users: impl Iterator<Item = UserId>) -> Vec<usize> {
        let kept = self.stands.of.clone();
        let mut kept = kept.iter().peekable();
        let numbers = users.map(|user| {
            while kept.next_if(|(before, _)| **before < user).is_some() {}
            let known = kept.peek().filter(|(known, _)| **known == user);
            let Some((_, number)) = known else {
                return self.stand(user);
            };
            debug_assert_eq!(
                Some(&*self.stands.all[*number]),
                self.looked_up(user).as_ref(),
                "{user} stands elsewhere"
            );
            **number
        });
        numbers.collect()
    }

    /// The number of the stand of a user of whom nothing is kept.
    fn stand(&mut self, user: UserId) -> usize {
        let stand = self.looked_up(user);
        // Of who is gone nothing is kept: whoever has the id one day stands where they are.
        let gone = stand.is_none();
        let number = self.stands.number(Arc::new(stand.unwrap_or_default()));
        if !gone {
            self.stands.of.insert(user, number);
        }
        number
    }

    /// The assignments that cover a stand, each once, the most direct first: as [`State::covering_of`] has them.
    pub(crate) fn list(&mut self, stand: usize) -> &[AssignmentId] {
        self.lists.entry(stand).or_insert_with(|| {
            let Stand { nearer, units } = &*self.stands.all[&stand];
            let mut found = nearer.clone();
            let units = units.iter().filter_map(|unit| self.units.get(unit));
            let mut above: Vec<_> = units.flatten().collect();
            above.sort_by_key(|(steps, _)| *steps);
            for (_, of) in above {
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

    fn looked_up(&self, user: UserId) -> Option<Stand> {
        let known = self.state.users.get(&user)?;
        let nearer = self
            .nearer
            .get_or_init(|| nearer(self.state, &self.limiting));
        let own = nearer.users.get(&user).copied();
        let mut found: Vec<_> = own.into_iter().collect();
        found.extend(nearer.around(known));
        Some(Stand {
            nearer: found,
            units: self.state.units_of(known).to_vec(),
        })
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
) -> BTreeMap<UnitId, Vec<(u32, AssignmentId)>> {
    let mut far: BTreeMap<UnitId, Vec<(u32, AssignmentId)>> = BTreeMap::new();
    let mut below = None;
    for (target, of) in limiting {
        let Target::Unit(top) = target else { continue };
        let below = below.get_or_insert_with(|| Below::units(state));
        for (unit, steps) in below.from([*top]) {
            far.entry(unit).or_default().push((steps, *of));
        }
    }
    far.values_mut().for_each(|all| all.sort_unstable());
    far
}

#[cfg(test)]
mod tests;
