//! The judgement of a checkout: which pool serves it, and why not (rules 4, 6, 8, 9, 12, 16, 22).

use super::{pool, room, terms, version};
use crate::command::Checkout;
use crate::denial::{Code, Denial, Step, Trace};
use crate::ids::{Gid, Name, PoolId};
use crate::reserves;
use crate::right::NoRight;
use crate::rollback;
use crate::state::{Feature, Holder, LicenseTerms, Pool, State, Unit};
use crate::time::{Date, LEAST_S, Now};
use std::sync::Arc;

/// What a checkout would get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A place in a grant that its unit has, or that is kept for it (pass a).
    Join(PoolId, Gid),
    /// Free slots (pass b).
    Open(PoolId, Vec<u64>),
}

/// How far a pool got: the furthest one gives the code (rule 22).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    License,
    Version,
    /// Of the right: a license of another account comes before one that the user can be given.
    Account,
    Right,
    Terms,
    Exclude,
    Total,
    Storage,
    Quarantine,
    CoolDown,
    Max,
    Reserve,
    Seats,
}

/// A pool that may serve, in the order of rule 9.
pub(super) struct Candidate<'a> {
    pub(super) id: &'a PoolId,
    pub(super) pool: &'a Pool,
    pub(super) feature: &'a Arc<Feature>,
    unit: Unit,
}

/// Decides a checkout on a state that due expiries were folded into.
pub(crate) fn decide(
    state: &State,
    now: Now,
    asked: &Checkout,
    trace: &mut impl Trace,
) -> Result<Choice, Denial> {
    if version::check(asked.version.as_deref()).is_err() {
        trace.step(|| {
            Step::no(
                None,
                12,
                Code::BadRequest,
                "a part of the version is no number".to_owned(),
            )
        });
        return Err(Denial {
            limit: asked.version.as_deref().map(str::to_owned),
            ..Denial::new(Code::BadRequest, 12)
        });
    }
    let mut ordered: Vec<_> = state
        .pools_for(&asked.product, &asked.feature)
        .filter_map(|id| Some((id, state.pools.get(id)?, terms::license(state, id)?)))
        .collect();
    if ordered.is_empty() {
        return Err(nothing(state, asked, trace));
    }
    let carried = |license: &LicenseTerms| asked.roots.contains(&license.root);
    if !ordered.iter().any(|(_, _, license)| carried(license)) {
        return Err(other_vendor(&ordered, trace));
    }
    ordered.retain(|(_, _, license)| carried(license));
    ordered.sort_by_cached_key(|(id, pool, license)| {
        let awaits = reserves::awaits(state, id, asked.user);
        (!awaits, preference(id, pool, license, now))
    });
    passes(state, now, asked, &ordered, trace)
}

/// Within a pass, after pools where a reserve awaits the user: a full term first, then the earliest end (perpetual last),
/// then the id (rule 9).
fn preference<'a>(
    id: &'a PoolId,
    pool: &Pool,
    license: &LicenseTerms,
    now: Now,
) -> (bool, u64, &'a PoolId) {
    let term = pool
        .feature
        .as_ref()
        .map_or(0, |feature| feature.ttl_s + feature.grace_s);
    let short = terms::left_s(license.exp, now).is_some_and(|left| left < term);
    (short, license.exp.map_or(u64::MAX, |exp| exp.0), id)
}

fn nothing(state: &State, asked: &Checkout, trace: &mut impl Trace) -> Denial {
    if let Some((id, first_day)) = waiting(state, asked) {
        let no = Denial::new(Code::NotStarted, 17);
        trace.step(|| Step::no(Some(&id), no.rule, no.code, no.code.reason().to_owned()));
        return Denial {
            pool: Some(id),
            date: Some(first_day),
            ..no
        };
    }
    let licensed = state
        .licenses
        .values()
        .any(|license| license.terms.product == asked.product);
    let (code, what) = if licensed {
        (
            Code::UnknownFeature,
            "no installed license of the product has the feature",
        )
    } else {
        (Code::NotLicensed, "no license of the product is installed")
    };
    trace.step(|| Step::no(None, 4, code, what.to_owned()));
    Denial::new(code, 4)
}

/// The pool of the first day to come on which a license that waits will have the feature.
fn waiting(state: &State, asked: &Checkout) -> Option<(PoolId, Date)> {
    let will = state.waiting.values().map(|license| &license.terms);
    let will = will.filter(|terms| {
        let has = terms.features.iter().any(|f| f.name == asked.feature);
        has && terms.product == asked.product && !state.revokes(terms)
    });
    let first = will.min_by_key(|terms| terms.nbf)?;
    let (license, feature) = (first.id.clone(), asked.feature.clone());
    Some((PoolId { license, feature }, first.nbf))
}

