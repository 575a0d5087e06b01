//! Changes of the organisation that the simulator asks for: each as a command, and in the words of a script.

use super::asks::{everyone, license};
use super::org::{Org, text, version};
use super::people::{login, named, user};
use super::proofs::Proof;
use super::world::pick;
use super::{BASE_S, FEATURE};
use crate::random::Random;
use seatkeeper_engine::Command;
use seatkeeper_engine::command::{Arrange, MoveTo, UnitChange};
use seatkeeper_engine::ids::{AssignmentId, GroupId, NameHash, UnitId};
use seatkeeper_engine::state::{AssignmentTerms, Limit, Place, Target, UserStatus};
use seatkeeper_engine::time::Date;

/// Those who sit, and two who never do.
pub(super) const USERS: [&str; 5] = ["ana", "bob", "eve", "kim", "lee"];
/// Unit 0 is the home account.
pub(super) const HOME: u8 = 0;
const UNITS: u64 = 8;
/// Groups that a change may name, besides the one that comes next.
const GROUPS: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Whom {
    User(&'static str),
    Group(u64),
    Unit(u8),
}

/// What an assignment gives and withholds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Gives {
    pub(super) exclude: bool,
    pub(super) max: Option<u64>,
    pub(super) max_each: Option<u64>,
    pub(super) reserve: Option<u64>,
    /// The optional policy.
    pub(super) export: bool,
}

