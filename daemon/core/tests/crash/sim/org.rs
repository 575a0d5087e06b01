//! The organisation as it was answered for: a second, naive telling of it, kept outside of the daemon and over its crashes
//! (rules 1 to 4, 10).

mod promises;
mod proven;
mod service;

pub(super) use service::{text, version};

use super::changes::{Change, Gives, HOME, USERS, Whom, group, name, target, unit};
use super::people::{login, user};
use proven::Proven;
use seatkeeper_core::keeper::Snapshot;
use seatkeeper_engine::State;
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::ids::{GroupId, UnitId};
use seatkeeper_engine::state::{Grant, Place, UserStatus};
use seatkeeper_engine::time::{Date, LEAST_S, Now};
use service::Service;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

#[derive(Clone, Debug, Default)]
pub(super) struct Org {
    /// What is above each unit, and its name.
    units: BTreeMap<u8, (u8, String)>,
    /// Units that were taken away.
    closed: BTreeSet<u8>,
    groups: BTreeMap<u64, String>,
    gone: BTreeSet<u64>,
    members: BTreeSet<(u64, Whom)>,
    users: BTreeMap<&'static str, Person>,
    /// Who was taken away.
    left: BTreeSet<&'static str>,
    /// One of them is there again, under the id that they had. No daemon gives an id twice, and the counts of limits take
    /// whoever is met for somebody who has no seats.
    returned: bool,
    assigned: BTreeMap<Whom, Gives>,
    license: Installed,
    proven: Proven,
    service: Service,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Person {
    /// Nowhere is at home.
    units: BTreeSet<u8>,
    status: UserStatus,
    until: Option<Date>,
}

/// What a batch has changed, if it comes to be.
#[derive(Clone, Debug)]
pub(super) enum Learned {
    Changed(Change),
    /// A license was installed, and is everyone's.
    Installed(Installed),
}

/// A license, as far as an organisation feels it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Installed {
    pub(super) serial: u64,
    pub(super) exp: Option<u64>,
    pub(super) seats: u64,
}

impl Org {
    pub(super) fn knows(&self, who: &str) -> bool {
        self.users.contains_key(who)
    }

    /// Whether it is lawful; then it is so. When it was judged is known of what was answered.
    pub(super) fn learn(&mut self, learned: &Learned, now: Option<Now>) -> bool {
        match learned {
            Learned::Changed(Change::Prove(proof)) => self.prove(proof, now),
            Learned::Changed(change) => self.apply(change),
            Learned::Installed(license) => {
                self.license = *license;
                let everyone = Whom::Unit(HOME);
                self.assigned.entry(everyone).or_default();
                true
            }
        }
    }

    /// What it is after a batch that is in the journal, and of which nobody was told what was refused: as the state has
    /// it, where some way of taking it leads there.
    pub(super) fn after(&self, batch: &[Learned], found: &Snapshot) -> Org {
        let (state, now) = (&found.state, found.now);
        let mut licenses = state.licenses.values();
        let in_force = licenses.next().map(|license| license.terms.serial);
        let mut ways = vec![self.clone()];
        for learned in batch {
            // Its last day may have come meanwhile.
            if matches!(learned, Learned::Installed(one) if in_force < Some(one.serial)) {
                continue;
            }
            let doubtful = match learned {
                Learned::Changed(Change::Prove(_)) => true,
                Learned::Changed(change) => change.opens_for().is_some(),
                Learned::Installed(_) => false,
            };
            let mut refused = Vec::new();
            for way in &mut ways {
                let without = doubtful.then(|| way.clone());
                if way.learn(learned, None) {
                    refused.extend(without);
                }
            }
            ways.append(&mut refused);
        }
        for way in &mut ways {
            way.proven.settle(state, now);
        }
        let found = ways
            .iter()
            .position(|way| way.differs(state, now).is_none());
        ways.swap_remove(found.unwrap_or_default())
    }

    /// The seats of the license.
    pub(super) fn seats(&self) -> u64 {
        self.license.seats
    }

    /// A start has counted nothing yet: whoever is there again counts from here on.
    pub(super) fn started(&mut self) {
        self.returned = false;
    }

    /// An older state took the place of this one: what it does not know is presented to it still.
    pub(super) fn remember(&mut self, lost: &Org) {
        self.proven.remember(&lost.proven);
    }

    /// Limits and reserves may be judged by counts that do not know whoever is there again.
    pub(super) fn is_stale(&self) -> bool {
        self.returned
    }

    /// Whether the license in force serves at this date (rule 16).
    pub(super) fn serves(&self, j: Date) -> bool {
        self.license.exp.is_none_or(|exp| exp >= j.0 + LEAST_S)
    }

