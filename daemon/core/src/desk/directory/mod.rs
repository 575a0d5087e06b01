//! The organisation, over the wire: accounts and units, groups, users (rules 1, 2). Whom a body names is looked up here,
//! by id or by name, of what the caller sees; what stands against a change is the engine's to say.

mod addresses;
mod customers;
mod ended;
mod groups;
mod names;
mod registrations;
mod roles;
mod units;
mod users;

pub(super) use addresses::{address_hash, mail_address, names_of};
pub(super) use customers::Wanted;
pub(super) use names::name_key;
pub(super) use users::STATUS;

use super::Desk;
use super::parse::bad;
use super::refusal::Subject;
use super::release::ending;
use crate::authorize::{Caller, Permission, Sight};
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, internal};
use crate::random;
use crate::side::Kind;
use seatkeeper::wire::EndingReply;
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::denial::{self, Denial, in_it};
use seatkeeper_engine::ids::{GroupId, NameHash, UnitId};
use seatkeeper_engine::{Command, Concerned, State, Verdict, losing};
use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;

/// Users that a refusal names, at most.
const NAMED: usize = 10;
/// Members that come or go in one order: a row of the journal stays small.
const AT_ONCE: usize = 500;

impl Desk {
    /// Has a change judged, and gives back the answer where it was made.
    fn arranged(&self, caller: &Caller, what: &str, change: Arrange) -> Result<Answer, Refused> {
        let units = match &change {
            Arrange::PlaceUser { units, .. } => units.clone(),
            _ => Vec::new(),
        };
        // A status is no name: who has to be kept out is, on a full disk, too.
        if !matches!(change, Arrange::ChangeUser { .. }) {
            self.has_room(caller, what)?;
        }
        let answer = self.asked(caller, Command::Arrange(change))?;
        match &answer.verdict {
            Verdict::Denied(denial) => {
                let mut refused = self.stands_against(caller, what, denial, &answer.snapshot);
                if denial.code == denial::Code::OneLine {
                    self.tell_line(&mut refused, (caller, what), &units, &answer.snapshot);
                }
                Err(refused)
            }
            _ => Ok(answer),
        }
    }

    /// Which two units of a user lie in one line, where the caller sees both.
    fn tell_line(
        &self,
        refused: &mut Refused,
        (caller, what): (&Caller, &str),
        units: &[UnitId],
        snapshot: &Snapshot,
    ) {
        let state = &snapshot.state;
        let sight = Sight::of(snapshot, caller, Permission::UnitRead);
        let mut lines = units.iter().filter_map(|low| {
            let mut line = state.upwards(*low).skip(1);
            line.find(|high| units.contains(high))
                .map(|high| (*low, high))
        });
        if let Some((low, high)) =
            lines.find(|(low, high)| sight.at(state, *low) && sight.at(state, *high))
        {
            let (low, high) = (self.unit_path(state, low), self.unit_path(state, high));
            refused.detail = format!("{what} would be in {high} and in {low}, which lies in it");
        }
    }

    /// The same of a change that gives a thing this name. The name is durable before it counts, and stays as long as it
    /// does: one such change at a time, so that none erases what another one has put.
    fn arranged_by_name(
        &self,
        caller: &Caller,
        what: &str,
        named: &Named<'_>,
        change: Arrange,
    ) -> Result<Answer, Refused> {
        self.has_room(caller, what)?;
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let key = name_key(named.id, named.name);
        let broken = |e| self.broken(caller, &e);
        let old = named.now(&self.keeper.recorded().state);
        let text = self.side.name(named.kind, key).map_err(broken)?;
        self.side
            .put_name(named.kind, key, named.text)
            .map_err(broken)?;
        // After a failure nobody knows what was recorded: the next start sweeps what nothing has.
        let answer = self.asked(caller, Command::Arrange(change))?;
        let now = named.now(&answer.snapshot.state);
        let mut gone: Vec<_> = old.into_iter().chain([named.name]).collect();
        gone.retain(|name| Some(*name) != now);
        for name in gone {
            self.erase_name(named.kind, name_key(named.id, name));
        }
        let Verdict::Denied(denial) = &answer.verdict else {
            return Ok(answer);
        };
        if let Some(text) = text.filter(|_| now == Some(named.name)) {
            let kept = self.side.put_name(named.kind, key, &text);
            kept.map_err(broken)?;
        }
        let mut refused = self.stands_against(caller, what, denial, &answer.snapshot);
        if denial.code == denial::Code::NameTaken {
            refused.hint = another_name(&answer.snapshot, caller, named);
        }
        Err(refused)
    }

    /// Who loses a seat by a change: ended at once, or told at their next call (rule 16).
    fn losing(&self, before: &State, answer: &Answer, concerned: &Concerned) -> EndingReply {
        let state = &answer.snapshot.state;
        let told = match &answer.verdict {
            Verdict::Ending(holders) => holders.clone(),
            _ => losing(before, state, answer.now.j, concerned),
        };
        ending(&told, answer.now.lease)
    }

    /// A name that nothing has any more. What cannot be erased now, or has no room to be, is swept after the next start.
    pub(super) fn erase_name(&self, kind: Kind, key: [u8; 16]) {
        if self.storage_low() {
            return;
        }
        if let Err(why) = self.side.erase_name(kind, key) {
            self.keeper.fail(&why);
        }
    }

