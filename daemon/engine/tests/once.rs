//! Rule 20 beside a naive telling of it that forgets nothing: what a checkout id and a holder's id are answered, for
//! how long, over restarts, and how much is remembered at most.

use proptest::prelude::*;
use seatkeeper_engine::command::{Checkout, Process, Release, Released, Renew, Signed};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::{Event, Recorded};
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{
    AssignmentTerms, CountingUnit, Feature, LicenseTerms, Model, Target,
};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, State, Verdict};
use std::collections::BTreeMap;

/// 15 minutes, in milliseconds.
const REMEMBERED_MS: u64 = 900_000;
/// Ended ids at most, and of one credential those that never had a holder.
const MOST: usize = 262_144;
const SHARE: u64 = 4096;
/// 600 s × 1.001 + 2 s, by hand (rule 15).
const HOLD_MS: u64 = 602_600;

#[derive(Clone, Debug)]
enum Op {
    /// By a client, under one of few ids: first, again, or after its end.
    Checkout(u8, u8),
    /// Of a holder that there was.
    Renew(u8),
    ReleaseHolder(u8),
    ReleaseCheckout(u8, u8),
    Wait(u64),
    /// A crash: what was recorded is replayed.
    Replay,
    /// A start from a checkpoint.
    Resume,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let one = prop_oneof![
        6 => (0..3u8, 0..6u8).prop_map(|(who, id)| Op::Checkout(who, id)),
        4 => any::<u8>().prop_map(Op::Renew),
        2 => any::<u8>().prop_map(Op::ReleaseHolder),
        3 => (0..3u8, 0..6u8).prop_map(|(who, id)| Op::ReleaseCheckout(who, id)),
        4 => prop_oneof![1..400u64, Just(450), Just(899), Just(900)].prop_map(Op::Wait),
        1 => Just(Op::Replay),
        1 => Just(Op::Resume),
    ];
    proptest::collection::vec(one, 1..80)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// The end of its hold.
    Sits(u64),
    /// When, and whether its hold was over.
    Gone(u64, bool),
}

/// The telling: everything that ever was.
struct World {
    engine: Engine,
    journal: Vec<Recorded>,
    now: u64,
    holders: BTreeMap<HolderId, (u8, u8, Fate)>,
    /// The newest holder of each id, or when it was given up without one.
    ids: BTreeMap<(u8, u8), Result<HolderId, u64>>,
}

