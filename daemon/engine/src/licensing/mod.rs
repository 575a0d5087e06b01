//! Vendors, licenses and assignments.

pub(crate) mod assign;
pub(crate) mod install;
pub(crate) mod remove;
pub(crate) mod vendor;

use crate::engine::Act;
use crate::event::Recorded;
use crate::evolve::pools_of;
use crate::ids::{HolderId, LicenseId, PoolId};
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
    let j = act.now.j;
    let back = holders(state, license, |state, pool, holder| {
        let lost = holder.ending().is_some_and(|ending| ending.returns());
        lost && state.sits_rightly(pool, holder.facts.user, j)
    });
    if !back.is_empty() {
        act.record(Recorded::EndingTakenBack { holders: back });
    }
}

/// Holders of a license that fit.
pub(crate) fn holders(
    state: &State,
    license: &LicenseId,
    fits: impl Fn(&State, &PoolId, &Holder) -> bool,
) -> Vec<HolderId> {
    let pools = pools_of(state, license);
    let mut out = Vec::new();
    for (id, pool) in &pools {
        for (gid, grant) in &pool.grants {
            let fit = grant.holders.iter().filter(|h| fits(state, id, h));
            out.extend(fit.map(|h| HolderId { gid: *gid, h: h.h }));
        }
    }
    out
}
