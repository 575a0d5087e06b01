//! What a large organisation costs: 100,000 users, 5,000 groups nested four deep, 2,000 units; in the engine alone, and so
//! without sockets, journal and signatures. Ratios are of one call, its rounds interleaved.

use crate::Plan;
use crate::clock::Stopwatch;
use crate::measure::median;
use seatkeeper_engine::command::{
    Arrange, Checkout, MoveTo, Process, Release, Released, Signed, UnitChange,
};
use seatkeeper_engine::ids::{
    AssignmentId, BootId, CheckoutId, GroupId, HolderId, InstanceId, LicenseId, LoginHash,
    MachineId, Name, NameHash, RunId, TokenHash, UnitId, UserId,
};
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Limit, Model, Place, Target, UserStatus,
};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, Verdict, explain};

const USERS: u32 = 100_000;
const GROUPS: u32 = 5_000;
const UNITS: u32 = 2_000;
/// Users of the unit that moves and of the group that is emptied.
const MANY: u32 = 10_000;
/// Assignments that do not concern a pool.
const ELSEWHERE: u32 = 1_000;
/// Members that one order takes out, as the desk has it.
const AT_ONCE: usize = 500;
const NOW: Now = Now {
    lease: LeaseTime(0),
    j: Date(1_000_000),
};

/// Measures and prints.
pub(crate) fn table(plan: &Plan) {
    let mut house = House::open();
    println!(
        "| of an organisation: {USERS} users, {GROUPS} groups, {UNITS} units; engine alone | reached | aim |\n|---|---|---|"
    );
    let (mut one, mut twenty, mut limited) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        one.push(house.pairs("one"));
        twenty.push(house.pairs("twenty"));
        limited.push(house.pairs("limited"));
    }
    let over = |these: &mut Vec<f64>| {
        let mut ratios: Vec<f64> = these
            .iter()
            .zip(&one)
            .map(|(these, one)| these / one)
            .collect();
        median(&mut ratios)
    };
    let (by_twenty, by_limit) = (over(&mut twenty), over(&mut limited));
    println!(
        "| checkout and release through 20 covering assignments, of one through one ({:.1} µs) | {by_twenty:.2} | ≤ 1.5 |",
        median(&mut one)
    );
    println!("| the same through a group with a max | {by_limit:.2} | |");
    let why = timed_us(|| house.why("twenty"));
    println!("| `why` through 20 assignments | {why:.0} µs | ≤ 10 ms |");
    println!(
        "| worst of 1,000 pairs before and while a unit of {MANY} users moves to and fro | {}; and {} | + 20 ms |",
        house.pauses("limited", |_, _| ()),
        house.pauses("limited", House::move_unit)
    );
    println!(
        "| worst of 1,000 pairs while a group is put into another and taken out | {} | |",
        house.pauses("limited", House::nest)
    );
    println!(
        "| the same where {MANY} seats fill a reserve | {}; and {} | + 20 ms |",
        house.pauses("reserved", |_, _| ()),
        house.pauses("reserved", House::move_unit)
    );
    println!(
        "| worst of 1,000 pairs while a group of {MANY} is emptied, by 500 | {} | + 20 ms |",
        house.pauses("limited", House::empty_group)
    );
    let few = house.pairs("reserved");
    house.elsewhere();
    house.pair("reserved");
    println!(
        "| checkout and release under reserves, with {ELSEWHERE} reserves of the same license for another feature and {ELSEWHERE} of other licenses, of one without them ({few:.1} µs) | {:.2} | 1 |",
        house.pairs("reserved") / few
    );
    house.owners();
    let ticks = (0..20).map(|n| {
        house.move_unit(n);
        timed_us(|| drop(house.give(Command::Tick)))
    });
    println!(
        "| worst of 20 ticks over {USERS} named seats that nobody sits on, each after a unit of {MANY} users moved | {:.0} µs | ≤ 20 ms |",
        ticks.fold(0.0, f64::max)
    );
}

struct House {
    engine: Engine,
    asked: u32,
}

impl House {
    fn open() -> House {
        let mut house = House {
            engine: Engine::new(),
            asked: 0,
        };
        house.give(Command::FoundSite {
            unit: unit(0),
            machine: MachineId([0; 16]),
        });
        house.give(Command::StartRun {
            run: RunId([1; 16]),
        });
        house.give(Command::TrustVendor {
            vendor: "acme".into(),
            roots: vec![("root".into(), "PEM".into())],
        });
        house.people();
        house.licenses();
        house
    }

