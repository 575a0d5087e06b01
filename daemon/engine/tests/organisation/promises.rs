//! The naive telling of reserves: who fills which is counted seat by seat, and a seat is judged by counting twice, without
//! it and with it (rule 11).

use super::naive::Naive;
use super::{GROUPS, Gives, LICENSES, SEATS, USERS, Whom};
use seatkeeper_engine::denial::Code;
use std::collections::BTreeMap;

/// What seats are taken from: those of the pool, or what a max lets some of the users have.
pub(crate) struct Bound {
    size: i64,
    /// Whose seats are taken from it, one entry for each, in the order in which they opened.
    out: Vec<Option<u8>>,
    reserves: Vec<(Whom, u64)>,
}

impl Bound {
    fn left(&self) -> i64 {
        self.size - self.out.len() as i64
    }

    fn with(&self, who: u8, n: u64) -> Bound {
        let more = (0..n).map(|_| Some(who));
        Bound {
            out: self.out.iter().copied().chain(more).collect(),
            reserves: self.reserves.clone(),
            size: self.size,
        }
    }

    fn empty(&self) -> Bound {
        Bound {
            out: Vec::new(),
            reserves: self.reserves.clone(),
            size: self.size,
        }
    }
}

impl Naive {
    fn reserved(&self, license: u8, feature: usize) -> Vec<(Whom, u64)> {
        let of = self.assigned.iter().filter(|((l, _), _)| *l == license);
        of.filter_map(|((_, whom), gives)| {
            let (_, seats) = gives.reserve.filter(|(f, _)| *f == feature)?;
            Some((*whom, seats))
        })
        .collect()
    }

    /// Whose reserves a seat of this user may fill, the first choice first.
    fn choices(&self, who: u8) -> Vec<Whom> {
        let groups = (0..GROUPS).filter(|group| self.in_group(who, *group));
        let units = self.units_of(who).into_iter();
        let units = units.flat_map(|unit| self.line(unit));
        std::iter::once(Whom::User(who))
            .chain(groups.map(Whom::Group))
            .chain(units.map(Whom::Unit))
            .collect()
    }

    /// What no seat fills, of each reserve.
    fn unfilled(&self, bound: &Bound) -> BTreeMap<Whom, u64> {
        let mut room: BTreeMap<_, _> = bound.reserves.iter().copied().collect();
        for who in bound.out.iter().flatten() {
            let choices = self.choices(*who);
            let with_room = |whom: &&Whom| room.get(whom).is_some_and(|room| *room > 0);
            if let Some(first) = choices.iter().find(with_room).copied() {
                *room.get_mut(&first).expect("it has room") -= 1;
            }
        }
        room
    }

    fn need(&self, bound: &Bound) -> i64 {
        self.unfilled(bound).values().sum::<u64>() as i64
    }

    /// The rule by the word: enough is left afterwards, or what is short has not grown.
    pub(crate) fn allowed(&self, bound: &Bound, who: u8, n: u64) -> bool {
        let after = bound.with(who, n);
        let short = |bound: &Bound| self.need(bound) - bound.left();
        short(&after) <= 0 || short(&after) <= short(bound)
    }

    /// Whether it would be, were nothing taken from it.
    pub(crate) fn ever_allowed(&self, bound: &Bound, who: u8, n: u64) -> bool {
        self.allowed(&bound.empty(), who, n)
    }

    /// Nothing is short, and n seats are kept for this user.
    pub(crate) fn owed(&self, bound: &Bound, who: u8, n: u64) -> bool {
        let unfilled = self.unfilled(bound);
        let choices = self.choices(who);
        let own = unfilled.iter().filter(|(whom, _)| choices.contains(whom));
        self.need(bound) <= bound.left() && own.map(|(_, seats)| seats).sum::<u64>() >= n
    }

    /// What a seat of this user is taken from, while these have seats.
    pub(crate) fn bounds(
        &self,
        (license, feature): (u8, usize),
        who: u8,
        out: &[Option<u8>],
    ) -> Vec<Bound> {
        let reserves = self.reserved(license, feature);
        let seats = SEATS[feature].map(|size| Bound {
            size: size as i64,
            out: out.to_vec(),
            reserves: reserves.clone(),
        });
        let of = self.assigned.iter().filter(|((l, _), _)| *l == license);
        let maxes = of.filter_map(|((_, whom), gives)| {
            let (_, size) = gives.max.filter(|(f, _)| *f == feature)?;
            let theirs = |one: &&Option<u8>| one.is_some_and(|one| self.covers(*whom, one));
            let within = |(one, _): &&(Whom, u64)| self.wider(license, *whom, *one);
            self.covers(*whom, who).then(|| Bound {
                size: size as i64,
                out: out.iter().filter(theirs).copied().collect(),
                reserves: reserves.iter().filter(within).copied().collect(),
            })
        });
        seats.into_iter().chain(maxes).collect()
    }

    /// Whoever joins the second is in the first, too.
    fn wider(&self, license: u8, wide: Whom, narrow: Whom) -> bool {
        match (wide, narrow) {
            (Whom::Unit(unit), _) if unit == license => true,
            (Whom::Unit(wide), Whom::Unit(narrow)) => self.line(narrow).contains(&wide),
            (Whom::Group(wide), Whom::Group(narrow)) => self.holds(wide, narrow),
            (wide, Whom::User(who)) => self.covers(wide, who),
            _ => false,
        }
    }

    /// How much too much is promised, of everything that bounds a promise.
    fn excess(&self, license: u8) -> Vec<u64> {
        let mut excess = Vec::new();
        for (feature, seats) in SEATS.into_iter().enumerate() {
            let reserves = self.reserved(license, feature);
            let sum = |within: &dyn Fn(Whom) -> bool| {
                let of = reserves.iter().filter(|(whom, _)| within(*whom));
                of.map(|(_, seats)| seats).sum::<u64>()
            };
            let over = |promised: u64, size: Option<u64>| {
                size.map_or(0, |size| promised.saturating_sub(size))
            };
            excess.push(over(sum(&|_| true), seats));
            for whom in everyone() {
                let gives = self.assigned.get(&(license, whom));
                let size = |limit: Option<(usize, u64)>| {
                    limit.filter(|(f, _)| *f == feature).map(|(_, n)| n)
                };
                let max = gives.and_then(|gives| size(gives.max));
                excess.push(over(sum(&|one| self.wider(license, whom, one)), max));
                let each = gives.and_then(|gives| size(gives.max_each));
                for who in 0..USERS {
                    let of_user = |one| one == Whom::User(who) && self.wider(license, whom, one);
                    excess.push(over(sum(&of_user), each));
                }
            }
        }
        excess
    }

    /// Whether this may be promised.
    pub(crate) fn promised(&self, key: (u8, Whom), gives: &Gives) -> Result<(), Code> {
        assert!(key.0 < LICENSES);
        let mut after = self.clone();
        after.assigned.insert(key, gives.clone());
        let both = self.excess(key.0).into_iter().zip(after.excess(key.0));
        let mut more = both.filter(|(before, after)| after > before);
        more.next().map_or(Ok(()), |_| Err(Code::OverPromised))
    }
}

fn everyone() -> impl Iterator<Item = Whom> {
    let users = (0..USERS).map(Whom::User);
    let groups = (0..GROUPS).map(Whom::Group);
    users.chain(groups).chain((0..super::UNITS).map(Whom::Unit))
}
