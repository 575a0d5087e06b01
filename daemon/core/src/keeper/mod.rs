//! The single writer: the one place that owns the engine and the journal's end, and the handle that others hold.
//!
//! A round: drain the queue, read the clocks once, end what is due, apply each command, make the recorded events
//! durable as one row, publish the snapshot, and only then answer (I6). There is no reaper: the keeper sleeps until
//! the engine's next deadline, a tick or a time mark is due. A failed write is the end (I7).
//!
//! Rounds come one after the other, but not all on one thread: whoever finds commands waiting does the round for all of
//! them, and saves the two changes of threads on the way to the keeper and back. `worker::serve` tells what is left to the
//! keeper's own thread.
//!
//! Between two rounds, and only there, a renewal that records nothing is served on its caller's thread, too: most of the
//! traffic of a site does not need the journal.

mod checkpointing;
#[cfg(test)]
mod clock_tests;
mod queue;
#[cfg(test)]
mod seat_tests;
mod start;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;
mod worker;

pub use queue::{BATCH, QUEUE, QUEUE_PER_CALLER};
pub use start::{Parts, StartError, start, start_by_hand};

use crate::calendar::{Mark, Standing};
use crate::checkpoint::Checkpoints;
use crate::clock::{Clock, Reading};
use crate::journal::{Archive, Head, Journal, JournalError};
use arc_swap::ArcSwap;
use queue::{Pushed, Queue, Waiting};
use seatkeeper_engine::command::Renew;
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::Name;
use seatkeeper_engine::time::{Date, Now};
use seatkeeper_engine::{Actor, Command, Order, Origin, State, Verdict};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, mpsc};
use std::thread::JoinHandle;
use worker::{Rounds, Worker};

/// Called once with the answer, on the thread of its round, or with a failure at once: hand it over, do nothing else there.
pub type Reply = Box<dyn FnOnce(Result<Answer, Failure>) + Send>;
/// Is given what each batch recorded, on the thread of its round, after it is durable: hand it over, do nothing else there.
pub type OnEvents = Box<dyn FnMut(&Arc<Published>) + Send>;
/// Called once, on the thread of the round that cannot go on: the daemon ends the process here (S26).
pub type OnFatal = Box<dyn FnOnce(&str) + Send>;

/// The answer to an order. It exists only after its batch is durable.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the engine said.
    pub verdict: Verdict,
    /// The time that it was judged at.
    pub now: Now,
    /// The state that the batch left: names, policies and terms are read from here.
    pub snapshot: Arc<Snapshot>,
    /// Numbers of the events that this order recorded; empty where it recorded none.
    pub events: Range<u64>,
}

/// What readers see: it never changes, and a newer one takes its place after each batch.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The engine's state.
    pub state: State,
    /// The time of its batch. For the present time ask [`Handle::now`].
    pub now: Now,
    /// The end of the journal's chain.
    pub head: Head,
    /// How the wall clock stands to J.
    pub clock: Standing,
    read: Reading,
}

/// What one batch recorded.
#[derive(Debug)]
pub struct Published {
    /// The events, in order.
    pub events: Vec<PublishedEvent>,
    /// The state after them.
    pub snapshot: Arc<Snapshot>,
}

/// A recorded event, as subscribers see it.
#[derive(Debug)]
pub struct PublishedEvent {
    /// Its number in the journal.
    pub number: u64,
    /// Wall clock of the batch.
    pub wall_s: u64,
    /// Who caused it.
    pub actor: Actor,
    /// Where the command came in.
    pub origin: Origin,
    /// The trace id, where there is one.
    pub trace: Option<Name>,
    /// What happened.
    pub what: Recorded,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The queue, or this caller's share of it, is full: 503, try again in a second.
    Busy,
    /// The daemon is stopping, or has failed: whether the order took effect is not known.
    Stopped,
}

/// What others hold of the keeper. Clones are cheap.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Queue,
    snapshot: ArcSwap<Snapshot>,
    journal: Arc<dyn Journal>,
    checkpoints: Option<Checkpoints>,
    /// What the writer of checkpoints tells.
    writer: Arc<checkpointing::Writer>,
    clock: Arc<dyn Clock>,
    /// The times when the run before this one wrote last.
    before: Option<Mark>,
    failed: OnceLock<String>,
    /// Is had for a whole round.
    rounds: Mutex<Rounds>,
    /// Is had for a round, and for a renewal in between.
    worker: Mutex<Worker>,
    /// Callers do rounds: not where an owner calls for them.
    by_callers: bool,
    /// The last round that recorded something took long: the next one is the keeper's thread's.
    slow: AtomicBool,
}