impl World {
    fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            journal: Vec::new(),
            now: 0,
            holders: BTreeMap::new(),
            ids: BTreeMap::new(),
        };
        for command in site() {
            world.give(command);
        }
        world
    }

    fn give(&mut self, command: Command) -> Verdict {
        let now = Now {
            lease: LeaseTime(self.now),
            j: Date(1_000),
        };
        let (events, verdict) = self.engine.apply(now, command);
        let recorded = events.into_iter().filter_map(|event| match event {
            Event::Recorded(event) => Some(event),
            Event::Fleeting(_) => None,
        });
        self.journal.extend(recorded);
        verdict
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Checkout(who, id) => self.checkout(who, id),
            Op::Renew(which) => self.renew(which),
            Op::ReleaseHolder(which) => self.release_holder(which),
            Op::ReleaseCheckout(who, id) => self.release_checkout(who, id),
            Op::Wait(s) => {
                self.now += s * 1000;
                self.give(Command::Expire);
                let now = self.now;
                for (_, _, fate) in self.holders.values_mut() {
                    if matches!(fate, Fate::Sits(until) if *until <= now) {
                        *fate = Fate::Gone(now, true);
                    }
                }
            }
            Op::Replay => {
                self.engine = Engine::new();
                self.journal.iter().for_each(|e| self.engine.replay(e));
                self.start();
            }
            Op::Resume => {
                let text = serde_json::to_string(self.engine.state()).expect("a state is JSON");
                let state: State = serde_json::from_str(&text).expect("and comes back");
                self.engine = Engine::resume(state);
                self.start();
            }
        }
    }

    /// A start gives every holder a fresh hold (rule 19).
    fn start(&mut self) {
        self.give(Command::StartRun {
            run: RunId([2; 16]),
        });
        for (_, _, fate) in self.holders.values_mut() {
            if let Fate::Sits(until) = fate {
                *until = self.now + HOLD_MS;
            }
        }
    }

    fn remembered(&self, at: u64) -> bool {
        self.now < at + REMEMBERED_MS
    }

    fn checkout(&mut self, who: u8, id: u8) {
        let verdict = self.give(Command::Checkout(Box::new(asked(who, id))));
        let known = self.ids.get(&(who, id)).copied();
        let fate = match known {
            Some(Ok(holder)) => Some(self.holders[&holder].2),
            Some(Err(at)) => Some(Fate::Gone(at, false)),
            None => None,
        };
        match (fate, verdict) {
            (Some(Fate::Sits(_)), Verdict::Leased(lease)) => {
                assert!(!lease.new && known == Some(Ok(lease.holder)));
                self.holds(lease.holder);
            }
            (Some(Fate::Gone(at, _)), Verdict::Denied(no)) => {
                assert!(self.remembered(at), "forgotten after 15 minutes: {no:?}");
                assert_eq!((no.code, no.rule), (Code::LeaseEnded, 20));
            }
            (fate, Verdict::Leased(lease)) => {
                let late = matches!(fate, Some(Fate::Gone(at, _)) if self.remembered(at));
                assert!(!late, "never a new seat within 15 minutes");
                assert!(lease.new && !self.holders.contains_key(&lease.holder));
                let fate = Fate::Sits(self.now + HOLD_MS);
                self.holders.insert(lease.holder, (who, id, fate));
                self.ids.insert((who, id), Ok(lease.holder));
            }
            (fate, verdict) => panic!("{fate:?}: {verdict:?}"),
        }
    }

    fn holds(&mut self, holder: HolderId) {
        let until = self.now + HOLD_MS;
        if let Some((_, _, fate)) = self.holders.get_mut(&holder) {
            *fate = Fate::Sits(until);
        }
    }

    fn one(&self, which: u8) -> Option<(HolderId, u8, Fate)> {
        let at = usize::from(which) % self.holders.len().max(1);
        let (holder, (who, _, fate)) = self.holders.iter().nth(at)?;
        Some((*holder, *who, *fate))
    }

    fn renew(&mut self, which: u8) {
        let Some((holder, who, fate)) = self.one(which) else {
            return;
        };
        let process = process(who);
        let verdict = self.give(Command::Renew(Renew {
            holder,
            process,
            shown: None,
        }));
        match (fate, verdict) {
            (Fate::Sits(_), Verdict::Leased(lease)) => {
                assert_eq!(lease.holder, holder);
                self.holds(holder);
            }
            (Fate::Gone(at, lapsed), Verdict::Denied(no)) => {
                let expected = match (self.remembered(at), lapsed) {
                    (false, _) => Code::UnknownLease,
                    (true, true) => Code::LeaseLapsed,
                    (true, false) => Code::LeaseEnded,
                };
                assert_eq!(no.code, expected, "{holder}");
            }
            (fate, verdict) => panic!("{fate:?}: {verdict:?}"),
        }
    }

    fn release_holder(&mut self, which: u8) {
        let Some((holder, who, fate)) = self.one(which) else {
            return;
        };
        let verdict = self.release(who, Released::Holder(holder));
        match fate {
            Fate::Sits(_) => {
                assert_eq!(verdict, Verdict::Done);
                self.gone(holder);
            }
            Fate::Gone(at, _) if self.remembered(at) => assert_eq!(verdict, Verdict::Done),
            Fate::Gone(..) => match verdict {
                Verdict::Denied(no) => assert_eq!(no.code, Code::UnknownLease),
                other => panic!("{other:?}"),
            },
        }
    }

    fn release_checkout(&mut self, who: u8, id: u8) {
        let verdict = self.release(who, Released::Checkout(checkout_id(id)));
        assert_eq!(verdict, Verdict::Done);
        match self.ids.get(&(who, id)).copied() {
            Some(Ok(holder)) => match self.holders[&holder].2 {
                Fate::Sits(_) => self.gone(holder),
                Fate::Gone(at, _) if self.remembered(at) => {}
                Fate::Gone(..) => self.given_up(who, id),
            },
            Some(Err(at)) if self.remembered(at) => {}
            _ => self.given_up(who, id),
        }
    }

    fn given_up(&mut self, who: u8, id: u8) {
        self.ids.insert((who, id), Err(self.now));
    }

    fn release(&mut self, who: u8, what: Released) -> Verdict {
        let process = process(who);
        self.give(Command::Release(Release { what, process }))
    }

    fn gone(&mut self, holder: HolderId) {
        let now = self.now;
        if let Some((_, _, fate)) = self.holders.get_mut(&holder) {
            *fate = Fate::Gone(now, false);
        }
    }
}