    /// Unit 1 holds the first 10,000 users; everyone else is in the 1,998 others. Each fourth group is in the one before it,
    /// and every user in one group.
    fn people(&mut self) {
        for n in 1..UNITS {
            let above = if n < 3 { 0 } else { n / 2 };
            self.arrange(Arrange::MakeUnit {
                unit: unit(n),
                name: NameHash(wide(n)),
                place: Place::Below(unit(above)),
            });
        }
        for n in 0..GROUPS {
            self.arrange(Arrange::MakeGroup {
                group: group(n),
                name: NameHash(wide(n)),
                unit: unit(0),
            });
        }
        for n in (0..GROUPS).filter(|n| n % 4 != 0) {
            self.add(n - 1, Vec::new(), vec![group(n)]);
        }
        for n in 0..USERS {
            self.arrange(Arrange::MakeUser {
                user: user(n),
                login: LoginHash(wide(n)),
                address: None,
                units: vec![unit(if n < MANY { 1 } else { 2 + n % (UNITS - 2) })],
                status: UserStatus::Active,
                until: None,
            });
            self.add(n % GROUPS, vec![user(n)], Vec::new());
        }
        for some in (0..MANY).collect::<Vec<_>>().chunks(AT_ONCE) {
            self.add(0, some.iter().map(|n| user(*n)).collect(), Vec::new());
        }
    }

    /// `one`: everyone. `twenty`: the groups and units around user 7, and everyone. `limited`: group 0 and unit 2 with a max
    /// each, and everyone. `reserved`: the same with reserves.
    fn licenses(&mut self) {
        for name in ["one", "twenty", "limited", "reserved", "named"] {
            self.give(Command::InstallLicense {
                terms: Box::new(terms(name)),
                account: None,
                assign_everyone: None,
                note_known: false,
            });
            self.assign(name, Target::Unit(unit(0)), Vec::new());
        }
        let known = self.engine.state().users[&user(7)].clone();
        let groups = self.engine.state().groups_around(&known.groups);
        let units: Vec<_> = self.engine.state().upwards(known.units[0]).collect();
        let around = groups.into_iter().map(Target::Group);
        let around: Vec<_> = around.chain(units.into_iter().map(Target::Unit)).collect();
        for target in around
            .into_iter()
            .filter(|target| *target != Target::Unit(unit(0)))
        {
            self.assign("twenty", target, Vec::new());
        }
        // More groups of user 7, until there are twenty.
        for n in (100..).step_by(4) {
            if self
                .engine
                .state()
                .covering_of(&id("twenty"), user(7))
                .count()
                >= 20
            {
                break;
            }
            self.add(n, vec![user(7)], Vec::new());
            self.assign("twenty", Target::Group(group(n)), Vec::new());
        }
        let max = Limit {
            feature: Some("modeler".into()),
            max: Some(u64::from(USERS)),
            ..Limit::default()
        };
        self.assign("limited", Target::Group(group(0)), vec![max.clone()]);
        let reserve = Limit {
            feature: Some("modeler".into()),
            reserve: Some(u64::from(MANY)),
            ..Limit::default()
        };
        self.assign("reserved", Target::Group(group(0)), vec![reserve.clone()]);
        // What covers the users of the unit that moves only while it is there.
        self.assign("limited", Target::Unit(unit(2)), vec![max]);
        self.assign("reserved", Target::Unit(unit(2)), vec![reserve]);
        // Seats of all of them, which a limit and a reserve count.
        for n in 0..MANY {
            self.checkout("limited", n);
            self.checkout("reserved", n);
        }
    }

    /// Reserves that do not concern the pool of `reserved`.
    fn elsewhere(&mut self) {
        for n in 0..ELSEWHERE {
            for (license, feature) in [("reserved", "viewer"), ("one", "modeler")] {
                let reserve = Limit {
                    feature: Some(feature.into()),
                    reserve: Some(1),
                    ..Limit::default()
                };
                self.assign(license, Target::Group(group(GROUPS - 1 - n)), vec![reserve]);
            }
        }
    }

    /// A named seat of every user, on none of which anybody sits.
    fn owners(&mut self) {
        for n in 0..USERS {
            let (holder, process) = self.checkout("named", n);
            let what = Released::Holder(holder);
            self.give(Command::Release(Release { what, process }));
        }
    }

