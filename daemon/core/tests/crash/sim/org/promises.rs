//! Reserves as they were answered for (rule 11): who fills which is counted seat by seat, and a seat is judged by counting
//! twice, without it and with it.

use super::Org;
use crate::sim::changes::{Gives, HOME, USERS, Whom, group, unit};
use seatkeeper_engine::ids::UnitId;
use std::collections::BTreeMap;

/// Whose a seat is that is out: `None` fills no reserve.
pub(in crate::sim) type Out = Vec<Option<&'static str>>;

/// What seats are taken from: those of the pool, or what a max lets some of the users have.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Bound {
    size: u64,
    /// Whose seats are taken from it, in the order in which they opened.
    out: Out,
    reserves: Vec<(Whom, u64)>,
}

impl Bound {
    /// Whether anything is reserved in it.
    pub(in crate::sim) fn reserves(&self) -> bool {
        self.reserves.iter().any(|(_, seats)| *seats > 0)
    }

    fn left(&self) -> i64 {
        signed(self.size) - signed(self.out.len() as u64)
    }

    fn with(&self, who: &'static str, n: u64) -> Bound {
        let mut after = self.clone();
        after.out.extend((0..n).map(|_| Some(who)));
        after
    }

    fn empty(&self) -> Bound {
        Bound {
            out: Vec::new(),
            ..self.clone()
        }
    }
}

impl Org {
    fn reserved(&self) -> Vec<(Whom, u64)> {
        let all = self.assigned.iter();
        all.filter_map(|(whom, gives)| Some((*whom, gives.reserve?)))
            .collect()
    }

    /// Whose reserves a seat of this user may fill, the first choice first.
    fn choices(&self, who: &'static str) -> Vec<Whom> {
        let around = self.groups.keys().copied();
        let around = around.filter(|n| self.holds(*n, Whom::User(who)));
        let mut groups: Vec<_> = around.collect();
        groups.sort_by_key(|n| group(*n));
        let known = self.users.get(who).map(|known| &known.units);
        let mut units: Vec<_> = known.into_iter().flatten().copied().collect();
        // Who is at home is nowhere else: its id stands before no other.
        units.sort_by_key(|n| unit(UnitId([0; 16]), *n));
        if known.is_some() && units.is_empty() {
            units.push(HOME);
        }
        let units = units.into_iter().flat_map(|n| self.line(n));
        std::iter::once(Whom::User(who))
            .chain(groups.into_iter().map(Whom::Group))
            .chain(units.map(Whom::Unit))
            .collect()
    }

    /// What no seat fills, of each reserve.
    fn unfilled(&self, bound: &Bound) -> BTreeMap<Whom, u64> {
        let mut room: BTreeMap<_, _> = bound.reserves.iter().copied().collect();
        for who in bound.out.iter().flatten() {
            let choices = self.choices(who);
            let with_room = |whom: &&Whom| room.get(whom).is_some_and(|room| *room > 0);
            if let Some(first) = choices.iter().find(with_room) {
                room.entry(*first).and_modify(|room| *room -= 1);
            }
        }
        room
    }

    fn need(&self, bound: &Bound) -> i64 {
        self.unfilled(bound).into_values().map(signed).sum()
    }

    /// The rule by the word: enough is left afterwards, or what is short has not grown.
    pub(in crate::sim) fn allowed(&self, bound: &Bound, who: &'static str, n: u64) -> bool {
        let after = bound.with(who, n);
        let short = |bound: &Bound| self.need(bound) - bound.left();
        short(&after) <= 0 || short(&after) <= short(bound)
    }

    /// Whether it would be, were nothing taken from it (rule 13).
    pub(in crate::sim) fn ever_allowed(&self, bound: &Bound, who: &'static str, n: u64) -> bool {
        self.allowed(&bound.empty(), who, n)
    }

    /// Nothing is short, and n seats are kept for this user.
    pub(in crate::sim) fn owed(&self, bound: &Bound, who: &'static str, n: u64) -> bool {
        let unfilled = self.unfilled(bound);
        let choices = self.choices(who);
        let own = unfilled.iter().filter(|(whom, _)| choices.contains(whom));
        self.need(bound) <= bound.left() && own.map(|(_, seats)| seats).sum::<u64>() >= n
    }

    /// Whether anything is reserved that this user cannot fill.
    pub(in crate::sim) fn reserves_for_others(&self, who: &'static str) -> bool {
        let choices = self.choices(who);
        let mut reserves = self.reserved().into_iter();
        reserves.any(|(whom, seats)| seats > 0 && !choices.contains(&whom))
    }

    /// What a seat of this user is taken from, while these seats are out: those below `seats`, and all.
    pub(in crate::sim) fn bounds(
        &self,
        who: &'static str,
        (regular, all): (Out, Vec<&'static str>),
    ) -> Vec<Bound> {
        let reserves = self.reserved();
        let seats = Bound {
            size: self.license.seats,
            out: regular,
            reserves: reserves.clone(),
        };
        let maxes = self.covering(who).filter_map(|(whom, gives)| {
            let theirs = all.iter().filter(|one| self.covers(whom, one));
            let within = reserves.iter().filter(|(one, _)| self.wider(whom, *one));
            Some(Bound {
                size: gives.max?,
                out: theirs.map(|one| Some(*one)).collect(),
                reserves: within.copied().collect(),
            })
        });
        std::iter::once(seats).chain(maxes).collect()
    }

    /// Whoever joins the second is in the first, too.
    fn wider(&self, wide: Whom, narrow: Whom) -> bool {
        match (wide, narrow) {
            (Whom::Unit(HOME), _) => true,
            (Whom::Unit(wide), Whom::Unit(narrow)) => self.line(narrow).contains(&wide),
            (Whom::Group(wide), Whom::Group(_)) => self.holds(wide, narrow),
            (wide, Whom::User(who)) => self.covers(wide, who),
            _ => false,
        }
    }

    /// How much too much is promised, of everything that bounds a promise.
    fn excess(&self, everyone: &[Whom]) -> Vec<u64> {
        let reserves = self.reserved();
        let sum = |within: &dyn Fn(Whom) -> bool| {
            let of = reserves.iter().filter(|(whom, _)| within(*whom));
            of.map(|(_, seats)| seats).sum::<u64>()
        };
        let over =
            |promised: u64, size: Option<u64>| size.map_or(0, |size| promised.saturating_sub(size));
        let mut excess = vec![over(sum(&|_| true), Some(self.license.seats))];
        for wide in everyone {
            let gives = self.assigned.get(wide).copied().unwrap_or_default();
            excess.push(over(sum(&|one| self.wider(*wide, one)), gives.max));
            for who in USERS {
                let of_user = |one| one == Whom::User(who) && self.wider(*wide, one);
                excess.push(over(sum(&of_user), gives.max_each));
            }
        }
        excess
    }

    /// Whether this may be promised: no more than there is, or no more than was already.
    pub(super) fn may_promise(&self, whom: Whom, gives: Gives) -> bool {
        let mut after = self.clone();
        after.assigned.insert(whom, gives);
        let everyone: Vec<_> = after.assigned.keys().copied().collect();
        let both = self
            .excess(&everyone)
            .into_iter()
            .zip(after.excess(&everyone));
        both.into_iter().all(|(before, after)| after <= before)
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap()
}
