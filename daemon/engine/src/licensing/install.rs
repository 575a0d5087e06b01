//! A verified license comes in force, or is refused (rule 17).

use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::{EndingWhy, Recorded};
use crate::evolve::pools_of;
use crate::ids::{AssignmentId, HolderId, LicenseId};
use crate::state::{Holder, LicenseTerms, State, Target};
use crate::time::Date;

/// Installs a license: a higher serial, or one that `replaces` another, takes its place.
pub(crate) fn install(
    act: &mut Act<'_>,
    terms: LicenseTerms,
    assign_everyone: Option<AssignmentId>,
    note_known: bool,
) -> Result<Verdict, Denial> {
    let license = terms.id.clone();
    if let Some(denial) = refused(act.state(), act.now.j, &terms) {
        let known = note_known && denial.code == Code::Superseded;
        return if known {
            Ok(Verdict::Installed {
                license,
                new: false,
                ending: Vec::new(),
            })
        } else {
            Err(denial)
        };
    }
    let ending = beyond(act.state(), &terms);
    if !ending.is_empty() {
        let holders = ending.clone();
        act.record(Recorded::HoldersEnding {
            holders,
            why: EndingWhy::Superseded,
            hard: false,
        });
    }
    act.record(Recorded::LicenseInstalled {
        terms: Box::new(terms),
        at: act.now.lease,
    });
    let everyone = act.state().site.map(|site| Target::Unit(site.unit));
    if let (Some(id), Some(target)) = (assign_everyone, everyone) {
        super::assign::assign(act, id, license.clone(), target)?;
    }
    Ok(Verdict::Installed {
        license,
        new: true,
        ending,
    })
}

/// Why a license is not put in force.
fn refused(state: &State, j: Date, terms: &LicenseTerms) -> Option<Denial> {
    let no = |code, limit: Option<String>, date| {
        Some(Denial {
            limit,
            date,
            ..Denial::new(code, 17)
        })
    };
    let trusted = state
        .vendors
        .get(&terms.id.vendor)
        .is_some_and(|vendor| vendor.roots.contains_key(&terms.root));
    if !trusted {
        return Some(Denial {
            roots: vec![terms.root.clone()],
            ..Denial::new(Code::WrongVendor, 9)
        });
    }
    if state.revokes(terms) {
        let least = state
            .issuers
            .get(&terms.root)
            .map(|issuer| issuer.min_serial);
        return no(
            Code::RevokedLicense,
            least.map(|serial| format!("serial {serial}")),
            None,
        );
    }
    if let Some(by) = state.replaced.get(&terms.id) {
        return no(
            Code::Superseded,
            Some(format!("replaced by {}", by.id)),
            None,
        );
    }
    if let Some(known) = state
        .licenses
        .get(&terms.id)
        .filter(|known| known.terms.serial >= terms.serial)
    {
        return no(
            Code::Superseded,
            Some(format!("serial {}", known.terms.serial)),
            None,
        );
    }
    // A newer vendor `iat` raises J at once: no date that a vendor signed lies in the future.
    let j = j.max(terms.signed.iat).max(state.newest_iat);
    if terms.exp.is_some_and(|exp| exp <= j) {
        return no(Code::LicenseExpired, None, terms.exp);
    }
    if terms.nbf > j {
        return no(Code::NotStarted, None, Some(terms.nbf));
    }
    None
}

/// Holders that the new terms have no place for: on slots beyond seats + overdraft, or of a feature that vanished.
fn beyond(state: &State, terms: &LicenseTerms) -> Vec<HolderId> {
    let replaced = terms.replaces.as_ref().map(|id| LicenseId {
        vendor: terms.id.vendor.clone(),
        id: id.clone(),
    });
    let both = replaced.as_ref().is_some_and(|old| {
        state.licenses.contains_key(old) && state.licenses.contains_key(&terms.id)
    });
    let olds = [Some(&terms.id), replaced.as_ref()];
    let pools = olds
        .into_iter()
        .flatten()
        .flat_map(|license| pools_of(state, license));
    pools
        .flat_map(|(id, pool)| {
            let feature = terms
                .features
                .iter()
                .find(|feature| feature.name == id.feature);
            let left_behind = both && Some(&id.license) == replaced.as_ref();
            let most = match feature {
                Some(feature) if !left_behind => feature
                    .seats
                    .map_or(u64::MAX, |seats| seats + feature.overdraft),
                _ => 0,
            };
            let out: Vec<_> = pool
                .grants
                .iter()
                .filter(|(_, grant)| grant.slots.iter().any(|slot| *slot >= most))
                .flat_map(|(gid, grant)| {
                    grant
                        .holders
                        .iter()
                        .map(move |h| HolderId { gid: *gid, h: h.h })
                })
                .collect();
            out
        })
        .filter(|id| state.holder(*id).is_some_and(Holder::stays))
        .collect()
}
