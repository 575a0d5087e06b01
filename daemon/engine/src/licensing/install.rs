//! A verified license comes in force, waits for its first day, or is refused (rule 17).

use super::customer::{self, For, Placed};
use crate::denial::{Code, Denial};
use crate::engine::{Act, Verdict};
use crate::event::{EndWhy, EndingWhy, Recorded};
use crate::evolve::pools_of;
use crate::ids::{AssignmentId, Gid, HolderId, LicenseId, Name, PoolId, UnitId};
use crate::losses;
use crate::rollback;
use crate::seats::kept;
use crate::state::{Feature, Holder, License, LicenseTerms, Pool, State};
use crate::time::Date;
use std::sync::Arc;

/// When an installed license begins to serve.
enum Begins {
    Now,
    /// On its first day; it waits until then.
    Later,
}

/// Installs a license: a higher serial, or one that `replaces` another, takes its place, at once or on its first day.
pub(crate) fn install(
    act: &mut Act<'_>,
    terms: LicenseTerms,
    wanted: For,
    assign_everyone: Option<AssignmentId>,
    note_known: bool,
) -> Result<Verdict, Denial> {
    let license = terms.id.clone();
    let placed = customer::place(act.state(), &terms, wanted)?;
    let begins = match judge(act.state(), act.now.j, &terms) {
        Ok(begins) if !(note_known && taken_away(act.state(), &terms)) => begins,
        Err(denial) if !(note_known && denial.code == Code::Superseded) => return Err(denial),
        _ => {
            return Ok(Verdict::Installed {
                license,
                new: false,
                waits: None,
                ending: Vec::new(),
            });
        }
    };
    let account = match placed {
        Placed::There(account) => account,
        Placed::ToMake(new) => Some(customer::make(act, new)?),
    };
    let (waits, ending) = match begins {
        Begins::Now => (None, put_in_force(act, terms, account)),
        Begins::Later => {
            let (nbf, at) = (terms.nbf, act.now.lease);
            let terms = Box::new(terms);
            act.record(Recorded::LicenseWaits { terms, at, account });
            (Some(nbf), Vec::new())
        }
    };
    let home = act.state().site.map(|site| site.unit);
    if let (Some(id), Some(unit)) = (assign_everyone, account.or(home)) {
        super::assign::everyone(act, id, &license, unit);
    }
    Ok(Verdict::Installed {
        license,
        new: true,
        waits,
        ending,
    })
}

/// What installing a license would come to, on a snapshot: `None` in force at once, or the day until which it waits.
///
/// # Errors
/// The denial that it would meet.
pub fn foresee(state: &State, j: Date, terms: &LicenseTerms) -> Result<Option<Date>, Box<Denial>> {
    match judge(state, j, terms)? {
        Begins::Now => Ok(None),
        Begins::Later => Ok(Some(terms.nbf)),
    }
}

/// Puts licenses in force whose first day has come: of each the highest serial. One that is withdrawn or over by now
/// stays where it is, and begins where that changes.
pub(crate) fn begin_due(act: &mut Act<'_>) {
    while let Some((terms, account)) = due(act.state(), act.now.j) {
        put_in_force(act, terms, account);
    }
}

fn due(state: &State, j: Date) -> Option<(LicenseTerms, Option<UnitId>)> {
    let begins = |license: &&Arc<License>| {
        let judged = judge(state, j, &license.terms);
        matches!(judged, Ok(Begins::Now))
    };
    let first = state.waiting.values().find(begins)?;
    let highest = state.waits(&first.terms.id).filter(begins).last();
    highest.map(|license| (license.terms.clone(), license.account))
}

/// The one way into force, for an install and for a first day. Returns who is ending for it.
fn put_in_force(act: &mut Act<'_>, terms: LicenseTerms, account: Option<UnitId>) -> Vec<HolderId> {
    let (ending, leaving) = beyond(act.state(), &terms);
    let holders: Vec<_> = ending.iter().copied().chain(leaving).collect();
    if !holders.is_empty() {
        act.record(Recorded::HoldersEnding {
            holders,
            why: EndingWhy::Superseded,
            hard: false,
        });
    }
    for gid in kept_beyond(act.state(), &terms) {
        kept::end(act, gid, EndWhy::Superseded);
    }
    rollback::first_license(act, terms.signed.iat);
    act.record(Recorded::LicenseInstalled {
        terms: Box::new(terms),
        at: act.now.lease,
        account,
    });
    losses::take_back(act);
    ending
}

