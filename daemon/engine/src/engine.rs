//! The door: commands in, events and a verdict out. One function decides, one folds.

use crate::command::{Checkout, Command, IssuerSeen, Renew, Signed};
use crate::covering::recount;
use crate::denial::{Code, Denial, Step};
use crate::event::{Event, Fleeting, Recorded};
use crate::evolve::{ENDED_MAX, ENDED_MS, ended_with, evolve, set_holds};
use crate::ids::{AssignmentId, HolderId, LicenseId, LoginHash, Name, RunId, UserId};
use crate::index::{CheckoutKey, Index};
use crate::licensing::assign;
use crate::licensing::customer::For;
use crate::state::State;
use crate::time::{Date, LeaseTime, Now};
use crate::{access, credentials, dates, directory, licensing, rollback, seats, terms};

/// The answer to a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Done; nothing more to tell.
    Done,
    /// A seat: the terms of a lease to sign, after the batch is durable and not before (I6).
    Leased(Box<LeaseTerms>),
    /// No.
    Denied(Box<Denial>),
    /// A license is in force or waits, or was noted as known.
    Installed {
        /// The license.
        license: LicenseId,
        /// False where an inbox brought a known, lower or removed serial.
        new: bool,
        /// It waits until this day, its first, and is in force then.
        waits: Option<Date>,
        /// Holders that are ending for it.
        ending: Vec<HolderId>,
    },
    /// An assignment stands (again).
    Assigned(AssignmentId),
    /// Holders are ending, by the moment at the latest.
    Ending(Vec<(HolderId, LeaseTime)>),
    /// The user who has the login.
    User(UserId),
    /// The run that started.
    Started {
        /// Its epoch.
        epoch: u64,
        /// Its id.
        run: RunId,
    },
    /// J was put back: the next command is judged by it.
    ClockAccepted {
        /// J before.
        from: Date,
        /// J after.
        to: Date,
    },
}

/// What a lease will say, beside what its call brings (nonce, host).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseTerms {
    /// The holder: `jti`.
    pub holder: HolderId,
    /// The license.
    pub license: LicenseId,
    /// The license token that the lease names.
    pub signed: Signed,
    /// The feature.
    pub feature: Name,
    /// The version asked for.
    pub version: Option<Name>,
    /// Policies granted now.
    pub policies: Vec<Name>,
    /// The person.
    pub user: UserId,
    /// Slots, ascending.
    pub slots: Vec<u64>,
    /// The run's epoch.
    pub epoch: u64,
    /// The run.
    pub run: RunId,
    /// Number of this lease in the run.
    pub seq: u64,
    /// Judged at; J is the lease's `iat`.
    pub now: Now,
    /// Seconds that it lives.
    pub ttl_s: u64,
    /// Seconds of grace after it.
    pub grace_s: u64,
    /// Why it is the last.
    pub last: Option<crate::event::EndingWhy>,
    /// What the application should know.
    pub warnings: Vec<Warning>,
    /// A seat was taken for it now (201), not found or kept (200).
    pub new: bool,
}

/// What a lease warns of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// Cut to the license's `exp` (rule 16).
    ExpiresSoon,
    /// On an overdraft slot (rule 12).
    OverSoftLimit,
}

/// The engine: a state and indexes that can be rebuilt from it.
#[derive(Default)]
pub struct Engine {
    pub(crate) state: State,
    pub(crate) index: Index,
    /// The index is not of this state: a replay does without, and the next judgement builds it.
    stale: bool,
}

impl Engine {
    /// An engine that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An engine that goes on from a recorded state. Ends of holds are not part of it: the next start of a run sets them.
    #[must_use]
    pub fn resume(mut state: State) -> Self {
        state.list_grants();
        Engine {
            state,
            index: Index::default(),
            stale: true,
        }
    }

    /// Judges a command and folds what follows from it.
    pub fn apply(&mut self, now: Now, command: Command) -> (Vec<Event>, Verdict) {
        // A start builds the index itself, when the holds are set.
        if self.stale && !matches!(command, Command::StartRun { .. }) {
            self.index = Index::of(&self.state);
            self.stale = false;
        }
        let mut act = Act {
            engine: self,
            now,
            events: Vec::new(),
        };
        let verdict = act
            .judge(command)
            .unwrap_or_else(|denial| Verdict::Denied(Box::new(denial)));
        (act.events, verdict)
    }

