//! A license is taken away by an administrator (rule 17).

use crate::denial::Denial;
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::{EndWhy, EndingWhy, Recorded};
use crate::evolve::pools_of;
use crate::ids::{HolderId, LicenseId};
use crate::losses::free_by;
use crate::seats::kept;
use crate::seats::release::end_softly;
use crate::state::{License, State};
use crate::time::LeaseTime;

/// Takes a license away with all that waits of it, or only a serial that waits. Its holders are ending as by loss of
/// right, its assignments go with it.
pub(crate) fn remove(
    act: &mut Act<'_>,
    license: LicenseId,
    waiting: Option<u64>,
    hard: bool,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let known = found(act.state(), &license, waiting).ok_or_else(|| not_found(17))?;
    unchanged(known.revision, if_match, 17)?;
    let lost = if waiting.is_none() {
        super::holders(act.state(), &license, |_, _, _| true)
    } else {
        Vec::new()
    };
    let verdict = end_softly(act, &lost, EndingWhy::RightLost, hard);
    if waiting.is_none() {
        // A kept seat has nobody to tell: it ends at once (rules 16, 17).
        let pools = pools_of(act.state(), &license);
        let grants = pools.iter().flat_map(|(_, pool)| pool.grants.iter());
        let kept: Vec<_> = grants
            .filter(|(_, grant)| grant.kept())
            .map(|(gid, _)| *gid)
            .collect();
        kept.into_iter()
            .for_each(|gid| kept::end(act, gid, EndWhy::RightLost));
    }
    let at = act.now.lease;
    act.record(Recorded::LicenseRemoved {
        license,
        waiting,
        at,
    });
    Ok(verdict)
}

/// Who would be ending for a removal, by when at the latest, on a snapshot.
#[must_use]
pub fn foresee(state: &State, license: &LicenseId) -> Vec<(HolderId, LeaseTime)> {
    let lost = super::holders(state, license, |_, _, _| true);
    lost.iter()
        .filter_map(|id| Some((*id, free_by(state, *id)?)))
        .collect()
}

/// What is to be taken away: the serial in force, else the first one that waits; or the one that was named.
fn found<'a>(state: &'a State, license: &LicenseId, waiting: Option<u64>) -> Option<&'a License> {
    let found = match waiting {
        Some(serial) => state.waiting.get(&(license.clone(), serial)),
        None => state
            .licenses
            .get(license)
            .or_else(|| state.waits(license).next()),
    };
    found.map(AsRef::as_ref)
}
