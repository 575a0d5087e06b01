//! Named seats (rule 7): random walks over one license whose seats have owners, beside a telling that keeps a plain list of
//! seats and looks at all of it for every question.

mod things;

use proptest::prelude::*;
use seatkeeper_engine::command::{Arrange, Checkout, Process, Release, Released, Renew};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::Event;
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{CountingUnit, Target, UserStatus};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, Verdict, explain};
use std::collections::{BTreeMap, BTreeSet};
use things::*;

/// Whose a seat is: a person, a machine, or a person on a machine; a floating one is of one boot of it.
type Owner = (Option<u8>, Option<(u8, Option<u8>)>);

/// A seat that somebody has.
#[derive(Clone, Debug, PartialEq)]
struct Seat {
    gid: Gid,
    slot: u64,
    owner: Owner,
    opened: u64,
    /// Nobody joins it any more: taken from its owner, superseded, or of another model.
    closed: bool,
    sits: BTreeMap<HolderId, u8>,
}

struct World {
    engine: Engine,
    journal: Vec<Event>,
    now: u64,
    made: u128,
    counting: CountingUnit,
    min_s: u64,
    serial: u64,
    runs: u8,
    seats: u64,
    named: bool,
    list: Vec<Seat>,
    /// How each who sits asked.
    asked: BTreeMap<HolderId, Process>,
    /// By person: kept out or not.
    direct: BTreeMap<u8, bool>,
    group: bool,
    members: BTreeSet<u8>,
    suspended: BTreeSet<u8>,
}

impl World {
    fn new(counting: CountingUnit, seats: u64, min_s: u64) -> World {
        let mut world = World {
            engine: Engine::new(),
            journal: Vec::new(),
            now: 0,
            made: 0,
            counting,
            min_s,
            serial: 0,
            runs: 0,
            seats,
            named: true,
            list: Vec::new(),
            asked: BTreeMap::new(),
            direct: BTreeMap::new(),
            group: false,
            members: BTreeSet::new(),
            suspended: BTreeSet::new(),
        };
        let (unit, machine) = (UnitId([1; 16]), MachineId([0; 16]));
        world.give(Command::FoundSite { unit, machine });
        world.start();
        let (vendor, roots) = ("A".into(), vec![("A".into(), "PEM".into())]);
        world.give(Command::TrustVendor { vendor, roots });
        for person in 0..PERSONS {
            let (user, login) = (user(person), LoginHash([person; 32]));
            world.give(Command::MeetUser { user, login });
        }
        world.give(Command::Arrange(Arrange::MakeGroup {
            group: GROUP,
            name: NameHash([1; 32]),
            unit,
        }));
        world.install();
        world
    }

    fn at(&self) -> Now {
        Now {
            lease: LeaseTime(self.now),
            j: Date(BEGIN + self.now / 1000),
        }
    }

    fn give(&mut self, command: Command) -> Verdict {
        let (events, verdict) = self.engine.apply(self.at(), command);
        self.journal.extend(events);
        verdict
    }

    fn done(&mut self, command: Command) {
        let verdict = self.give(command);
        assert!(!matches!(verdict, Verdict::Denied(_)), "{verdict:?}");
    }

    fn start(&mut self) {
        self.runs += 1;
        let run = RunId([self.runs; 16]);
        self.give(Command::StartRun { run });
    }

    fn install(&mut self) {
        self.serial += 1;
        let terms = Box::new(terms(
            self.serial,
            self.seats,
            self.named,
            self.counting,
            self.min_s,
        ));
        self.done(Command::InstallLicense {
            account: None,
            terms,
            assign_everyone: None,
            note_known: false,
        });
    }

    fn has_right(&self, person: u8) -> bool {
        let direct = self.direct.get(&person);
        let covered = direct.is_some() || self.group && self.members.contains(&person);
        covered && direct != Some(&true) && !self.suspended.contains(&person)
    }

    /// The seat is its owner's, whoever sits on it.
    fn owned(&self, seat: &Seat) -> bool {
        self.named && !seat.closed && seat.slot < self.seats
    }

    /// It stays without anybody on it.
    fn kept(&self, seat: &Seat) -> bool {
        let bound = self.now < seat.opened + self.min_s * 1000;
        let rightly = seat.owner.0.is_none_or(|person| self.has_right(person));
        self.owned(seat) && (rightly || bound)
    }

