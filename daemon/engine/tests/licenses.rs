//! Rule 17 under random days: licenses that wait, change, replace one another, are withdrawn and removed while seats are
//! held. After every step the state is looked through for what must hold whatever happened, and a replay makes it again.

use proptest::prelude::*;
use seatkeeper_engine::command::{Checkout, IssuerSeen, Process, Renew, Signed};
use seatkeeper_engine::event::{Event, Recorded};
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Model, Pool, Target,
};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, State, foresee_install};
use std::collections::BTreeSet;

const UNIT: UnitId = UnitId([1; 16]);
const DAY: u64 = 86_400;

#[derive(Clone, Debug)]
enum Op {
    Install(Box<Paper>),
    Remove {
        license: u8,
        hard: bool,
    },
    RemoveWaiting {
        license: u8,
        serial: u64,
    },
    Issuer {
        min_serial: u64,
        revoked: bool,
    },
    Assign {
        license: u8,
        user: Option<u8>,
    },
    Unassign {
        license: u8,
        user: Option<u8>,
    },
    Checkout {
        user: u8,
        instance: u8,
        n: u32,
    },
    Renew(u8),
    Wait(u64),
    /// J alone goes on by days, or back.
    Leap(u64),
    PutBack,
    Restart,
}

/// What a random license says.
#[derive(Clone, Debug)]
struct Paper {
    license: u8,
    serial: u64,
    replaces: Option<u8>,
    kid: u8,
    /// Days from now to its first one, and how many they are.
    days: (u64, Option<u64>),
    features: Vec<(u8, Option<u64>, u64, CountingUnit)>,
}

fn paper() -> impl Strategy<Value = Paper> {
    let counting = prop_oneof![Just(CountingUnit::Process), Just(CountingUnit::User)];
    let seats = prop_oneof![4 => (0..4u64).prop_map(Some), 1 => Just(None)];
    let feature = (0..2u8, seats, 0..2u64, counting);
    let features = proptest::collection::vec(feature, 1..3);
    let replaces = proptest::option::weighted(0.2, 0..2u8);
    let from = prop_oneof![3 => Just(0), 2 => 1..6u64];
    let days = (from, proptest::option::weighted(0.4, 1..10u64));
    (0..2u8, 1..8u64, replaces, 0..2u8, days, features).prop_map(
        |(license, serial, replaces, kid, days, mut features)| {
            features.sort_by_key(|(name, ..)| *name);
            features.dedup_by_key(|(name, ..)| *name);
            Paper {
                license,
                serial,
                replaces: replaces.filter(|other| *other != license),
                kid,
                days,
                features,
            }
        },
    )
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let user = || proptest::option::of(0..3u8);
    let one = prop_oneof![
        6 => paper().prop_map(|paper| Op::Install(Box::new(paper))),
        2 => (0..2u8, any::<bool>()).prop_map(|(license, hard)| Op::Remove { license, hard }),
        1 => (0..2u8, 1..8u64).prop_map(|(license, serial)| Op::RemoveWaiting { license, serial }),
        1 => (0..4u64, any::<bool>()).prop_map(|(min_serial, revoked)| Op::Issuer { min_serial, revoked }),
        4 => (0..2u8, user()).prop_map(|(license, user)| Op::Assign { license, user }),
        1 => (0..2u8, user()).prop_map(|(license, user)| Op::Unassign { license, user }),
        8 => (0..3u8, 0..3u8, 1..3u32).prop_map(|(user, instance, n)| Op::Checkout { user, instance, n }),
        5 => any::<u8>().prop_map(Op::Renew),
        3 => (1..100u64).prop_map(Op::Wait),
        2 => (1..5u64).prop_map(Op::Leap),
        1 => Just(Op::PutBack),
        1 => Just(Op::Restart),
    ];
    proptest::collection::vec(one, 1..70)
}

struct World {
    engine: Engine,
    journal: Vec<Recorded>,
    now: u64,
    j: u64,
    checkouts: u128,
    issuers: u64,
}