    fn give(&mut self, command: Command) -> Verdict {
        let (_, verdict) = self.engine.apply(NOW, command);
        assert!(!matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
        verdict
    }

    fn arrange(&mut self, change: Arrange) {
        self.give(Command::Arrange(change));
    }

    fn add(&mut self, n: u32, users: Vec<UserId>, groups: Vec<GroupId>) {
        self.arrange(Arrange::AddMembers {
            group: group(n),
            users,
            groups,
            if_match: None,
        });
    }

    fn assign(&mut self, license: &str, target: Target, limits: Vec<Limit>) {
        self.asked += 1;
        self.give(Command::Assign {
            id: AssignmentId(narrow(self.asked)),
            license: id(license),
            target,
            terms: AssignmentTerms {
                limits,
                ..AssignmentTerms::default()
            },
        });
    }

    fn asks(&mut self, product: &str, n: u32) -> Checkout {
        self.asked += 1;
        Checkout {
            checkout_id: CheckoutId(narrow(self.asked)),
            process: Process {
                machine: MachineId([0; 16]),
                attested_by: MachineId([0; 16]),
                uid: n,
                boot: BootId([0; 16]),
                instance: InstanceId(narrow(self.asked)),
            },
            pid: None,
            user: user(n),
            product: product.into(),
            feature: "modeler".into(),
            version: None,
            n: 1,
            roots: vec!["root".into()],
            wait_s: 0,
            interactive: false,
            needs_terms: false,
            shown: None,
        }
    }

    fn checkout(&mut self, product: &str, n: u32) -> (HolderId, Process) {
        let asked = self.asks(product, n);
        let process = asked.process.clone();
        match self.give(Command::Checkout(Box::new(asked))) {
            Verdict::Leased(lease) => (lease.holder, process),
            other => panic!("{other:?}"),
        }
    }

    fn pair(&mut self, product: &str) {
        let (holder, process) = self.checkout(product, 7);
        let what = Released::Holder(holder);
        self.give(Command::Release(Release { what, process }));
    }

    /// Microseconds of a pair, of so many.
    fn pairs(&mut self, product: &str) -> f64 {
        const PAIRS: u32 = 5_000;
        timed_us(|| (0..PAIRS).for_each(|_| self.pair(product))) / f64::from(PAIRS)
    }

    fn why(&mut self, product: &str) {
        let asked = self.asks(product, 7);
        let (_, judged) = explain(self.engine.state(), NOW, &asked);
        assert!(judged.is_ok(), "{judged:?}");
    }

    /// The median and the worst of 1,000 pairs, each after a step of something else, which counts with it. What earlier
    /// steps left to count is counted before.
    fn pauses(&mut self, product: &str, step: impl Fn(&mut House, u32)) -> String {
        self.pair(product);
        let one = |n| {
            timed_us(|| {
                step(self, n);
                self.pair(product);
            })
        };
        let mut all: Vec<_> = (0..1_000).map(one).collect();
        let usual = median(&mut all);
        format!("{:.1} ms, usually {:.1}", all[999] / 1e3, usual / 1e3)
    }

    fn move_unit(&mut self, n: u32) {
        let to = MoveTo::Below(unit(if n.is_multiple_of(2) { 2 } else { 0 }));
        self.arrange(Arrange::ChangeUnit {
            unit: unit(1),
            change: UnitChange::Move { to, hard: false },
            if_match: None,
        });
    }

    /// A group of nobody comes under the max and leaves it: where anyone stands may have changed.
    fn nest(&mut self, n: u32) {
        let groups = vec![group(GROUPS - 1)];
        self.arrange(if n.is_multiple_of(2) {
            Arrange::AddMembers {
                group: group(0),
                users: Vec::new(),
                groups,
                if_match: None,
            }
        } else {
            Arrange::DropMembers {
                group: group(0),
                users: Vec::new(),
                groups,
                hard: false,
                if_match: None,
            }
        });
    }

    fn empty_group(&mut self, n: u32) {
        let of = n * 500..(n + 1) * 500;
        let users: Vec<_> = of.filter(|n| *n < MANY).map(user).collect();
        if !users.is_empty() {
            self.arrange(Arrange::DropMembers {
                group: group(0),
                users,
                groups: Vec::new(),
                hard: false,
                if_match: None,
            });
        }
    }
}

/// Microseconds that something takes.
fn timed_us(work: impl FnOnce()) -> f64 {
    let watch = Stopwatch::start();
    work();
    watch.elapsed().as_secs_f64() * 1e6
}

fn narrow(n: u32) -> [u8; 16] {
    let mut id = [7; 16];
    // Random ids are spread over all of their range.
    id[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
    id
}

fn wide(n: u32) -> [u8; 32] {
    let mut id = [7; 32];
    id[..16].copy_from_slice(&narrow(n));
    id
}

fn user(n: u32) -> UserId {
    UserId(narrow(n))
}

fn unit(n: u32) -> UnitId {
    UnitId(narrow(n))
}

fn group(n: u32) -> GroupId {
    GroupId(narrow(n))
}

fn id(name: &str) -> LicenseId {
    LicenseId {
        vendor: "acme".into(),
        id: name.into(),
    }
}

fn terms(name: &str) -> LicenseTerms {
    let feature = Feature {
        name: "modeler".into(),
        seats: Some(u64::from(USERS)),
        overdraft: 0,
        model: match name {
            "named" => Model::Named,
            _ => Model::Floating,
        },
        unit: match name {
            "named" => CountingUnit::User,
            _ => CountingUnit::Process,
        },
        version: None,
        ttl_s: 900,
        grace_s: 0,
        save_s: 300,
        cool_down_s: 0,
        share_max: None,
        linger_s: 0,
        named_min_s: 0,
        policies: Vec::new(),
        optional: Vec::new(),
    };
    LicenseTerms {
        id: id(name),
        serial: 1,
        replaces: None,
        product: Name::from(name),
        customer: "C".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash(wide(
                u32::from(name.as_bytes()[0]) + 256 * u32::from(name.as_bytes()[1]),
            )),
            iat: NOW.j,
        },
        nbf: Date(0),
        exp: None,
        features: vec![
            Feature {
                name: "viewer".into(),
                ..feature.clone()
            },
            feature,
        ],
        token: "license".into(),
        issuer: "issuer".into(),
    }
}