    /// What brings it to where everyone who sits may sit, without limits.
    pub(super) fn resets(&self) -> Vec<Change> {
        let at_home = |who| {
            let until = None;
            [
                Change::Status(who, UserStatus::Active, until, false),
                Change::Place(who, vec![HOME], false),
            ]
        };
        let away = self.assigned.keys();
        let away = away.map(|whom| Change::Unassign(*whom, false));
        away.chain(USERS.into_iter().flat_map(at_home)).collect()
    }

    /// Whether the rules allow it; then it is so.
    fn apply(&mut self, change: &Change) -> bool {
        match change.clone() {
            Change::MakeUnit(n, above) => match self.units.get(&n) {
                Some(known) => *known == (above, format!("u{n}")),
                None => {
                    let there = self.has_unit(above) && !self.closed.contains(&n);
                    if there {
                        self.units.insert(n, (above, format!("u{n}")));
                    }
                    there
                }
            },
            Change::MoveUnit(n, to, _) => self.move_unit(n, to),
            Change::RenameUnit(n, to) => {
                let known = self.units.get_mut(&n);
                known.map(|(_, name)| *name = to).is_some()
            }
            Change::RemoveUnit(n) => {
                let there = self.is_empty(n) && self.units.remove(&n).is_some();
                there && self.closed.insert(n)
            }
            Change::MakeGroup(n) => {
                let name = format!("g{n}");
                !self.gone.contains(&n) && *self.groups.entry(n).or_insert(name.clone()) == name
            }
            Change::RenameGroup(n, to) => {
                let known = self.groups.get_mut(&n);
                known.map(|name| *name = to).is_some()
            }
            Change::RemoveGroup(n, _) => {
                let there = self.groups.remove(&n).is_some();
                if there {
                    self.gone.insert(n);
                    self.forget(Whom::Group(n));
                    self.members.retain(|(of, _)| *of != n);
                }
                there
            }
            Change::Join(n, member) => {
                let lawful = self.groups.contains_key(&n) && self.fits(n, member);
                if lawful {
                    self.members.insert((n, member));
                }
                lawful
            }
            Change::Leave(n, member, _) => {
                self.members.remove(&(n, member));
                self.groups.contains_key(&n)
            }
            Change::Assign(whom, gives) => {
                let new = !self.assigned.contains_key(&whom);
                let lawful = self.there(whom) && (!new || self.may_promise(whom, gives));
                lawful && *self.assigned.entry(whom).or_insert(gives) == gives
            }
            Change::Terms(whom, gives, _) => {
                let known = self.assigned.contains_key(&whom);
                let lawful = known && self.may_promise(whom, gives);
                if lawful {
                    self.assigned.insert(whom, gives);
                }
                lawful
            }
            Change::Unassign(whom, _) => self.assigned.remove(&whom).is_some(),
            Change::Publish(version, text) => self.publish(version, text),
            Change::Accept(who, version) => self.accept(who, version),
            other => self.of_user(other),
        }
    }

    fn of_user(&mut self, change: Change) -> bool {
        match change {
            Change::Meet(who) => {
                self.returned |= self.left.contains(who);
                self.users.entry(who).or_default();
                true
            }
            Change::MakeUser(who, units, status) => {
                let units: BTreeSet<_> = units.into_iter().collect();
                let made = Person {
                    units,
                    status,
                    until: None,
                };
                if let Some(known) = self.users.get(who) {
                    return *known == made;
                }
                // The id of somebody who is gone is nobody else's.
                let lawful = !self.left.contains(who) && self.placeable(&made.units);
                if lawful {
                    self.users.insert(who, made);
                }
                lawful
            }
            Change::Status(who, status, until, _) => {
                if status == UserStatus::Suspended {
                    self.proven.suspend(who);
                }
                let known = self.users.get_mut(who);
                let set = |known: &mut Person| (known.status, known.until) = (status, until);
                known.map(set).is_some()
            }
            Change::Place(who, units, _) => {
                let units: BTreeSet<_> = units.into_iter().collect();
                let lawful = self.knows(who) && self.placeable(&units);
                if let (true, Some(known)) = (lawful, self.users.get_mut(who)) {
                    if !units.is_subset(&known.units) {
                        self.proven.grow(who);
                    }
                    known.units = units;
                }
                lawful
            }
            Change::RemoveUser(who, _) => {
                self.forget(Whom::User(who));
                self.proven.forget(who);
                self.service.forget(who);
                let was = self.users.remove(who).is_some();
                self.left.extend(was.then_some(who));
                was
            }
            other => unreachable!("{other:?} is of no user"),
        }
    }

