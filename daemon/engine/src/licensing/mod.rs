//! Vendors, licenses and assignments.

pub(crate) mod assign;
pub(crate) mod customer;
pub(crate) mod install;
pub(crate) mod remove;
pub(crate) mod vendor;

use crate::evolve::pools_of;
use crate::ids::{HolderId, LicenseId, PoolId};
use crate::state::{Holder, State};

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