fn other_vendor(pools: &[(&PoolId, &Pool, &LicenseTerms)], trace: &mut impl Trace) -> Denial {
    let mut roots: Vec<Name> = pools
        .iter()
        .map(|(_, _, license)| license.root.clone())
        .collect();
    roots.dedup();
    for (id, _, license) in pools {
        let text = || {
            format!(
                "the application does not carry the vendor root {}",
                license.root
            )
        };
        trace.step(|| Step::no(Some(id), 9, Code::WrongVendor, text()));
    }
    Denial {
        roots,
        pool: pools.first().map(|(id, _, _)| (*id).clone()),
        ..Denial::new(Code::WrongVendor, 9)
    }
}

/// Pass (a), the unit's own grant, over all pools; then pass (b), free slots.
fn passes(
    state: &State,
    now: Now,
    asked: &Checkout,
    ordered: &[(&PoolId, &Pool, &LicenseTerms)],
    trace: &mut impl Trace,
) -> Result<Choice, Denial> {
    let mut furthest: Option<(Stage, Denial)> = None;
    let mut open = Vec::new();
    for (id, pool, license) in ordered {
        match gates(state, now, asked, (id, pool, license), trace) {
            Ok(candidate) => open.push(candidate),
            Err(no) => keep_furthest(&mut furthest, no),
        }
    }
    for one in &open {
        let stays = |holder: &Holder| {
            let user = holder.facts.user;
            user == asked.user || state.sits_rightly(one.id, user, now.j)
        };
        if let Some(gid) = pool::joinable(one.pool, one.feature, one.unit, asked.n, stays) {
            let kept = one.pool.grants.get(&gid).is_some_and(|grant| grant.kept());
            trace.step(|| match kept {
                true => {
                    let text = format!("the seat {gid} is kept for its unit");
                    Step::ok(Some(one.id), 7, text)
                }
                false => {
                    let text = format!("joins the grant {gid} that its unit has");
                    Step::ok(Some(one.id), 6, text)
                }
            });
            match pauses(state, now, asked, (one.id, Some(gid)), trace) {
                Ok(()) => return Ok(Choice::Join(one.id.clone(), gid)),
                Err(no) => keep_furthest(&mut furthest, no),
            }
        }
    }
    for one in &open {
        let place = room::Place {
            id: one.id,
            pool: one.pool,
            feature: one.feature,
        };
        let pauses = |trace: &mut _| pauses(state, now, asked, (one.id, None), trace);
        match room::free_slots(state, (asked.user, asked.n), place, trace, pauses) {
            Ok(slots) => return Ok(Choice::Open(one.id.clone(), slots)),
            Err(no) => keep_furthest(&mut furthest, no),
        }
    }
    Err(furthest.map_or_else(
        || Denial::new(Code::UnknownFeature, 4),
        |(_, denial)| denial,
    ))
}

fn keep_furthest(furthest: &mut Option<(Stage, Denial)>, (stage, denial): (Stage, Denial)) {
    if furthest.as_ref().is_none_or(|(so_far, _)| stage > *so_far) {
        *furthest = Some((stage, denial));
    }
}

/// License, version and right: what a grant that is joined must pass too.
fn gates<'a>(
    state: &State,
    now: Now,
    asked: &Checkout,
    (id, pool, license): (&'a PoolId, &'a Pool, &LicenseTerms),
    trace: &mut impl Trace,
) -> Result<Candidate<'a>, (Stage, Denial)> {
    let mut no = |stage: Stage, denial: Denial, text: String| {
        trace.step(|| Step {
            assignment: denial.assignment,
            ..Step::no(Some(id), denial.rule, denial.code, text)
        });
        Err((
            stage,
            Denial {
                pool: Some(id.clone()),
                ..denial
            },
        ))
    };
    let Some(feature) = &pool.feature else {
        return no(
            Stage::License,
            Denial::new(Code::UnknownFeature, 17),
            "the license in force no longer has it".into(),
        );
    };
    if let Some(denial) = serves(state, now, license) {
        let text = denial.code.reason().to_owned();
        return no(Stage::License, denial, text);
    }
    if let Some((denial, text)) = too_new(feature, asked) {
        return no(Stage::Version, denial, text);
    }
    let right = state.right(&id.license, &id.feature, asked.user, now.j);
    if let (Ok(_) | Err(NoRight::Excluded(_)), Some((denial, text))) =
        (&right, no_terms(state, asked))
    {
        return no(Stage::Terms, denial, text);
    }
    let assignment = match right {
        Ok(assignment) => assignment,
        Err(why) => {
            let (stage, text) = no_right(why);
            let users = match why {
                NoRight::NotActive => vec![asked.user],
                _ => Vec::new(),
            };
            let denial = Denial {
                users,
                ..why.denial()
            };
            return no(stage, denial, text);
        }
    };
    trace.step(|| Step {
        assignment: Some(assignment),
        ..Step::ok(
            Some(id),
            4,
            format!("the assignment {assignment} covers the user"),
        )
    });
    let unit = pool::unit(feature, &asked.process, asked.user);
    Ok(Candidate {
        id,
        pool,
        feature,
        unit,
    })
}

