//! A random walk beside a second, naive telling of the rules: slots, holds, who may sit, and what a replay gives.

use proptest::prelude::*;
use seatkeeper_engine::command::{Checkout, Process, Release, Released, Renew, Signed};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::{Event, Recorded};
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Model, Target,
};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, Verdict, explain};
use std::collections::{BTreeMap, BTreeSet};

const TTL_S: u64 = 60;
const GRACE_S: u64 = 30;
const SAVE_S: u64 = 20;
/// 90 s × 1.001 + 2 s, by hand (rule 15).
const HOLD_MS: u64 = 92_090;
const SEATED_BY: Date = Date(1_000_000);

#[derive(Clone, Debug)]
enum Op {
    Checkout {
        person: u8,
        machine: u8,
        instance: u8,
        n: u32,
        again: Option<u8>,
    },
    Renew(u8),
    Release(u8),
    GiveUp(u8),
    Dies(u8),
    Reclaim {
        which: u8,
        hard: bool,
    },
    Assign(u8),
    Unassign(u8),
    Install {
        seats: u64,
    },
    Wait {
        s: u64,
    },
    Restart {
        clean: bool,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let checkout = (
        0..3u8,
        0..2u8,
        0..3u8,
        1..3u32,
        proptest::option::weighted(0.15, any::<u8>()),
    );
    let checkout = checkout.prop_map(|(person, machine, instance, n, again)| Op::Checkout {
        person,
        machine,
        instance,
        n,
        again,
    });
    let one = prop_oneof![
        8 => checkout,
        5 => any::<u8>().prop_map(Op::Renew),
        3 => any::<u8>().prop_map(Op::Release),
        1 => any::<u8>().prop_map(Op::Dies),
        1 => (0..3u8).prop_map(Op::GiveUp),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(which, hard)| Op::Reclaim { which, hard }),
        1 => (0..3u8).prop_map(Op::Assign),
        1 => (0..3u8).prop_map(Op::Unassign),
        1 => (1..6u64).prop_map(|seats| Op::Install { seats }),
        4 => (1..70u64).prop_map(|s| Op::Wait { s }),
        1 => any::<bool>().prop_map(|clean| Op::Restart { clean }),
    ];
    proptest::collection::vec(one, 1..60)
}

fn counting() -> impl Strategy<Value = CountingUnit> {
    prop_oneof![
        Just(CountingUnit::Process),
        Just(CountingUnit::User),
        Just(CountingUnit::Host),
        Just(CountingUnit::UserHost)
    ]
}

/// A holder as the naive telling knows it.
#[derive(Clone, Debug)]
struct Sits {
    asked: Checkout,
    unit: Vec<u8>,
    slots: Vec<u64>,
    until: u64,
    /// The latest end of a lease as its application sees it.
    leased: u64,
    ending: bool,
}

struct World {
    engine: Engine,
    journal: Vec<Recorded>,
    now: u64,
    counting: CountingUnit,
    share_max: Option<u64>,
    seats: u64,
    serial: u64,
    covered: BTreeSet<u8>,
    sits: BTreeMap<HolderId, Sits>,
    made: Vec<Checkout>,
    last_gid: BTreeMap<u64, Gid>,
}

impl World {
    fn new(counting: CountingUnit, share_max: Option<u64>) -> World {
        let mut world = World {
            engine: Engine::new(),
            journal: Vec::new(),
            now: 0,
            counting,
            share_max,
            seats: 3,
            serial: 1,
            covered: BTreeSet::new(),
            sits: BTreeMap::new(),
            made: Vec::new(),
            last_gid: BTreeMap::new(),
        };
        let roots = vec![("root".into(), "PEM".into())];
        world.give(Command::FoundSite {
            unit: UnitId([1; 16]),
            machine: MachineId([0; 16]),
        });
        world.give(Command::StartRun {
            run: RunId([1; 16]),
        });
        world.give(Command::TrustVendor {
            vendor: "acme".into(),
            roots,
        });
        world.install();
        for person in 0..3 {
            world.give(Command::MeetUser {
                user: user(person),
                login: LoginHash([person; 32]),
            });
            world.assign(person);
        }
        world
    }

    fn at(&self) -> Now {
        Now {
            lease: LeaseTime(self.now),
            j: SEATED_BY,
        }
    }

    fn give(&mut self, command: Command) -> Verdict {
        let now = self.at();
        let (events, verdict) = self.engine.apply(now, command);
        self.journal
            .extend(events.into_iter().filter_map(|event| match event {
                Event::Recorded(event) => Some(event),
                Event::Fleeting(_) => None,
            }));
        verdict
    }

