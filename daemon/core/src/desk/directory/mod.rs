//! The organisation, over the wire: accounts and units, groups, users (rules 1, 2). Whom a body names is looked up here,
//! by id or by name; what is refused is the engine's to say.

mod groups;
mod names;
mod units;
mod users;

pub(super) use names::name_key;

use super::parse::bad;
use super::refusal::Subject;
use super::release::ending;
use super::{Desk, trace_of};
use crate::authorize::Caller;
use crate::keeper::{Answer, Snapshot};
use crate::problem::{Refused, internal};
use crate::random;
use crate::side::Kind;
use seatkeeper::wire::EndingReply;
use seatkeeper_engine::command::Arrange;
use seatkeeper_engine::denial::Denial;
use seatkeeper_engine::{Command, Verdict, losing};
use std::fmt;
use std::str::FromStr;

/// Users that a refusal names, at most.
const NAMED: usize = 10;
/// Members that come or go in one order: a row of the journal stays small.
const AT_ONCE: usize = 500;

impl Desk {
    /// Has a change judged, and gives back the answer where it was made.
    fn arranged(&self, caller: &Caller, what: &str, change: Arrange) -> Result<Answer, Refused> {
        let answer = self.asked(caller, Command::Arrange(change))?;
        match &answer.verdict {
            Verdict::Denied(denial) => {
                Err(self.stands_against(caller, what, denial, &answer.snapshot))
            }
            _ => Ok(answer),
        }
    }

    /// Who loses a seat by a change: told at once, or at their next call (rule 16).
    fn losing(&self, answer: &Answer) -> EndingReply {
        match &answer.verdict {
            Verdict::Ending(holders) => ending(holders, answer.now.lease),
            _ => ending(
                &losing(&answer.snapshot.state, answer.now.j),
                answer.now.lease,
            ),
        }
    }

    /// A name that nothing has any more. What cannot be erased now is swept after the next start.
    fn erase_name(&self, kind: Kind, key: [u8; 16]) {
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
        if !denial.users.is_empty() {
            let named = denial.users.iter().take(NAMED);
            let named: Vec<_> = named.map(|user| self.user_name(*user)).collect();
            let more = match denial.users.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            out.detail = format!("{}: {}{more}", out.detail, named.join(", "));
        }
        out.trace_id = trace_of(caller);
        out
    }
}

/// The id that the caller brought, or a new one.
fn brought<T: FromStr + From16>(id: Option<&str>) -> Result<T, Refused> {
    match id {
        Some(id) => super::parse::id("id", id, "not 32 hex digits"),
        None => Ok(T::from16(
            random::bytes().map_err(|e| internal("no random id", &e))?,
        )),
    }
}

/// An id of 16 bytes.
trait From16 {
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
from16!(UnitId, GroupId, UserId);

/// A word of the wire for one of a few things.
fn word<T: Copy>(member: &str, text: &str, words: &[(&str, T)]) -> Result<T, Refused> {
    let known = words.iter().find(|(word, _)| *word == text);
    known.map(|(_, meant)| *meant).ok_or_else(|| {
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        bad(member, format_args!("{text} is none of {}", all.join(", ")))
    })
}

fn spelled<T: Copy + PartialEq>(meant: T, words: &[(&'static str, T)]) -> &'static str {
    let known = words.iter().find(|(_, of)| *of == meant);
    known.map_or("unknown", |(word, _)| word)
}

/// Nothing has this name.
fn nobody(kind: &str, name: &dyn fmt::Display, list: &str) -> Refused {
    let mut refused = crate::problem::problem(
        seatkeeper::wire::Code::NotFound,
        format!("there is no {kind} {name}"),
    );
    refused.hint = format!("`seatkeeper {list}` shows what there is");
    refused
}