    /// Renews a holder where that records nothing: it is there, this process took it, and it stays. `None` for every
    /// other renewal: [`Engine::apply`] judges those.
    pub fn renew_at_once(&mut self, now: Now, asked: &Renew) -> Option<Verdict> {
        let shows = asked.shown.is_some() || self.state.quarantined(now.lease).is_some();
        if shows || !seats::renew::plain(&self.state, now, asked) {
            return None;
        }
        let mut act = Act {
            engine: self,
            now,
            events: Vec::new(),
        };
        seats::renew::sign(&mut act, asked.holder).ok()
    }

    /// Folds a recorded event, at a replay.
    pub fn replay(&mut self, event: &Recorded) {
        #[cfg(planted)]
        if crate::planted::replays(&mut self.state, event) {
            return;
        }
        if matches!(event, Recorded::RunStarted { .. }) {
            // Every hold is another one: the start that follows sets them all, and the index, once for all starts between.
            evolve(&mut self.state, event);
            self.state.stopped = Default::default();
            (self.index, self.stale) = (Index::default(), true);
        } else {
            self.fold(event);
        }
    }

    fn fold(&mut self, event: &Recorded) {
        if !self.stale {
            self.index.before(&self.state, event);
        }
        evolve(&mut self.state, event);
        if let Recorded::RunStarted { at, .. } = event {
            set_holds(&mut self.state, *at);
            self.stale = false;
        }
        if !self.stale {
            self.index.after(&self.state, event);
        }
        self.drop_ended(event);
    }

    /// Tells that free space is below `disk_reserve`, or is not any more. It holds for every judgement that follows.
    pub fn note_storage(&mut self, low: bool) {
        self.state.storage_low = low;
    }

    /// When the next hold is over, or something that was begun goes on.
    #[must_use]
    pub fn next_deadline(&self) -> Option<LeaseTime> {
        debug_assert!(!self.stale, "asked before anything was judged");
        if !self.index.sweeps.is_empty() {
            return Some(LeaseTime(0));
        }
        self.index.first_deadline().map(|(at, _)| at)
    }

    /// A snapshot: cheap to clone, never changes.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Drops what is remembered of ended checkouts for longer than 15 minutes, or beyond the bound (rule 20).
    fn drop_ended(&mut self, event: &Recorded) {
        let now = match event {
            Recorded::HolderEnded { at, .. }
            | Recorded::SeatEnded { at, .. }
            | Recorded::CheckoutEnded { at, .. } => *at,
            _ => return,
        };
        while let Some(oldest) = self.state.ended.front() {
            if oldest.at + ENDED_MS > now && self.state.ended.len() <= ENDED_MAX {
                break;
            }
            if let Some(gone) = self.state.ended.pop_front() {
                let key = CheckoutKey::of_ended(&gone);
                self.index
                    .forget(&key, gone.at, gone.holder.map(|(holder, _)| holder));
            }
        }
    }
}

/// One command being judged: what it changes is folded at once, so that the next step sees it.
pub(crate) struct Act<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) now: Now,
    events: Vec<Event>,
}