    fn install(&mut self) {
        let terms = Box::new(terms(
            self.serial,
            self.seats,
            self.counting,
            self.share_max,
        ));
        let verdict = self.give(Command::InstallLicense {
            account: None,
            terms,
            assign_everyone: None,
            note_known: false,
        });
        assert!(
            matches!(verdict, Verdict::Installed { new: true, .. }),
            "{verdict:?}"
        );
        for one in self.sits.values_mut() {
            one.ending |= one.slots.iter().any(|slot| *slot >= self.seats);
        }
    }

    fn assign(&mut self, person: u8) {
        let (id, target) = (AssignmentId([person; 16]), Target::User(user(person)));
        let verdict = self.give(Command::Assign {
            id,
            license: license(),
            target,
            terms: AssignmentTerms::default(),
        });
        assert!(matches!(verdict, Verdict::Assigned(_)), "{verdict:?}");
        self.covered.insert(person);
        self.look();
    }

    /// What is on its way out is read from the state: what is checked is who may join, and what becomes of slots.
    fn look(&mut self) {
        for (id, one) in &mut self.sits {
            one.ending = self
                .engine
                .state()
                .holder(*id)
                .is_some_and(|h| h.ending().is_some());
        }
    }

    fn some(&self, which: u8) -> Option<HolderId> {
        let n = self.sits.len().max(1);
        self.sits.keys().nth(usize::from(which) % n).copied()
    }

    fn step(&mut self, op: &Op) {
        self.give(Command::Expire);
        self.sits.retain(|_, one| one.until > self.now);
        match op.clone() {
            Op::Checkout {
                person,
                machine,
                instance,
                n,
                again,
            } => match again {
                Some(which) if !self.made.is_empty() => {
                    self.retry(usize::from(which) % self.made.len())
                }
                _ => self.checkout(person, machine, instance, n),
            },
            Op::Renew(which) => self.renew(which),
            Op::Release(which) => self.leave(which, |id, process| {
                Command::Release(Release {
                    what: Released::Holder(id),
                    process,
                })
            }),
            Op::GiveUp(person) => self.give_up(person),
            Op::Dies(which) => {
                self.leave(which, |id, _| Command::ProcessGone { holders: vec![id] })
            }
            Op::Reclaim { which, hard } => {
                if let Some(id) = self.some(which) {
                    self.give(Command::Reclaim { gid: id.gid, hard });
                }
            }
            Op::Assign(person) => self.assign(person),
            Op::Unassign(person) => {
                if self.covered.remove(&person) {
                    self.give(Command::Unassign {
                        id: AssignmentId([person; 16]),
                        hard: false,
                        if_match: None,
                    });
                }
            }
            Op::Install { seats } => {
                (self.seats, self.serial) = (seats, self.serial + 1);
                self.install();
            }
            Op::Wait { s } => self.now += s * 1000,
            Op::Restart { clean } => self.restart(clean),
        }
        self.look();
        self.check();
    }

    fn asked(&self, person: u8, machine: u8, instance: u8, n: u32) -> Checkout {
        let number = self.made.len() as u128;
        Checkout {
            checkout_id: CheckoutId(number.to_be_bytes()),
            process: Process {
                machine: MachineId([machine; 16]),
                attested_by: MachineId([machine; 16]),
                uid: u32::from(person),
                boot: BootId([machine; 16]),
                instance: InstanceId([10 * machine + instance; 16]),
            },
            pid: None,
            user: user(person),
            product: "cad".into(),
            feature: "modeler".into(),
            version: None,
            n,
            roots: vec!["root".into()],
            wait_s: 0,
            interactive: true,
            needs_terms: false,
            shown: None,
        }
    }

    /// A checkout is given up before it arrives: when it does, it is a retry of one that ended (rule 20).
    fn give_up(&mut self, person: u8) {
        let asked = self.asked(person, 0, 0, 1);
        self.made.push(asked.clone());
        let what = Released::Checkout(asked.checkout_id);
        let process = asked.process;
        assert_eq!(
            self.give(Command::Release(Release { what, process })),
            Verdict::Done
        );
        let last = self.engine.state().ended.back().expect("it is remembered");
        assert_eq!((last.checkout_id, last.holder), (asked.checkout_id, None));
    }

    fn checkout(&mut self, person: u8, machine: u8, instance: u8, n: u32) {
        let asked = self.asked(person, machine, instance, n);
        self.made.push(asked.clone());
        let explained = explain(self.engine.state(), self.at(), &asked).1;
        let verdict = self.give(Command::Checkout(Box::new(asked.clone())));
        match &verdict {
            Verdict::Denied(denial) => {
                let why = explained.expect_err("explained as served, and denied");
                assert_eq!(
                    why.code, denial.code,
                    "explaining and deciding are one function (rule 22)"
                );
                assert_eq!(Some(denial.code), self.expected(&asked).err(), "{asked:?}");
            }
            Verdict::Leased(lease) => {
                assert!(explained.is_ok() && lease.new, "{explained:?}");
                match self.expected(&asked) {
                    Ok(Some(gid)) => assert_eq!(
                        lease.holder.gid, gid,
                        "rule 6: the lowest grant of its unit with room"
                    ),
                    Ok(None) => assert_eq!(lease.slots, self.lowest(n), "rule 9: the lowest slots"),
                    Err(code) => panic!("served, and should be {code:?}"),
                }
                self.seated(lease.holder, &asked, &lease.slots);
            }
            other => panic!("{other:?}"),
        }
    }