    fn forget(&mut self, whom: Whom) {
        self.members.retain(|(_, member)| *member != whom);
        self.assigned.remove(&whom);
    }

    fn move_unit(&mut self, n: u8, to: u8) -> bool {
        let lawful = self.units.contains_key(&n) && self.has_unit(to);
        if !lawful || self.line(to).contains(&n) {
            return false;
        }
        let was = self.units.clone();
        self.units.entry(n).and_modify(|(above, _)| *above = to);
        let lawful = self.users.values().all(|known| !self.in_line(&known.units));
        if !lawful {
            self.units = was;
        }
        lawful
    }

    fn has_unit(&self, n: u8) -> bool {
        n == HOME || self.units.contains_key(&n)
    }

    /// A unit and those above it.
    fn line(&self, n: u8) -> Vec<u8> {
        let mut line = vec![n];
        while let Some((above, _)) = self.units.get(&line[line.len() - 1]) {
            line.push(*above);
        }
        line
    }

    fn in_line(&self, units: &BTreeSet<u8>) -> bool {
        let above = |n: &u8| self.line(*n).into_iter().skip(1);
        units.iter().flat_map(above).any(|n| units.contains(&n))
    }

    fn placeable(&self, units: &BTreeSet<u8>) -> bool {
        let there = units.iter().all(|n| self.has_unit(*n));
        there && !units.is_empty() && !self.in_line(units)
    }

    fn is_empty(&self, n: u8) -> bool {
        let below = self.units.values().any(|(above, _)| *above == n);
        let inside = self.users.values().any(|known| known.units.contains(&n));
        !below && !inside && !self.assigned.contains_key(&Whom::Unit(n))
    }

    fn there(&self, whom: Whom) -> bool {
        match whom {
            Whom::User(who) => self.knows(who),
            Whom::Group(n) => self.groups.contains_key(&n),
            Whom::Unit(n) => self.has_unit(n),
        }
    }

    /// Whether it may come into a group.
    fn fits(&self, n: u64, member: Whom) -> bool {
        let round = matches!(member, Whom::Group(inner) if self.holds(inner, Whom::Group(n)));
        self.there(member) && !round
    }

    /// Whether it is this group, or in it at any depth.
    fn holds(&self, n: u64, whom: Whom) -> bool {
        let inside = |(of, member): &(u64, Whom)| {
            *of == n
                && (*member == whom
                    || matches!(member, Whom::Group(inner) if self.holds(*inner, whom)))
        };
        whom == Whom::Group(n) || self.members.iter().any(inside)
    }

    fn covers(&self, whom: Whom, who: &'static str) -> bool {
        match whom {
            Whom::User(one) => one == who,
            Whom::Group(n) => self.holds(n, Whom::User(who)),
            Whom::Unit(n) => {
                let Some(known) = self.users.get(who) else {
                    return false;
                };
                let mut units = known.units.iter();
                units.any(|own| self.line(*own).contains(&n))
                    || (known.units.is_empty() && n == HOME)
            }
        }
    }

    fn covering(&self, who: &'static str) -> impl Iterator<Item = (Whom, &Gives)> {
        let all = self.assigned.iter().map(|(whom, gives)| (*whom, gives));
        all.filter(move |(whom, _)| self.covers(*whom, who))
    }

    /// The right of a user at a date, and whether the optional policy comes with it (rule 4).
    pub(super) fn right(&self, who: &'static str, j: Date) -> Result<bool, Code> {
        let known = self.users.get(who).ok_or(Code::UnknownUser)?;
        if known.status != UserStatus::Active || known.until.is_some_and(|until| until <= j) {
            return Err(Code::UserNotActive);
        }
        if self.covering(who).any(|(_, gives)| gives.exclude) {
            return Err(Code::Excluded);
        }
        let mut covering = self.covering(who).peekable();
        covering.peek().ok_or(Code::NotAssigned)?;
        Ok(covering.any(|(_, gives)| gives.export))
    }

    /// Whether it can be lost without any further change, or is.
    pub(super) fn doubtful(&self, who: &'static str) -> bool {
        self.right(who, Date(u64::MAX)).is_err()
    }

    /// Whether some limit of this kind covers them (rule 10).
    pub(super) fn limits(&self, who: &'static str, code: Code) -> bool {
        self.covering(who).any(|(whom, gives)| {
            let together = match whom {
                Whom::User(_) => Code::OverUserMax,
                Whom::Group(_) => Code::OverGroupMax,
                Whom::Unit(_) => Code::OverUnitMax,
            };
            (gives.max.is_some() && code == together)
                || (gives.max_each.is_some() && code == Code::OverUserMax)
        })
    }

