//! Giving a seat back: by its holder, from elsewhere by its user, or taken back by an administrator.

use super::parse::{self, bad};
use super::refusal::Subject;
use super::{Desk, trace_of};
use crate::authorize::{Caller, Permission, holds_no_seat};
use crate::keeper::{Answer, Failure};
use crate::problem::{Refused, internal, problem};
use seatkeeper::wire::{Code, EndingHolder, EndingReply};
use seatkeeper_engine::command::{Release, Released as What};
use seatkeeper_engine::ids::{CheckoutId, Gid, HolderId};
use seatkeeper_engine::time::LeaseTime;
use seatkeeper_engine::{Command, Order, Verdict};

/// What the second half of a release needs of the first.
#[derive(Debug)]
pub struct ReleaseAsked {
    caller: Caller,
    what: String,
    holder: Option<HolderId>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Released {
    /// Given back (204). The holder, where the release named one, need not be watched any more.
    Now(Option<HolderId>),
    /// The holders are told at their next renewal and are ending (200).
    Ending(EndingReply),
}

impl Desk {
    /// The first half of `DELETE /v1/leases/{id}`: by the holder with its instance, from elsewhere without one.
    ///
    /// # Errors
    /// `bad_request` that names the member, or `not_found` where the caller has no seats.
    pub fn prepare_release(
        &self,
        caller: &Caller,
        id: &str,
        instance: Option<&str>,
    ) -> Result<(Order, ReleaseAsked), Refused> {
        self.traced(caller, self.release_of(caller, id, instance))
    }

    /// The second half of it.
    ///
    /// # Errors
    /// The denial, or what broke.
    pub fn finish_release(
        &self,
        asked: ReleaseAsked,
        answer: Result<Answer, Failure>,
    ) -> Result<Released, Refused> {
        let answer = answer.map_err(|e| self.fail(&asked.caller, e))?;
        match answer.verdict {
            Verdict::Done => Ok(Released::Now(asked.holder)),
            Verdict::Ending(holders) => Ok(Released::Ending(ending(&holders, answer.now.lease))),
            Verdict::Denied(denial) => {
                let subject = Subject {
                    caller: &asked.caller,
                    user: &asked.caller.login.name,
                    what: &asked.what,
                    version: None,
                };
                Err(self.refuse(&denial, subject, &answer.snapshot))
            }
            other => Err(internal(
                "an answer to a release",
                &format_args!("{other:?} {}", trace_of(&asked.caller)),
            )),
        }
    }

    /// A release as a whole; blocks.
    ///
    /// # Errors
    /// The denial, or what broke.
    pub fn release(
        &self,
        caller: &Caller,
        id: &str,
        instance: Option<&str>,
    ) -> Result<Released, Refused> {
        let (order, asked) = self.prepare_release(caller, id, instance)?;
        let answer = self.ask(order, caller.trace.clone());
        self.finish_release(asked, answer)
    }

    /// A reclaim (rule 16); `id` is a grant (`E.N`) or one of its holders. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn reclaim(&self, caller: &Caller, id: &str, hard: bool) -> Result<Released, Refused> {
        let reclaim = |gid| Command::Reclaim { gid, hard };
        self.by_rights_of_now(caller, |caller| self.take_back_of(caller, id, reclaim))
    }

    /// Takes a named seat from its owner (rule 7); `id` as for a reclaim. Blocks.
    ///
    /// # Errors
    /// `forbidden`, `bad_request` that names the member, or the denial.
    pub fn recall(&self, caller: &Caller, id: &str, hard: bool) -> Result<Released, Refused> {
        let recall = |gid| Command::Recall { gid, hard };
        self.by_rights_of_now(caller, |caller| self.take_back_of(caller, id, recall))
    }

    fn release_of(
        &self,
        caller: &Caller,
        id: &str,
        instance: Option<&str>,
    ) -> Result<(Order, ReleaseAsked), Refused> {
        self.authorize(caller, Permission::SeatUse, self.unit)?;
        holds_no_seat(caller)?;
        let what = released(id)?;
        let holder = match what {
            What::Holder(holder) => Some(holder),
            What::Checkout(_) => None,
        };
        let command = match (instance, holder) {
            (Some(instance), _) => Command::Release(Release {
                what,
                process: self.process(caller, instance)?,
            }),
            (None, Some(holder)) => Command::ReleaseElsewhere {
                holder,
                by: self.user_of(caller).ok_or_else(|| {
                    problem(Code::NotFound, format!("there is no seat {id} of yours"))
                })?,
            },
            (None, None) => {
                return Err(bad("instance", "is needed where a checkout id is released"));
            }
        };
        Ok((
            self.order(caller, command),
            ReleaseAsked {
                caller: caller.clone(),
                what: format!("the seat {id}"),
                holder,
            },
        ))
    }

    fn take_back_of(
        &self,
        caller: &Caller,
        id: &str,
        command: impl FnOnce(Gid) -> Command,
    ) -> Result<Released, Refused> {
        let snapshot = self.keeper.snapshot();
        let sight = self.sight(&snapshot, caller, Permission::SeatReclaim)?;
        let gid = id
            .parse::<Gid>()
            .or_else(|_| id.parse::<HolderId>().map(|holder| holder.gid))
            .map_err(|_| bad("id", "not a grant (EPOCH.N) or a holder (EPOCH.N.H)"))?;
        let state = &snapshot.state;
        let users = state.grant(gid).map(|grant| {
            let holders = grant.holders.iter().map(|holder| holder.facts.user);
            holders.chain([grant.user]).collect::<Vec<_>>()
        });
        let units = match users {
            // All who sit on it: a seat of others, too, is theirs to take back who see those.
            Some(users) if users.iter().all(|user| sight.over(state, *user)) => users
                .iter()
                .flat_map(|user| state.units_of_user(*user).iter().copied())
                .collect(),
            // The engine says so.
            None if caller.administers => vec![self.unit],
            // Nor may a seat be named that is to be opened yet: nobody knows whose it will be.
            _ => return Err(problem(Code::NotFound, format!("there is no seat {gid}"))),
        };
        let caller = &self.acting(&snapshot, caller, Permission::SeatReclaim, &units)?;
        let asked = ReleaseAsked {
            caller: caller.clone(),
            what: format!("seat {gid}"),
            holder: None,
        };
        let answer = self.ask(self.order(caller, command(gid)), caller.trace.clone());
        self.finish_release(asked, answer)
    }
}

fn released(id: &str) -> Result<What, Refused> {
    if let Ok(holder) = id.parse() {
        return Ok(What::Holder(holder));
    }
    parse::id::<CheckoutId>(
        "id",
        id,
        "neither a holder (EPOCH.N.H) nor a checkout id (32 lower-case hex digits)",
    )
    .map(What::Checkout)
}

/// Holders that are ending, with how long their slots are taken at the most.
pub(super) fn ending(holders: &[(HolderId, LeaseTime)], now: LeaseTime) -> EndingReply {
    EndingReply {
        ending: holders
            .iter()
            .map(|(holder, until)| EndingHolder {
                id: holder.to_string(),
                within_s: (*until - now).div_ceil(1000),
            })
            .collect(),
    }
}
