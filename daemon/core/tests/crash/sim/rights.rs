//! What an administrator and an application are answered, beside the organisation as it was answered for (rules 1 to 4, 10).

use super::changes::Change;
use super::org::{Installed, Learned};
use super::people::Life;
use super::proofs::{By, Proof};
use super::world::{Asked, Whose, World};
use seatkeeper_core::keeper::{Answer, Snapshot};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::ids::Gid;
use seatkeeper_engine::state::Grant;
use seatkeeper_engine::time::{Date, Now};
use seatkeeper_engine::{Command, LeaseTerms, Verdict};

/// What an order changes about the organisation where it is done.
pub(super) fn learned(one: &Asked) -> Option<Learned> {
    match (&one.whose, &one.command) {
        (Whose::Change(change), _) => Some(Learned::Changed(change.clone())),
        (_, Command::InstallLicense { terms, .. }) => Some(Learned::Installed(Installed {
            serial: terms.serial,
            exp: terms.exp.map(|exp| exp.0),
            seats: terms.features[0].seats.unwrap_or(u64::MAX),
        })),
        _ => None,
    }
}

impl World {
    /// A change is done where the rules allow it, and refused elsewhere.
    pub(super) fn arranged(&mut self, one: &Asked, answer: &Answer) -> Result<(), String> {
        let Some(learned) = learned(one) else {
            return Ok(());
        };
        let denied = match &answer.verdict {
            Verdict::Denied(denial) => Some(denial.code),
            _ => None,
        };
        let late = matches!(learned, Learned::Installed(_)) && denied == Some(Code::LicenseExpired);
        let full = match (&learned, &answer.verdict) {
            (Learned::Changed(change), Verdict::Denied(no)) => {
                self.opens_not(change, no, answer)?
            }
            _ => false,
        };
        let session = self.room_for(&learned, answer.now);
        let lawful = !late && !full && self.ledger.org.learn(&learned, Some(answer.now));
        let done = denied.is_none();
        if lawful != done {
            return Err(format!(
                "rules 1 to 3: {learned:?} is {}lawful, and answered by {:?}",
                if lawful { "" } else { "not " },
                answer.verdict
            ));
        }
        if !matches!(
            learned,
            Learned::Installed(_) | Learned::Changed(Change::Meet(_))
        ) {
            self.counts.arranged += u64::from(done);
            self.counts.not_arranged += u64::from(!done);
        }
        if let Learned::Changed(Change::Prove(Proof::Redeem { .. })) = learned {
            self.counts.redeemed += u64::from(done);
            self.counts.not_redeemed += u64::from(!done);
            if denied.is_some_and(|code| code != Code::CodeNotValid) {
                return Err(format!("D9: a code is refused by {denied:?}"));
            }
        }
        if let Some((full, over)) = session {
            self.counts.sessions += u64::from(done);
            self.counts.full += u64::from(done && full);
            self.counts.over += u64::from(done && over);
        }
        if matches!(learned, Learned::Changed(Change::Accept(..))) {
            self.counts.accepted += u64::from(done);
        }
        self.doubt_rights();
        match learned {
            Learned::Changed(change) if done => self.opened(&change, answer),
            _ => Ok(()),
        }
    }

    /// Where a session is asked for by a password: whether the oldest of theirs gives way, and whether one is over.
    fn room_for(&self, learned: &Learned, now: Now) -> Option<(bool, bool)> {
        let Learned::Changed(Change::Prove(Proof::SignIn(who, By::Session(_), _))) = learned else {
            return None;
        };
        let org = &self.ledger.org;
        Some((org.is_full(who, now), org.has_over(who, now)))
    }

    /// Who has no right may be refused from now on (rule 16).
    pub(super) fn doubt_rights(&mut self) {
        for app in &mut self.apps {
            if let Life::Held(held) = &mut app.life {
                held.doubtful |= self.ledger.org.doubtful(app.user);
            }
        }
        let ledger = &mut self.ledger;
        ledger.owners.doubt(|_, _, user| ledger.org.doubtful(user));
    }

    /// Rule 4: who is leased a seat has the right to it, with the policies of those who give it.
    pub(super) fn rightly(&self, who: &'static str, lease: &LeaseTerms) -> Result<(), String> {
        if lease.last.is_some() {
            return Ok(());
        }
        let has = lease.policies.iter().any(|policy| &**policy == "export");
        match self.ledger.org.right(who, lease.now.j) {
            Ok(export) if export == has => Ok(()),
            other => Err(format!(
                "rule 4: {} is of {who}, with {:?}, whose right is {other:?}",
                lease.holder, lease.policies
            )),
        }
    }

    /// I10: no grant opens over a limit. Of the grants of its pool those count that were opened before it and are there
    /// still: fewer than counted then, never more. Whose seats a host's are may have changed since.
    pub(super) fn within_limits(
        &self,
        who: &'static str,
        gid: Gid,
        after: &Snapshot,
    ) -> Result<(), String> {
        let pools = after.state.pools.values();
        let mut pools = pools.filter(|pool| pool.grants.contains_key(&gid));
        let Some(pool) = pools.next().filter(|_| self.counting != "host") else {
            return Ok(());
        };
        let earlier = pool.grants.iter().filter(|(id, _)| **id <= gid);
        let counted = earlier
            .map(|(_, grant)| &**grant)
            .filter(|grant| counts(grant));
        let passed = self.ledger.org.passed(who, counted);
        passed.map_or(Ok(()), |what| Err(format!("I10: {gid} opens with {what}")))
    }

    /// Whether an application may be refused a seat so.
    pub(super) fn refused_rightly(&mut self, who: &'static str, code: Code, j: Date) -> bool {
        let right = self.ledger.org.right(who, j);
        match code {
            Code::NotAssigned | Code::UserNotActive | Code::Excluded => right == Err(code),
            Code::OverUserMax | Code::OverGroupMax | Code::OverUnitMax => {
                self.counts.over_limits += 1;
                right.is_ok() && self.ledger.org.limits(who, code)
            }
            Code::NoSeatFree
            | Code::RequestExceedsTotal
            | Code::ReservedForOthers
            | Code::CoolDown => right.is_ok(),
            Code::TermsNotAccepted => {
                self.counts.not_accepted += 1;
                right.is_ok() || right == Err(Code::Excluded)
            }
            Code::LeaseEnded | Code::Superseded => true,
            Code::LicenseExpired => self.dated,
            Code::Quarantine => self.ledger.restored,
            _ => false,
        }
    }
}

/// What the license has no place for any more counts for no limit (rule 17).
pub(super) fn counts(grant: &Grant) -> bool {
    let mut holders = grant.holders.iter();
    grant.kept() || !holders.all(|holder| holder.ending().is_some_and(|ending| ending.superseded))
}
