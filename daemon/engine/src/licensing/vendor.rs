//! Vendors that this site trusts, and the newest issuer token of each of their roots (rule 17).

use crate::command::IssuerSeen;
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::Recorded;
use crate::ids::Name;

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

/// Remembers an issuer token that is newer than the one known of its root.
pub(crate) fn see(act: &mut Act<'_>, issuer: IssuerSeen) {
    let newer = act
        .state()
        .issuers
        .get(&issuer.root)
        .is_none_or(|known| known.iat < issuer.iat);
    if newer {
        act.record(Recorded::IssuerSeen(Box::new(issuer)));
    }
}
