//! Which pool (rules 4, 8, 9, 12, 16): random walks over three licenses of one feature, beside a telling that tries
//! everything and remembers nothing but who sits.

use proptest::prelude::*;
use seatkeeper_engine::command::{Checkout, Process, Release, Released, Renew, Signed};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::EndingWhy;
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Model, Target,
};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, LeaseTerms, Verdict, explain};
use std::collections::{BTreeMap, BTreeSet};

const TTL_S: u64 = 60;
const GRACE_S: u64 = 30;
const COOL_DOWN_S: u64 = 100;
/// J when lease time begins.
const BEGIN: u64 = 1_000_000;
const PERSONS: u8 = 3;
const VERSIONS: [Option<&str>; 4] = [None, Some("2025"), Some("2026.1"), Some("2027")];

/// A license as its vendor sells it, and to whom it is assigned.
#[derive(Clone, Debug)]
struct Sold {
    id: &'static str,
    root: &'static str,
    seats: u64,
    counting: CountingUnit,
    share_max: Option<u64>,
    limit: Option<&'static str>,
    /// Seconds from the beginning on.
    lasts: Option<u64>,
    covers: BTreeSet<u8>,
}

#[derive(Clone, Debug)]
enum Op {
    Checkout {
        person: u8,
        machine: u8,
        instance: u8,
        n: u32,
        version: usize,
        roots: u8,
        interactive: bool,
    },
    Renew(u8),
    Release(u8),
    Dies(u8),
    Reclaim(u8, bool),
    Assign(usize, u8),
    Unassign(usize, u8),
    Wait(u64),
}

fn sold(id: &'static str, root: &'static str) -> impl Strategy<Value = Sold> {
    let counting = prop_oneof![
        Just(CountingUnit::Process),
        Just(CountingUnit::User),
        Just(CountingUnit::Host),
        Just(CountingUnit::UserHost)
    ];
    let limit = prop_oneof![2 => Just(None), 1 => Just(Some("2025")), 1 => Just(Some("2026"))];
    let lasts =
        prop_oneof![2 => Just(None), 1 => Just(Some(100_000)), 2 => (1..400u64).prop_map(Some)];
    let share_max = proptest::option::of(1..3u64);
    let covers = proptest::collection::btree_set(0..PERSONS, 0..=usize::from(PERSONS));
    (1..4u64, counting, share_max, limit, lasts, covers).prop_map(
        move |(seats, counting, share_max, limit, lasts, covers)| Sold {
            id,
            root,
            seats,
            counting,
            share_max,
            limit,
            lasts,
            covers,
        },
    )
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let checkout = (
        0..PERSONS,
        0..2u8,
        0..2u8,
        1..3u32,
        0..VERSIONS.len(),
        1..4u8,
        any::<bool>(),
    );
    let checkout = checkout.prop_map(
        |(person, machine, instance, n, version, roots, interactive)| Op::Checkout {
            person,
            machine,
            instance,
            n,
            version,
            roots,
            interactive,
        },
    );
    let one = prop_oneof![
        10 => checkout,
        2 => any::<u8>().prop_map(Op::Renew),
        3 => any::<u8>().prop_map(Op::Release),
        1 => any::<u8>().prop_map(Op::Dies),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(which, hard)| Op::Reclaim(which, hard)),
        1 => (0..3usize, 0..PERSONS).prop_map(|(which, person)| Op::Assign(which, person)),
        1 => (0..3usize, 0..PERSONS).prop_map(|(which, person)| Op::Unassign(which, person)),
        3 => (1..80u64).prop_map(Op::Wait),
    ];
    proptest::collection::vec(one, 1..50)
}

/// A holder.
#[derive(Clone, Debug)]
struct Sits {
    license: &'static str,
    asked: Checkout,
    slots: Vec<u64>,
    until: u64,
    ending: bool,
}

/// A pause after a reclaim: as long as one of these sits, and for a time after the last of them has ended.
#[derive(Clone, Debug, Default)]
struct Pause {
    sitting: BTreeSet<HolderId>,
    until: u64,
}

struct World {
    engine: Engine,
    now: u64,
    made: u128,
    sold: Vec<Sold>,
    sits: BTreeMap<HolderId, Sits>,
    pauses: BTreeMap<(u8, u8), Pause>,
}

