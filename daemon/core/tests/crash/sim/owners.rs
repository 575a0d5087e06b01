//! Named seats as they were answered for (rule 7): whose each is, and which were taken from their owners.

use super::changes::{Change, USERS, Whom};
use super::org::Learned;
use super::people::user;
use super::world::World;
use seatkeeper_core::journal::parse;
use seatkeeper_core::keeper::{Answer, Snapshot};
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{Gid, UserId};
use seatkeeper_engine::state::{Model, Pool, Unit};
use seatkeeper_engine::{LeaseTerms, State};
use std::collections::{BTreeMap, BTreeSet};

/// What owners were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    seats: BTreeMap<Gid, Owned>,
    recalled: BTreeSet<Gid>,
}

#[derive(Clone, Debug)]
struct Owned {
    slots: Vec<u64>,
    /// Whose right it hangs on.
    user: &'static str,
    /// Something was asked that may have ended it.
    doubtful: bool,
}

impl Owners {
    /// A seat is theirs, whether they sit on it or not.
    pub(super) fn given(&mut self, gid: Gid, slots: Vec<u64>, user: &'static str) {
        let doubtful = false;
        let owned = Owned {
            slots,
            user,
            doubtful,
        };
        self.seats.insert(gid, owned);
    }

    pub(super) fn recalled(&mut self, gid: Gid) {
        self.seats.remove(&gid);
        self.recalled.insert(gid);
    }

    /// One of them may be gone from now on.
    pub(super) fn doubt(&mut self, which: impl Fn(Gid, &[u64], &'static str) -> bool) {
        for (gid, owned) in &mut self.seats {
            owned.doubtful |= which(*gid, &owned.slots, owned.user);
        }
    }

    fn has(&self, who: &str) -> bool {
        let mut seats = self.seats.values();
        seats.any(|owned| owned.user == who && !owned.doubtful)
    }

    /// What was answered for is so; where a state was restored, only what was answered for since.
    pub(super) fn stand(&self, state: &State, restored: bool) -> Result<(), String> {
        for gid in &self.recalled {
            let there = state.grant(*gid);
            if there.is_some_and(|grant| !grant.closed || grant.kept()) {
                return Err(format!("rule 7: {gid} was recalled, and is its owner's"));
            }
        }
        // Leases of the lost future take the place of what nobody sits on.
        if restored {
            return Ok(());
        }
        for (gid, owned) in self.seats.iter().filter(|(_, owned)| !owned.doubtful) {
            let there = state.grant(*gid).filter(|grant| !grant.closed);
            if there.is_none_or(|grant| grant.slots[..] != owned.slots) {
                return Err(format!(
                    "I2: the named seat {gid} of {} on {:?} is {there:?}",
                    owned.user, owned.slots
                ));
            }
        }
        for pool in state.pools.values() {
            let mut units = BTreeSet::new();
            let open = owned(pool);
            if let Some(unit) = open.map(|(_, unit)| unit).find(|unit| !units.insert(*unit)) {
                return Err(format!("rule 7: {unit:?} owns two seats"));
            }
        }
        Ok(())
    }
}

/// What a user is called.
pub(super) fn name_of(id: UserId) -> Option<&'static str> {
    USERS.into_iter().find(|name| user(name) == id)
}

/// Seats of a pool that somebody owns.
fn owned(pool: &Pool) -> impl Iterator<Item = (Gid, Unit)> {
    let feature = pool.feature.as_deref();
    let feature = feature.filter(|feature| feature.model == Model::Named);
    let seats = feature.map_or(0, |feature| feature.seats.unwrap_or(u64::MAX));
    let grants = pool.grants.iter();
    let open = grants.filter(move |(_, grant)| !grant.closed && grant.slots[0] < seats);
    open.map(|(gid, grant)| (*gid, grant.unit))
}