/// An administrator took this very serial away, or one above it that was in force.
fn taken_away(state: &State, terms: &LicenseTerms) -> bool {
    let key = (terms.id.clone(), terms.serial);
    state.removed.contains_key(&key) || undercut(state, terms).is_some()
}

/// The serial above this one that was in force until it was taken away.
fn undercut(state: &State, terms: &LicenseTerms) -> Option<u64> {
    let above = (terms.id.clone(), terms.serial.saturating_add(1));
    let of = state.removed.range(above..);
    of.take_while(|((id, _), _)| *id == terms.id)
        .find(|(_, was_in_force)| **was_in_force)
        .map(|((_, serial), _)| *serial)
}

/// When a license begins to serve, or why it never will.
fn judge(state: &State, j: Date, terms: &LicenseTerms) -> Result<Begins, Denial> {
    authentic(state, terms)?;
    // A newer vendor `iat` raises J at once: no date that a vendor signed lies in the future.
    let j = j.max(terms.signed.iat).max(state.newest_iat);
    newer(state, terms, j)?;
    if let Some(other) = other_customer(state, terms) {
        return Err(no(Code::Conflict, Some(format!("customer {other}"))));
    }
    if terms.exp.is_some_and(|exp| exp <= j) {
        return Err(Denial {
            date: terms.exp,
            ..no(Code::LicenseExpired, None)
        });
    }
    let waits = terms.nbf > j;
    Ok(if waits { Begins::Later } else { Begins::Now })
}

pub(super) fn no(code: Code, limit: Option<String>) -> Denial {
    Denial {
        limit,
        ..Denial::new(code, 17)
    }
}

/// Its vendor is trusted and has not withdrawn it.
fn authentic(state: &State, terms: &LicenseTerms) -> Result<(), Denial> {
    let trusted = state
        .vendors
        .get(&terms.id.vendor)
        .is_some_and(|vendor| vendor.roots.contains_key(&terms.root));
    if !trusted {
        return Err(Denial {
            roots: vec![terms.root.clone()],
            ..Denial::new(Code::WrongVendor, 9)
        });
    }
    if state.revokes(terms) {
        let issuer = state.issuers.get(&terms.root);
        let least = issuer
            .map(|issuer| issuer.min_serial)
            .filter(|least| terms.serial < *least)
            .map(|least| format!("serial {least}"));
        return Err(no(Code::RevokedLicense, least));
    }
    Ok(())
}

/// Its serial is above all that was in force, and nothing above it begins earlier.
fn newer(state: &State, terms: &LicenseTerms, j: Date) -> Result<(), Denial> {
    let superseded = |limit| Err(no(Code::Superseded, Some(limit)));
    if let Some(by) = state.replaced.get(&terms.id) {
        let in_force = match state.licenses.contains_key(by) {
            true => ", which is in force",
            false => "",
        };
        return superseded(format!("replaced by {}{in_force}", by.id));
    }
    let in_force = state.licenses.get(&terms.id);
    if let Some(known) = in_force.filter(|known| known.terms.serial >= terms.serial) {
        return superseded(format!("serial {}", known.terms.serial));
    }
    if let Some(serial) = undercut(state, terms) {
        return superseded(format!("serial {serial} was removed here"));
    }
    let mut waiting = state.waits(&terms.id);
    let before = waiting.find(|known| {
        let (nbf, serial) = (known.terms.nbf, known.terms.serial);
        let begins = nbf <= terms.nbf && !state.revokes(&known.terms);
        serial == terms.serial || serial > terms.serial && begins
    });
    match before.filter(|_| terms.nbf > j) {
        Some(known) => superseded(format!("serial {} waits", known.terms.serial)),
        None => Ok(()),
    }
}