impl Act<'_> {
    fn judge(&mut self, command: Command) -> Result<Verdict, Denial> {
        match command {
            Command::FoundSite { unit, machine } => {
                if self.state().site.is_none() {
                    self.record(Recorded::SiteFounded { unit, machine });
                }
                Ok(Verdict::Done)
            }
            Command::Judged { rights, command } => {
                access::judged_now(self.state(), rights)?;
                self.judge(*command)
            }
            Command::StartRun { run } => Ok(self.start(run)),
            Command::BeginQuarantine => {
                rollback::begin_quarantine(self);
                Ok(Verdict::Done)
            }
            Command::StopRun => {
                self.stop();
                Ok(Verdict::Done)
            }
            Command::Expire => {
                seats::ending::expire(self);
                seats::kept::go_on(self);
                Ok(Verdict::Done)
            }
            Command::Tick => {
                seats::ending::forget_pauses(self);
                licensing::install::begin_due(self);
                seats::kept::settle(self, |_| true);
                Ok(Verdict::Done)
            }
            Command::NoteCheckpoint { number, hash } => {
                self.note(Recorded::CheckpointWritten { number, hash })
            }
            Command::NotePruning { before } => self.note(Recorded::JournalPruned { before }),
            Command::AcceptClock { wall, if_match } => dates::accept(self, wall, if_match),
            Command::Arrange(change) => directory::arrange(self, change),
            Command::Access(change) => access::change(self, change),
            Command::PublishTerms { version, text } => terms::publish(self, version, text),
            Command::AcceptTerms { user, version } => terms::accept(self, user, version),
            Command::Credential(change) => credentials::change(self, change),
            Command::MeetUser { user, login } => Ok(self.meet(user, login)),
            Command::Checkout(checkout) => seats::checkout::checkout(self, &checkout),
            Command::Renew(renew) => seats::renew::renew(self, &renew),
            Command::Release(release) => seats::release::release(self, &release),
            Command::ReleaseElsewhere { holder, by } => seats::release::elsewhere(self, holder, by),
            Command::Reclaim { gid, hard } => seats::release::reclaim(self, gid, hard),
            Command::Recall { gid, hard } => seats::release::recall(self, gid, hard),
            Command::ProcessGone { holders } => {
                seats::ending::process_gone(self, &holders);
                Ok(Verdict::Done)
            }
            rights => self.judge_rights(rights),
        }
    }

    /// Vendors, licenses and assignments.
    fn judge_rights(&mut self, command: Command) -> Result<Verdict, Denial> {
        match command {
            Command::TrustVendor { vendor, roots } => licensing::vendor::trust(self, vendor, roots),
            Command::RemoveVendor { vendor, if_match } => {
                licensing::vendor::remove(self, vendor, if_match)
            }
            Command::SeeIssuer(issuer) => self.see(*issuer),
            Command::InstallLicense {
                terms,
                account,
                assign_everyone,
                note_known,
            } => {
                let wanted = For::Known(account);
                licensing::install::install(self, *terms, wanted, assign_everyone, note_known)
            }
            Command::InstallForNew {
                terms,
                account,
                assign_everyone,
                note_known,
            } => {
                let wanted = For::New(account);
                licensing::install::install(self, *terms, wanted, assign_everyone, note_known)
            }
            Command::RemoveLicense {
                license,
                waiting,
                hard,
                if_match,
            } => licensing::remove::remove(self, license, waiting, hard, if_match),
            Command::Assign {
                id,
                license,
                target,
                terms,
            } => assign::assign(self, id, license, target, terms),
            Command::ChangeAssignment {
                id,
                terms,
                hard,
                if_match,
            } => assign::change(self, id, terms, hard, if_match),
            Command::Unassign { id, hard, if_match } => assign::unassign(self, id, hard, if_match),
            // Judged before; listed so that a new command is judged somewhere.
            Command::FoundSite { .. }
            | Command::Judged { .. }
            | Command::StartRun { .. }
            | Command::BeginQuarantine
            | Command::StopRun
            | Command::NoteCheckpoint { .. }
            | Command::NotePruning { .. }
            | Command::Expire
            | Command::Tick
            | Command::AcceptClock { .. }
            | Command::Arrange(_)
            | Command::Access(_)
            | Command::PublishTerms { .. }
            | Command::AcceptTerms { .. }
            | Command::Credential(_)
            | Command::MeetUser { .. }
            | Command::Checkout(_)
            | Command::Renew(_)
            | Command::Release(_)
            | Command::ReleaseElsewhere { .. }
            | Command::Reclaim { .. }
            | Command::Recall { .. }
            | Command::ProcessGone { .. } => Ok(Verdict::Done),
        }
    }

    fn see(&mut self, issuer: IssuerSeen) -> Result<Verdict, Denial> {
        licensing::vendor::see(self, issuer);
        Ok(Verdict::Done)
    }

    fn start(&mut self, run: RunId) -> Verdict {
        let epoch = self.state().run.epoch + 1;
        #[cfg(planted)]
        let epoch = epoch - u64::from(crate::planted::is("epoch-again"));
        let (at, j) = (self.now.lease, self.now.j);
        self.record(Recorded::RunStarted { epoch, run, at, j });
        Verdict::Started { epoch, run }
    }

    /// What the keeper did with the journal and its states: it changes none.
    fn note(&mut self, done: Recorded) -> Result<Verdict, Denial> {
        self.record(done);
        Ok(Verdict::Done)
    }

    fn meet(&mut self, user: UserId, login: LoginHash) -> Verdict {
        let known = self.state().logins.get(&login).copied();
        if known.is_none() && !self.state().users.contains_key(&user) {
            self.record(Recorded::UserMet { user, login });
        }
        Verdict::User(known.unwrap_or(user))
    }

    pub(crate) fn state(&self) -> &State {
        &self.engine.state
    }

    /// Has the counts that limits and reserves ask for of a feature's pools.
    pub(crate) fn count_limits(&mut self, asked: &Checkout) {
        recount(&mut self.engine.state, &asked.product, &asked.feature);
    }

    /// Records an event and folds it, after those of what ends with it.
    pub(crate) fn record(&mut self, event: Recorded) {
        let ends = ended_with(self.state(), &event);
        for event in ends.into_iter().chain([event]) {
            self.engine.fold(&event);
            self.events.push(Event::Recorded(event));
        }
    }

    /// A lease will be signed by the desk: its number, and the holder's hold, which never shrinks (rule 15).
    pub(crate) fn number_lease(&mut self, holder: HolderId, until: LeaseTime) -> u64 {
        let seq = self.engine.state.run.seq + 1;
        self.engine.state.run.seq = seq;
        let before = self.state().holder(holder).map_or(until, |h| h.until);
        #[cfg(planted)]
        let before = if crate::planted::is("hold-shrinks") {
            until
        } else {
            before
        };
        let until = until.max(before);
        self.engine.state.call(holder, until);
        rollback::note_renewed(&mut self.engine.state, holder.gid, self.now.lease);
        self.engine.index.moved(holder, before, until);
        self.events.push(Event::Fleeting(Fleeting::LeaseSigned {
            holder,
            until,
            seq,
        }));
        seq
    }

    /// The ends of holds, as a clean stop records them (rule 19).
    fn stop(&mut self) {
        let state = self.state();
        let holds = state
            .grants
            .keys()
            .filter_map(|gid| Some((*gid, state.grant(*gid)?)))
            .flat_map(|(gid, grant)| {
                grant
                    .holders
                    .iter()
                    .map(move |h| (HolderId { gid, h: h.h }, h.until))
            })
            .collect();
        self.record(Recorded::RunStopped { holds });
    }
}