fn no_right(why: NoRight) -> (Stage, String) {
    match why {
        NoRight::Unknown => (Stage::Right, "the user is not known".to_owned()),
        NoRight::NotActive => (Stage::Right, "the user is not active".to_owned()),
        NoRight::NotAssigned => (Stage::Right, "no assignment covers the user".to_owned()),
        NoRight::OtherAccount => (
            Stage::Account,
            "the license is installed for an account that the user is not in".to_owned(),
        ),
        NoRight::Excluded(by) => (
            Stage::Exclude,
            format!("the assignment {by} keeps the user out"),
        ),
    }
}

/// Terms of service that the user has to accept first, where the site says so. Who sits goes on: no renewal asks.
fn no_terms(state: &State, asked: &Checkout) -> Option<(Denial, String)> {
    let terms = state
        .terms_to_accept(asked.user)
        .filter(|_| asked.needs_terms)?;
    let text = format!(
        "the user has not accepted the terms of service, version {}",
        terms.version
    );
    let denial = Denial {
        limit: Some(terms.version.to_string()),
        ..Denial::new(Code::TermsNotAccepted, 4)
    };
    Some((denial, text))
}

/// Why the version asked for is past what was bought (rule 12).
fn too_new(feature: &Feature, asked: &Checkout) -> Option<(Denial, String)> {
    if version::covers(feature.version.as_deref(), asked.version.as_deref()) {
        return None;
    }
    let limit = feature.version.as_deref().map(str::to_owned);
    let text = format!(
        "version {} against the limit {}",
        asked.version.as_deref().unwrap_or("(none)"),
        limit.as_deref().unwrap_or("(none)")
    );
    let denial = Denial {
        limit,
        ..Denial::new(Code::VersionTooNew, 12)
    };
    Some((denial, text))
}

/// Why a license serves nothing new at this date.
pub(super) fn serves(state: &State, now: Now, license: &LicenseTerms) -> Option<Denial> {
    if state.revokes(license) {
        return Some(Denial::new(Code::RevokedLicense, 17));
    }
    if license.nbf > now.j {
        return Some(Denial {
            date: Some(license.nbf),
            ..Denial::new(Code::NotStarted, 17)
        });
    }
    let over = terms::left_s(license.exp, now).is_some_and(|left| left < LEAST_S);
    over.then(|| Denial {
        date: license.exp,
        ..Denial::new(Code::LicenseExpired, 16)
    })
}

/// Storage, quarantine and cool-down: none of them waits for seats.
fn pauses(
    state: &State,
    now: Now,
    asked: &Checkout,
    (id, joins): (&PoolId, Option<Gid>),
    trace: &mut impl Trace,
) -> Result<(), (Stage, Denial)> {
    closed(state, now, (id, joins), trace)?;
    match cool_down(state, now, asked) {
        Some(denial) => {
            let text = "a pause runs after a reclaim";
            Err(paused(id, (Stage::CoolDown, denial), text, trace))
        }
        None => Ok(()),
    }
}

/// Storage and quarantine: nothing new at all is given.
pub(super) fn closed(
    state: &State,
    now: Now,
    (id, joins): (&PoolId, Option<Gid>),
    trace: &mut impl Trace,
) -> Result<(), (Stage, Denial)> {
    if state.storage_low {
        let denial = Denial::new(Code::StorageLow, 22);
        let text = "free space is below disk_reserve";
        return Err(paused(id, (Stage::Storage, denial), text, trace));
    }
    // Who renewed in it is known to sit: others of the same unit may join.
    let sits = joins.is_some_and(|gid| rollback::has_renewed(state, gid));
    match rollback::quarantine(state, now).filter(|_| !sits) {
        Some(denial) => {
            let text = "a lease was shown that this journal does not know";
            Err(paused(id, (Stage::Quarantine, denial), text, trace))
        }
        None => Ok(()),
    }
}

fn paused(
    id: &PoolId,
    (stage, denial): (Stage, Denial),
    text: &str,
    trace: &mut impl Trace,
) -> (Stage, Denial) {
    trace.step(|| Step::no(Some(id), denial.rule, denial.code, text.to_owned()));
    let pool = Some(id.clone());
    (stage, Denial { pool, ..denial })
}

fn cool_down(state: &State, now: Now, asked: &Checkout) -> Option<Denial> {
    let key = (
        asked.user,
        asked.process.machine,
        asked.product.clone(),
        asked.feature.clone(),
    );
    let until = state.cool_downs.get(&key).copied();
    let until = until.filter(|until| *until > now.lease && !asked.interactive)?;
    Some(Denial {
        retry_at: Some(until),
        ..Denial::new(Code::CoolDown, 16)
    })
}

impl State {
    /// Whether the newest issuer token of its root withdraws a license (rule 17).
    #[must_use]
    pub fn revokes(&self, license: &LicenseTerms) -> bool {
        self.issuers.get(&license.root).is_some_and(|issuer| {
            license.serial < issuer.min_serial || issuer.revoked_kids.contains(&license.kid)
        })
    }
}

impl Code {
    /// What a license that serves nothing says in a trace.
    fn reason(self) -> &'static str {
        match self {
            Code::RevokedLicense => "the vendor has withdrawn the license",
            Code::NotStarted => "the license is not valid yet",
            _ => "the license has ended",
        }
    }
}
