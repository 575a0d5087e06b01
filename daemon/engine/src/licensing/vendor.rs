//! Vendors that this site trusts, and the newest issuer token of each of their roots (rule 17).

use crate::command::IssuerSeen;
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict, not_found, unchanged};
use crate::event::{EndingWhy, Recorded};
use crate::ids::Name;
use crate::seats::release::end_softly;

/// Adds a vendor, or roots to one. A root belongs to one vendor.
pub(crate) fn trust(
    act: &mut Act<'_>,
    vendor: Name,
    roots: Vec<(Name, Name)>,
) -> Result<Verdict, Denial> {
    let taken = |root: &Name| {
        act.state()
            .vendors
            .iter()
            .any(|(name, v)| *name != vendor && v.roots.contains_key(root))
    };
    if let Some((root, _)) = roots.iter().find(|(root, _)| taken(root)) {
        return Err(Denial {
            roots: vec![root.clone()],
            ..Denial::new(Code::Conflict, 4)
        });
    }
    let known = act.state().vendors.get(&vendor);
    let new: Vec<_> = roots
        .into_iter()
        .filter(|(root, _)| known.is_none_or(|v| !v.roots.contains_key(root)))
        .collect();
    if !new.is_empty() {
        act.record(Recorded::VendorTrusted { vendor, roots: new });
    }
    Ok(Verdict::Done)
}

/// Takes a vendor away. Refused while a license of theirs is installed.
pub(crate) fn remove(
    act: &mut Act<'_>,
    vendor: Name,
    if_match: Option<u64>,
) -> Result<Verdict, Denial> {
    let state = act.state();
    let known = state.vendors.get(&vendor).ok_or_else(|| not_found(17))?;
    unchanged(known.revision, if_match, 17)?;
    let waiting = state.waiting.keys().map(|(id, _)| id);
    let mut installed = state.licenses.keys().chain(waiting);
    if let Some(license) = installed.find(|license| license.vendor == vendor) {
        return Err(Denial {
            limit: Some(license.id.to_string()),
            ..Denial::new(Code::Conflict, 17)
        });
    }
    act.record(Recorded::VendorRemoved { vendor });
    Ok(Verdict::Done)
}

/// Remembers an issuer token that is newer than the one known of its root. Licenses that it withdraws serve nothing from
/// now on, and their holders are ending; where it withdraws one no more, its right returns (rules 16, 17).
pub(crate) fn see(act: &mut Act<'_>, issuer: IssuerSeen) {
    let newer = act
        .state()
        .issuers
        .get(&issuer.root)
        .is_none_or(|known| known.iat < issuer.iat);
    if !newer {
        return;
    }
    let root = issuer.root.clone();
    act.record(Recorded::IssuerSeen(Box::new(issuer)));
    let below = act.state().licenses.values();
    let below: Vec<_> = below
        .filter(|license| license.terms.root == root)
        .cloned()
        .collect();
    for license in below {
        let id = &license.terms.id;
        if act.state().revokes(&license.terms) {
            let lost = super::holders(act.state(), id, |_, _, _| true);
            end_softly(act, &lost, EndingWhy::RightLost, false);
            crate::seats::kept::settle(act, |pool| pool.license == *id);
        } else {
            crate::losses::take_back(act);
        }
    }
}
