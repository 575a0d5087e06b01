//! Vendors, licenses, pools and assignments.

use super::{Cursor, page, pool_text};
use crate::authorize::{Caller, Permission};
use crate::desk::Desk;
use crate::desk::directory::nobody;
use crate::licenses::claims_of;
use crate::problem::{Refused, internal};
use seatkeeper::token::hash as token_hash;
use seatkeeper::wire::{self, Page};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{AssignmentId, LicenseId, Name, PoolId};
use seatkeeper_engine::reserves;
use seatkeeper_engine::state::{CountingUnit, Feature, License, Model, Pool, Vendor};
use seatkeeper_engine::time::{Date, LEAST_S};
use std::collections::BTreeMap;

impl Desk {
    /// `GET /v1/vendors`: for every caller, because `seatkeeper run` takes the roots from here.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn vendors(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Vendor>, Refused> {
        self.authorize(caller, Permission::VendorRead, self.unit())?;
        let snapshot = self.snapshot();
        let after = cursor.after.as_deref();
        let rows = snapshot
            .state
            .vendors
            .iter()
            .filter(|(name, _)| after.is_none_or(|after| ***name > *after))
            .map(|(name, known)| (name.to_string(), vendor(name, known)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/licenses`.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn licenses(
        &self,
        caller: &Caller,
        cursor: &Cursor,
    ) -> Result<Page<wire::License>, Refused> {
        self.authorize(caller, Permission::PoolRead, self.unit())?;
        let snapshot = self.snapshot();
        let seen = self.licenses_seen(&snapshot, caller);
        let (state, now) = (&snapshot.state, self.keeper().now().j);
        let after = cursor.after.as_deref();
        let waiting = state.waiting.keys().map(|(id, _)| id);
        // By their text, as cursors are: another order would let a page leave rows out.
        let ids = state.licenses.keys().chain(waiting);
        let ids: BTreeMap<_, _> = ids.map(|id| (id.to_string(), id)).collect();
        let rows = ids
            .into_iter()
            .filter(|(key, id)| after.is_none_or(|after| key.as_str() > after) && seen.has(id))
            .filter_map(|(key, id)| {
                let known = self.license_view(state, id, now)?;
                Some((key, told(known, seen.reads(id))))
            });
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/licenses/{vendor}/{id}`; the vendor may be empty where one license only has this id.
    ///
    /// # Errors
    /// `forbidden`, or there is none.
    pub fn license(
        &self,
        caller: &Caller,
        vendor: &str,
        id: &str,
    ) -> Result<wire::License, Refused> {
        self.authorize(caller, Permission::PoolRead, self.unit())?;
        let snapshot = self.snapshot();
        let id = self.license_seen(&snapshot, caller, (vendor, id))?;
        let whole = self.licenses_seen(&snapshot, caller).reads(&id);
        self.license_view(&snapshot.state, &id, self.keeper().now().j)
            .map(|known| told(known, whole))
            .ok_or_else(|| internal("a license that was found is not there", &id))
    }

    fn license_view(&self, state: &State, id: &LicenseId, now: Date) -> Option<wire::License> {
        let first = || state.waits(id).next();
        let known = state.licenses.get(id).or_else(first)?;
        let account = self.license_account(state, known);
        license(state, id, now).map(|view| wire::License { account, ..view })
    }

    /// `GET /v1/pools`: counts, for every caller.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn pools(&self, caller: &Caller, cursor: &Cursor) -> Result<Page<wire::Pool>, Refused> {
        self.authorize(caller, Permission::PoolRead, self.unit())?;
        let snapshot = self.snapshot();
        let (state, now) = (&snapshot.state, self.keeper().now().j);
        let after = cursor.after.as_deref();
        let seen = self.licenses_seen(&snapshot, caller);
        let known = state.pools.iter();
        let known = known.filter(|(id, _)| seen.has(&id.license));
        let known = known.filter_map(|(id, known)| pool(state, id, known, now));
        let rows: BTreeMap<_, _> = known
            .chain(pools_to_come(state, now, |license| seen.has(license)))
            .map(|row| (row.id.clone(), row))
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
            .collect();
        Ok(page(rows.into_iter(), cursor.limit()?))
    }

    /// `GET /v1/assignments`.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn assignments(
        &self,
        caller: &Caller,
        cursor: &Cursor,
    ) -> Result<Page<wire::Assignment>, Refused> {
        let snapshot = self.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::LicenseManageUsers)?;
        let state = &snapshot.state;
        let rows = state.assignments.range(cursor.after_id::<AssignmentId>()?);
        let seen = rows.filter(|(_, known)| sight.on(state, known.target));
        let rows =
            seen.map(|(id, known)| (id.to_string(), self.assignment_view(state, *id, known)));
        Ok(page(rows, cursor.limit()?))
    }

    /// `GET /v1/assignments/{id}`.
    ///
    /// # Errors
    /// `forbidden`, or there is none.
    pub fn assignment(&self, caller: &Caller, id: &str) -> Result<wire::Assignment, Refused> {
        let snapshot = self.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::LicenseManageUsers)?;
        let state = &snapshot.state;
        let known = id
            .parse::<AssignmentId>()
            .ok()
            .and_then(|id| Some((id, snapshot.state.assignments.get(&id)?)));
        let seen = known.filter(|(_, known)| sight.on(state, known.target));
        seen.map(|(id, known)| self.assignment_view(&snapshot.state, id, known))
            .ok_or_else(|| nobody("assignment", &id, "license assignments"))
    }
}