    fn drop_dead(&mut self) -> bool {
        let (before, list) = (self.list.len(), std::mem::take(&mut self.list));
        let stays = |seat: &Seat| !seat.sits.is_empty() || self.kept(seat);
        let list: Vec<_> = list.into_iter().filter(stays).collect();
        self.list = list;
        self.list.len() < before
    }

    /// A license in force with other terms: what it has no place for is nobody's any more.
    fn supersede(&mut self) {
        let (seats, named) = (self.seats, self.named);
        for seat in &mut self.list {
            seat.closed |= seat.slot >= seats;
        }
        self.list
            .retain(|seat| !seat.sits.is_empty() || named && !seat.closed);
    }

    fn owner(&self, person: u8, machine: u8, boot: u8) -> Owner {
        let machine = (machine, (!self.named).then_some(boot));
        match self.counting {
            CountingUnit::User => (Some(person), None),
            CountingUnit::Host => (None, Some(machine)),
            _ => (Some(person), Some(machine)),
        }
    }

    /// What a checkout should come to: the seat that is joined, or the slot that is opened.
    fn expected(
        &self,
        (person, machine, boot): (u8, u8, u8),
        n: u32,
    ) -> Result<(Option<Gid>, u64), Code> {
        let direct = self.direct.get(&person);
        if self.suspended.contains(&person) {
            return Err(Code::UserNotActive);
        }
        if direct == Some(&true) {
            return Err(Code::Excluded);
        }
        if !self.has_right(person) {
            return Err(Code::NotAssigned);
        }
        if n > 1 {
            return Err(Code::RequestExceedsTotal);
        }
        let owner = self.owner(person, machine, boot);
        let stays = |seat: &Seat| {
            let mut sits = seat.sits.iter();
            let ending = |id| {
                self.engine
                    .state()
                    .holder(id)
                    .is_some_and(|h| h.ending.is_some())
            };
            sits.any(|(id, of)| !ending(*id) && self.has_right(*of))
        };
        let own = self
            .list
            .iter()
            .filter(|seat| seat.owner == owner && !seat.closed);
        let mut own = own.filter(|seat| self.owned(seat) || stays(seat));
        if let Some(own) = own.find(|_| n == 1) {
            return Ok((Some(own.gid), own.slot));
        }
        self.free().map(|slot| (None, slot)).ok_or(Code::NoSeatFree)
    }