    fn seated(&mut self, holder: HolderId, asked: &Checkout, slots: &[u64]) {
        for slot in slots {
            let last = self.last_gid.entry(*slot).or_insert(holder.gid);
            assert!(
                *last <= holder.gid,
                "I3: grants on one slot never interleave"
            );
            *last = holder.gid;
        }
        let one = Sits {
            asked: asked.clone(),
            unit: unit(self.counting, asked),
            slots: slots.to_vec(),
            until: self.now + HOLD_MS,
            leased: self.now + (TTL_S + GRACE_S) * 1000,
            ending: false,
        };
        assert!(
            self.sits.insert(holder, one).is_none(),
            "a new holder has a new id"
        );
    }

    /// The grant that is joined, or a new one, or why not; told as plainly as can be.
    fn expected(&self, asked: &Checkout) -> Result<Option<Gid>, Code> {
        if !self.covered.contains(&asked.user.0[0]) {
            return Err(Code::NotAssigned);
        }
        let unit = unit(self.counting, asked);
        let mut grants = BTreeMap::<Gid, Vec<&Sits>>::new();
        for (id, one) in &self.sits {
            grants.entry(id.gid).or_default().push(one);
        }
        let own = grants.iter().find(|(_, sharers)| {
            let room = self
                .share_max
                .is_none_or(|most| (sharers.len() as u64) < most);
            sharers[0].unit == unit
                && sharers[0].slots.len() == asked.n as usize
                && room
                && sharers.iter().any(|one| !one.ending)
        });
        if let Some((gid, _)) = own {
            return Ok(Some(*gid));
        }
        if u64::from(asked.n) > self.seats {
            return Err(Code::RequestExceedsTotal);
        }
        let free = self.lowest(asked.n).iter().all(|slot| *slot < self.seats);
        if free {
            Ok(None)
        } else {
            Err(Code::NoSeatFree)
        }
    }

    fn lowest(&self, n: u32) -> Vec<u64> {
        let taken: BTreeSet<u64> = self
            .sits
            .values()
            .flat_map(|one| one.slots.iter().copied())
            .collect();
        (0..)
            .filter(|slot| !taken.contains(slot))
            .take(n as usize)
            .collect()
    }

    /// I8: the same id is the same holder, or none; never a second seat.
    fn retry(&mut self, which: usize) {
        let asked = self.made[which].clone();
        let sat = self
            .sits
            .iter()
            .find(|(_, one)| one.asked.checkout_id == asked.checkout_id)
            .map(|(id, _)| *id);
        let remembered = self
            .engine
            .state()
            .ended
            .iter()
            .any(|e| e.checkout_id == asked.checkout_id);
        if sat.is_none() && !remembered {
            return;
        }
        match self.give(Command::Checkout(Box::new(asked))) {
            Verdict::Leased(lease) => {
                assert_eq!(Some(lease.holder), sat, "I8");
                assert!(!lease.new);
                self.renewed(&lease);
            }
            Verdict::Denied(denial) => assert!(
                matches!(denial.code, Code::LeaseEnded | Code::Superseded),
                "{denial:?}"
            ),
            other => panic!("{other:?}"),
        }
    }