/// The keeper's thread. Dropped without [`Keeper::stop`] it ends like a crash: after the batch at hand, without
/// recording the ends of holds.
pub struct Keeper {
    handle: Handle,
    thread: Option<JoinHandle<Result<(), Failure>>>,
}

/// A keeper whose owner calls its rounds. Dropped without [`ByHand::stop`] it ends like a crash.
pub struct ByHand {
    handle: Handle,
}

impl Handle {
    /// The answer that needs no batch: that of a renewal that records nothing, where none is under way. Ask this first.
    #[must_use]
    pub fn at_once(&self, order: &Order) -> Option<Answer> {
        match &order.command {
            Command::Renew(renew) => self.renew_at_once(renew),
            _ => None,
        }
    }

    /// Puts an order into its caller's lane, for the keeper's thread. `reply` is called when the batch is durable, or at once
    /// with the failure. This waits for nothing.
    pub fn submit(&self, order: Order, trace: Option<Name>, reply: Reply) {
        self.push(order, trace, reply);
        // In any case: another's promise to do a round may wait for other requests.
        self.shared.queue.wake();
    }

    /// The same for a caller that does rounds: at once where a crowd waits, and else later. True where nobody else was told
    /// to: whoever put the order in calls [`Handle::round`] when the requests at hand are in. One batch of ten costs far less
    /// than ten of one.
    #[must_use]
    pub fn put(&self, order: Order, trace: Option<Name>, reply: Reply) -> bool {
        match self.push(order, trace, reply) {
            Pushed::Behind => false,
            Pushed::First => true,
            Pushed::Crowd => self.round(),
        }
    }

    fn push(&self, order: Order, trace: Option<Name>, reply: Reply) -> Pushed {
        let waiting = Waiting {
            order,
            trace,
            reply,
        };
        let pushed = self.shared.queue.push(waiting);
        pushed.unwrap_or_else(|(reply, failure)| {
            reply(Err(failure));
            Pushed::Behind
        })
    }

    /// Does a round over what waits, on this thread, where none is under way; while rounds take long it is left to the
    /// keeper's thread. True where more came in the meantime: call it again when the requests at hand are in.
    #[must_use]
    pub fn round(&self) -> bool {
        let shared = &*self.shared;
        if !shared.by_callers || shared.slow.load(Ordering::Relaxed) {
            shared.queue.wake();
            return false;
        }
        let mut rounds = match shared.rounds.try_lock() {
            Ok(rounds) => rounds,
            // Whoever does it looks for more when it is done.
            Err(TryLockError::WouldBlock) => return false,
            Err(TryLockError::Poisoned(broken)) => broken.into_inner(),
        };
        let done = rounds.round(shared);
        drop(rounds);
        match done {
            Ok(Some(next)) => shared.queue.goes_on(next),
            // The keeper's thread ends, too.
            Ok(None) | Err(_) => {
                shared.queue.nudge();
                false
            }
        }
    }

    /// `None` where the lock is taken (a batch is under way), or after a failure.
    fn renew_at_once(&self, asked: &Renew) -> Option<Answer> {
        let mut worker = self.free()?;
        if self.shared.failed.get().is_some() {
            return None;
        }
        let (verdict, now) = worker.renew_at_once(self.shared.clock.read(), asked)?;
        // Before the next batch can store another.
        let snapshot = self.recorded();
        drop(worker);
        let next = snapshot.head.number + 1;
        Some(Answer {
            verdict,
            now,
            snapshot,
            events: next..next,
        })
    }

