//! Vendors, licenses and assignments.

pub(crate) mod assign;
pub(crate) mod install;
pub(crate) mod remove;
pub(crate) mod vendor;

use crate::engine::Act;
use crate::event::Recorded;
use crate::evolve::pools_of;
use crate::ids::{HolderId, LicenseId};
use crate::state::{Holder, State};

/// Takes back the ending of holders whose lost right is there again before their last lease was signed (rule 16).
pub(crate) fn take_back(act: &mut Act<'_>, license: &LicenseId) {
    let state = act.state();
    let serves = |terms| !state.revokes(terms);
    if !state
        .licenses
        .get(license)
        .is_some_and(|known| serves(&known.terms))
    {
        return;
    }
    let back = holders(state, license, |state, holder| {
        let lost = holder.ending().is_some_and(|ending| ending.returns());
        lost && state.right(license, holder.facts.user).is_some()
    });
    if !back.is_empty() {
        act.record(Recorded::EndingTakenBack { holders: back });
    }
}

/// Holders of a license that fit.
pub(crate) fn holders(
    state: &State,
    license: &LicenseId,
    fits: impl Fn(&State, &Holder) -> bool,
) -> Vec<HolderId> {
    let pools = pools_of(state, license);
    let grants = pools.iter().flat_map(|(_, pool)| pool.grants.iter());
    grants
        .flat_map(|(gid, grant)| {
            grant
                .holders
                .iter()
                .map(move |h| (HolderId { gid: *gid, h: h.h }, h))
        })
        .filter(|(_, holder)| fits(state, holder))
        .map(|(id, _)| id)
        .collect()
}