    /// I10: the limit that these grants pass together, one of this user among them.
    pub(super) fn passed<'a>(
        &self,
        who: &'static str,
        grants: impl Iterator<Item = &'a Grant>,
    ) -> Option<String> {
        if self.returned {
            return None;
        }
        let mut seats = BTreeMap::<&'static str, u64>::new();
        for grant in grants {
            let of = USERS.iter().find(|name| user(name) == grant.user);
            *seats.entry(of?).or_default() += grant.slots.len() as u64;
        }
        let own = seats.get(who).copied().unwrap_or_default();
        self.covering(who).find_map(|(whom, gives)| {
            let covered = seats.iter().filter(|(one, _)| self.covers(whom, one));
            let together: u64 = covered.map(|(_, seats)| seats).sum();
            let over = |seats: u64, most: Option<u64>| most.is_some_and(|most| seats > most);
            (over(together, gives.max) || over(own, gives.max_each))
                .then(|| format!("{together} seats, {own} of {who}, under {whom:?} with {gives:?}"))
        })
    }

    /// What the daemon's directory says otherwise.
    pub(super) fn differs(&self, state: &State, now: Now) -> Option<String> {
        let home = state.site.as_ref()?.unit;
        self.structure(state, home)
            .or_else(|| self.people(state, home))
            .or_else(|| self.proven.differs(state, now))
            .or_else(|| self.presents(state, now))
            .or_else(|| self.service.differs(state))
    }

    fn structure(&self, state: &State, home: UnitId) -> Option<String> {
        let units = self.units.iter().map(|(n, (above, called))| {
            (
                unit(home, *n),
                (Place::Below(unit(home, *above)), Some(name(called))),
            )
        });
        let known = state.units.iter().filter(|(id, _)| **id != home);
        let known = known.map(|(id, known)| (*id, (known.place, known.name)));
        let groups = self.groups.iter().map(|(n, called)| {
            let around = self.groups.keys();
            let around = around.filter(|of| self.members.contains(&(**of, Whom::Group(*n))));
            let around: BTreeSet<_> = around.map(|of| group(*of)).collect();
            (group(*n), (name(called), around))
        });
        let known_groups = state.groups.iter();
        let known_groups =
            known_groups.map(|(id, known)| (*id, (known.name, living(state, &known.groups))));
        let assigned = self.assigned.iter();
        let assigned = assigned.map(|(whom, gives)| (target(home, *whom), gives.terms()));
        let known_assigned = state.assignments.values();
        let known_assigned = known_assigned.map(|known| (known.target, known.terms.clone()));
        other("units", units, known)
            .or_else(|| other("groups", groups, known_groups))
            .or_else(|| other("assignments", assigned, known_assigned))
    }

    fn people(&self, state: &State, home: UnitId) -> Option<String> {
        let users = self.users.iter().map(|(who, known)| {
            let units: BTreeSet<_> = known.units.iter().map(|n| unit(home, *n)).collect();
            let groups = self.groups.keys();
            let groups = groups.filter(|of| self.members.contains(&(**of, Whom::User(who))));
            let groups: BTreeSet<_> = groups.map(|n| group(*n)).collect();
            (user(who), (units, groups, known.status, known.until))
        });
        let known = state.users.iter().map(|(id, known)| {
            let units: BTreeSet<_> = known.units.iter().copied().collect();
            let groups = living(state, &known.groups);
            (*id, (units, groups, known.status, known.until))
        });
        let logins = self.users.keys().map(|who| (login(who), user(who)));
        let logins = logins.chain(self.addresses());
        let known_logins = state.logins.iter().map(|(login, user)| (*login, *user));
        other("users", users, known).or_else(|| other("logins", logins, known_logins))
    }
}

/// Groups that were not taken away.
fn living(state: &State, groups: &[GroupId]) -> BTreeSet<GroupId> {
    let groups = groups.iter().copied();
    groups.filter(|n| state.groups.contains_key(n)).collect()
}

fn other<K: Ord + Debug, V: PartialEq + Debug>(
    what: &str,
    told: impl Iterator<Item = (K, V)>,
    found: impl Iterator<Item = (K, V)>,
) -> Option<String> {
    let (told, found): (BTreeMap<K, V>, BTreeMap<K, V>) = (told.collect(), found.collect());
    (told != found).then(|| format!("{what}: {told:?} were answered for, and there are {found:?}"))
}
