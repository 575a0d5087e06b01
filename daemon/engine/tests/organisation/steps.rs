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
    Checkout(u8, u8, usize),
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
    (policies, exclude, max(), max()).prop_map(|(policies, exclude, max, max_each)| Gives {
        policies,
        exclude,
        max,
        max_each,
    })
}

pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    let hard = proptest::bool::weighted(0.2);
    let member = prop_oneof![(0..USERS).prop_map(Ok), (0..GROUPS).prop_map(Err)];
    let units = proptest::collection::btree_set(0..UNITS, 0..4);
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
        6 => (0..USERS, 0..LICENSES, 0..2usize).prop_map(|(u, l, f)| Op::Checkout(u, l, f)),
        8 => any::<u8>().prop_map(Op::Renew),
        2 => (1..30u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(one, 1..120)
}
