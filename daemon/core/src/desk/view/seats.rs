//! Who sits where.

use super::{Cursor, page, pool_text};
use crate::authorize::{Caller, Permission, Sight};
use crate::desk::Desk;
use crate::desk::parse::bad;
use crate::keeper::Snapshot;
use crate::problem::Refused;
use seatkeeper::wire::{self, Page};
use seatkeeper_engine::event::EndingWhy;
use seatkeeper_engine::free_by;
use seatkeeper_engine::ids::{Gid, HolderId, PoolId};
use seatkeeper_engine::state::{Grant, Holder};
use seatkeeper_engine::time::{Date, LeaseTime};
use std::ops::Bound;

/// What the times of seats are told by.
#[derive(Clone, Copy)]
struct Times {
    now: LeaseTime,
    /// Since when the daemon runs: lease time stands still while it does not.
    run: LeaseTime,
    j: Date,
}

impl Desk {
    /// `GET /v1/seats`: everyone's for those who may see them, else one's own. `watched` tells whether a holder's
    /// process is watched (rule 14).
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn seats(
        &self,
        caller: &Caller,
        cursor: &Cursor,
        watched: impl Fn(HolderId) -> bool,
    ) -> Result<Page<wire::Seat>, Refused> {
        self.authorize(caller, Permission::SeatReadOwn, self.unit())?;
        let after: Option<HolderId> = match &cursor.after {
            Some(after) => Some(
                after
                    .parse()
                    .map_err(|_| bad("after", "not a cursor of this list"))?,
            ),
            None => None,
        };
        let snapshot = self.snapshot();
        let times = self.times(&snapshot);
        let sight = Sight::of(&snapshot, caller, Permission::SeatRead);
        let from = after.map_or(Bound::Unbounded, |after| Bound::Included(after.gid));
        let rows = snapshot
            .state
            .grants
            .range((from, Bound::Unbounded))
            .filter_map(|(gid, pool)| {
                Some((
                    *gid,
                    pool,
                    snapshot.state.pools.get(pool.as_ref())?.grants.get(gid)?,
                ))
            })
            .flat_map(|(gid, pool, grant)| {
                rows(gid, grant).map(move |(id, holder)| (id, pool, grant, holder))
            })
            .filter(|(id, ..)| after.is_none_or(|after| *id > after))
            .filter(|(_, _, grant, holder)| {
                let user = holder.map_or(grant.user, |holder| holder.facts.user);
                sight.shows(&snapshot.state, user)
            })
            .map(|(id, pool, grant, holder)| {
                let seat = match holder {
                    Some(holder) => {
                        self.seat(&snapshot, (id, pool), (grant, holder), times, watched(id))
                    }
                    None => self.kept_seat(&snapshot, (id.gid, pool), grant, times),
                };
                (id.to_string(), seat)
            });
        Ok(page(rows, cursor.limit()?))
    }

    /// Who holds seats of a pool, of those who are seen, for a denial: `user on machine (id)`, the oldest grants first.
    pub(in crate::desk) fn holder_names(
        &self,
        snapshot: &Snapshot,
        pool: &PoolId,
        (most, sight): (usize, &Sight),
    ) -> Vec<String> {
        self.holders_of(snapshot, pool)
            .filter(|(_, _, holder)| sight.over(&snapshot.state, holder.facts.user))
            .take(most)
            .map(|(id, _, holder)| {
                let (user, machine) = (
                    self.user_name(holder.facts.user),
                    self.machine_name(holder.facts.process.machine),
                );
                format!("{user} on {machine} ({id})")
            })
            .collect()
    }

    /// The seats of a pool, as a list shows them.
    pub(in crate::desk) fn seats_of(
        &self,
        snapshot: &Snapshot,
        pool: &PoolId,
        (most, sight): (usize, &Sight),
        watched: impl Fn(HolderId) -> bool,
    ) -> Vec<wire::Seat> {
        let times = self.times(snapshot);
        self.holders_of(snapshot, pool)
            .filter(|(_, _, holder)| sight.over(&snapshot.state, holder.facts.user))
            .take(most)
            .map(|(id, grant, holder)| {
                self.seat(snapshot, (id, pool), (grant, holder), times, watched(id))
            })
            .collect()
    }