fn site() -> Vec<Command> {
    let license = LicenseId {
        vendor: "acme".into(),
        id: "L1".into(),
    };
    let found = Command::FoundSite {
        unit: UnitId([1; 16]),
        machine: MachineId([1; 16]),
    };
    let trust = Command::TrustVendor {
        vendor: "acme".into(),
        roots: vec![("root".into(), "pem".into())],
    };
    let install = Command::InstallLicense {
        account: None,
        terms: Box::new(terms(&license)),
        assign_everyone: None,
        note_known: false,
    };
    let assign = Command::Assign {
        id: AssignmentId([1; 16]),
        license,
        target: Target::Unit(UnitId([1; 16])),
        terms: AssignmentTerms::default(),
    };
    let start = Command::StartRun {
        run: RunId([1; 16]),
    };
    let meet = Command::MeetUser {
        user: UserId([1; 16]),
        login: LoginHash([1; 32]),
    };
    vec![found, start, trust, install, assign, meet]
}

fn terms(license: &LicenseId) -> LicenseTerms {
    let feature = Feature {
        name: "modeler".into(),
        seats: None,
        overdraft: 0,
        model: Model::Floating,
        unit: CountingUnit::Process,
        version: None,
        ttl_s: 600,
        grace_s: 0,
        save_s: 300,
        cool_down_s: 0,
        share_max: Some(1),
        linger_s: 0,
        named_min_s: 0,
        policies: vec![],
        optional: vec![],
    };
    LicenseTerms {
        id: license.clone(),
        serial: 1,
        replaces: None,
        product: "cad".into(),
        customer: "C-1".into(),
        root: "root".into(),
        kid: "kid".into(),
        signed: Signed {
            hash: TokenHash([1; 32]),
            iat: Date(1),
        },
        nbf: Date(1),
        exp: None,
        features: vec![feature],
        token: "token".into(),
        issuer: "issuer".into(),
    }
}

/// The same ids for all: they are scoped to machine and credential.
fn checkout_id(id: u8) -> CheckoutId {
    CheckoutId([id; 16])
}

fn process(who: u8) -> Process {
    Process {
        machine: MachineId([1 + who / 2; 16]),
        attested_by: MachineId([1; 16]),
        uid: u32::from(who % 2),
        boot: BootId([1; 16]),
        instance: InstanceId([who; 16]),
    }
}

fn asked(who: u8, id: u8) -> Checkout {
    Checkout {
        checkout_id: checkout_id(id),
        process: process(who),
        pid: None,
        user: UserId([1; 16]),
        product: "cad".into(),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r20_ids_are_answered_as_a_telling_that_forgets_nothing_says(ops in ops()) {
        let mut world = World::new();
        for op in &ops {
            world.step(op);
        }
    }
}

/// One more than fits is remembered by as many credentials as it takes; the oldest is gone, with its place in the share.
#[test]
fn r20_no_more_than_so_many_ended_ids_are_remembered_and_the_oldest_go_first() {
    let mut world = World::new();
    let give_up = |world: &mut World, uid: u32, n: u64| {
        let mut process = process(0);
        process.uid = uid;
        let id = (u128::from(uid) << 64) + u128::from(n);
        let what = Released::Checkout(CheckoutId(id.to_be_bytes()));
        world.journal.clear();
        world.give(Command::Release(Release { what, process }))
    };
    let credentials = u32::try_from(MOST as u64 / SHARE).expect("few");
    for uid in 0..credentials {
        for n in 0..SHARE {
            assert_eq!(give_up(&mut world, uid, n), Verdict::Done);
        }
    }
    assert_eq!(world.engine.state().ended.len(), MOST);
    let beyond = give_up(&mut world, 0, SHARE);
    assert!(matches!(beyond, Verdict::Denied(no) if no.code == Code::ServerBusy));
    assert_eq!(give_up(&mut world, credentials, 0), Verdict::Done);
    assert_eq!(world.engine.state().ended.len(), MOST);
    let oldest = world.engine.state().ended.front().expect("many");
    assert_eq!(oldest.checkout_id, CheckoutId(1u128.to_be_bytes()));
    // The one that went took its place in its credential's share with it.
    assert_eq!(give_up(&mut world, 0, SHARE), Verdict::Done);

    let resumed = Engine::resume(world.engine.state().clone());
    assert_eq!(resumed.state().ended.len(), MOST);
    world.engine = resumed;
    let beyond = give_up(&mut world, 1, SHARE);
    assert!(matches!(beyond, Verdict::Denied(no) if no.code == Code::ServerBusy));
    world.now += REMEMBERED_MS;
    assert_eq!(give_up(&mut world, 1, SHARE), Verdict::Done);
    assert_eq!(world.engine.state().ended.len(), 1, "15 minutes are over");
}
