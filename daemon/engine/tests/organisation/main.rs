//! A random walk through an organisation beside a second, naive telling of it: who is where, who may sit and with which
//! policies, who is told to end, what is refused, what is promised, and what a replay gives (rules 1 to 4, 10, 11, 16).

mod naive;
mod promises;
mod seats;
mod steps;
mod things;

use naive::Naive;
use proptest::prelude::*;
use seatkeeper_engine::command::{Arrange, MoveTo, Process, Renew, UnitChange};
use seatkeeper_engine::denial::Code;
use seatkeeper_engine::event::{EndingWhy, Event, Recorded};
use seatkeeper_engine::ids::*;
use seatkeeper_engine::state::{Account, AccountKind, Place, Target, UserStatus};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use seatkeeper_engine::{Command, Engine, LeaseTerms, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use steps::{Op, ops, promises};
use things::{assignment, denied, group, id, name, names, of, terms, unit};

const SAVE_S: u64 = 40;
const FEATURES: [&str; 2] = ["modeler", "viewer"];
/// Seats of each.
const SEATS: [Option<u64>; 2] = [Some(6), None];
const POLICIES: [&str; 2] = ["export", "print"];
/// Units 0 to 2 are accounts: home, another customer, a partner.
const ACCOUNTS: u8 = 3;
const UNITS: u8 = 8;
const GROUPS: u8 = 4;
const USERS: u8 = 5;
/// License 0 is for the home account, 1 for the other customer.
const LICENSES: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Whom {
    User(u8),
    Group(u8),
    Unit(u8),
}

#[derive(Clone, Debug)]
struct Gives {
    policies: BTreeSet<usize>,
    /// The features that it refuses; 2 is all.
    exclude: Option<u8>,
    /// So many seats of a feature together, and so many each.
    max: Option<(usize, u64)>,
    max_each: Option<(usize, u64)>,
    /// So many of a feature are kept for them.
    reserve: Option<(usize, u64)>,
}

/// A holder as the naive telling knows it.
#[derive(Clone, Debug)]
struct Sits {
    user: UserId,
    who: u8,
    license: u8,
    feature: usize,
    n: u64,
    process: Process,
    hard: bool,
    /// The end of its last lease, in milliseconds, and the policies that it names.
    last: Option<(u64, Vec<String>)>,
}

struct World {
    engine: Engine,
    journal: Vec<Recorded>,
    now: u64,
    naive: Naive,
    /// Groups that were taken away.
    gone: BTreeSet<u8>,
    sits: BTreeMap<HolderId, Sits>,
    asked: u32,
}

impl World {
    fn new() -> World {
        let mut world = World {
            engine: Engine::new(),
            journal: Vec::new(),
            now: 0,
            naive: Naive::default(),
            gone: BTreeSet::new(),
            sits: BTreeMap::new(),
            asked: 0,
        };
        world.give(Command::FoundSite {
            unit: unit(0),
            machine: MachineId([0; 16]),
        });
        world.give(Command::StartRun {
            run: RunId([1; 16]),
        });
        world.give(Command::TrustVendor {
            vendor: "acme".into(),
            roots: vec![("root".into(), "PEM".into())],
        });
        world.naive.above.insert(0, None);
        world.naive.kinds.insert(0, AccountKind::Customer);
        for (n, kind) in [(1, AccountKind::Customer), (2, AccountKind::Partner)] {
            let account = Account {
                kind,
                managed_by: None,
                self_registered: false,
            };
            let place = Place::Account(account);
            let name = name(n);
            let made = world.arrange(Arrange::MakeUnit {
                unit: unit(n),
                name,
                place,
            });
            assert_eq!(made, Ok(()));
            world.naive.above.insert(n, None);
            world.naive.kinds.insert(n, kind);
        }
        for n in 0..LICENSES {
            let verdict = world.give(Command::InstallLicense {
                terms: Box::new(terms(n)),
                account: (n > 0).then(|| unit(n)),
                assign_everyone: None,
                note_known: false,
            });
            assert!(matches!(verdict, Verdict::Installed { new: true, .. }));
        }
        for who in 0..USERS {
            world.meet(who);
        }
        for n in 0..GROUPS {
            world.step(Op::MakeGroup(n));
        }
        for (n, above) in [(3, 0), (4, 3), (5, 1), (6, 0), (7, 2)] {
            world.step(Op::MakeUnit(n, above));
        }
        world
    }

    fn at(&self) -> Now {
        Now {
            lease: LeaseTime(self.now),
            j: Date(1_000_000 + self.now / 1000),
        }
    }

    fn give(&mut self, command: Command) -> Verdict {
        let now = self.at();
        let (events, verdict) = self.engine.apply(now, command);
        let recorded = events.into_iter().filter_map(|event| match event {
            Event::Recorded(event) => Some(event),
            Event::Fleeting(_) => None,
        });
        self.journal.extend(recorded);
        verdict
    }

    fn arrange(&mut self, change: Arrange) -> Result<(), Code> {
        match self.give(Command::Arrange(change)) {
            Verdict::Denied(denial) => Err(denial.code),
            _ => Ok(()),
        }
    }

    fn meet(&mut self, who: u8) {
        let (user, login) = (self.naive.user(who), LoginHash([who; 32]));
        self.give(Command::MeetUser { user, login });
        self.naive.placed.insert(who, BTreeSet::new());
        self.naive.status.insert(who, (UserStatus::Active, None));
    }

    /// The right of who sits: one who was taken away has none, whoever has their name now.
    fn right_of(&self, sits: &Sits) -> Result<BTreeSet<usize>, Code> {
        if self.naive.user(sits.who) != sits.user {
            return Err(Code::UnknownUser);
        }
        self.naive
            .right(sits.who, sits.license, sits.feature, self.at().j)
    }

    /// Ends at once who lost the right by a step.
    fn end_hard(&mut self, before: &BTreeSet<HolderId>) {
        let after = self.rightful();
        for id in before.difference(&after) {
            self.sits.get_mut(id).expect("who sat").hard = true;
        }
    }

    /// Ends at once who of this user has no right.
    fn end_user(&mut self, user: UserId) {
        let rightful = self.rightful();
        let theirs = self.sits.iter_mut().filter(|(_, sits)| sits.user == user);
        for (id, sits) in theirs {
            sits.hard |= !rightful.contains(id);
        }
    }

    fn rightful(&self) -> BTreeSet<HolderId> {
        let rightful = self
            .sits
            .iter()
            .filter(|(_, sits)| self.right_of(sits).is_ok());
        rightful.map(|(id, _)| *id).collect()
    }

    // The steps.

    fn step(&mut self, op: Op) {
        let before = self.rightful();
        match op {
            Op::MakeUnit(n, above) => self.make_unit(n, above),
            Op::MoveUnit(n, to, hard) => self.move_unit(n, to, hard),
            Op::MakeGroup(n) => {
                let made = self.arrange(Arrange::MakeGroup {
                    group: group(n),
                    name: name(n),
                    unit: unit(0),
                });
                // Who was in one that was taken away is in no other by its id.
                assert_eq!(made.is_ok(), !self.gone.contains(&n), "{made:?}");
                if made.is_ok() {
                    self.naive.groups.insert(n);
                }
            }
            Op::RemoveGroup(n, hard) => {
                let gone = self.arrange(Arrange::RemoveGroup {
                    group: group(n),
                    hard,
                    if_match: None,
                });
                assert_eq!(gone.is_ok(), self.naive.groups.remove(&n), "{gone:?}");
                if gone.is_ok() {
                    self.gone.insert(n);
                    self.forget_group(n);
                    self.naive
                        .assigned
                        .retain(|(_, whom), _| *whom != Whom::Group(n));
                    if hard {
                        self.end_hard(&before);
                    }
                }
            }
            Op::Join(n, member) => self.join(n, member),
            Op::Leave(n, member, hard) => self.leave(n, member, hard),
            Op::Place(who, units, hard) => self.place(who, &units, hard),
            Op::Status(who, n, hard) => self.set_status(who, n, hard),
            Op::Remove(who, hard) => {
                let user = self.naive.user(who);
                assert_eq!(
                    self.arrange(Arrange::RemoveUser {
                        user,
                        hard,
                        if_match: None
                    }),
                    Ok(())
                );
                *self.naive.lives.entry(who).or_default() += 1;
                self.naive.members.retain(|(_, member)| *member != Ok(who));
                self.naive
                    .assigned
                    .retain(|(_, whom), _| *whom != Whom::User(who));
                if hard {
                    self.end_user(user);
                }
                self.meet(who);
            }
            Op::Assign(license, whom, gives) => self.assign(license, whom, gives),
            Op::Change(license, whom, gives, hard) => self.change(license, whom, gives, hard),
            Op::Unassign(license, whom, hard) => {
                let verdict = self.give(Command::Unassign {
                    id: assignment(license, self.target(whom)),
                    hard,
                    if_match: None,
                });
                let known = self.naive.assigned.remove(&(license, whom)).is_some();
                assert_eq!(!matches!(verdict, Verdict::Denied(_)), known, "{verdict:?}");
                if known && hard {
                    self.end_hard(&before);
                }
            }
            Op::Checkout(who, license, feature, n) => self.checkout(who, license, feature, n),
            Op::Release(which) => self.release(which),
            Op::Renew(which) => self.renew(which),
            Op::Wait(s) => {
                self.now += s * 1000;
                self.give(Command::Expire);
                self.sits
                    .retain(|id, _| self.engine.state().holder(*id).is_some());
            }
        }
    }

    fn forget_group(&mut self, n: u8) {
        self.naive
            .members
            .retain(|(of, member)| *of != n && *member != Err(n));
    }

    fn make_unit(&mut self, n: u8, above: u8) {
        let place = Place::Below(unit(above));
        let made = self.arrange(Arrange::MakeUnit {
            unit: unit(n),
            name: name(n),
            place,
        });
        match (
            self.naive.above.get(&n).copied(),
            self.naive.above.contains_key(&above),
        ) {
            (Some(known), _) => assert_eq!(made.is_ok(), known == Some(above), "{made:?}"),
            (None, false) => assert_eq!(made, Err(Code::NotFound)),
            (None, true) => {
                assert_eq!(made, Ok(()));
                self.naive.above.insert(n, Some(above));
            }
        }
    }

    fn move_unit(&mut self, n: u8, to: u8, hard: bool) {
        let rightful = self.rightful();
        let change = UnitChange::Move {
            to: MoveTo::Below(unit(to)),
            hard,
        };
        let before = self.naive.above.clone();
        let done = self.arrange(Arrange::ChangeUnit {
            unit: unit(n),
            change,
            if_match: None,
        });
        let expected = match (before.get(&n), before.get(&to)) {
            (None, _) => Err(Code::NotFound),
            _ if n == 0 => Err(Code::Conflict),
            (Some(Some(above)), _) if *above == to => Ok(()),
            (_, None) => Err(Code::NotFound),
            _ if self.naive.line(to).contains(&n) => Err(Code::Cycle),
            (Some(None), _) if n < LICENSES => Err(Code::NotEmpty),
            _ => {
                self.naive.above.insert(n, Some(to));
                let mut wrong =
                    (0..USERS).filter_map(|who| self.naive.wrong(&self.naive.placed[&who]));
                let line = wrong.clone().find(|code| *code == Code::OneLine);
                line.or_else(|| wrong.next()).map_or(Ok(()), Err)
            }
        };
        assert_eq!(done, expected, "unit {n} to {to}");
        if expected.is_err() {
            self.naive.above = before;
        } else if hard && self.naive.above != before {
            self.end_hard(&rightful);
        }
    }

    fn join(&mut self, n: u8, member: Result<u8, u8>) {
        let done = self.arrange(Arrange::AddMembers {
            group: group(n),
            users: member
                .ok()
                .map(|who| self.naive.user(who))
                .into_iter()
                .collect(),
            groups: member.err().map(group).into_iter().collect(),
            if_match: None,
        });
        let there = self.naive.groups.contains(&n)
            && member
                .err()
                .is_none_or(|inner| self.naive.groups.contains(&inner));
        let round = member.err().is_some_and(|inner| self.naive.holds(inner, n));
        let expected = match (there, round) {
            (false, _) => Err(Code::NotFound),
            (true, true) => Err(Code::Cycle),
            (true, false) => Ok(()),
        };
        assert_eq!(done, expected);
        if done.is_ok() {
            self.naive.members.insert((n, member));
        }
    }

    fn leave(&mut self, n: u8, member: Result<u8, u8>, hard: bool) {
        let rightful = self.rightful();
        let done = self.arrange(Arrange::DropMembers {
            group: group(n),
            users: member
                .ok()
                .map(|who| self.naive.user(who))
                .into_iter()
                .collect(),
            groups: member.err().map(group).into_iter().collect(),
            hard,
            if_match: None,
        });
        assert_eq!(done.is_ok(), self.naive.groups.contains(&n));
        if self.naive.members.remove(&(n, member)) && hard {
            self.end_hard(&rightful);
        }
    }

    fn place(&mut self, who: u8, units: &BTreeSet<u8>, hard: bool) {
        let user = self.naive.user(who);
        let to = units.iter().map(|n| unit(*n)).collect();
        let done = self.arrange(Arrange::PlaceUser {
            user,
            units: to,
            hard,
            if_match: None,
        });
        let expected = if units.is_empty() {
            Err(Code::LastUnit)
        } else if units.iter().any(|n| !self.naive.above.contains_key(n)) {
            Err(Code::NotFound)
        } else {
            self.naive.wrong(units).map_or(Ok(()), Err)
        };
        // Of several faults any one may be named.
        assert_eq!(
            done.is_ok(),
            expected.is_ok(),
            "{units:?}: {done:?}, {expected:?}"
        );
        if done.is_ok() {
            self.naive.placed.insert(who, units.clone());
            if hard {
                self.end_user(user);
            }
        }
    }

    fn set_status(&mut self, who: u8, n: u8, hard: bool) {
        let j = self.at().j.0;
        let (status, until) = match n {
            0 => (UserStatus::Suspended, None),
            1 => (UserStatus::Pending, None),
            2 => (UserStatus::Active, Some(Date(j + 20))),
            _ => (UserStatus::Active, None),
        };
        let user = self.naive.user(who);
        let done = self.arrange(Arrange::ChangeUser {
            user,
            status,
            until,
            hard,
            if_match: None,
        });
        assert_eq!(done, Ok(()));
        self.naive.status.insert(who, (status, until));
        if hard {
            self.end_user(user);
        }
    }

    fn there(&self, whom: Whom, license: u8) -> Result<(), Code> {
        match whom {
            Whom::Group(n) if !self.naive.groups.contains(&n) => Err(Code::NotFound),
            Whom::Unit(n) if !self.naive.above.contains_key(&n) => Err(Code::NotFound),
            Whom::Unit(n) if self.naive.root(n) != license => Err(Code::BadRequest),
            Whom::User(who) => {
                let mut units = self.naive.units_of(who).into_iter();
                let inside = units.any(|n| self.naive.root(n) == license);
                if inside {
                    Ok(())
                } else {
                    Err(Code::BadRequest)
                }
            }
            _ => Ok(()),
        }
    }

    fn assign(&mut self, license: u8, whom: Whom, gives: Gives) {
        let target = self.target(whom);
        let verdict = self.give(Command::Assign {
            id: assignment(license, target),
            license: id(license),
            target,
            terms: of(&gives),
        });
        let expected = self.there(whom, license).and_then(|()| {
            let known = self.naive.assigned.get(&(license, whom));
            match known {
                Some(known) if of(known) == of(&gives) => Ok(()),
                Some(_) => Err(Code::Conflict),
                None => self.naive.promised((license, whom), &gives),
            }
        });
        assert_eq!(denied(&verdict), expected, "{whom:?}");
        if expected.is_ok() {
            self.naive.assigned.entry((license, whom)).or_insert(gives);
        }
    }

    fn change(&mut self, license: u8, whom: Whom, gives: Gives, hard: bool) {
        let rightful = self.rightful();
        let id = assignment(license, self.target(whom));
        let terms = of(&gives);
        let verdict = self.give(Command::ChangeAssignment {
            id,
            terms,
            hard,
            if_match: None,
        });
        let expected = match self.naive.assigned.contains_key(&(license, whom)) {
            true => self.naive.promised((license, whom), &gives),
            false => Err(Code::NotFound),
        };
        assert_eq!(denied(&verdict), expected, "{whom:?} {gives:?}");
        let known = self.naive.assigned.get_mut(&(license, whom));
        let Some(known) = known.filter(|_| expected.is_ok()) else {
            return;
        };
        let changed = of(known) != of(&gives);
        *known = gives;
        if hard && changed {
            self.end_hard(&rightful);
        }
    }

    fn target(&self, whom: Whom) -> Target {
        match whom {
            Whom::User(who) => Target::User(self.naive.user(who)),
            Whom::Group(n) => Target::Group(group(n)),
            Whom::Unit(n) => Target::Unit(unit(n)),
        }
    }

    fn renew(&mut self, which: u8) {
        let Some((holder, sits)) = self
            .sits
            .iter()
            .nth(usize::from(which) % self.sits.len().max(1))
        else {
            return;
        };
        let (holder, mut sits) = (*holder, sits.clone());
        let asked = Renew {
            holder,
            process: sits.process.clone(),
            shown: None,
        };
        let now = self.at();
        // The short way first, as the keeper takes it.
        let verdict = match self.engine.renew_at_once(now, &asked) {
            Some(verdict) => verdict,
            None => self.give(Command::Renew(asked)),
        };
        let right = self.right_of(&sits);
        let over = sits
            .last
            .as_ref()
            .is_some_and(|(until, _)| *until <= self.now);
        if sits.hard || over {
            return assert_eq!(denied(&verdict), Err(Code::LeaseEnded), "{sits:?}");
        }
        let Verdict::Leased(lease) = verdict else {
            panic!("{sits:?}: {verdict:?}")
        };
        self.leased(&lease, &mut sits, right.ok());
        self.sits.insert(holder, sits);
    }

    fn leased(&self, lease: &LeaseTerms, sits: &mut Sits, right: Option<BTreeSet<usize>>) {
        match (&mut sits.last, right) {
            (None, Some(policies)) => {
                assert_eq!(lease.last, None, "{sits:?}");
                assert_eq!(
                    lease.policies.as_ref() as &[Name],
                    names(&policies),
                    "policies"
                );
            }
            (Some((until, policies)), _) => {
                assert_eq!(lease.last, Some(EndingWhy::RightLost));
                assert_eq!(lease.ttl_s, (*until - self.now) / 1000, "the same end");
                let named: Vec<_> = lease.policies.iter().map(ToString::to_string).collect();
                assert_eq!(&named, policies, "a last lease says the same again");
            }
            (last, None) => {
                assert_eq!(lease.last, Some(EndingWhy::RightLost));
                assert_eq!(lease.ttl_s, SAVE_S);
                let named = lease.policies.iter().map(ToString::to_string).collect();
                *last = Some((self.now + SAVE_S * 1000, named));
            }
        }
    }

    /// What must hold after each step.
    fn check(&self) {
        let state = self.engine.state();
        for n in state.units.keys() {
            let placed = state
                .users
                .values()
                .filter(|user| user.units.contains(n))
                .count();
            let below = state
                .units
                .values()
                .filter(|one| one.place == Place::Below(*n))
                .count();
            let known = &state.units[n];
            assert_eq!(
                (known.users, known.units),
                (placed as u64, below as u64),
                "{n}"
            );
        }
        assert_eq!(
            state.units.len(),
            state.unit_names.len() + 1,
            "the home account has no name"
        );
        assert_eq!(state.groups.len(), state.group_names.len());
        for (id, known) in &state.groups {
            let users = state.users.values();
            let inside = users.filter(|user| user.groups.contains(id)).count();
            assert_eq!(known.users, inside as u64, "{id}");
        }
        let several = state.users.iter().filter(|(_, user)| user.units.len() > 1);
        assert!(several.map(|(id, _)| id).eq(state.several.iter()));
        for (license, covers) in &state.covers {
            let of = state.assignments.values().filter(|a| a.license == *license);
            let of: Vec<_> = of.collect();
            assert_eq!(covers.by.len(), of.len());
            assert_eq!(
                covers.keep_out,
                of.iter().filter(|a| a.terms.excludes()).count() as u64
            );
            assert_eq!(
                covers.reserves,
                of.iter().filter(|a| a.terms.reserves()).count() as u64
            );
            assert_eq!(
                covers.policies,
                of.iter().filter(|a| !a.terms.policies.is_empty()).count() as u64
            );
        }
        assert_eq!(state.assignments.len(), self.naive.assigned.len());
    }
}

fn walk(ops: Vec<Op>) {
    let mut world = World::new();
    for op in ops {
        world.step(op);
        world.check();
    }
    let mut again = Engine::new();
    world.journal.iter().for_each(|event| again.replay(event));
    let text = |engine: &Engine| serde_json::to_string(engine.state()).expect("JSON");
    assert_eq!(text(&again), text(&world.engine), "I14");
}

/// How many walks of some 60 steps each, eight of them checkouts; `SEATKEEPER_WALKS=17000` takes a million steps.
fn walks() -> u32 {
    let asked = std::env::var("SEATKEEPER_WALKS");
    asked.ok().and_then(|n| n.parse().ok()).unwrap_or(1_500)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: walks(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r01_to_r11_an_organisation_is_judged_as_a_naive_telling_does(ops in ops()) {
        walk(ops);
    }

    #[test]
    fn r11_i10_i11_no_promise_is_broken(ops in promises()) {
        walk(ops);
    }
}