impl World {
    fn new(sold: Vec<Sold>) -> World {
        let mut world = World {
            engine: Engine::new(),
            now: 0,
            made: 0,
            sold: Vec::new(),
            sits: BTreeMap::new(),
            pauses: BTreeMap::new(),
        };
        let (unit, machine) = (UnitId([1; 16]), MachineId([0; 16]));
        world.give(Command::FoundSite { unit, machine });
        world.give(Command::StartRun {
            run: RunId([1; 16]),
        });
        for root in ["A", "B"] {
            let (vendor, roots) = (root.into(), vec![(root.into(), "PEM".into())]);
            world.give(Command::TrustVendor { vendor, roots });
        }
        for person in 0..PERSONS {
            let (user, login) = (user(person), LoginHash([person; 32]));
            world.give(Command::MeetUser { user, login });
        }
        for (which, one) in sold.into_iter().enumerate() {
            let covers = one.covers.clone();
            let installed = world.give(Command::InstallLicense {
                account: None,
                terms: Box::new(terms(&one)),
                assign_everyone: None,
                note_known: false,
            });
            assert!(
                matches!(installed, Verdict::Installed { .. }),
                "{installed:?}"
            );
            world.sold.push(one);
            covers
                .into_iter()
                .for_each(|person| world.assign(which, person));
        }
        world
    }

    fn at(&self) -> Now {
        Now {
            lease: LeaseTime(self.now),
            j: Date(BEGIN + self.now / 1000),
        }
    }

    fn give(&mut self, command: Command) -> Verdict {
        self.engine.apply(self.at(), command).1
    }

    fn assign(&mut self, which: usize, person: u8) {
        let one = &mut self.sold[which];
        one.covers.insert(person);
        let (id, license) = (assignment(which, person), license(one));
        let target = Target::User(user(person));
        self.give(Command::Assign {
            id,
            license,
            target,
            terms: AssignmentTerms::default(),
        });
    }

    fn step(&mut self, op: &Op) {
        self.give(Command::Tick);
        self.lapse();
        match op.clone() {
            Op::Checkout { .. } => self.checkout(op),
            Op::Renew(which) => self.renew(which),
            Op::Release(which) => self.leave(which, |id, process| {
                let what = Released::Holder(id);
                Command::Release(Release { what, process })
            }),
            Op::Dies(which) => {
                self.leave(which, |id, _| Command::ProcessGone { holders: vec![id] })
            }
            Op::Reclaim(which, hard) => self.reclaim(which, hard),
            Op::Assign(which, person) => self.assign(which, person),
            Op::Unassign(which, person) => {
                if self.sold[which].covers.remove(&person) {
                    self.give(Command::Unassign {
                        id: assignment(which, person),
                        hard: false,
                        if_match: None,
                    });
                }
            }
            Op::Wait(s) => self.wait(s * 1000),
        }
        // Who is on the way out is the other model's to tell (`model.rs`); here it is read.
        let state = self.engine.state();
        for (id, one) in &mut self.sits {
            one.ending = state.holder(*id).is_some_and(|h| h.ending().is_some());
        }
        self.check();
    }

    /// Holds end when they end, as the keeper has it.
    fn wait(&mut self, ms: u64) {
        let then = self.now + ms;
        while let Some(at) = self.engine.next_deadline().filter(|at| at.0 <= then) {
            self.now = self.now.max(at.0);
            self.lapse();
        }
        self.now = then;
    }

    fn lapse(&mut self) {
        self.give(Command::Expire);
        let over = self.sits.iter().filter(|(_, one)| one.until <= self.now);
        let over: Vec<_> = over.map(|(id, one)| (*id, one.until)).collect();
        over.into_iter().for_each(|(id, at)| self.left(id, at));
    }

    fn some(&self, which: u8) -> Option<HolderId> {
        let n = self.sits.len().max(1);
        self.sits.keys().nth(usize::from(which) % n).copied()
    }

    fn leave(&mut self, which: u8, how: impl Fn(HolderId, Process) -> Command) {
        let Some(id) = self.some(which) else { return };
        let process = self.sits[&id].asked.process.clone();
        assert_eq!(self.give(how(id, process)), Verdict::Done);
        self.left(id, self.now);
    }