pub(in crate::desk) fn vendor(name: &Name, known: &Vendor) -> wire::Vendor {
    wire::Vendor {
        name: name.to_string(),
        roots: known
            .roots
            .iter()
            .map(|(thumbprint, pem)| wire::Root {
                thumbprint: thumbprint.to_string(),
                pem: pem.to_string(),
            })
            .collect(),
        revision: known.revision,
    }
}

/// `in_force`, `not_started` (J was put back before its first day), `expired` or `revoked`: of a license in force.
pub(in crate::desk) fn status(state: &State, known: &License, now: Date) -> &'static str {
    if state.revokes(&known.terms) {
        "revoked"
    } else if known.terms.exp.is_some_and(|exp| exp.0 < now.0 + LEAST_S) {
        "expired"
    } else if known.terms.nbf > now {
        "not_started"
    } else {
        "in_force"
    }
}

/// What stands in the place of `in_force` for one that waits: `waiting`, or why it would not begin.
pub(in crate::desk) fn waiting_status(state: &State, known: &License, now: Date) -> &'static str {
    match status(state, known, now) {
        "in_force" | "not_started" => "waiting",
        other => other,
    }
}

/// Whose a license is, is for those who may read it.
fn told(mut license: wire::License, whole: bool) -> wire::License {
    if !whole {
        license.customer.clear();
    }
    license
}

/// A license with what waits of it; where none is in force, the first one that waits.
fn license(state: &State, id: &LicenseId, now: Date) -> Option<wire::License> {
    let in_force = state.licenses.get(id);
    let mut waiting = state.waits(id);
    let known = match in_force {
        Some(known) => known,
        None => waiting.next()?,
    };
    let status = match in_force {
        Some(_) => status(state, known, now),
        None => waiting_status(state, known, now),
    };
    let waiting = waiting.map(|later| waiting_view(state, later, now));
    let waiting = waiting.collect();
    Some(license_view(state, known, status, waiting))
}

fn waiting_view(state: &State, known: &License, now: Date) -> wire::WaitingLicense {
    let terms = &known.terms;
    let features = terms.features.iter();
    wire::WaitingLicense {
        serial: terms.serial,
        product: terms.product.to_string(),
        status: waiting_status(state, known, now).to_owned(),
        nbf: terms.nbf.0,
        exp: terms.exp.map(|exp| exp.0),
        features: features
            .map(|feature| feature_view(feature, None))
            .collect(),
        hash: token_hash(&terms.token),
        revision: known.revision,
    }
}

fn license_view(
    state: &State,
    known: &License,
    status: &str,
    waiting: Vec<wire::WaitingLicense>,
) -> wire::License {
    let terms = &known.terms;
    let claims = claims_of(state, terms);
    let customer = claims
        .as_ref()
        .map(|claims| format!("{} ({})", claims.customer.name, claims.customer.id));
    let features = terms.features.iter().map(|feature| {
        let pool = PoolId {
            license: terms.id.clone(),
            feature: feature.name.clone(),
        };
        let (reserved, reserved_filled) = reserved(state, &pool);
        wire::LicenseFeature {
            reserved,
            reserved_filled,
            ..feature_view(feature, state.pools.get(&pool))
        }
    });
    wire::License {
        vendor: terms.id.vendor.to_string(),
        id: terms.id.id.to_string(),
        serial: terms.serial,
        replaces: terms.replaces.as_deref().map(str::to_owned),
        product: terms.product.to_string(),
        status: status.to_owned(),
        customer: customer.unwrap_or_default(),
        account: String::new(),
        nbf: terms.nbf.0,
        exp: terms.exp.map(|exp| exp.0),
        features: features.collect(),
        notes: notes(terms, claims.as_ref()),
        hash: token_hash(&terms.token),
        revision: known.revision,
        waiting,
    }
}