/// Not there, or not for this caller.
pub(crate) fn not_found(rule: u8) -> Denial {
    Denial::new(Code::NotFound, rule)
}

/// Refuses where somebody changed it meanwhile.
pub(crate) fn unchanged(revision: u64, if_match: Option<u64>, rule: u8) -> Result<(), Denial> {
    if if_match.is_none_or(|seen| seen == revision) {
        return Ok(());
    }
    Err(Denial {
        limit: Some(format!("revision {revision}")),
        ..Denial::new(Code::WrongRevision, rule)
    })
}

/// Judges a checkout on a snapshot, step by step, by the function that decides it (rule 22).
///
/// # Errors
/// The denial that the checkout would get.
pub fn explain(
    state: &State,
    now: Now,
    checkout: &Checkout,
) -> (Vec<Step>, Result<seats::Choice, Box<Denial>>) {
    let mut state = state.clone();
    seats::ending::fold_expired(&mut state, now, checkout);
    recount(&mut state, &checkout.product, &checkout.feature);
    let mut steps = Vec::new();
    let mut judged = seats::judge::decide(&state, now, checkout, &mut steps);
    // As a checkout does: a seat that is nobody's any more is seen when one is missed (rule 7).
    if judged.is_err() && seats::kept::fold_gone(&mut state, now, checkout) {
        recount(&mut state, &checkout.product, &checkout.feature);
        steps.clear();
        judged = seats::judge::decide(&state, now, checkout, &mut steps);
    }
    (steps, judged.map_err(Box::new))
}
