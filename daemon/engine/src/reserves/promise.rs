//! Whether what an assignment would reserve can be kept: under the seats, and under each max that covers it (rule 11).

use super::{covers, limits_of};
use crate::denial::{Code, Denial};
use crate::ids::{AssignmentId, LicenseId, Name, PoolId, UnitId};
use crate::state::{AssignmentTerms, Limit, State, Target};

/// Why an assignment may not be made or changed so: more would be promised than there is, and more than is so now.
pub(crate) fn over_promised(
    state: &State,
    license: &LicenseId,
    (id, target): (AssignmentId, Target),
    before: Option<&AssignmentTerms>,
    terms: &AssignmentTerms,
) -> Option<Denial> {
    let features = terms.limits.iter().filter_map(|limit| {
        let feature = limit.feature.as_ref()?;
        let was = before.and_then(|before| before.limit(feature));
        Some((feature, was.cloned().unwrap_or_default(), limit))
    });
    for (feature, was, limit) in features {
        let others = limits_of(state, license, feature);
        let others = others.into_iter().filter(|(of, _, _)| *of != id).collect();
        let change = Change {
            state,
            account: state.account_for(license),
            others,
            own: (id, target),
        };
        let bounds = change.bounds(&was, limit, seats_in(state, license, feature));
        for bound in bounds {
            let over = bound.promised.saturating_sub(bound.size);
            if over > bound.before.saturating_sub(bound.size_before) {
                // Of the license's own seats it is the pool that decides.
                let pool = bound.of.is_none().then(|| PoolId {
                    license: license.clone(),
                    feature: feature.clone(),
                });
                return Some(Denial {
                    pool,
                    assignment: bound.of,
                    reserved: Some(bound.others),
                    each: bound.each,
                    in_use: Some(bound.promised),
                    total: Some(bound.size),
                    limit: Some(feature.to_string()),
                    ..Denial::new(Code::OverPromised, 11)
                });
            }
        }
    }
    None
}

/// The seats of a feature in the license in force, or in the first one that waits; `None` where unlimited.
fn seats_in(state: &State, license: &LicenseId, feature: &Name) -> Option<u64> {
    let known = state.licenses.get(license);
    let mut all = known.into_iter().chain(state.waits(license));
    all.find_map(|known| {
        let mut features = known.terms.features.iter();
        features.find(|one| one.name == *feature)
    })?
    .seats
}

/// What is promised under a bound, before a change and after it.
struct Bound {
    /// The assignment whose max it is; `None`: the seats.
    of: Option<AssignmentId>,
    /// It is a max of each user, not of all together.
    each: bool,
    size_before: u64,
    before: u64,
    size: u64,
    promised: u64,
    /// What of that is others'.
    others: u64,
}

/// An assignment that is made or changed, among the other ones of its license with a limit of the same feature.
struct Change<'a> {
    state: &'a State,
    account: Option<UnitId>,
    others: Vec<(AssignmentId, Target, &'a Limit)>,
    own: (AssignmentId, Target),
}

impl Change<'_> {
    /// The bounds that the change concerns.
    fn bounds(&self, was: &Limit, limit: &Limit, seats: Option<u64>) -> Vec<Bound> {
        let (id, own) = self.own;
        let (before, now) = (was.reserve.unwrap_or(0), limit.reserve.unwrap_or(0));
        let mut bounds = Vec::new();
        let others = self.others.iter();
        let others: u64 = others.filter_map(|(_, _, other)| other.reserve).sum();
        bounds.extend(seats.map(|size| Bound {
            of: None,
            each: false,
            size_before: size,
            before: others + before,
            size,
            promised: others + now,
            others,
        }));
        let around = self.others.iter();
        let around = around.filter(|(_, wide, _)| self.covers(*wide, own));
        for (of, wide, other) in around {
            bounds.extend(other.max.map(|size| Bound {
                of: Some(*of),
                each: false,
                size_before: size,
                before: self.reserved_in(*wide) + before,
                size,
                promised: self.reserved_in(*wide) + now,
                others: self.reserved_in(*wide),
            }));
            let each = other.max_each.filter(|_| matches!(own, Target::User(_)));
            bounds.extend(each.map(|size| Bound {
                of: Some(*of),
                each: true,
                size_before: size,
                before,
                size,
                promised: now,
                others: 0,
            }));
        }
        bounds.extend(limit.max.map(|size| Bound {
            of: Some(id),
            each: false,
            size_before: was.max.unwrap_or(u64::MAX),
            before: self.reserved_in(own) + before,
            size,
            promised: self.reserved_in(own) + now,
            others: self.reserved_in(own),
        }));
        bounds.extend(limit.max_each.into_iter().flat_map(|size| {
            let bound = move |before, promised, others| Bound {
                of: Some(id),
                each: true,
                size_before: was.max_each.unwrap_or(u64::MAX),
                before,
                size,
                promised,
                others,
            };
            let of_users = self.users_in(own);
            let itself = matches!(own, Target::User(_)).then(|| bound(before, now, 0));
            of_users
                .map(move |seats| bound(seats, seats, seats))
                .chain(itself)
        }));
        bounds
    }

    fn covers(&self, wide: Target, narrow: Target) -> bool {
        covers(self.state, self.account, wide, narrow)
    }

    /// What the other assignments reserve for whom this target covers.
    fn reserved_in(&self, wide: Target) -> u64 {
        let others = self.others.iter();
        let within = others.filter(|(_, narrow, _)| self.covers(wide, *narrow));
        within.filter_map(|(_, _, limit)| limit.reserve).sum()
    }

    /// What the other assignments reserve for each user whom this target covers.
    fn users_in(&self, wide: Target) -> impl Iterator<Item = u64> {
        let others = self.others.iter();
        let users = others.filter(|(_, narrow, _)| matches!(narrow, Target::User(_)));
        let within = users.filter(move |(_, narrow, _)| self.covers(wide, *narrow));
        within.filter_map(|(_, _, limit)| limit.reserve)
    }
}
