//! What may happen in a walk, and the license that it happens to.

use proptest::prelude::*;
use seatkeeper_engine::Command;
use seatkeeper_engine::command::Signed;
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Limit, Model, Target,
};
use seatkeeper_engine::time::Date;

pub(crate) const TTL_S: u64 = 60;
pub(crate) const SAVE_S: u64 = 20;
pub(crate) const BEGIN: u64 = 1_000_000;
pub(crate) const PERSONS: u8 = 4;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Checkout {
        person: u8,
        machine: u8,
        boot: u8,
        n: u32,
    },
    Renew(u8),
    Release(u8),
    GiveBack(u8),
    Dies(u8),
    Reclaim(u8, bool),
    Recall(u8, bool),
    Assign(u8, bool),
    KeepOut(u8, bool),
    Unassign(u8, bool),
    Group(bool),
    Join(u8),
    Leave(u8, bool),
    Suspend(u8, bool),
    Seats(u64),
    Floating(bool),
    Restart(bool),
    Tick,
    Wait(u64),
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let who = || 0..PERSONS;
    let checkout = (
        who(),
        0..2u8,
        0..2u8,
        prop_oneof![9 => Just(1u32), 1 => Just(2)],
    );
    let checkout = checkout.prop_map(|(person, machine, boot, n)| Op::Checkout {
        person,
        machine,
        boot,
        n,
    });
    let some = any::<u8>;
    let one = prop_oneof![
        12 => checkout,
        2 => some().prop_map(Op::Renew),
        4 => some().prop_map(Op::Release),
        1 => some().prop_map(Op::GiveBack),
        2 => some().prop_map(Op::Dies),
        1 => (some(), any::<bool>()).prop_map(|(which, hard)| Op::Reclaim(which, hard)),
        2 => (some(), any::<bool>()).prop_map(|(which, hard)| Op::Recall(which, hard)),
        4 => (who(), any::<bool>()).prop_map(|(person, out)| Op::Assign(person, out)),
        2 => (who(), any::<bool>()).prop_map(|(person, out)| Op::KeepOut(person, out)),
        2 => (who(), any::<bool>()).prop_map(|(person, hard)| Op::Unassign(person, hard)),
        1 => any::<bool>().prop_map(Op::Group),
        2 => who().prop_map(Op::Join),
        2 => (who(), any::<bool>()).prop_map(|(person, hard)| Op::Leave(person, hard)),
        1 => (who(), any::<bool>()).prop_map(|(person, yes)| Op::Suspend(person, yes)),
        1 => (1..4u64).prop_map(Op::Seats),
        1 => any::<bool>().prop_map(Op::Floating),
        1 => any::<bool>().prop_map(Op::Restart),
        3 => Just(Op::Tick),
        3 => (1..90u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(one, 1..60)
}

pub(crate) fn counting() -> impl Strategy<Value = CountingUnit> {
    prop_oneof![
        3 => Just(CountingUnit::User),
        1 => Just(CountingUnit::Host),
        1 => Just(CountingUnit::UserHost)
    ]
}

pub(crate) const GROUP: GroupId = GroupId([7; 16]);

pub(crate) fn user(person: u8) -> UserId {
    UserId([person + 1; 16])
}

pub(crate) fn license() -> LicenseId {
    LicenseId {
        vendor: "A".into(),
        id: "L1".into(),
    }
}

pub(crate) fn assignment(target: Target) -> AssignmentId {
    match target {
        Target::User(user) => AssignmentId(user.0),
        _ => AssignmentId([99; 16]),
    }
}

pub(crate) fn limited(out: bool) -> AssignmentTerms {
    let limit = Limit {
        feature: Some("modeler".into()),
        exclude: true,
        ..Limit::default()
    };
    AssignmentTerms {
        limits: if out { vec![limit] } else { vec![] },
        ..AssignmentTerms::default()
    }
}

pub(crate) fn assign(target: Target, out: bool) -> Command {
    Command::Assign {
        id: assignment(target),
        license: license(),
        target,
        terms: limited(out),
    }
}

pub(crate) fn terms(
    serial: u64,
    seats: u64,
    named: bool,
    counting: CountingUnit,
    min_s: u64,
) -> LicenseTerms {
    LicenseTerms {
        id: license(),
        serial,
        replaces: None,
        product: "cad".into(),
        customer: "".into(),
        root: "A".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([u8::try_from(serial % 250).expect("small"); 32]),
            iat: Date(BEGIN),
        },
        nbf: Date(0),
        exp: None,
        features: vec![Feature {
            name: "modeler".into(),
            seats: Some(seats),
            overdraft: 0,
            model: match named {
                true => Model::Named,
                false => Model::Floating,
            },
            unit: counting,
            version: None,
            ttl_s: TTL_S,
            grace_s: 0,
            save_s: SAVE_S,
            cool_down_s: 0,
            share_max: None,
            linger_s: 0,
            named_min_s: min_s,
            policies: vec![],
            optional: vec![],
        }],
        token: "token".into(),
        issuer: "issuer".into(),
    }
}