impl Change {
    /// Whose named seat it opens, where it does (rule 7).
    pub(super) fn opens_for(&self) -> Option<&'static str> {
        match self {
            Change::Assign(Whom::User(who), _) | Change::Terms(Whom::User(who), ..) => Some(who),
            _ => None,
        }
    }
}

impl World {
    /// Whether direct assignments open seats: users own them.
    pub(super) fn opens_seats(&self) -> bool {
        self.named && self.counting == "user"
    }

    /// Whoever is leased a named seat has it from then on.
    pub(super) fn owns(&mut self, lease: &LeaseTerms, who: usize) {
        if self.named && lease.last.is_none() {
            let (gid, slots) = (lease.holder.gid, lease.slots.clone());
            let user = self.apps[who].user;
            self.ledger.owners.given(gid, slots, user);
        }
    }

    /// A direct assignment is done: whom it names has a seat, within their limits, and never two of them.
    pub(super) fn opened(&mut self, change: &Change, answer: &Answer) -> Result<(), String> {
        let Some(who) = change.opens_for().filter(|_| self.opens_seats()) else {
            return Ok(());
        };
        let recorded = answer.events.clone();
        let many = usize::try_from(recorded.end - recorded.start).unwrap();
        let events = self.handle().read(recorded.start, many);
        for (_, raw) in events.map_err(|e| e.to_string())? {
            let noted = parse(&raw).map_err(|e| e.to_string())?;
            let Recorded::SeatAssigned(seat) = noted.what else {
                continue;
            };
            if seat.user != user(who) || self.has_one(who) {
                return Err(format!("rule 7: {who} is given {seat:?} by {change:?}"));
            }
            self.counts.owners += 1;
            self.within_limits(who, seat.gid, &answer.snapshot)?;
            self.within_promises(who, seat.gid, &answer.snapshot)?;
            self.known.insert(seat.gid);
            let slots = vec![seat.slot];
            self.ledger.owners.given(seat.gid, slots, who);
        }
        let assigned = matches!(change, Change::Assign(..));
        if self.alone && assigned && self.is_owed(who, &answer.snapshot) {
            let mut pools = answer.snapshot.state.pools.values();
            let unit = Unit::User(user(who));
            if !pools.any(|pool| owned(pool).any(|(_, one)| one == unit)) {
                return Err(format!("rule 7: {change:?} opens no seat"));
            }
        }
        Ok(())
    }

    /// They have a seat for sure: no lease of a lost future can have taken its place.
    fn has_one(&self, who: &str) -> bool {
        !self.ledger.restored && self.ledger.owners.has(who)
    }

    /// A direct assignment opens a seat for them: they have the right, and the license serves.
    fn is_owed(&self, who: &'static str, after: &Snapshot) -> bool {
        let (org, j) = (&self.ledger.org, after.now.j);
        org.right(who, j).is_ok() && org.serves(j)
    }

    /// Whether a direct assignment that the rules of the organisation allow may be refused so: no seat is left for them.
    pub(super) fn opens_not(
        &mut self,
        change: &Change,
        no: &Denial,
        answer: &Answer,
    ) -> Result<bool, String> {
        let Some(who) = change.opens_for().filter(|_| self.opens_seats()) else {
            return Ok(false);
        };
        let full = no.in_use >= no.total;
        let of_seats = match no.code {
            Code::NoSeatFree | Code::OverUserMax | Code::OverGroupMax | Code::OverUnitMax => full,
            Code::RequestExceedsTotal | Code::Quarantine | Code::ReservedForOthers => true,
            _ => return Ok(false),
        };
        // Judged on what the change would have made of it.
        let before = self.ledger.org.clone();
        let learned = Learned::Changed(change.clone());
        self.ledger.org.learn(&learned, Some(answer.now));
        let rightly = of_seats && self.refused_rightly(who, no.code, answer.now.j);
        let withheld = self.withheld_rightly((who, 1), no, &answer.snapshot);
        self.ledger.org = before;
        withheld?;
        self.counts.not_opened += u64::from(rightly);
        Ok(rightly && !self.has_one(who))
    }
}
