//! A seat that the application holds, and what is known of it inside.

use super::error::Error;
use super::event::{EventKind, LostReason, State};
use super::life::{Life, lock};
use super::schedule::{End, Jitter, Stage};
use super::trust::{Ask, Proven};
use crate::clock::Moment;
use crate::token::claims::Last;
use crate::wire::{Chain, Code};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A seat, held while this lives: dropping it gives it back. It renews itself.
#[must_use = "a seat that is dropped is given back at once"]
pub struct Seat {
    life: Arc<Life>,
    cell: Arc<Cell>,
}

/// What the lease of a seat says, as of when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseFacts {
    /// The holder: what `seatkeeper seat list` shows. It may change at a renewal.
    pub id: String,
    /// The person's login, `name@machine`.
    pub user: String,
    /// The product.
    pub product: String,
    /// The feature.
    pub feature: String,
    /// The version asked for.
    pub version: Option<String>,
    /// Slots of the pool, ascending.
    pub slots: Vec<u64>,
    /// Policies granted.
    pub policies: Vec<String>,
    /// Vendor name and license id.
    pub license: (String, String),
    /// When the license ends, in seconds since 1970; none where it is perpetual.
    pub license_ends: Option<u64>,
    /// How long a lease lives without renewal.
    pub ttl: Duration,
    /// Grace after it.
    pub grace: Duration,
    /// Codes of warnings, such as `expires_soon`.
    pub warnings: Vec<String>,
}

/// A seat inside the client.
pub(crate) struct Cell {
    pub(crate) number: u64,
    pub(crate) ask: Ask,
    pub(crate) sitting: Mutex<Sitting>,
}

/// The present lease of a seat, and what comes next.
pub(crate) struct Sitting {
    proven: Proven,
    /// Call then.
    call_at: Moment,
    /// Calls in a row without an answer.
    failures: u32,
    /// The daemon knows the holder no more: a renewal is no use.
    gone: bool,
    /// Nothing brings it back.
    ended: Option<LostReason>,
    /// The holder of a last lease was given back at its end.
    left: bool,
    /// What the daemon said no for since the last lease.
    refused: Option<Code>,
    told: State,
    told_policies: Vec<String>,
}

/// What is due for a seat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Rest,
    Renew,
    CheckOut,
    /// Give this holder back: its last lease is over.
    Leave(String),
}

/// Giving back at a drop holds the application up no longer than this; else the heartbeat repeats it.
const DROP: Duration = Duration::from_secs(2);
const RELEASE: Duration = Duration::from_secs(10);

impl Seat {
    pub(crate) fn new(life: Arc<Life>, cell: Arc<Cell>) -> Seat {
        Seat { life, cell }
    }

    /// Its number within this process, from 1: events name it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.cell.number
    }

    /// Whether the application may run now. Costs no call.
    #[must_use]
    pub fn state(&self) -> State {
        if !self.life.is_mine() {
            return State::Lost {
                reason: LostReason::Forked,
            };
        }
        lock(&self.cell.sitting).state(self.life.setup.clock.now())
    }

    /// Whether this policy is granted: it is in the newest lease, and the seat is not lost.
    #[must_use]
    pub fn allows(&self, policy: &str) -> bool {
        if !self.life.is_mine() {
            return false;
        }
        let sitting = lock(&self.cell.sitting);
        let usable = sitting.state(self.life.setup.clock.now()).is_usable();
        usable
            && sitting
                .proven
                .lease
                .policies
                .iter()
                .any(|granted| granted == policy)
    }

    /// What its newest lease says; none in a forked child.
    #[must_use]
    pub fn lease(&self) -> Option<LeaseFacts> {
        self.life
            .is_mine()
            .then(|| lock(&self.cell.sitting).facts(&self.cell.ask))
    }

    /// Gives it back, and says whether the daemon took it. In a forked child it does nothing.
    ///
    /// # Errors
    /// Where the daemon could not be told; the client repeats it while the process runs, and the daemon notices the
    /// end of the process.
    pub fn release(self) -> Result<(), Error> {
        self.leave(RELEASE)
    }

    fn leave(&self, timeout: Duration) -> Result<(), Error> {
        if !self.life.is_mine() {
            return Ok(());
        }
        let id = lock(&self.cell.sitting).release();
        self.life.forget(self.cell.number);
        id.map_or(Ok(()), |id| self.life.give_back(&id, timeout))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.leave(DROP));
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat")
            .field("number", &self.number())
            .field("state", &self.state())
            .finish()
    }
}

impl Cell {
    pub(crate) fn new(number: u64, ask: Ask, proven: Proven, now: Moment) -> Cell {
        let mut sitting = Sitting {
            told: State::Held,
            told_policies: proven.lease.policies.clone(),
            call_at: now,
            failures: 0,
            gone: false,
            ended: None,
            left: false,
            refused: None,
            proven,
        };
        sitting.call_at = sitting.proven.term.renew_at(super::heartbeat::jitter());
        Cell {
            number,
            ask,
            sitting: Mutex::new(sitting),
        }
    }
}

impl Sitting {
    pub(crate) fn state(&self, now: Moment) -> State {
        match self.ended {
            Some(reason) => State::Lost { reason },
            None => State::of(self.proven.term.stage(now), now),
        }
    }

