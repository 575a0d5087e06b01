//! What reserves hold back, and what they do not (rule 11), of the seats that are given and refused.

use super::owners::name_of;
use super::rights::counts;
use super::world::World;
use seatkeeper_core::keeper::Snapshot;
use seatkeeper_engine::denial::{Code, Denial};
use seatkeeper_engine::ids::Gid;
use seatkeeper_engine::state::Grant;

impl World {
    /// I10: no grant opens on seats that are kept for others. Those that were opened before it and are there still leave no
    /// less than there was.
    pub(super) fn within_promises(
        &mut self,
        who: &'static str,
        gid: Gid,
        after: &Snapshot,
    ) -> Result<(), String> {
        // A host's seat may have gone to another user since.
        if self.counting == "host" && !self.alone {
            return Ok(());
        }
        let pools = after.state.pools.values();
        let Some(opened) = pools.filter_map(|pool| pool.grants.get(&gid)).next() else {
            return Ok(());
        };
        let n = opened.slots.len() as u64;
        let org = &self.ledger.org;
        let bounds = org.bounds(who, self.out(after, Some(gid)));
        self.counts.promised += u64::from(bounds.iter().any(|bound| bound.reserves()));
        let broken = bounds.iter().find(|bound| !org.allowed(bound, who, n));
        match broken.filter(|_| !org.is_stale()) {
            Some(bound) => Err(format!("I10: {gid} of {n} opens for {who} on {bound:?}")),
            None => Ok(()),
        }
    }

    /// Reserves refuse whom they are not for, and keep for the others what is theirs.
    pub(super) fn withheld_rightly(
        &mut self,
        (who, n): (&'static str, u64),
        no: &Denial,
        after: &Snapshot,
    ) -> Result<(), String> {
        let org = &self.ledger.org;
        let withheld = no.code == Code::ReservedForOthers;
        if !(withheld || no.code == Code::NoSeatFree) {
            return Ok(());
        }
        self.counts.withheld += u64::from(withheld);
        let told = |what: &str| Err(format!("rule 11: {n} for {who} is refused: {what}"));
        if withheld && !org.reserves_for_others(who) {
            return told("nothing is reserved for others");
        }
        // Of a batch of several the state may not be the one that was judged.
        if !self.alone || org.is_stale() {
            return Ok(());
        }
        let bounds = org.bounds(who, self.out(after, None));
        if bounds.iter().all(|bound| org.owed(bound, who, n)) {
            return told(&format!("it is kept for them: {bounds:?}"));
        }
        let ever = bounds.iter().all(|bound| org.ever_allowed(bound, who, n));
        let now = bounds.iter().all(|bound| org.allowed(bound, who, n));
        match no.rule {
            _ if !withheld => Ok(()),
            13 if !ever => Ok(()),
            11 if ever && !now => Ok(()),
            rule => told(&format!("by rule {rule}, with {bounds:?}")),
        }
    }

    /// Whose seats are out, those below `seats` and all of them, that opened before this one.
    fn out(
        &self,
        after: &Snapshot,
        before: Option<Gid>,
    ) -> (Vec<Option<&'static str>>, Vec<&'static str>) {
        let seats = self.ledger.org.seats();
        let pools = after.state.pools.values();
        let grants = pools.flat_map(|pool| &pool.grants);
        let (mut regular, mut all) = (Vec::new(), Vec::new());
        for (_, grant) in grants.filter(|(gid, _)| before.is_none_or(|one| **gid < one)) {
            let grant: &Grant = grant;
            // One that the license has no place for may have had it when others of its batch were judged.
            if !(self.alone || counts(grant)) {
                continue;
            }
            let of = name_of(grant.user).filter(|_| counts(grant));
            let below = grant.slots.iter().filter(|slot| **slot < seats);
            regular.extend(below.map(|_| of));
            all.extend(grant.slots.iter().filter_map(|_| of));
        }
        (regular, all)
    }
}