    /// The refusal of a change, with those who stand against it.
    fn stands_against(
        &self,
        caller: &Caller,
        what: &str,
        denial: &Denial,
        snapshot: &Snapshot,
    ) -> Refused {
        let subject = Subject {
            caller,
            user: what,
            what,
            version: None,
        };
        let mut out = self.refuse(denial, subject, snapshot);
        match denial.code {
            denial::Code::OneLine if what.starts_with("user ") => {
                out.hint = "name one of the two: who is in a unit counts for those above it, too; `seatkeeper unit list` shows what lies in what".to_owned();
            }
            denial::Code::NotEmpty => {
                if let Some(hint) = empties(denial.limit.as_deref(), what) {
                    out.hint = hint;
                }
            }
            _ => {}
        }
        // Of one user it is said at the beginning who it is.
        let own = denial.code == denial::Code::OneLine && what.starts_with("user ");
        if !denial.users.is_empty() && !own {
            let sight = Sight::of(snapshot, caller, Permission::UserRead);
            let seen = denial.users.iter();
            let seen = seen.filter(|user| sight.shows(&snapshot.state, **user));
            let named: Vec<_> = seen.take(NAMED).map(|user| self.user_name(*user)).collect();
            let more = match denial.users.len() - named.len() {
                0 => String::new(),
                more if named.is_empty() => format!("{more} of them"),
                more => format!(" and {more} more"),
            };
            out.detail = format!("{}: {}{more}", out.detail, named.join(", "));
        }
        out
    }
}

/// Where a name is taken: the list that shows whose it is, where the caller sees that.
fn another_name(snapshot: &Snapshot, caller: &Caller, named: &Named<'_>) -> String {
    let state = &snapshot.state;
    if named.kind != Kind::Group {
        return "take another name: `seatkeeper unit list` shows those that are there".to_owned();
    }
    let has = state.group_names.get(&named.name);
    let unit = has.and_then(|group| Some(state.groups.get(group)?.unit));
    let sight = Sight::of(snapshot, caller, Permission::GroupRead);
    match unit.is_some_and(|unit| sight.at(state, unit)) {
        true => "take another name: `seatkeeper group list` shows those that are there".to_owned(),
        false => {
            "take another name: this one is of a group that is not shown to you, and a name is of one group in the whole site"
                .to_owned()
        }
    }
}

/// How a unit gets empty, by what is in it.
fn empties(reason: Option<&str>, what: &str) -> Option<String> {
    let unit = what.split_once(' ').map_or(what, |(_, name)| name);
    if reason == Some(in_it::HOME) {
        let stays = "the home account stays; `seatkeeper unit list` shows the units in it";
        return Some(stays.to_owned());
    }
    let (list, then) = match reason? {
        in_it::UNITS => (
            "unit list".to_owned(),
            "unit move` or `seatkeeper unit remove",
        ),
        in_it::USERS => (
            format!("user list --unit '{unit}'"),
            "user move` or `seatkeeper user remove",
        ),
        in_it::GROUPS => ("group list".to_owned(), "group remove"),
        in_it::ROLES => ("user list".to_owned(), "role take"),
        in_it::ASSIGNMENTS => ("license assignments".to_owned(), "license unassign"),
        in_it::ACCOUNTS => ("account list".to_owned(), "account manage"),
        in_it::LICENSES => ("license list".to_owned(), "license remove"),
        _ => return None,
    };
    Some(format!(
        "`seatkeeper {list}` shows them, `seatkeeper {then}` takes each out of it"
    ))
}

/// A unit or a group with the name that it is to have.
struct Named<'a> {
    kind: Kind,
    id: [u8; 16],
    text: &'a str,
    name: NameHash,
}

impl Named<'_> {
    /// The name that it has.
    fn now(&self, state: &State) -> Option<NameHash> {
        match self.kind {
            Kind::Unit => state.units.get(&UnitId(self.id))?.name,
            Kind::Group => Some(state.groups.get(&GroupId(self.id))?.name),
            Kind::User | Kind::Machine | Kind::Password | Kind::Token => None,
        }
    }
}

/// The id that the caller brought, or a new one.
pub(super) fn brought<T: FromStr + From16>(id: Option<&str>) -> Result<T, Refused> {
    match id {
        Some(id) => super::parse::id("id", id, super::parse::HEX),
        None => Ok(T::from16(
            random::bytes().map_err(|e| internal("no random id", &e))?,
        )),
    }
}

/// An id of 16 bytes.
pub(super) trait From16 {
    fn from16(bytes: [u8; 16]) -> Self;
}

macro_rules! from16 {
    ($($id:ident),*) => {$(
        impl From16 for seatkeeper_engine::ids::$id {
            fn from16(bytes: [u8; 16]) -> Self {
                seatkeeper_engine::ids::$id(bytes)
            }
        }
    )*};
}
from16!(UnitId, GroupId, UserId, BearerId);

/// A word of the wire for one of a few things.
fn word<T: Copy>(member: &str, text: &str, words: &[(&str, T)]) -> Result<T, Refused> {
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, meant)| *meant).ok_or_else(|| {
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        bad(member, format_args!("{text} is none of {}", all.join(", ")))
    })
}

pub(super) fn spelled<T: Copy + PartialEq>(meant: T, words: &[(&'static str, T)]) -> &'static str {
    let known = words.iter().find(|(_, of)| *of == meant);
    known.map_or("unknown", |(word, _)| word)
}

/// Nothing has this name, as far as the one who asks can see.
pub(super) fn nobody(kind: &str, name: &dyn fmt::Display, list: &str) -> Refused {
    let mut refused = crate::problem::problem(
        seatkeeper::wire::Code::NotFound,
        format!("there is no {kind} {name}"),
    );
    refused.hint = format!("`seatkeeper {list}` shows what there is");
    refused
}