    fn renew(&mut self, which: u8) {
        let Some(id) = self.some(which) else { return };
        let process = self.sits[&id].asked.process.clone();
        match self.give(Command::Renew(Renew {
            holder: id,
            process,
            shown: None,
        })) {
            Verdict::Leased(lease) => self.renewed(&lease),
            Verdict::Denied(denial) => {
                assert!(
                    self.sits[&id].ending,
                    "only an ending holder is refused: {denial:?}"
                );
                assert!(
                    matches!(denial.code, Code::LeaseEnded | Code::Superseded),
                    "{denial:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }

    fn renewed(&mut self, lease: &seatkeeper_engine::LeaseTerms) {
        let one = self.sits.get_mut(&lease.holder).expect("it sits");
        assert_eq!(
            lease.slots, one.slots,
            "rule 5: a grant never changes its slots"
        );
        assert_eq!(
            lease.last.is_some(),
            one.ending,
            "rule 16: an ending holder's lease is its last"
        );
        let (ttl_s, grace_s) = (lease.ttl_s, lease.grace_s);
        if one.ending {
            assert!(ttl_s <= SAVE_S && grace_s == 0);
        } else {
            assert_eq!((ttl_s, grace_s), (TTL_S, GRACE_S));
        }
        let term = (ttl_s + grace_s) * 1000;
        one.until = one.until.max(self.now + term + term / 1000 + 2000);
        one.leased = one.leased.max(self.now + term);
    }

    fn leave(&mut self, which: u8, how: impl Fn(HolderId, Process) -> Command) {
        let Some(id) = self.some(which) else { return };
        let process = self.sits[&id].asked.process.clone();
        assert_eq!(self.give(how(id, process)), Verdict::Done);
        self.sits.remove(&id);
    }

    /// A new engine folds the journal (rule 19, I14) and goes on.
    fn restart(&mut self, clean: bool) {
        if clean {
            self.give(Command::StopRun);
        }
        let engine = replayed(&self.journal);
        self.same_as(&engine);
        self.engine = engine;
        self.give(Command::StartRun {
            run: RunId([7; 16]),
        });
        for one in self.sits.values_mut() {
            one.until = if clean {
                one.until.max(self.now + TTL_S * 500)
            } else {
                self.now + HOLD_MS
            };
        }
    }

    fn same_as(&self, other: &Engine) {
        let text =
            |engine: &Engine| serde_json::to_string(engine.state()).expect("a state is JSON");
        assert_eq!(
            text(&self.engine),
            text(other),
            "I14: a replay gives the same recorded state"
        );
    }

    fn check(&self) {
        let state = self.engine.state();
        assert_eq!(
            state.grants.len(),
            self.sits
                .keys()
                .map(|id| id.gid)
                .collect::<BTreeSet<_>>()
                .len()
        );
        let mut by_slot = BTreeMap::<u64, Gid>::new();
        for (id, one) in &self.sits {
            let held = state.holder(*id).unwrap_or_else(|| {
                panic!("{id} sits until {}, and is gone at {}", one.until, self.now)
            });
            assert_eq!(held.until.0, one.until, "rule 15: the hold of {id}");
            assert!(
                one.leased <= one.until,
                "I5: no application sits longer than its hold"
            );
            for slot in &one.slots {
                assert_eq!(
                    *by_slot.entry(*slot).or_insert(id.gid),
                    id.gid,
                    "I1: two grants on slot {slot}"
                );
            }
        }
        let pool = state.pools.values().next().expect("there is one");
        assert_eq!(
            pool.used + pool.above,
            by_slot.len() as u64,
            "I15: the counters are what sits"
        );
        let next = self.sits.values().map(|one| one.until).min();
        assert!(
            next.is_none_or(|next| self.engine.next_deadline().is_some_and(|at| at.0 <= next)),
            "I9: nothing due is missed"
        );
    }
}

fn replayed(journal: &[Recorded]) -> Engine {
    let mut engine = Engine::new();
    journal.iter().for_each(|event| engine.replay(event));
    engine
}

fn user(person: u8) -> UserId {
    UserId([person; 16])
}

fn license() -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: "L1".into(),
    }
}

/// Rule 6 in bytes: equal where two checkouts count as one.
fn unit(counting: CountingUnit, asked: &Checkout) -> Vec<u8> {
    let process = &asked.process;
    match counting {
        CountingUnit::Process => [process.boot.0, process.instance.0].concat(),
        CountingUnit::User => asked.user.0.to_vec(),
        CountingUnit::Host => [process.machine.0, process.boot.0].concat(),
        CountingUnit::UserHost => [asked.user.0, process.machine.0, process.boot.0].concat(),
    }
}

fn terms(serial: u64, seats: u64, unit: CountingUnit, share_max: Option<u64>) -> LicenseTerms {
    let feature = Feature {
        name: "modeler".into(),
        seats: Some(seats),
        overdraft: 0,
        model: Model::Floating,
        unit,
        version: None,
        ttl_s: TTL_S,
        grace_s: GRACE_S,
        save_s: SAVE_S,
        cool_down_s: 100,
        share_max,
        linger_s: 0,
        named_min_s: 0,
        policies: vec![],
        optional: vec![],
    };
    LicenseTerms {
        id: license(),
        serial,
        replaces: None,
        product: "cad".into(),
        customer: "".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([u8::try_from(serial).expect("few serials"); 32]),
            iat: Date(serial),
        },
        nbf: Date(0),
        exp: None,
        features: vec![feature],
        token: "token".into(),
        issuer: "issuer".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i1_i3_i8_i9_i11_i14_a_random_walk_agrees_with_a_naive_telling(
        counting in counting(),
        share_max in proptest::option::of(1..4u64),
        ops in ops(),
    ) {
        let mut world = World::new(counting, share_max);
        for op in &ops {
            world.step(op);
        }
        world.same_as(&replayed(&world.journal));
    }
}