    fn left(&mut self, id: HolderId, at: u64) {
        self.sits.remove(&id);
        for pause in self.pauses.values_mut() {
            if pause.sitting.remove(&id) {
                pause.until = pause.until.max(at + COOL_DOWN_S * 1000);
            }
        }
    }

    fn reclaim(&mut self, which: u8, hard: bool) {
        let Some(HolderId { gid, .. }) = self.some(which) else {
            return;
        };
        self.give(Command::Reclaim { gid, hard });
        for (id, one) in self.sits.iter().filter(|(id, _)| id.gid == gid) {
            // Who has heard another last word already keeps it.
            let ending = self.engine.state().holder(*id).and_then(|h| h.ending());
            if ending.is_some_and(|e| e.why == EndingWhy::Reclaimed) {
                let pause = self.pauses.entry(whose(&one.asked)).or_default();
                pause.sitting.insert(*id);
            }
        }
    }

    fn checkout(&mut self, op: &Op) {
        let asked = self.asked(op);
        let explained = explain(self.engine.state(), self.at(), &asked).1;
        let expected = self.expected(&asked);
        match self.give(Command::Checkout(Box::new(asked.clone()))) {
            Verdict::Denied(denial) => {
                let code = denial.code;
                assert_eq!(
                    explained.expect_err("explained as served").code,
                    code,
                    "rule 22"
                );
                let why = expected.expect_err(&format!("denied {code:?}, and should be served"));
                assert!(
                    why.contains(&code),
                    "{code:?} is none of {why:?}: {asked:?}"
                );
            }
            Verdict::Leased(lease) => {
                assert!(explained.is_ok() && lease.new, "{explained:?}");
                let (license, place) = expected
                    .unwrap_or_else(|why| panic!("served, and should be {why:?}: {asked:?}"));
                assert_eq!(
                    &*lease.license.id, license,
                    "rule 9: which pool, for {asked:?}"
                );
                match place {
                    Place::With(gid) => {
                        assert_eq!(lease.holder.gid, gid, "rules 6, 9: its own grant")
                    }
                    Place::On(slots) => assert_eq!(lease.slots, slots, "rule 9: the lowest slots"),
                }
                if asked.interactive {
                    self.pauses.remove(&whose(&asked));
                }
                self.seated(&lease, asked);
            }
            other => panic!("{other:?}"),
        }
    }

    fn seated(&mut self, lease: &LeaseTerms, asked: Checkout) {
        let one = self.sold.iter().find(|one| *one.id == *lease.license.id);
        let one = one.expect("one of the three");
        // Rule 16: cut to the license's end, grace first.
        let left = self.left_of(one);
        let ttl_s = TTL_S.min(left);
        let grace_s = GRACE_S.min(left - ttl_s);
        assert_eq!(
            (lease.ttl_s, lease.grace_s),
            (ttl_s, grace_s),
            "rule 16: {one:?}"
        );
        let sits = Sits {
            license: one.id,
            asked,
            slots: lease.slots.clone(),
            until: self.now + hold_ms(lease),
            ending: false,
        };
        assert!(
            self.sits.insert(lease.holder, sits).is_none(),
            "a new holder"
        );
    }

