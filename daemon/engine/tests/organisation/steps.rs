//! The steps of a walk, and how likely each is.

use super::{ACCOUNTS, GROUPS, Gives, LICENSES, UNITS, USERS, Whom};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    MakeUnit(u8, u8),
    MoveUnit(u8, u8, bool),
    MakeGroup(u8),
    RemoveGroup(u8, bool),
    Join(u8, Result<u8, u8>),
    Leave(u8, Result<u8, u8>, bool),
    Place(u8, BTreeSet<u8>, bool),
    Status(u8, u8, bool),
    Remove(u8, bool),
    Assign(u8, Whom, Gives),
    Change(u8, Whom, Gives, bool),
    Unassign(u8, Whom, bool),
    Checkout(u8, u8, usize, u32),
    Release(u8),
    Renew(u8),
    Wait(u64),
}

fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![
        (0..USERS).prop_map(Whom::User),
        (0..GROUPS).prop_map(Whom::Group),
        (0..UNITS).prop_map(Whom::Unit),
    ]
}

fn gives() -> impl Strategy<Value = Gives> {
    let exclude = proptest::option::weighted(0.2, 0..3u8);
    let policies = proptest::collection::btree_set(0..2usize, 0..3);
    let max = || proptest::option::weighted(0.3, (0..2usize, 0..4u64));
    let gives = (policies, exclude, max(), max(), max());
    gives.prop_map(|(policies, exclude, max, max_each, reserve)| Gives {
        policies,
        exclude,
        max,
        max_each,
        reserve,
    })
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let hard = proptest::bool::weighted(0.2);
    let member = prop_oneof![(0..USERS).prop_map(Ok), (0..GROUPS).prop_map(Err)];
    let units = proptest::collection::btree_set(0..UNITS, 0..4);
    let seats = prop_oneof![4 => Just(1), 1 => 2..4u32, 1 => 4..9u32];
    let one = prop_oneof![
        1 => (ACCOUNTS..UNITS, 0..UNITS).prop_map(|(unit, above)| Op::MakeUnit(unit, above)),
        4 => (0..UNITS, 0..UNITS, hard).prop_map(|(u, to, h)| Op::MoveUnit(u, to, h)),
        1 => (0..GROUPS).prop_map(Op::MakeGroup),
        1 => (0..GROUPS, hard).prop_map(|(g, h)| Op::RemoveGroup(g, h)),
        6 => (0..GROUPS, member.clone()).prop_map(|(g, m)| Op::Join(g, m)),
        2 => (0..GROUPS, member, hard).prop_map(|(g, m, h)| Op::Leave(g, m, h)),
        4 => (0..USERS, units, hard).prop_map(|(u, to, h)| Op::Place(u, to, h)),
        1 => (0..USERS, 0..5u8, hard).prop_map(|(u, s, h)| Op::Status(u, s, h)),
        1 => (0..USERS, hard).prop_map(|(u, h)| Op::Remove(u, h)),
        4 => (0..LICENSES, whom(), gives()).prop_map(|(l, w, g)| Op::Assign(l, w, g)),
        2 => (0..LICENSES, whom(), gives(), hard).prop_map(|(l, w, g, h)| Op::Change(l, w, g, h)),
        2 => (0..LICENSES, whom(), hard).prop_map(|(l, w, h)| Op::Unassign(l, w, h)),
        8 => (0..USERS, 0..LICENSES, 0..2usize, seats)
            .prop_map(|(u, l, f, n)| Op::Checkout(u, l, f, n)),
        4 => any::<u8>().prop_map(Op::Release),
        8 => any::<u8>().prop_map(Op::Renew),
        2 => (1..30u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(one, 1..120)
}

/// Seats of one license that everyone may use, and reserves and limits that meet on them; few others move.
pub(crate) fn promises() -> impl Strategy<Value = Vec<Op>> {
    let number = |p: f64, n: std::ops::Range<u64>| {
        let feature = prop_oneof![6 => Just(0usize), 1 => Just(1)];
        proptest::option::weighted(p, (feature, n))
    };
    let gives = (number(0.3, 1..7), number(0.1, 1..5), number(0.7, 0..4));
    let gives = gives.prop_map(|(max, max_each, reserve)| Gives {
        policies: BTreeSet::new(),
        exclude: None,
        max,
        max_each,
        reserve,
    });
    let at_home = prop_oneof![Just(0u8), Just(3), Just(4), Just(6)];
    let whom = prop_oneof![
        2 => (0..USERS).prop_map(Whom::User),
        2 => (0..GROUPS).prop_map(Whom::Group),
        1 => at_home.clone().prop_map(Whom::Unit),
    ];
    let member = prop_oneof![4 => (0..USERS).prop_map(Ok), 1 => (0..GROUPS).prop_map(Err)];
    let feature = prop_oneof![6 => Just(0usize), 1 => Just(1)];
    let seats = prop_oneof![6 => Just(1), 2 => 2..4u32, 1 => 4..8u32];
    let one = prop_oneof![
        1 => (3..7u8, at_home.clone()).prop_map(|(u, to)| Op::MoveUnit(u, to, false)),
        1 => (0..GROUPS).prop_map(|g| Op::RemoveGroup(g, false)),
        5 => (0..GROUPS, member.clone()).prop_map(|(g, m)| Op::Join(g, m)),
        2 => (0..GROUPS, member).prop_map(|(g, m)| Op::Leave(g, m, false)),
        2 => (0..USERS, at_home).prop_map(|(u, to)| Op::Place(u, BTreeSet::from([to]), false)),
        1 => (0..USERS).prop_map(|u| Op::Remove(u, false)),
        8 => (whom.clone(), gives.clone()).prop_map(|(w, g)| Op::Assign(0, w, g)),
        6 => (whom.clone(), gives).prop_map(|(w, g)| Op::Change(0, w, g, false)),
        1 => whom.prop_map(|w| Op::Unassign(0, w, false)),
        25 => (0..USERS, feature, seats).prop_map(|(u, f, n)| Op::Checkout(u, 0, f, n)),
        12 => any::<u8>().prop_map(Op::Release),
        1 => (1..600u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(one, 1..120).prop_map(|mut ops| {
        let plain = Gives {
            policies: BTreeSet::new(),
            exclude: None,
            max: None,
            max_each: None,
            reserve: None,
        };
        ops.insert(0, Op::Assign(0, Whom::Unit(0), plain));
        ops
    })
}