impl World {
    fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            journal: Vec::new(),
            now: 0,
            j: 1000 * DAY,
            checkouts: 0,
            issuers: 0,
        };
        let machine = MachineId([1; 16]);
        world.give(Command::FoundSite {
            unit: UNIT,
            machine,
        });
        world.give(Command::StartRun {
            run: RunId([1; 16]),
        });
        world.give(Command::TrustVendor {
            vendor: "acme".into(),
            roots: vec![("root".into(), "pem".into())],
        });
        for n in 0..3 {
            world.give(Command::MeetUser {
                user: UserId([n; 16]),
                login: LoginHash([n; 32]),
            });
        }
        world
    }

    fn at(&self) -> Now {
        Now {
            lease: LeaseTime(self.now),
            j: Date(self.j),
        }
    }

    fn give(&mut self, command: Command) {
        let (events, _) = self.engine.apply(self.at(), command);
        let recorded = events.into_iter().filter_map(|event| match event {
            Event::Recorded(event) => Some(event),
            Event::Fleeting(_) => None,
        });
        self.journal.extend(recorded);
    }

    fn step(&mut self, op: &Op) {
        match op.clone() {
            Op::Install(paper) => self.give(Command::InstallLicense {
                account: None,
                terms: Box::new(self.terms(&paper)),
                assign_everyone: None,
                note_known: false,
            }),
            Op::Remove { license, hard } => self.give(Command::RemoveLicense {
                license: id(license),
                waiting: None,
                hard,
                if_match: None,
            }),
            Op::RemoveWaiting { license, serial } => self.give(Command::RemoveLicense {
                license: id(license),
                waiting: Some(serial),
                hard: false,
                if_match: None,
            }),
            Op::Issuer {
                min_serial,
                revoked,
            } => {
                self.issuers += 1;
                self.give(Command::SeeIssuer(Box::new(IssuerSeen {
                    root: "root".into(),
                    iat: Date(self.issuers),
                    min_serial,
                    revoked_kids: revoked.then(|| "kid 1".into()).into_iter().collect(),
                    token: "issuer".into(),
                })));
            }
            Op::Assign { license, user } => self.give(Command::Assign {
                id: assignment(license, user),
                license: id(license),
                target: target(user),
                terms: AssignmentTerms::default(),
            }),
            Op::Unassign { license, user } => {
                let covers = self.engine.state().covers.get(&id(license));
                let found = covers.and_then(|covers| covers.by.get(&target(user)));
                if let Some(id) = found.copied() {
                    self.give(Command::Unassign {
                        id,
                        hard: false,
                        if_match: None,
                    });
                }
            }
            Op::Checkout { user, instance, n } => self.checkout(user, instance, n),
            Op::Renew(which) => self.renew(which),
            Op::Wait(s) => {
                self.now += s * 1000;
                self.j += s;
            }
            Op::Leap(days) => self.j += days * DAY,
            Op::PutBack => self.j = 1000 * DAY + self.now / 1000,
            Op::Restart => {
                self.engine = replayed(&self.journal);
                self.give(Command::StartRun {
                    run: RunId([2; 16]),
                });
            }
        }
        self.give(Command::Expire);
        self.give(Command::Tick);
        look(self.engine.state(), self.at());
    }

    fn terms(&self, paper: &Paper) -> LicenseTerms {
        let nbf = self.j + paper.days.0 * DAY;
        LicenseTerms {
            id: id(paper.license),
            serial: paper.serial,
            replaces: paper.replaces.map(|other| id(other).id),
            product: "cad".into(),
            customer: "C-1".into(),
            root: "root".into(),
            kid: format!("kid {}", paper.kid).into(),
            signed: Signed {
                hash: TokenHash([u8::try_from(paper.serial).expect("few"); 32]),
                iat: Date(1),
            },
            nbf: Date(nbf),
            exp: paper.days.1.map(|days| Date(nbf + days * DAY)),
            features: paper.features.iter().map(feature).collect(),
            token: "token".into(),
            issuer: "issuer".into(),
        }
    }

    fn checkout(&mut self, user: u8, instance: u8, n: u32) {
        self.checkouts += 1;
        self.give(Command::Checkout(Box::new(Checkout {
            checkout_id: CheckoutId(self.checkouts.to_be_bytes()),
            process: process(user, instance),
            pid: None,
            user: UserId([user; 16]),
            product: "cad".into(),
            feature: "f0".into(),
            version: None,
            n,
            roots: vec!["root".into()],
            wait_s: 0,
            interactive: false,
            needs_terms: false,
            shown: None,
        })));
    }

    fn renew(&mut self, which: u8) {
        let state = self.engine.state();
        let all: Vec<_> = state
            .grants
            .keys()
            .filter_map(|gid| Some((*gid, state.grant(*gid)?)))
            .flat_map(|(gid, grant)| grant.holders.iter().map(move |h| (gid, h)))
            .map(|(gid, h)| (HolderId { gid, h: h.h }, h.facts.process.clone()))
            .collect();
        let one = all.get(usize::from(which) % all.len().max(1)).cloned();
        if let Some((holder, process)) = one {
            self.give(Command::Renew(Renew {
                holder,
                process,
                shown: None,
            }));
        }
    }
}

