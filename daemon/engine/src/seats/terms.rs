//! The terms of a lease: its time cut to the end of the license, its policies and warnings (rules 4, 15, 16).

use crate::command::Signed;
use crate::engine::{Act, LeaseTerms, Warning};
use crate::event::EndingWhy;
use crate::ids::{HolderId, LicenseId, Name, PoolId};
use crate::state::{Feature, LicenseTerms, State};
use crate::time::{Date, LeaseTime, Now, hold_ms};
use std::sync::Arc;

/// How long a lease may live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Term {
    pub(crate) ttl_s: u64,
    pub(crate) grace_s: u64,
    /// Cut to the end of the license.
    pub(crate) cut: bool,
}

/// Seconds that a license has left, `None` where it is perpetual.
pub(crate) fn left_s(exp: Option<Date>, now: Now) -> Option<u64> {
    exp.map(|exp| exp.0.saturating_sub(now.j.0))
}

/// The full term, cut to what is left: grace first, then ttl (rule 16).
pub(crate) fn cut(ttl_s: u64, grace_s: u64, left: Option<u64>) -> Term {
    let left = left.unwrap_or(u64::MAX);
    let ttl = ttl_s.min(left);
    let grace = grace_s.min(left - ttl);
    Term {
        ttl_s: ttl,
        grace_s: grace,
        cut: ttl + grace < ttl_s + grace_s,
    }
}

/// The license in force above a pool.
pub(crate) fn license<'a>(state: &'a State, pool: &PoolId) -> Option<&'a LicenseTerms> {
    state
        .licenses
        .get(&pool.license)
        .map(|license| &license.terms)
}

/// What every lease of a pool says alike.
pub(crate) struct Under {
    pub(crate) license: LicenseId,
    pub(crate) signed: Signed,
    pub(crate) feature: Name,
    pub(crate) policies: Vec<Name>,
    pub(crate) seats: Option<u64>,
    pub(crate) term: Term,
}

impl Under {
    /// The terms in force, with the policies that the holder's user has now.
    pub(crate) fn in_force(
        license: &LicenseTerms,
        feature: &Arc<Feature>,
        policies: Vec<Name>,
        now: Now,
    ) -> Under {
        Under {
            license: license.id.clone(),
            signed: license.signed,
            feature: feature.name.clone(),
            policies,
            seats: feature.seats,
            term: cut(feature.ttl_s, feature.grace_s, left_s(license.exp, now)),
        }
    }
}

/// Gives a lease to a holder that is there: numbers it, moves the hold, tells the terms. The desk signs it.
pub(crate) fn lease(
    act: &mut Act<'_>,
    id: HolderId,
    under: Under,
    last: Option<EndingWhy>,
    new: bool,
) -> Option<LeaseTerms> {
    let now = act.now;
    let (grant, holder) = (act.state().grant(id.gid)?, act.state().holder(id)?);
    let slots = grant.slots.to_vec();
    let (version, user) = (holder.facts.version.clone(), holder.facts.user);
    let seq = act.number_lease(id, until(now.lease, under.term));
    let run = &act.state().run;
    let mut warnings = Vec::new();
    if under.term.cut {
        warnings.push(Warning::ExpiresSoon);
    }
    if slots
        .iter()
        .any(|slot| under.seats.is_some_and(|seats| *slot >= seats))
    {
        warnings.push(Warning::OverSoftLimit);
    }
    Some(LeaseTerms {
        holder: id,
        license: under.license,
        signed: under.signed,
        feature: under.feature,
        version,
        policies: under.policies,
        user,
        slots,
        epoch: run.epoch,
        run: run.id,
        seq,
        now,
        ttl_s: under.term.ttl_s,
        grace_s: under.term.grace_s,
        last,
        warnings,
        new,
    })
}

impl LeaseTerms {
    /// Cuts the lease to what is left of the delegation that it is signed under, as to the end of a license (rule 16). Its
    /// hold is not shortened.
    pub fn cut_to(&mut self, left_s: u64) {
        let term = cut(self.ttl_s, self.grace_s, Some(left_s));
        (self.ttl_s, self.grace_s) = (term.ttl_s, term.grace_s);
        if term.cut && !self.warnings.contains(&Warning::ExpiresSoon) {
            self.warnings.insert(0, Warning::ExpiresSoon);
        }
    }
}

/// The end of the hold of a lease (rule 15).
pub(crate) fn until(now: LeaseTime, term: Term) -> LeaseTime {
    #[cfg(planted)]
    if crate::planted::is("hold-without-grace") {
        return now + hold_ms(term.ttl_s * 1000);
    }
    now + hold_ms((term.ttl_s + term.grace_s) * 1000)
}

#[cfg(test)]
mod tests {
    use super::{Term, cut};

    #[test]
    fn r16_grace_is_cut_first_then_the_ttl() {
        assert_eq!(
            cut(900, 300, None),
            Term {
                ttl_s: 900,
                grace_s: 300,
                cut: false
            }
        );
        assert_eq!(
            cut(900, 300, Some(1000)),
            Term {
                ttl_s: 900,
                grace_s: 100,
                cut: true
            }
        );
        assert_eq!(
            cut(900, 300, Some(600)),
            Term {
                ttl_s: 600,
                grace_s: 0,
                cut: true
            }
        );
        assert_eq!(
            cut(900, 300, Some(1200)),
            Term {
                ttl_s: 900,
                grace_s: 300,
                cut: false
            }
        );
    }
}