/// What is licensed and gives nothing yet.
fn notes(
    terms: &seatkeeper_engine::state::LicenseTerms,
    claims: Option<&seatkeeper::token::claims::License>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for feature in &terms.features {
        let mut not_yet = |what: &str| notes.push(format!("{}: {what}", feature.name));
        if feature.overdraft > 0 {
            not_yet("its overdraft seats are not lent yet");
        }
        if feature.linger_s > 0 {
            not_yet("its seats do not linger yet");
        }
        let borrow = claims.and_then(|claims| {
            claims
                .features
                .iter()
                .find(|f| *f.name == *feature.name)?
                .borrow
                .as_ref()
        });
        if borrow.is_some() {
            not_yet("it cannot be borrowed yet");
        }
    }
    notes
}

fn feature_view(feature: &Feature, pool: Option<&Pool>) -> wire::LicenseFeature {
    let texts = |names: &[Name]| names.iter().map(ToString::to_string).collect();
    wire::LicenseFeature {
        name: feature.name.to_string(),
        seats: feature.seats,
        in_use: pool.map_or(0, |pool| pool.used + pool.above),
        kept: pool.map_or(0, kept),
        reserved: 0,
        reserved_filled: 0,
        model: model(feature.model).to_owned(),
        counting: counting(feature.unit).to_owned(),
        version: feature.version.as_deref().map(str::to_owned),
        ttl_s: feature.ttl_s,
        grace_s: feature.grace_s,
        save_s: feature.save_s,
        cool_down_s: feature.cool_down_s,
        overdraft: feature.overdraft,
        linger_s: feature.linger_s,
        share_max: feature.share_max,
        policies: texts(&feature.policies),
        optional: texts(&feature.optional),
    }
}

/// The named seats of a pool that nobody sits on (rule 7).
fn kept(pool: &Pool) -> u64 {
    let named = pool.feature.as_ref().filter(|f| f.model == Model::Named);
    named.map_or(0, |_| {
        pool.grants.values().filter(|grant| grant.kept()).count() as u64
    })
}

/// What assignments reserve of a pool, and how much of it is filled.
fn reserved(state: &State, id: &PoolId) -> (u64, u64) {
    let all = reserves::filled(state, id).into_iter();
    all.fold((0, 0), |(sum, full), (_, seats, filled)| {
        (sum + seats, full + filled)
    })
}

/// A pool, where its license is still listed.
fn pool(state: &State, id: &PoolId, known: &Pool, now: Date) -> Option<wire::Pool> {
    let license = state.licenses.get(&id.license)?;
    let feature = known.feature.as_deref();
    let status = match (status(state, license, now), feature) {
        ("in_force", None) => "superseded",
        (status, _) => status,
    };
    let seats = feature.and_then(|feature| feature.seats);
    let (reserved, reserved_filled) = reserved(state, id);
    Some(wire::Pool {
        id: pool_text(id),
        product: license.terms.product.to_string(),
        feature: id.feature.to_string(),
        seats,
        in_use: known.used + known.above,
        kept: kept(known),
        reserved,
        reserved_filled,
        free: seats.map(|seats| seats.saturating_sub(known.used)),
        model: feature
            .map_or("floating", |feature| model(feature.model))
            .to_owned(),
        counting: feature
            .map_or("process", |feature| counting(feature.unit))
            .to_owned(),
        served: status == "in_force",
        status: status.to_owned(),
    })
}

/// The pools that licenses of which nothing is in force will have on their first day.
fn pools_to_come(
    state: &State,
    now: Date,
    seen: impl Fn(&LicenseId) -> bool,
) -> impl Iterator<Item = wire::Pool> {
    let first = |id: &LicenseId| state.waits(id).next().map(|first| first.terms.serial);
    let new = state.waiting.iter().filter(move |((id, serial), _)| {
        !state.licenses.contains_key(id) && first(id) == Some(*serial) && seen(id)
    });
    new.flat_map(move |((id, _), known)| {
        let status = waiting_status(state, known, now);
        let features = known.terms.features.iter();
        features.map(move |feature| {
            let pool = PoolId {
                license: id.clone(),
                feature: feature.name.clone(),
            };
            wire::Pool {
                id: pool_text(&pool),
                product: known.terms.product.to_string(),
                feature: feature.name.to_string(),
                seats: feature.seats,
                in_use: 0,
                kept: 0,
                reserved: 0,
                reserved_filled: 0,
                free: feature.seats,
                model: model(feature.model).to_owned(),
                counting: counting(feature.unit).to_owned(),
                served: false,
                status: status.to_owned(),
            }
        })
    })
}

fn model(model: Model) -> &'static str {
    match model {
        Model::Floating => "floating",
        Model::Named => "named",
    }
}

fn counting(unit: CountingUnit) -> &'static str {
    match unit {
        CountingUnit::Process => "process",
        CountingUnit::User => "user",
        CountingUnit::Host => "host",
        CountingUnit::UserHost => "user+host",
    }
}