/// What must hold of every state.
fn look(state: &State, now: Now) {
    for (id, pool) in &state.pools {
        slots(id, pool);
        let license = state.licenses.get(&id.license);
        let left = license.is_some() || !pool.grants.is_empty();
        assert!(left, "{id}: an empty pool of a license that is gone");
        for (gid, grant) in &pool.grants {
            assert_eq!(state.grants.get(gid).map(|id| &**id), Some(id), "{gid}");
            for holder in grant.holders.iter().filter(|h| h.ending.is_none()) {
                let license = license.expect("who sits under a license that is gone is ending");
                assert!(!state.revokes(&license.terms), "{gid}: withdrawn");
                let right = state.right(&id.license, &id.feature, holder.facts.user, now.j);
                assert!(right.is_ok(), "{gid}: without a right");
                let feature = pool.feature.as_ref().expect("of a feature that is there");
                let most = feature.seats.map_or(u64::MAX, |n| n + feature.overdraft);
                assert!(grant.slots.iter().all(|slot| *slot < most), "{gid}");
            }
        }
    }
    let count: usize = state.pools.values().map(|pool| pool.grants.len()).sum();
    assert_eq!(count, state.grants.len(), "grants without a pool");
    licenses(state, now);
}

/// No slot lies under two grants, and what is counted is so.
fn slots(id: &PoolId, pool: &Pool) {
    let mut taken = BTreeSet::new();
    for slot in pool.grants.values().flat_map(|grant| grant.slots.iter()) {
        assert!(taken.insert(*slot), "{id}: slot {slot} twice");
        assert!(!pool.freed.contains(slot) && *slot < pool.high);
    }
    let seats = pool.feature.as_ref().and_then(|feature| feature.seats);
    if pool.feature.is_some() {
        let below = |slot: &&u64| seats.is_none_or(|seats| **slot < seats);
        let used = taken.iter().filter(below).count() as u64;
        assert_eq!(
            (pool.used, pool.used + pool.above),
            (used, taken.len() as u64),
            "{id}"
        );
    }
}

fn licenses(state: &State, now: Now) {
    for (id, license) in &state.licenses {
        assert!(!state.replaced.contains_key(id), "{id} has been replaced");
        for feature in &license.terms.features {
            let pool = PoolId {
                license: id.clone(),
                feature: feature.name.clone(),
            };
            let has = state.pools.get(&pool).and_then(|pool| pool.feature.clone());
            assert_eq!(has.as_deref(), Some(feature));
            let key = (license.terms.product.clone(), feature.name.clone());
            assert!(
                state
                    .features
                    .get(&key)
                    .is_some_and(|of| of.contains(&pool))
            );
        }
    }
    let listed: usize = state.features.values().map(|pools| pools.len()).sum();
    let licensed = state.licenses.values().map(|l| l.terms.features.len());
    assert_eq!(listed, licensed.sum::<usize>(), "features that nobody has");
    for ((id, serial), waiting) in &state.waiting {
        let known = state.licenses.get(id).map(|known| known.terms.serial);
        assert!(known.is_none_or(|known| known < *serial), "{id} {serial}");
        assert!(!state.replaced.contains_key(id), "{id} has been replaced");
        let begins = foresee_install(state, now.j, &waiting.terms);
        assert_ne!(begins, Ok(None), "{id} {serial} should have begun");
    }
    for (key, assignment) in &state.assignments {
        assert!(state.installed(&assignment.license), "{key}: of nothing");
        let covers = &state.covers[&assignment.license];
        assert_eq!(covers.by.get(&assignment.target), Some(key));
    }
    let covering = state.covers.values().map(|covers| covers.by.len());
    assert_eq!(covering.sum::<usize>(), state.assignments.len());
}

fn replayed(journal: &[Recorded]) -> Engine {
    let mut engine = Engine::new();
    journal.iter().for_each(|event| engine.replay(event));
    engine
}

fn id(n: u8) -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: format!("L{n}").into(),
    }
}

fn assignment(license: u8, user: Option<u8>) -> AssignmentId {
    AssignmentId([license * 10 + user.map_or(9, |user| user); 16])
}

fn target(user: Option<u8>) -> Target {
    user.map_or(Target::Unit(UNIT), |user| Target::User(UserId([user; 16])))
}

fn process(user: u8, instance: u8) -> Process {
    Process {
        machine: MachineId([1; 16]),
        attested_by: MachineId([1; 16]),
        uid: u32::from(user),
        boot: BootId([1; 16]),
        instance: InstanceId([10 * user + instance; 16]),
    }
}

fn feature((name, seats, overdraft, unit): &(u8, Option<u64>, u64, CountingUnit)) -> Feature {
    Feature {
        name: format!("f{name}").into(),
        seats: *seats,
        overdraft: *overdraft,
        model: Model::Floating,
        unit: *unit,
        version: None,
        ttl_s: 60,
        grace_s: 0,
        save_s: 20,
        cool_down_s: 0,
        share_max: None,
        linger_s: 0,
        named_min_s: 0,
        policies: vec![],
        optional: vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r17_i1_i14_whatever_becomes_of_licenses_no_slot_is_given_twice_and_nobody_sits_without_one(ops in ops()) {
        let mut world = World::new();
        for op in &ops {
            world.step(op);
        }
        let text = |engine: &Engine| serde_json::to_string(engine.state()).expect("a state is JSON");
        assert_eq!(text(&replayed(&world.journal)), text(&world.engine));
    }
}
