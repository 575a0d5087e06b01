//! What the walk calls by number: ids, names, terms.

use super::{FEATURES, Gives, POLICIES, SAVE_S, SEATS};
use seatkeeper_engine::Verdict;
use seatkeeper_engine::command::Signed;
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Limit, Model, Target,
};
use seatkeeper_engine::time::Date;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn denied(verdict: &Verdict) -> Result<(), Code> {
    match verdict {
        Verdict::Denied(denial) => Err(denial.code),
        _ => Ok(()),
    }
}

pub(crate) fn names(policies: &BTreeSet<usize>) -> Vec<Name> {
    let default: Name = "open".into();
    std::iter::once(default)
        .chain(policies.iter().map(|n| POLICIES[*n].into()))
        .collect()
}

pub(crate) fn of(gives: &Gives) -> AssignmentTerms {
    let feature = |n: usize| FEATURES.get(n).map(|feature| Name::from(*feature));
    let mut limits = BTreeMap::<_, Limit>::new();
    if let Some(n) = gives.exclude {
        limits.entry(feature(n.into())).or_default().exclude = true;
    }
    if let Some((n, most)) = gives.max {
        limits.entry(feature(n)).or_default().max = Some(most);
    }
    if let Some((n, most)) = gives.max_each {
        limits.entry(feature(n)).or_default().max_each = Some(most);
    }
    if let Some((n, seats)) = gives.reserve {
        limits.entry(feature(n)).or_default().reserve = Some(seats);
    }
    let named = |(feature, limit)| Limit { feature, ..limit };
    AssignmentTerms {
        policies: gives.policies.iter().map(|n| POLICIES[*n].into()).collect(),
        limits: limits.into_iter().map(named).collect(),
        ..AssignmentTerms::default()
    }
}

pub(crate) fn unit(n: u8) -> UnitId {
    UnitId([n; 16])
}

pub(crate) fn group(n: u8) -> GroupId {
    GroupId([n; 16])
}

pub(crate) fn name(n: u8) -> NameHash {
    NameHash([n; 32])
}

pub(crate) fn assignment(license: u8, target: Target) -> AssignmentId {
    let (kind, of) = match target {
        Target::User(user) => (0, user.0),
        Target::Group(group) => (1, group.0),
        Target::Unit(unit) => (2, unit.0),
    };
    let mut id = [0; 16];
    id[..4].copy_from_slice(&[license, kind, of[1], of[0]]);
    AssignmentId(id)
}

pub(crate) fn id(n: u8) -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: format!("L{n}").into(),
    }
}

pub(crate) fn product(n: u8) -> Name {
    format!("cad{n}").into()
}

pub(crate) fn terms(n: u8) -> LicenseTerms {
    let feature = |(name, seats): (&&str, Option<u64>)| Feature {
        name: (*name).into(),
        seats,
        overdraft: 0,
        model: Model::Floating,
        unit: CountingUnit::Process,
        version: None,
        ttl_s: 900,
        grace_s: 0,
        save_s: SAVE_S,
        cool_down_s: 0,
        share_max: None,
        linger_s: 0,
        named_min_s: 0,
        policies: vec!["open".into()],
        optional: POLICIES.iter().map(|policy| (*policy).into()).collect(),
    };
    LicenseTerms {
        id: id(n),
        serial: 1,
        replaces: None,
        product: product(n),
        customer: format!("C{n}").into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([n; 32]),
            iat: Date(1_000_000),
        },
        nbf: Date(0),
        exp: None,
        features: FEATURES.iter().zip(SEATS).map(feature).collect(),
        token: "license".into(),
        issuer: "issuer".into(),
    }
}