/// The customer of the license whose place this one takes, where it is another one.
fn other_customer(state: &State, terms: &LicenseTerms) -> Option<Name> {
    let before = [Some(terms.id.clone()), replaced(terms)];
    let mut before = before.into_iter().flatten();
    before.find_map(|id| {
        let waiting = state.waits(&id).next();
        let known = state.licenses.get(&id).or(waiting)?;
        let customer = &known.terms.customer;
        let other = *customer != terms.customer;
        (other && !customer.is_empty()).then(|| customer.clone())
    })
}

/// The license whose place this one takes.
fn replaced(terms: &LicenseTerms) -> Option<LicenseId> {
    terms.replaces.as_ref().map(|id| LicenseId {
        vendor: terms.id.vendor.clone(),
        id: id.clone(),
    })
}

/// The pools whose place the new terms take, each with what they make of its feature: nothing where it is left behind.
fn taken_over<'a>(
    state: &State,
    terms: &'a LicenseTerms,
) -> Vec<(PoolId, Pool, Option<&'a Feature>)> {
    let replaced = replaced(terms);
    let both = replaced
        .as_ref()
        .is_some_and(|old| state.has_pools(old) && state.has_pools(&terms.id));
    let olds = [Some(&terms.id), replaced.as_ref()];
    let pools = olds.into_iter().flatten();
    let pools = pools.flat_map(|license| pools_of(state, license));
    let made_of = |id: &PoolId| {
        let left_behind = both && Some(&id.license) == replaced.as_ref();
        let feature = terms.features.iter().find(|f| f.name == id.feature);
        feature.filter(|_| !left_behind)
    };
    pools
        .map(|(id, pool)| {
            let feature = made_of(&id);
            (id, pool, feature)
        })
        .collect()
}

/// Named seats that nobody sits on, and that the new terms do not keep: they end at once (rule 17).
fn kept_beyond(state: &State, terms: &LicenseTerms) -> Vec<Gid> {
    let mut out = Vec::new();
    for (id, pool, feature) in taken_over(state, terms) {
        let before = state.licenses.get(&id.license);
        let same = before.is_some_and(|before| before.terms.product == terms.product);
        let counted = pool.feature.as_ref().map(|before| before.unit);
        let feature = feature.filter(|f| same && Some(f.unit) == counted);
        let kept = pool.grants.iter().filter(|(_, grant)| grant.kept());
        let gone = kept.filter(|(_, grant)| feature.is_none_or(|f| !grant.owned(f)));
        out.extend(gone.map(|(gid, _)| *gid));
    }
    out
}

/// The slots of a feature that have a place in these terms, the lowest so many: none of one that vanished.
fn places(feature: Option<&Feature>) -> u64 {
    let seats = |feature: &Feature| Some(feature.seats? + feature.overdraft);
    feature.map_or(0, |feature| seats(feature).unwrap_or(u64::MAX))
}

/// Holders that the new terms have no place for: on slots beyond seats + overdraft, or of a feature that vanished. First
/// those who stay otherwise; then those on their way out, who are so for another reason still: from now on they count for
/// no limit, and their seat is no more its unit's own than others there, also where such a slot is regular again before
/// they are gone (rules 7, 17).
fn beyond(state: &State, terms: &LicenseTerms) -> (Vec<HolderId>, Vec<HolderId>) {
    let (mut staying, mut leaving) = (Vec::new(), Vec::new());
    for (_, pool, feature) in taken_over(state, terms) {
        let most = places(feature);
        for (gid, grant) in &pool.grants {
            let too_high = grant.slots.iter().any(|slot| *slot >= most);
            // A feature of another product is another feature.
            let gone = |h: &&Holder| too_high || h.facts.terms.product != terms.product;
            for holder in grant.holders.iter().filter(gone) {
                let id = HolderId {
                    gid: *gid,
                    h: holder.h,
                };
                match holder.ending() {
                    _ if holder.stays() => staying.push(id),
                    Some(ending) if !ending.superseded => leaving.push(id),
                    _ => {}
                }
            }
        }
    }
    (staying, leaving)
}