    fn holders_of<'a>(
        &self,
        snapshot: &'a Snapshot,
        pool: &PoolId,
    ) -> impl Iterator<Item = (HolderId, &'a Grant, &'a Holder)> {
        let grants = snapshot
            .state
            .pools
            .get(pool)
            .into_iter()
            .flat_map(|pool| pool.grants.iter());
        grants.flat_map(|(gid, grant): (&Gid, _)| {
            grant.holders.iter().map(move |holder| {
                (
                    HolderId {
                        gid: *gid,
                        h: holder.h,
                    },
                    &**grant,
                    holder,
                )
            })
        })
    }

    fn times(&self, snapshot: &Snapshot) -> Times {
        let now = self.keeper().now();
        Times {
            now: now.lease,
            run: snapshot.state.run.since,
            j: now.j,
        }
    }

    /// A named seat that nobody sits on.
    fn kept_seat(
        &self,
        snapshot: &Snapshot,
        (gid, pool): (Gid, &PoolId),
        grant: &Grant,
        Times { now, run, .. }: Times,
    ) -> wire::Seat {
        let state = &snapshot.state;
        let license = state.licenses.get(&pool.license);
        let bound = state
            .feature(pool)
            .map(|feature| grant.bound_until(feature));
        let user = grant.unit.user().map(|user| self.user_name(user));
        let machine = grant.unit.machine().map(|of| self.machine_name(of));
        wire::Seat {
            id: gid.to_string(),
            pool: pool_text(pool),
            product: license.map_or_else(String::new, |l| l.terms.product.to_string()),
            feature: pool.feature.to_string(),
            slots: grant.slots.to_vec(),
            user: user.unwrap_or_default(),
            machine: machine.unwrap_or_default(),
            uid: None,
            pid: None,
            version: None,
            state: "kept".to_owned(),
            named: true,
            watched: false,
            held_s: (now - grant.since) / 1000,
            held_at_least: grant.since < run,
            hold_s: bound.map_or(0, |bound| (bound - now).div_ceil(1000)),
        }
    }

    fn seat(
        &self,
        snapshot: &Snapshot,
        (id, pool): (HolderId, &PoolId),
        (grant, holder): (&Grant, &Holder),
        Times { now, run, j }: Times,
        watched: bool,
    ) -> wire::Seat {
        let (state, facts) = (&snapshot.state, &holder.facts);
        // Told at its next call (rule 16).
        let loses = holder.ending().is_none() && state.right_lost(pool, facts.user, j);
        let free = free_by(state, id).filter(|_| loses);
        wire::Seat {
            id: id.to_string(),
            pool: pool_text(pool),
            product: facts.terms.product.to_string(),
            feature: pool.feature.to_string(),
            slots: grant.slots.to_vec(),
            user: self.user_name(facts.user),
            machine: self.machine_name(facts.process.machine),
            uid: Some(facts.process.uid),
            pid: facts.pid.map(|pid| pid.pid.get()),
            version: facts.version.as_deref().map(str::to_owned),
            state: match holder.ending() {
                Some(ending) => why(ending.why),
                None if loses => why(EndingWhy::RightLost),
                None => "live",
            }
            .to_owned(),
            named: snapshot
                .state
                .feature(pool)
                .is_some_and(|feature| grant.owned(feature)),
            watched,
            held_s: (now - holder.since) / 1000,
            held_at_least: holder.since < run,
            hold_s: (free.unwrap_or(holder.latest_end()) - now).div_ceil(1000),
        }
    }
}

/// The rows of a grant in the list: its holders, or itself where it has none (rule 7).
fn rows(gid: Gid, grant: &Grant) -> impl Iterator<Item = (HolderId, Option<&Holder>)> {
    let kept = grant.kept().then_some((HolderId { gid, h: 0 }, None));
    let holders = grant.holders.iter();
    let holders = holders.map(move |holder| (HolderId { gid, h: holder.h }, Some(holder)));
    kept.into_iter().chain(holders)
}

fn why(why: EndingWhy) -> &'static str {
    match why {
        EndingWhy::Reclaimed => "reclaimed",
        EndingWhy::Released => "released",
        EndingWhy::RightLost => "right_lost",
        EndingWhy::Superseded => "superseded",
    }
}