    /// What is due now.
    pub(crate) fn step(&mut self, now: Moment) -> Step {
        if self.ended.is_some() {
            return Step::Rest;
        }
        let over = matches!(self.proven.term.stage(now), Stage::Over(_));
        let last = match self.proven.term.end() {
            Some(End::Last(last)) => Some(last),
            _ => None,
        };
        if let (Some(last), true, false) = (last, over, self.left) {
            return self.leave_last(last, now);
        }
        match last {
            Some(Last::Superseded) if self.call_at <= now => Step::CheckOut,
            Some(_) => Step::Rest,
            None if self.call_at > now => Step::Rest,
            None if self.gone => Step::CheckOut,
            None => Step::Renew,
        }
    }

    /// At the end of a last lease the holder is released (rule 16); only after `superseded` another may follow.
    fn leave_last(&mut self, last: Last, now: Moment) -> Step {
        self.left = true;
        if last != Last::Superseded
            && let State::Lost { reason } = self.state(now)
        {
            self.ended = Some(reason);
        }
        Step::Leave(self.proven.lease.jti.clone())
    }

    /// When something is due or changes.
    pub(crate) fn due(&self, now: Moment) -> Option<Moment> {
        if self.ended.is_some() {
            return None;
        }
        let calls =
            !matches!(self.proven.term.end(), Some(End::Last(last)) if last != Last::Superseded);
        let leave = Some(self.proven.term.over_at()).filter(|_| self.has_last() && !self.left);
        let call = Some(self.call_at).filter(|_| calls);
        call.into_iter()
            .chain(leave)
            .chain(self.proven.term.next_change(now))
            .min()
    }

    /// When it stands elsewhere without any call.
    pub(crate) fn changes_at(&self, now: Moment) -> Option<Moment> {
        let changes = || self.proven.term.next_change(now);
        self.ended.is_none().then(changes).flatten()
    }

    fn has_last(&self) -> bool {
        matches!(self.proven.term.end(), Some(End::Last(_)))
    }

    /// What a renewal shows: the holder's id, the lease, the chain above it.
    pub(crate) fn shown(&self) -> (String, String, Chain) {
        (
            self.proven.lease.jti.clone(),
            self.proven.token.clone(),
            self.proven.chain.clone(),
        )
    }

    /// Takes a lease in; false where the seat was given back or ended meanwhile.
    pub(crate) fn adopt(&mut self, proven: Proven, jitter: Jitter) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.call_at = match proven.term.end() {
            // Nothing is to be waited for: the new checkout is due at once.
            Some(End::Last(Last::Superseded)) => Moment::default(),
            _ => proven.term.renew_at(jitter),
        };
        self.proven = proven;
        self.failures = 0;
        self.gone = false;
        self.left = false;
        self.refused = None;
        true
    }

    /// The holder to release once another has taken its place; none where the daemon knows it no more.
    pub(crate) fn old_holder(&self) -> Option<String> {
        (!self.gone && !self.left).then(|| self.proven.lease.jti.clone())
    }

    /// The daemon knows the holder no more.
    pub(crate) fn gone(&mut self) {
        self.gone = true;
    }

    /// Nothing brings it back.
    pub(crate) fn end(&mut self, reason: LostReason) {
        self.ended.get_or_insert(reason);
    }

    /// The application gives it back; the holder to release, where there is one.
    fn release(&mut self) -> Option<String> {
        let holder = self.ended.is_none().then(|| self.old_holder()).flatten();
        self.ended = Some(LostReason::Released);
        holder
    }

    /// The daemon said no. True where the reason is another one than the last time.
    pub(crate) fn denied(&mut self, code: &Code, now: Moment, jitter: Jitter) -> bool {
        self.failures = 0;
        self.call_at = self.proven.term.after_denial(now, jitter);
        let before = self.refused.replace(code.clone());
        before.as_ref() != Some(code)
    }

    /// It is in grace, and a call is due.
    pub(crate) fn calls_in_grace(&self, now: Moment) -> bool {
        self.call_at <= now && matches!(self.state(now), State::Grace { .. })
    }

    pub(crate) fn unanswered(&mut self, now: Moment, jitter: Jitter) {
        self.call_at = self.proven.term.after_failure(now, self.failures, jitter);
        self.failures = self.failures.saturating_add(1);
    }

    /// What the application has not been told yet.
    pub(crate) fn news(&mut self, now: Moment) -> Vec<EventKind> {
        if self.ended == Some(LostReason::Released) {
            return Vec::new();
        }
        let state = self.state(now);
        let mut news: Vec<_> = state.news(&self.told).into_iter().collect();
        self.told = state;
        if self.told_policies != self.proven.lease.policies {
            self.told_policies = self.proven.lease.policies.clone();
            news.push(EventKind::PoliciesChanged(self.told_policies.clone()));
        }
        news
    }

    fn facts(&self, ask: &Ask) -> LeaseFacts {
        let lease = &self.proven.lease;
        LeaseFacts {
            id: lease.jti.clone(),
            user: lease.sub.clone(),
            product: ask.product.to_string(),
            feature: lease.feature.clone(),
            version: lease.version.clone(),
            slots: lease.slots.clone(),
            policies: lease.policies.clone(),
            license: (self.proven.vendor.clone(), self.proven.license.clone()),
            license_ends: self.proven.license_ends,
            ttl: Duration::from_secs(lease.ttl_s),
            grace: Duration::from_secs(lease.grace_s),
            warnings: lease.warning.clone(),
        }
    }
}