    fn renew(&mut self, which: u8) {
        let Some(id) = self.some(which) else { return };
        let process = self.sits[&id].asked.process.clone();
        let renewed = self.give(Command::Renew(Renew {
            holder: id,
            process,
            shown: None,
        }));
        let now = self.now;
        let one = self.sits.get_mut(&id).expect("it sits");
        match renewed {
            Verdict::Leased(lease) => {
                assert_eq!(
                    (&lease.slots, &*lease.license.id),
                    (&one.slots, one.license),
                    "rule 5"
                );
                one.until = one.until.max(now + hold_ms(&lease));
            }
            Verdict::Denied(denial) => {
                let over = denial.code == Code::LicenseExpired;
                assert!(one.ending || over, "{denial:?}: {one:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// Seconds that a license has left.
    fn left_of(&self, one: &Sold) -> u64 {
        one.lasts
            .map_or(u64::MAX, |lasts| lasts.saturating_sub(self.now / 1000))
    }

    /// Which license serves it and where, or every reason that a license has not to.
    fn expected(&self, asked: &Checkout) -> Result<(&'static str, Place), BTreeSet<Code>> {
        let person = asked.user.0[0];
        let carried = |one: &&Sold| asked.roots.iter().any(|root| **root == *one.root);
        let tried: Vec<_> = self.sold.iter().filter(carried).collect();
        if tried.is_empty() {
            return Err([Code::WrongVendor].into());
        }
        let mut why = BTreeSet::new();
        let pause = self.pauses.get(&whose(asked));
        let paused = pause.is_some_and(|p| !p.sitting.is_empty() || p.until > self.now);
        if paused && !asked.interactive {
            why.insert(Code::CoolDown);
        }
        let mut serve = Vec::new();
        for one in tried {
            // Which of several faults of a license is named is the engine's choice.
            let faults = [
                (Code::NotAssigned, !one.covers.contains(&person)),
                (Code::LicenseExpired, self.left_of(one) < 10),
                (
                    Code::VersionTooNew,
                    !fits(one.limit, asked.version.as_deref()),
                ),
            ];
            let faults = faults.into_iter().filter(|(_, is)| *is);
            let faults: Vec<_> = faults.map(|(code, _)| code).collect();
            if faults.is_empty() {
                serve.push(one);
            }
            why.extend(faults);
        }
        serve.sort_by_key(|one| {
            let full = self.left_of(one) >= TTL_S + GRACE_S;
            (!full, one.lasts.unwrap_or(u64::MAX), (one.root, one.id))
        });
        let own = serve.iter().find_map(|one| {
            let gid = self.own(one, asked)?;
            Some((one.id, Place::With(gid)))
        });
        let free = serve.iter().find_map(|one| {
            let slots = self.free(one, asked.n);
            if slots.len() == asked.n as usize {
                return Some((one.id, Place::On(slots)));
            }
            why.insert(match u64::from(asked.n) > one.seats {
                true => Code::RequestExceedsTotal,
                false => Code::NoSeatFree,
            });
            None
        });
        match own.or(free) {
            Some(place) if !why.contains(&Code::CoolDown) => Ok(place),
            _ => Err(why),
        }
    }

    /// The lowest grant of its unit in this pool that it may join.
    fn own(&self, one: &Sold, asked: &Checkout) -> Option<Gid> {
        let mut grants = BTreeMap::<Gid, Vec<&Sits>>::new();
        for (id, sits) in self.sits.iter().filter(|(_, sits)| sits.license == one.id) {
            grants.entry(id.gid).or_default().push(sits);
        }
        let joins = |sharers: &Vec<&Sits>| {
            sharers.iter().any(|sits| !sits.ending)
                && sharers[0].slots.len() == asked.n as usize
                && unit(one.counting, &sharers[0].asked) == unit(one.counting, asked)
                && one
                    .share_max
                    .is_none_or(|most| (sharers.len() as u64) < most)
        };
        let own = grants.iter().find(|(_, sharers)| joins(sharers));
        own.map(|(gid, _)| *gid)
    }

    /// The lowest free slots, so many at most.
    fn free(&self, one: &Sold, n: u32) -> Vec<u64> {
        let of = self.sits.values().filter(|sits| sits.license == one.id);
        let taken: BTreeSet<_> = of.flat_map(|sits| sits.slots.clone()).collect();
        let free = (0..one.seats).filter(|slot| !taken.contains(slot));
        free.take(n as usize).collect()
    }

    fn asked(&mut self, op: &Op) -> Checkout {
        let Op::Checkout {
            person,
            machine,
            instance,
            n,
            version,
            roots,
            interactive,
        } = *op
        else {
            unreachable!("a checkout")
        };
        self.made += 1;
        let roots = [("A", 1), ("B", 2)]
            .into_iter()
            .filter(|(_, bit)| roots & bit != 0);
        Checkout {
            checkout_id: CheckoutId(self.made.to_be_bytes()),
            process: Process {
                machine: MachineId([machine; 16]),
                attested_by: MachineId([machine; 16]),
                uid: u32::from(person),
                boot: BootId([machine; 16]),
                instance: InstanceId([100 * person + 10 * machine + instance; 16]),
            },
            pid: None,
            user: user(person),
            product: "cad".into(),
            feature: "modeler".into(),
            version: VERSIONS[version].map(Into::into),
            n,
            roots: roots.map(|(root, _)| root.into()).collect(),
            wait_s: 0,
            interactive,
            needs_terms: false,
            shown: None,
        }
    }

    /// I1, I15: nobody shares a slot who shares no grant, and the engine knows the same holders.
    fn check(&self) {
        let mut by_slot = BTreeMap::new();
        for (id, one) in &self.sits {
            let held = self.engine.state().holder(*id);
            let held = held.unwrap_or_else(|| {
                panic!("{id} sits until {}, and is gone at {}", one.until, self.now)
            });
            assert_eq!(held.until.0, one.until, "rule 15: the hold of {id}");
            for slot in &one.slots {
                let first = *by_slot.entry((one.license, *slot)).or_insert(id.gid);
                assert_eq!(
                    first, id.gid,
                    "I1: two grants on slot {slot} of {}",
                    one.license
                );
            }
        }
        let gids: BTreeSet<_> = self.sits.keys().map(|id| id.gid).collect();
        assert_eq!(self.engine.state().grants.len(), gids.len());
    }
}

/// Where a checkout sits.
#[derive(Debug)]
enum Place {
    With(Gid),
    On(Vec<u64>),
}

/// Rule 15, by hand.
fn hold_ms(lease: &LeaseTerms) -> u64 {
    let term = (lease.ttl_s + lease.grace_s) * 1000;
    term + term / 1000 + 2000
}

/// Rule 12, for the versions that are asked for here.
fn fits(limit: Option<&str>, asked: Option<&str>) -> bool {
    let year = |version: &str| version[..4].parse::<u32>().expect("a year");
    match (limit, asked) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(limit), Some(asked)) => year(asked) <= year(limit),
    }
}

/// Rule 6 in bytes: equal where two checkouts count as one.
fn unit(counting: CountingUnit, asked: &Checkout) -> Vec<u8> {
    let process = &asked.process;
    match counting {
        CountingUnit::Process => process.instance.0.to_vec(),
        CountingUnit::User => asked.user.0.to_vec(),
        CountingUnit::Host => process.machine.0.to_vec(),
        CountingUnit::UserHost => [asked.user.0, process.machine.0].concat(),
    }
}

fn whose(asked: &Checkout) -> (u8, u8) {
    (asked.user.0[0], asked.process.machine.0[0])
}

fn user(person: u8) -> UserId {
    UserId([person; 16])
}

fn assignment(which: usize, person: u8) -> AssignmentId {
    let which = u8::try_from(which).expect("three of them");
    AssignmentId([16 * (which + 1) + person; 16])
}

fn license(one: &Sold) -> LicenseId {
    LicenseId {
        vendor: one.root.into(),
        id: one.id.into(),
    }
}

fn terms(one: &Sold) -> LicenseTerms {
    LicenseTerms {
        id: license(one),
        serial: 1,
        replaces: None,
        product: "cad".into(),
        customer: "".into(),
        root: one.root.into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([one.id.as_bytes()[1]; 32]),
            iat: Date(BEGIN),
        },
        nbf: Date(0),
        exp: one.lasts.map(|lasts| Date(BEGIN + lasts)),
        features: vec![Feature {
            name: "modeler".into(),
            seats: Some(one.seats),
            overdraft: 0,
            model: Model::Floating,
            unit: one.counting,
            version: one.limit.map(Into::into),
            ttl_s: TTL_S,
            grace_s: GRACE_S,
            save_s: 20,
            cool_down_s: COOL_DOWN_S,
            share_max: one.share_max,
            linger_s: 0,
            named_min_s: 0,
            policies: vec![],
            optional: vec![],
        }],
        token: "token".into(),
        issuer: "issuer".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r4_r8_r9_r12_r16_which_pool_is_as_a_naive_telling_has_it(
        licenses in (sold("L1", "A"), sold("L2", "A"), sold("L3", "B")),
        ops in ops(),
    ) {
        let mut world = World::new(vec![licenses.0, licenses.1, licenses.2]);
        for op in &ops {
            world.step(op);
        }
    }
}
