//! The naive telling: sets of pairs, and recursion over them.

use super::{GROUPS, Gives, Whom};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::ids::UserId;
use seatkeeper_engine::state::{AccountKind, UserStatus};
use seatkeeper_engine::time::Date;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Default)]
pub(crate) struct Naive {
    /// What is above each unit; an account has nothing above it.
    pub(crate) above: BTreeMap<u8, Option<u8>>,
    pub(crate) kinds: BTreeMap<u8, AccountKind>,
    pub(crate) groups: BTreeSet<u8>,
    /// Who is in which group: users as `Ok`, groups as `Err`.
    pub(crate) members: BTreeSet<(u8, Result<u8, u8>)>,
    pub(crate) placed: BTreeMap<u8, BTreeSet<u8>>,
    pub(crate) status: BTreeMap<u8, (UserStatus, Option<Date>)>,
    /// How often a user was taken away: the next one of this name is another.
    pub(crate) lives: BTreeMap<u8, u8>,
    pub(crate) assigned: BTreeMap<(u8, Whom), Gives>,
}

impl Naive {
    pub(crate) fn user(&self, who: u8) -> UserId {
        let life = self.lives.get(&who).copied().unwrap_or_default();
        let mut id = [who + 1; 16];
        id[0] = life;
        UserId(id)
    }

    pub(crate) fn line(&self, unit: u8) -> Vec<u8> {
        let mut line = vec![unit];
        let mut at = unit;
        while let Some(Some(above)) = self.above.get(&at) {
            line.push(*above);
            at = *above;
        }
        line
    }

    pub(crate) fn root(&self, unit: u8) -> u8 {
        let line = self.line(unit);
        line[line.len() - 1]
    }

    pub(crate) fn units_of(&self, who: u8) -> BTreeSet<u8> {
        let placed = &self.placed[&who];
        if placed.is_empty() {
            BTreeSet::from([0])
        } else {
            placed.clone()
        }
    }

    /// What is wrong with a user in these units.
    pub(crate) fn wrong(&self, units: &BTreeSet<u8>) -> Option<Code> {
        let lines: Vec<_> = units.iter().map(|unit| self.line(*unit)).collect();
        let in_line = lines
            .iter()
            .any(|line| line[1..].iter().any(|above| units.contains(above)));
        if in_line {
            return Some(Code::OneLine);
        }
        let kinds: BTreeSet<_> = lines
            .iter()
            .map(|line| self.kinds[&line[line.len() - 1]] as u8)
            .collect();
        (kinds.len() > 1).then_some(Code::MixedKinds)
    }

    pub(crate) fn in_group(&self, who: u8, group: u8) -> bool {
        let right = self.members.contains(&(group, Ok(who)));
        right
            || (0..GROUPS).any(|inner| {
                self.members.contains(&(group, Err(inner))) && self.in_group(who, inner)
            })
    }

    pub(crate) fn holds(&self, group: u8, inner: u8) -> bool {
        group == inner
            || (0..GROUPS)
                .any(|one| self.members.contains(&(group, Err(one))) && self.holds(one, inner))
    }

    pub(crate) fn covers(&self, whom: Whom, who: u8) -> bool {
        match whom {
            Whom::User(one) => one == who,
            Whom::Group(group) => self.in_group(who, group),
            Whom::Unit(unit) => self
                .units_of(who)
                .iter()
                .any(|own| self.line(*own).contains(&unit)),
        }
    }

    pub(crate) fn right(
        &self,
        who: u8,
        license: u8,
        feature: usize,
        j: Date,
    ) -> Result<BTreeSet<usize>, Code> {
        let (status, until) = self.status[&who];
        if status != UserStatus::Active || until.is_some_and(|until| j >= until) {
            return Err(Code::UserNotActive);
        }
        let mut units = self.units_of(who).into_iter();
        if !units.any(|unit| self.root(unit) == license) {
            return Err(Code::NotAssigned);
        }
        let of = self
            .assigned
            .iter()
            .filter(|((l, whom), _)| *l == license && self.covers(*whom, who));
        let of: Vec<_> = of.map(|(_, gives)| gives).collect();
        let excludes = |gives: &&Gives| {
            gives
                .exclude
                .is_some_and(|n| n == 2 || usize::from(n) == feature)
        };
        if of.iter().any(excludes) {
            return Err(Code::Excluded);
        }
        if of.is_empty() {
            return Err(Code::NotAssigned);
        }
        Ok(of
            .iter()
            .flat_map(|gives| gives.policies.iter().copied())
            .collect())
    }
}