/// A change, and whether who loses a right by it gets no `last`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Meet(&'static str),
    MakeUnit(u8, u8),
    MoveUnit(u8, u8, bool),
    RenameUnit(u8, String),
    RemoveUnit(u8),
    MakeGroup(u64),
    RenameGroup(u64, String),
    RemoveGroup(u64, bool),
    Join(u64, Whom),
    Leave(u64, Whom, bool),
    MakeUser(&'static str, Vec<u8>, UserStatus),
    Status(&'static str, UserStatus, Option<Date>, bool),
    Place(&'static str, Vec<u8>, bool),
    RemoveUser(&'static str, bool),
    Assign(Whom, Gives),
    Terms(Whom, Gives, bool),
    Unassign(Whom, bool),
    Prove(Proof),
    /// A version, and its text.
    Publish(u64, u64),
    Accept(&'static str, u64),
}

impl Change {
    /// What there is at the beginning: two units, one below the other, and two groups, one in the other.
    pub(super) fn first() -> [Change; 9] {
        [
            Change::MakeUnit(1, HOME),
            Change::MakeUnit(2, 1),
            Change::MakeGroup(1),
            Change::MakeGroup(2),
            Change::Join(1, Whom::Group(2)),
            Change::Join(1, Whom::User("ana")),
            Change::Join(2, Whom::User("bob")),
            Change::Place("eve", vec![2], false),
            Change::MakeUser("kim", vec![1], UserStatus::Active),
        ]
    }

    /// Some change. `made` groups there were so far, `next` makes a name that nothing else has, and it is `j`.
    pub(super) fn some(random: &mut Random, made: u64, next: u64, j: Date) -> Change {
        let hard = random.below(4) == 0;
        let who = some_user(random);
        let unit = some_unit(random);
        let group = some_group(random, made);
        match random.below(31) {
            0 | 1 => Change::MakeUnit(unit, some_place(random)),
            2..5 => Change::MoveUnit(unit, some_place(random), hard),
            5 => Change::RenameUnit(unit, format!("n{next}")),
            6 => Change::RemoveUnit(unit),
            7 => Change::MakeGroup(made + 1),
            8 => Change::MakeGroup(group),
            9 => Change::RenameGroup(group, format!("n{next}")),
            10 => Change::RemoveGroup(group, hard),
            11..15 => Change::Join(group, some_member(random, made)),
            15 | 16 => Change::Leave(group, some_member(random, made), hard),
            17 => Change::MakeUser(who, some_units(random), some_status(random)),
            18..20 => {
                let status = some_status(random);
                let until = (random.below(4) == 0).then(|| Date(j.0 + random.below(90)));
                Change::Status(who, status, until, hard)
            }
            20 | 21 => Change::Place(who, some_units(random), hard),
            22 => Change::RemoveUser(who, hard),
            23..27 => Change::Assign(some_whom(random, made), some_gives(random)),
            27 | 28 => Change::Terms(some_whom(random, made), some_gives(random), hard),
            _ => Change::Unassign(some_whom(random, made), hard),
        }
    }

    /// Some seats are reserved, more or fewer of them, or none any more.
    pub(super) fn promise(random: &mut Random, made: u64) -> Change {
        let whom = some_whom(random, made);
        let gives = Gives {
            reserve: Some(1 + random.below(3)),
            ..Gives::default()
        };
        match random.below(5) {
            0 => Change::Terms(whom, Gives::default(), false),
            1 | 2 => Change::Terms(whom, gives, false),
            _ => Change::Assign(whom, gives),
        }
    }

    /// Terms of service are published, again or anew, or somebody accepts them.
    pub(super) fn of_service(random: &mut Random, org: &Org, next: u64) -> Change {
        let who = some_user(random);
        let back = pick(random, 3).saturating_sub(1);
        let newest = org.versions().rev().nth(back).unwrap_or(next);
        match random.below(8) {
            0 => Change::Publish(next, next),
            1 => Change::Publish(newest, newest),
            2 => Change::Publish(newest, next),
            _ => Change::Accept(who, newest),
        }
    }

    /// Whom it names: a script's line meets them where they are not there.
    pub(super) fn names(&self) -> Option<&'static str> {
        match self {
            Change::Status(who, ..) | Change::Place(who, ..) | Change::RemoveUser(who, _) => {
                Some(who)
            }
            Change::Join(_, whom)
            | Change::Leave(_, whom, _)
            | Change::Assign(whom, _)
            | Change::Terms(whom, ..)
            | Change::Unassign(whom, _) => match whom {
                Whom::User(who) => Some(who),
                _ => None,
            },
            _ => None,
        }
    }

    /// As a script says it. Whoever is met is met by the line that follows.
    pub(super) fn words(&self) -> String {
        let hard = |hard: &bool| if *hard { " hard" } else { "" };
        match self {
            Change::Meet(_) => String::new(),
            Change::MakeUnit(n, above) => format!("unit u{n} in {}", unit_words(*above)),
            Change::MoveUnit(n, to, h) => {
                format!("move u{n} to {}{}", unit_words(*to), hard(h))
            }
            Change::RenameUnit(n, to) => format!("rename u{n} to {to}"),
            Change::RemoveUnit(n) => format!("remove-unit u{n}"),
            Change::MakeGroup(n) => format!("group g{n}"),
            Change::RenameGroup(n, to) => format!("rename-group g{n} to {to}"),
            Change::RemoveGroup(n, h) => format!("remove-group g{n}{}", hard(h)),
            Change::Join(n, whom) => format!("join g{n} {}", member_words(*whom)),
            Change::Leave(n, whom, h) => {
                format!("leave g{n} {}{}", member_words(*whom), hard(h))
            }
            Change::MakeUser(who, units, status) => format!(
                "person {who} in {} status={}",
                units_words(units),
                status_words(*status)
            ),
            Change::Status(who, status, until, h) => {
                let until =
                    until.map(|until| format!(" until={}s", until.0.saturating_sub(BASE_S)));
                format!(
                    "status {who} {}{}{}",
                    status_words(*status),
                    until.unwrap_or_default(),
                    hard(h)
                )
            }
            Change::Place(who, units, h) => {
                format!("place {who} in {}{}", units_words(units), hard(h))
            }
            Change::RemoveUser(who, h) => format!("remove-person {who}{}", hard(h)),
            Change::Assign(whom, gives) => {
                format!("assign L1 to {}{}", whom_words(*whom), gives.words())
            }
            Change::Terms(whom, gives, h) => {
                let (whom, gives) = (whom_words(*whom), gives.words());
                format!("change L1 to {whom}{gives}{}", hard(h))
            }
            Change::Prove(proof) => proof.words(),
            Change::Publish(n, text) => format!("terms publish v{n} text=t{text}"),
            Change::Accept(who, n) => format!("terms accept v{n} by {who}"),
            Change::Unassign(whom, h) => {
                format!("unassign L1 from {}{}", whom_words(*whom), hard(h))
            }
        }
    }

    pub(super) fn command(&self, home: UnitId) -> Command {
        let if_match = None;
        match self {
            Change::Meet(who) => {
                let (user, login) = (user(who), login(who));
                Command::MeetUser { user, login }
            }
            Change::Assign(whom, gives) => Command::Assign {
                id: assignment(*whom),
                license: license(),
                target: target(home, *whom),
                terms: gives.terms(),
            },
            Change::Terms(whom, gives, hard) => Command::ChangeAssignment {
                id: assignment(*whom),
                terms: gives.terms(),
                hard: *hard,
                if_match,
            },
            Change::Unassign(whom, hard) => Command::Unassign {
                id: assignment(*whom),
                hard: *hard,
                if_match,
            },
            Change::Prove(proof) => Command::Credential(proof.command()),
            Change::Publish(n, of) => Command::PublishTerms {
                version: version(*n),
                text: text(*of),
            },
            Change::Accept(who, n) => Command::AcceptTerms {
                user: user(who),
                version: version(*n),
            },
            other => Command::Arrange(other.arrange(home).unwrap()),
        }
    }

    fn arrange(&self, home: UnitId) -> Option<Arrange> {
        let if_match = None;
        let unit = |n| unit(home, n);
        Some(match self.clone() {
            Change::MakeUnit(n, above) => Arrange::MakeUnit {
                unit: unit(n),
                name: name(&format!("u{n}")),
                place: Place::Below(unit(above)),
            },
            Change::MoveUnit(n, to, hard) => Arrange::ChangeUnit {
                unit: unit(n),
                change: UnitChange::Move {
                    to: MoveTo::Below(unit(to)),
                    hard,
                },
                if_match,
            },
            Change::RenameUnit(n, to) => Arrange::ChangeUnit {
                unit: unit(n),
                change: UnitChange::Rename(name(&to)),
                if_match,
            },
            Change::RemoveUnit(n) => Arrange::RemoveUnit {
                unit: unit(n),
                if_match,
            },
            Change::MakeGroup(n) => Arrange::MakeGroup {
                group: group(n),
                name: name(&format!("g{n}")),
                unit: unit(HOME),
            },
            Change::RenameGroup(n, to) => Arrange::RenameGroup {
                group: group(n),
                name: name(&to),
                if_match,
            },
            Change::RemoveGroup(n, hard) => Arrange::RemoveGroup {
                group: group(n),
                hard,
                if_match,
            },
            Change::Join(n, whom) => Arrange::AddMembers {
                group: group(n),
                users: users_in(whom),
                groups: groups_in(whom),
                if_match,
            },
            Change::Leave(n, whom, hard) => Arrange::DropMembers {
                group: group(n),
                users: users_in(whom),
                groups: groups_in(whom),
                hard,
                if_match,
            },
            other => other.of_user(home)?,
        })
    }

    fn of_user(&self, home: UnitId) -> Option<Arrange> {
        let if_match = None;
        let all = |units: &[u8]| units.iter().map(|n| unit(home, *n)).collect();
        Some(match self {
            Change::MakeUser(who, units, status) => Arrange::MakeUser {
                user: user(who),
                login: login(who),
                address: None,
                units: all(units),
                status: *status,
                until: None,
            },
            Change::Status(who, status, until, hard) => Arrange::ChangeUser {
                user: user(who),
                status: *status,
                until: *until,
                hard: *hard,
                if_match,
            },
            Change::Place(who, units, hard) => Arrange::PlaceUser {
                user: user(who),
                units: all(units),
                hard: *hard,
                if_match,
            },
            Change::RemoveUser(who, hard) => Arrange::RemoveUser {
                user: user(who),
                hard: *hard,
                if_match,
            },
            _ => return None,
        })
    }
}

impl Gives {
    fn words(&self) -> String {
        let max = self.max.map(|n| format!(" max={FEATURE}:{n}"));
        let each = self.max_each.map(|n| format!(" max_each={FEATURE}:{n}"));
        let reserve = self.reserve.map(|n| format!(" reserve={FEATURE}:{n}"));
        format!(
            "{}{}{}{}{}",
            if self.exclude { " exclude" } else { "" },
            max.unwrap_or_default(),
            each.unwrap_or_default(),
            reserve.unwrap_or_default(),
            if self.export { " policies=export" } else { "" }
        )
    }

    pub(super) fn terms(&self) -> AssignmentTerms {
        let all = self.exclude.then(|| Limit {
            exclude: true,
            ..Limit::default()
        });
        let numbers = [self.max, self.max_each, self.reserve];
        let limited = numbers.iter().any(Option::is_some);
        let of_one = limited.then(|| Limit {
            feature: Some(FEATURE.into()),
            max: self.max,
            max_each: self.max_each,
            reserve: self.reserve,
            ..Limit::default()
        });
        AssignmentTerms {
            policies: self.export.then(|| "export".into()).into_iter().collect(),
            limits: all.into_iter().chain(of_one).collect(),
            ..AssignmentTerms::default()
        }
    }
}

pub(super) fn some_user(random: &mut Random) -> &'static str {
    USERS[pick(random, USERS.len() as u64)]
}

fn some_unit(random: &mut Random) -> u8 {
    1 + u8::try_from(random.below(UNITS)).unwrap()
}

fn some_place(random: &mut Random) -> u8 {
    u8::try_from(random.below(UNITS + 1)).unwrap()
}

/// One mostly, so that most are lawful.
fn some_units(random: &mut Random) -> Vec<u8> {
    let many = [1, 1, 1, 2, 3][pick(random, 5)];
    let mut units: Vec<_> = (0..many).map(|_| some_place(random)).collect();
    units.sort_unstable();
    units.dedup();
    units
}

fn some_status(random: &mut Random) -> UserStatus {
    match random.below(7) {
        0 => UserStatus::Suspended,
        1 => UserStatus::Pending,
        2 => UserStatus::Invited,
        _ => UserStatus::Active,
    }
}

/// One of the newest, and never 0.
fn some_group(random: &mut Random, made: u64) -> u64 {
    made.saturating_sub(random.below(GROUPS)).max(1)
}

fn some_member(random: &mut Random, made: u64) -> Whom {
    if random.below(3) == 0 {
        Whom::Group(some_group(random, made))
    } else {
        Whom::User(some_user(random))
    }
}

fn some_whom(random: &mut Random, made: u64) -> Whom {
    match random.below(4) {
        0 => Whom::Unit(HOME),
        1 => Whom::Unit(some_unit(random)),
        _ => some_member(random, made),
    }
}

fn some_gives(random: &mut Random) -> Gives {
    let most = |random: &mut Random| (random.below(2) == 0).then(|| random.below(4));
    Gives {
        exclude: random.below(10) == 0,
        max: most(random),
        max_each: most(random),
        reserve: (random.below(6) == 0).then(|| random.below(3)),
        export: random.below(3) == 0,
    }
}

pub(super) fn unit(home: UnitId, n: u8) -> UnitId {
    match n {
        HOME => home,
        n => UnitId(named(&format!("unit {n}"))),
    }
}

pub(super) fn group(n: u64) -> GroupId {
    GroupId(named(&format!("group {n}")))
}

pub(super) fn name(text: &str) -> NameHash {
    NameHash(named(text))
}

pub(super) fn target(home: UnitId, whom: Whom) -> Target {
    match whom {
        Whom::User(who) => Target::User(user(who)),
        Whom::Group(n) => Target::Group(group(n)),
        Whom::Unit(n) => Target::Unit(unit(home, n)),
    }
}

fn assignment(whom: Whom) -> AssignmentId {
    match whom {
        Whom::Unit(HOME) => everyone(),
        other => AssignmentId(named(&format!("assignment {other:?}"))),
    }
}

fn users_in(whom: Whom) -> Vec<seatkeeper_engine::ids::UserId> {
    match whom {
        Whom::User(who) => vec![user(who)],
        _ => Vec::new(),
    }
}

fn groups_in(whom: Whom) -> Vec<GroupId> {
    match whom {
        Whom::Group(n) => vec![group(n)],
        _ => Vec::new(),
    }
}

fn unit_words(n: u8) -> String {
    match n {
        HOME => "home".to_owned(),
        n => format!("u{n}"),
    }
}

fn units_words(units: &[u8]) -> String {
    let units: Vec<_> = units.iter().map(|n| unit_words(*n)).collect();
    units.join(",")
}

fn member_words(whom: Whom) -> String {
    match whom {
        Whom::User(who) => format!("user={who}"),
        Whom::Group(n) => format!("group=g{n}"),
        Whom::Unit(n) => format!("unit={}", unit_words(n)),
    }
}

fn whom_words(whom: Whom) -> String {
    match whom {
        Whom::User(who) => who.to_owned(),
        Whom::Group(n) => format!("group:g{n}"),
        Whom::Unit(HOME) => "everyone".to_owned(),
        Whom::Unit(n) => format!("unit:u{n}"),
    }
}

fn status_words(status: UserStatus) -> String {
    let text = serde_json::to_value(status).unwrap();
    text.as_str().unwrap().to_owned()
}