    fn free(&self) -> Option<u64> {
        let taken = |slot: &u64| self.list.iter().any(|seat| seat.slot == *slot);
        let regular = self
            .list
            .iter()
            .filter(|seat| seat.slot < self.seats)
            .count() as u64;
        let above = self.list.len() as u64 - regular;
        let _ = above;
        (0..self.seats).find(|slot| !taken(slot))
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Checkout {
                person,
                machine,
                boot,
                n,
            } => self.checkout(person, machine, boot, n),
            Op::Renew(which) => self.renew(which),
            Op::Release(which) => self.leave(which, |id, process| {
                let what = Released::Holder(id);
                Command::Release(Release { what, process })
            }),
            Op::Dies(which) => {
                self.leave(which, |id, _| Command::ProcessGone { holders: vec![id] });
            }
            Op::GiveBack(which) => {
                if let Some(holder) = self.some(which) {
                    let by = self.engine.state().holder(holder).expect("sits").facts.user;
                    self.done(Command::ReleaseElsewhere { holder, by });
                }
            }
            Op::Reclaim(which, hard) => self.reclaim(which, hard),
            Op::Recall(which, hard) => self.recall(which, hard),
            Op::Seats(_) | Op::Floating(_) => self.other_terms(op),
            Op::Restart(clean) => self.restart(clean),
            Op::Tick => {
                self.give(Command::Tick);
                self.drop_dead();
            }
            Op::Wait(s) => self.wait(s * 1000),
            ref right => self.rights(right),
        }
        self.check();
    }

    fn rights(&mut self, op: &Op) {
        let group = Target::Group(GROUP);
        match *op {
            Op::Assign(person, out) => self.assign(person, out),
            Op::KeepOut(person, out) => self.keep_out(person, out),
            Op::Unassign(person, hard) if self.direct.contains_key(&person) => {
                self.direct.remove(&person);
                self.unassign(Target::User(user(person)), hard);
            }
            Op::Group(true) if !self.group => {
                self.group = true;
                self.done(assign(group, false));
            }
            Op::Group(false) if self.group => {
                self.group = false;
                self.unassign(group, false);
            }
            Op::Join(person) => {
                self.members.insert(person);
                self.done(Command::Arrange(Arrange::AddMembers {
                    group: GROUP,
                    users: vec![user(person)],
                    groups: vec![],
                    if_match: None,
                }));
            }
            Op::Leave(person, hard) => {
                let left = self.members.remove(&person);
                self.done(Command::Arrange(Arrange::DropMembers {
                    group: GROUP,
                    users: vec![user(person)],
                    groups: vec![],
                    hard,
                    if_match: None,
                }));
                // One that changes nothing is felt by nobody.
                if hard && left {
                    self.drop_dead();
                }
            }
            Op::Suspend(person, yes) => {
                let status = if yes {
                    self.suspended.insert(person);
                    UserStatus::Suspended
                } else {
                    self.suspended.remove(&person);
                    UserStatus::Active
                };
                self.done(Command::Arrange(Arrange::ChangeUser {
                    user: user(person),
                    status,
                    until: None,
                    hard: false,
                    if_match: None,
                }));
            }
            _ => {}
        }
    }

    fn unassign(&mut self, target: Target, hard: bool) {
        let (id, if_match) = (assignment(target), None);
        self.done(Command::Unassign { id, hard, if_match });
        self.drop_dead();
    }

    /// The seat that a direct assignment gives, as rule 7 has it.
    fn opens(&mut self, person: u8) -> Result<Option<u64>, Code> {
        let mine = |seat: &Seat| seat.owner == (Some(person), None) && !seat.closed;
        // One that nobody joins for now, on a slot that is none any more, is there for all that.
        let has = self
            .list
            .iter()
            .any(|seat| mine(seat) && (self.owned(seat) || self.open(seat)));
        if !self.named || self.counting != CountingUnit::User || !self.has_right(person) || has {
            return Ok(None);
        }
        if self.free().is_none() {
            self.drop_dead();
        }
        self.free().map(Some).ok_or(Code::NoSeatFree)
    }

    fn open(&self, seat: &Seat) -> bool {
        let state = self.engine.state();
        let ending = |id| state.holder(id).is_some_and(|h| h.ending.is_some());
        seat.sits.keys().any(|id| !ending(*id))
    }

    fn assign(&mut self, person: u8, out: bool) {
        let target = Target::User(user(person));
        let before = self.direct.get(&person).copied();
        if before.is_some_and(|known| known != out) {
            let refused = self.give(assign(target, out));
            assert!(matches!(refused, Verdict::Denied(no) if no.code == Code::Conflict));
            return;
        }
        self.direct.insert(person, out);
        let expected = self.opens(person);
        let verdict = self.give(assign(target, out));
        self.opened(person, expected, &verdict, |world| {
            match before {
                Some(known) => world.direct.insert(person, known),
                None => world.direct.remove(&person),
            };
        });
    }

    fn keep_out(&mut self, person: u8, out: bool) {
        let Some(before) = self.direct.get(&person).copied() else {
            return;
        };
        let sat = self.has_right(person);
        self.direct.insert(person, out);
        let expected = match sat {
            true => Ok(None),
            false => self.opens(person),
        };
        let verdict = self.give(Command::ChangeAssignment {
            id: assignment(Target::User(user(person))),
            terms: limited(out),
            hard: false,
            if_match: None,
        });
        let changed = before != out;
        self.opened(person, expected.filter_change(changed), &verdict, |world| {
            world.direct.insert(person, before);
        });
        if changed {
            self.drop_dead();
        }
    }

    fn opened(
        &mut self,
        person: u8,
        expected: Result<Option<u64>, Code>,
        verdict: &Verdict,
        undo: impl FnOnce(&mut World),
    ) {
        match (expected, verdict) {
            (Err(code), Verdict::Denied(no)) => {
                assert_eq!(no.code, code);
                undo(self);
            }
            (Ok(slot), Verdict::Assigned(_) | Verdict::Ending(_)) => {
                let Some(slot) = slot else { return };
                let state = self.engine.state();
                let gid = state
                    .grants
                    .keys()
                    .max()
                    .copied()
                    .expect("a seat was opened");
                self.list.push(Seat {
                    gid,
                    slot,
                    owner: (Some(person), None),
                    opened: self.now,
                    closed: false,
                    sits: BTreeMap::new(),
                });
            }
            (expected, verdict) => panic!("{expected:?} was to come, and {verdict:?} came"),
        }
    }

    fn other_terms(&mut self, op: &Op) {
        let before = (self.seats, self.named);
        match *op {
            Op::Seats(seats) => self.seats = seats,
            Op::Floating(yes) => self.named = !yes,
            _ => {}
        }
        if before.1 != self.named {
            // Nobody joins what was owned in another way.
            self.list.retain(|seat| !seat.sits.is_empty());
            self.list.iter_mut().for_each(|seat| seat.closed = true);
        }
        self.supersede();
        self.install();
    }

    fn checkout(&mut self, person: u8, machine: u8, boot: u8, n: u32) {
        // Seats of several slots are floating ones: the other models have them.
        let n = if self.named { n } else { 1 };
        self.made += 1;
        let process = Process {
            machine: MachineId([machine; 16]),
            attested_by: MachineId([machine; 16]),
            uid: u32::from(person),
            boot: BootId([boot; 16]),
            instance: InstanceId(self.made.to_be_bytes()),
        };
        let asked = Checkout {
            checkout_id: CheckoutId(self.made.to_be_bytes()),
            process: process.clone(),
            pid: None,
            user: user(person),
            product: "cad".into(),
            feature: "modeler".into(),
            version: None,
            n,
            roots: vec!["A".into()],
            wait_s: 0,
            interactive: false,
            needs_terms: false,
            shown: None,
        };
        let explained = explain(self.engine.state(), self.at(), &asked).1;
        let mut expected = self.expected((person, machine, boot), n);
        if expected.is_err() && self.drop_dead() {
            expected = self.expected((person, machine, boot), n);
        }
        match (expected, self.give(Command::Checkout(Box::new(asked)))) {
            (Err(code), Verdict::Denied(no)) => {
                assert_eq!(no.code, code);
                assert_eq!(
                    explained.expect_err("explained as served").code,
                    code,
                    "rule 22"
                );
            }
            (Ok((joins, slot)), Verdict::Leased(lease)) => {
                assert!(explained.is_ok(), "{explained:?}");
                assert_eq!(lease.slots, [slot]);
                let gid = lease.holder.gid;
                self.asked.insert(lease.holder, process);
                if let Some(own) = joins {
                    assert_eq!(gid, own, "a second seat");
                    let seat = self.list.iter_mut().find(|seat| seat.gid == own);
                    seat.expect("listed").sits.insert(lease.holder, person);
                    return;
                }
                self.list.push(Seat {
                    gid,
                    slot,
                    owner: self.owner(person, machine, boot),
                    opened: self.now,
                    closed: false,
                    sits: BTreeMap::from([(lease.holder, person)]),
                });
            }
            (expected, verdict) => panic!("{expected:?} was to come, and {verdict:?} came"),
        }
    }

    fn some(&self, which: u8) -> Option<HolderId> {
        let n = self.asked.len().max(1);
        self.asked.keys().nth(usize::from(which) % n).copied()
    }

    /// Renewals end nobody at once: the engine's word for who is told that they end is taken (`model.rs` judges it).
    fn renew(&mut self, which: u8) {
        let Some(holder) = self.some(which) else {
            return;
        };
        let process = self.asked[&holder].clone();
        self.give(Command::Renew(Renew {
            holder,
            process,
            shown: None,
        }));
    }

    fn leave(&mut self, which: u8, how: impl Fn(HolderId, Process) -> Command) {
        let Some(id) = self.some(which) else { return };
        let process = self.asked[&id].clone();
        self.done(how(id, process));
        self.left(id);
    }

    fn left(&mut self, id: HolderId) {
        self.asked.remove(&id);
        for seat in &mut self.list {
            seat.sits.remove(&id);
        }
        // Only the seat that they sat on is looked at.
        let now = |seat: &Seat| seat.gid != id.gid || !seat.sits.is_empty() || self.kept(seat);
        let list = self.list.iter().filter(|seat| now(seat)).cloned().collect();
        self.list = list;
    }

    fn seat(&self, which: u8) -> Option<Seat> {
        let n = self.list.len().max(1);
        self.list.get(usize::from(which) % n).cloned()
    }

    fn reclaim(&mut self, which: u8, hard: bool) {
        let Some(seat) = self.seat(which) else { return };
        let verdict = self.give(Command::Reclaim {
            gid: seat.gid,
            hard,
        });
        match verdict {
            Verdict::Denied(no) => assert!(seat.sits.is_empty() && no.code == Code::BadRequest),
            other => assert!(!seat.sits.is_empty(), "{other:?}"),
        }
    }

    fn recall(&mut self, which: u8, hard: bool) {
        let Some(seat) = self.seat(which) else { return };
        let expected = if !self.owned(&seat) {
            Err(Code::BadRequest)
        } else if self.now < seat.opened + self.min_s * 1000 {
            Err(Code::TooSoon)
        } else {
            Ok(())
        };
        match (
            expected,
            self.give(Command::Recall {
                gid: seat.gid,
                hard,
            }),
        ) {
            (Err(code), Verdict::Denied(no)) => assert_eq!(no.code, code),
            (Ok(()), Verdict::Ending(holders)) => {
                assert_eq!(holders.len(), seat.sits.len());
                let known = self.list.iter_mut().find(|known| known.gid == seat.gid);
                known.expect("listed").closed = true;
                self.list
                    .retain(|seat| !seat.closed || !seat.sits.is_empty());
            }
            (expected, verdict) => panic!("{expected:?} was to come, and {verdict:?} came"),
        }
    }

    fn restart(&mut self, clean: bool) {
        if clean {
            self.give(Command::StopRun);
        }
        let mut again = Engine::new();
        for event in &self.journal {
            if let Event::Recorded(event) = event {
                again.replay(event);
            }
        }
        let text = |engine: &Engine| serde_json::to_string(engine.state()).expect("JSON");
        assert_eq!(
            text(&again),
            text(&self.engine),
            "a replay makes another state"
        );
        self.engine = again;
        self.start();
    }

    fn wait(&mut self, ms: u64) {
        let then = self.now + ms;
        while let Some(at) = self.engine.next_deadline().filter(|at| at.0 <= then) {
            self.now = self.now.max(at.0);
            let state = self.engine.state();
            let over = |id: &&HolderId| state.holder(**id).is_some_and(|h| h.until.0 <= self.now);
            let over: Vec<_> = self.asked.keys().filter(over).copied().collect();
            self.give(Command::Expire);
            over.into_iter().for_each(|id| self.left(id));
        }
        self.now = then;
    }

    /// The engine has the same seats, and the promise holds.
    fn check(&self) {
        let state = self.engine.state();
        let pool = state.pools.values().next().expect("a pool");
        let found = pool.grants.iter().map(|(gid, grant)| {
            let sits = grant.holders.iter().map(|h| HolderId { gid: *gid, h: h.h });
            (*gid, grant.slots.to_vec(), sits.collect::<BTreeSet<_>>())
        });
        let mut listed: Vec<_> = self.list.iter().collect();
        listed.sort_by_key(|seat| seat.gid);
        let listed = listed.iter().map(|seat| {
            (
                seat.gid,
                vec![seat.slot],
                seat.sits.keys().copied().collect::<BTreeSet<_>>(),
            )
        });
        assert_eq!(found.collect::<Vec<_>>(), listed.collect::<Vec<_>>());
        let slots: BTreeSet<_> = self.list.iter().map(|seat| seat.slot).collect();
        assert_eq!(slots.len(), self.list.len(), "a slot is two owners'");
        let owners = self.list.iter().filter(|seat| self.owned(seat));
        let owners: Vec<_> = owners.map(|seat| seat.owner).collect();
        let once: BTreeSet<_> = owners.iter().collect();
        assert_eq!(once.len(), owners.len(), "one owner has two seats");
        assert_eq!(pool.used + pool.above, self.list.len() as u64);
    }
}

trait Change {
    fn filter_change(self, changed: bool) -> Self;
}

impl Change for Result<Option<u64>, Code> {
    /// What is as it was opens nothing.
    fn filter_change(self, changed: bool) -> Self {
        if changed { self } else { Ok(None) }
    }
}

/// `SEATKEEPER_WALKS=100000` takes more of them.
fn walks() -> u32 {
    let asked = std::env::var("SEATKEEPER_WALKS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(1_500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: walks(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r7_owners_are_as_a_plain_list_has_them(
        counting in counting(),
        seats in 1..4u64,
        min_s in prop_oneof![2 => Just(0u64), 1 => Just(100)],
        ops in ops(),
    ) {
        let mut world = World::new(counting, seats, min_s);
        for op in &ops {
            world.step(op);
        }
    }
}