    /// The lock, where it is free or about to be: a renewal holds it for some microseconds, a batch for a sync.
    fn free(&self) -> Option<MutexGuard<'_, Worker>> {
        const TRIES: usize = 200;
        (0..TRIES).find_map(|_| {
            let worker = self.shared.worker.try_lock();
            worker.inspect_err(|_| std::hint::spin_loop()).ok()
        })
    }

    /// Asks and waits. Not from the keeper's own callbacks, and not on a runtime's thread.
    pub fn ask(&self, order: Order) -> Result<Answer, Failure> {
        self.ask_for(order, None)
    }

    /// The same, for an exchange with this trace id.
    pub fn ask_for(&self, order: Order, trace: Option<Name>) -> Result<Answer, Failure> {
        if let Some(answer) = self.at_once(&order) {
            return Ok(answer);
        }
        let (send, receive) = mpsc::sync_channel(1);
        let reply = move |answer| {
            // Nobody listens any more: what was done is done and found by a retry (rule 20).
            let _ = send.send(answer);
        };
        let mut more = self.put(order, trace, Box::new(reply));
        while more {
            if let Ok(answer) = receive.try_recv() {
                // What came behind it is the keeper's thread's.
                self.shared.queue.wake();
                return answer;
            }
            more = self.round();
        }
        receive.recv().unwrap_or(Err(Failure::Stopped))
    }

    /// The newest snapshot: while a batch is under way, that of the one before.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        if let Ok(mut worker) = self.shared.worker.try_lock() {
            worker.show_moved(&self.shared.snapshot);
        }
        self.recorded()
    }

    /// The newest snapshot of what is recorded; ends of holds may have moved since.
    #[must_use]
    pub fn recorded(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Both times now, for judgements on a snapshot (rule 22) and for pages: the snapshot's, run on.
    #[must_use]
    pub fn now(&self) -> Now {
        let snapshot = self.shared.snapshot.load();
        let elapsed = self
            .shared
            .clock
            .read()
            .boot_ms
            .saturating_sub(snapshot.read.boot_ms);
        Now {
            lease: snapshot.now.lease + elapsed,
            j: Date(snapshot.now.j.0 + elapsed / 1000),
        }
    }

    /// The times when the run before this one wrote last; none where there was none.
    pub(crate) fn before(&self) -> Option<Mark> {
        self.shared.before
    }

    /// The stored bytes of events from a number on, each with its number: a page of the audit log.
    pub fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        self.shared.journal.read(from, limit)
    }

    /// The journal's ended files, where it has files.
    pub(crate) fn archive(&self) -> Option<&dyn Archive> {
        self.shared.journal.archive()
    }

    /// The checkpoints that a start begins from, where there are any.
    pub(crate) fn checkpoints(&self) -> Option<&Checkpoints> {
        self.shared.checkpoints.as_ref()
    }

    /// Why the last checkpoint could not be written, where it could not.
    pub(crate) fn unwritten(&self) -> Option<String> {
        self.shared.writer.failed().clone()
    }

    /// Commands that wait, for the metrics.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.queue.len()
    }

    /// Ends the keeper because another store of the state directory failed to write: from here nothing is acknowledged
    /// (I7). The first reason counts.
    pub fn fail(&self, why: &dyn fmt::Display) {
        // Losing to an earlier failure is fine: one end is enough.
        let _ = self.shared.failed.set(why.to_string());
        self.shared.queue.nudge();
    }
}

impl Snapshot {
    /// The times, as they are written.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            lease_ms: self.now.lease,
            j_s: self.now.j,
            wall_s: self.read.wall_s,
        }
    }
}

impl Keeper {
    /// A handle.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// A clean stop: no new orders, those that wait are served, the ends of holds are recorded (rule 19).
    pub fn stop(mut self) -> Result<(), Failure> {
        self.handle.shared.queue.close();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            _ => Err(Failure::Stopped),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(self.handle.shared.queue.abandon());
            // It told of its failure by itself, if it had one.
            let _ = thread.join();
        }
    }
}

impl ByHand {
    /// A handle. Do not [`Handle::ask`] by it: nobody answers while its owner waits.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// One round over what waits, and over what is due.
    ///
    /// # Errors
    /// It cannot go on, and no later round can.
    pub fn round(&mut self) -> Result<(), Failure> {
        let shared = &*self.handle.shared;
        shared.rounds().round(shared).map(drop)
    }

    /// A clean stop, as [`Keeper::stop`].
    ///
    /// # Errors
    /// It could not go on.
    pub fn stop(self) -> Result<(), Failure> {
        let shared = &*self.handle.shared;
        shared.queue.close();
        while shared.rounds().round(shared)?.is_some() {}
        Ok(())
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let shared = &*self.handle.shared;
        drop(shared.queue.abandon());
        shared.rounds().end();
    }
}

impl Shared {
    /// For a round: waits for the one that is under way. A panic within one is told of by `failed`.
    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Busy => "too many commands wait; try again in a second",
            Failure::Stopped => {
                "the daemon is stopping; try again when it is back, under the same checkout id"
            }
        })
    }
}

impl std::error::Error for Failure {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
