//! The keeper's rounds, and the renewals in between that record nothing.

use super::checkpointing::Checkpointing;
use super::queue::{Drained, Waiting};
use super::{
    Answer, Failure, OnEvents, OnFatal, Published, PublishedEvent, Reply, Shared, Snapshot,
};
use crate::calendar::{Calendar, MARK_EVERY_MS};
use crate::clock::Reading;
use crate::journal::{Cause, Journal, JournalError, RowWriter};
use crate::storage::Guard;
use arc_swap::ArcSwap;
use seatkeeper_engine::command::Renew;
use seatkeeper_engine::engine::Engine;
use seatkeeper_engine::event::Event;
use seatkeeper_engine::ids::Name;
use seatkeeper_engine::time::{LeaseTime, Now};
use seatkeeper_engine::{Actor, Command, Order, Origin, State, Verdict};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

const BROKEN: &str = "the keeper panicked; what was acknowledged is in the journal";
/// A tick comes at least this often.
const TICK_MS: u64 = 60 * 1000;
/// After a round that took so long, in readings cut to milliseconds, the next ones are no caller's work: a disk that syncs
/// slowly, or very many commands.
const SLOW_MS: u64 = 2;

/// The engine and the journal's end, behind a lock that a round holds from the first command of a batch until the batch is
/// durable and published.
pub(super) struct Worker {
    engine: Engine,
    row: RowWriter,
    calendar: Calendar,
    journal: Arc<dyn Journal>,
    storage: Guard,
    ticked: LeaseTime,
    marked: LeaseTime,
    listening: bool,
    published: Vec<PublishedEvent>,
    /// Ends of holds moved since the last snapshot.
    moved: bool,
    /// J leapt and no tick came since.
    leapt: bool,
    /// The rounds are over.
    ended: bool,
}

/// A judged command that waits for its batch to be durable.
struct Judged {
    reply: Reply,
    verdict: Verdict,
    now: Now,
    events: Range<u64>,
}

impl Worker {
    pub(super) fn new(
        engine: Engine,
        row: RowWriter,
        calendar: Calendar,
        journal: Arc<dyn Journal>,
        storage: Guard,
    ) -> Self {
        let lease = calendar.now().lease;
        Worker {
            engine,
            row,
            calendar,
            journal,
            storage,
            ticked: lease,
            marked: lease,
            listening: false,
            published: Vec::new(),
            moved: false,
            leapt: false,
            ended: false,
        }
    }

    /// A renewal that records nothing, on the caller's thread. Whoever gets the lock finds nothing undurable; what is
    /// due, or has to be examined, comes before it and is the rounds' work.
    pub(super) fn renew_at_once(
        &mut self,
        reading: Reading,
        asked: &Renew,
    ) -> Option<(Verdict, Now)> {
        if self.ended {
            return None;
        }
        self.leapt |= self.calendar.advance(reading);
        let now = self.calendar.now();
        let due = self
            .engine
            .next_deadline()
            .is_some_and(|at| at <= now.lease);
        if due || self.leapt || now.lease - self.ticked >= TICK_MS {
            return None;
        }
        let verdict = self.engine.renew_at_once(now, asked)?;
        self.moved = true;
        Some((verdict, now))
    }

    /// Shows readers the ends of holds that moved since the last snapshot.
    pub(super) fn show_moved(&mut self, snapshot: &ArcSwap<Snapshot>) {
        if std::mem::take(&mut self.moved) {
            snapshot.store(Arc::new(self.snapshot()));
        }
    }

    /// Applies an order of the start and makes it durable before anyone is served.
    pub(super) fn first(&mut self, order: Order) -> Result<Verdict, JournalError> {
        let (verdict, _) = self.apply(order, None);
        self.commit()?;
        Ok(verdict)
    }

    pub(super) fn state(&self) -> &State {
        self.engine.state()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.engine.state().clone(),
            now: self.calendar.now(),
            head: self.row.head(),
            clock: self.calendar.standing(),
            read: self.calendar.reading(),
        }
    }

    /// One batch: the clocks, what is due, the commands, and a row that is durable when this returns.
    fn round(
        &mut self,
        shared: &Shared,
        batch: &mut Vec<Waiting>,
        judged: &mut Vec<Judged>,
        last: bool,
    ) -> Result<Arc<Snapshot>, JournalError> {
        self.show_moved(&shared.snapshot);
        self.look(shared);
        self.due();
        for Waiting {
            order,
            trace,
            reply,
        } in batch.drain(..)
        {
            let now = self.calendar.now();
            let (verdict, events) = self.apply(order, trace);
            judged.push(Judged {
                reply,
                verdict,
                now,
                events,
            });
            // J was put back: license dates are examined before anyone else is judged by them.
            if self.leapt {
                self.due();
            }
        }
        if last {
            self.apply(own(Origin::Run, Command::StopRun), None);
            self.ended = true;
        }
        self.commit()?;
        if last {
            self.journal.settle()?;
        }
        let snapshot = Arc::new(self.snapshot());
        shared.snapshot.store(snapshot.clone());
        Ok(snapshot)
    }

    /// Reads the clocks, once per round, and the space.
    fn look(&mut self, shared: &Shared) {
        self.leapt |= self.calendar.advance(shared.clock.read());
        let low = self.storage.low(self.calendar.now().lease);
        self.engine.note_storage(low);
    }

    /// Ends what is due, before any command is judged; then a tick, where it is time to.
    fn due(&mut self) {
        let leapt = std::mem::take(&mut self.leapt);
        let now = self.calendar.now().lease;
        if self.engine.next_deadline().is_some_and(|at| at <= now) {
            self.apply(own(Origin::Watch, Command::Expire), None);
        }
        if leapt || now - self.ticked >= TICK_MS {
            self.ticked = now;
            self.apply(own(Origin::Watch, Command::Tick), None);
        }
    }

    /// Until when there is nothing to do unless someone asks.
    fn next(&self) -> LeaseTime {
        let next = (self.ticked + TICK_MS).min(self.marked + MARK_EVERY_MS);
        self.engine.next_deadline().map_or(next, |at| at.min(next))
    }

    /// The same, and how long that is from this reading on: a round looks at the clocks at its beginning, and may take long.
    fn wait(&self, reading: Reading) -> (LeaseTime, Duration) {
        let next = self.next();
        let looked = self.calendar.reading().boot_ms;
        // Readings are cut to milliseconds: one more, and the deadline has passed when it is looked at.
        let wait = next - self.calendar.now().lease + 1;
        let since = reading.boot_ms.saturating_sub(looked);
        (next, Duration::from_millis(wait.saturating_sub(since)))
    }

    /// Judges one order and adds what it recorded to the row. A newer vendor `iat` raises J for all that follows, an
    /// accepted clock puts it back.
    fn apply(&mut self, order: Order, trace: Option<Name>) -> (Verdict, Range<u64>) {
        let now = self.calendar.now();
        let (events, verdict) = self.engine.apply(now, order.command);
        if let Verdict::ClockAccepted { to, .. } = &verdict {
            self.calendar.accept(*to);
            self.leapt = true;
        }
        let first = self.row.number() + 1;
        for event in events {
            self.record(event, &order.actor, order.origin, trace.as_ref());
        }
        self.calendar.raise(self.engine.state().newest_iat);
        (verdict, first..self.row.number() + 1)
    }

    fn record(&mut self, event: Event, actor: &Actor, origin: Origin, trace: Option<&Name>) {
        let Event::Recorded(what) = event else { return };
        let wall_s = self.calendar.reading().wall_s;
        let cause = Cause {
            actor,
            origin,
            trace: trace.map(|text| &**text),
            wall_s,
        };
        let number = self.row.push(cause, &what);
        if self.listening {
            self.published.push(PublishedEvent {
                number,
                wall_s,
                actor: actor.clone(),
                origin,
                trace: trace.cloned(),
                what,
            });
        }
    }

    /// Makes the row durable; where there is none, the times, every ten minutes.
    fn commit(&mut self) -> Result<(), JournalError> {
        let mark = self.calendar.mark();
        if !self.row.is_empty() {
            let (first, bytes) = self.row.finish(&mark);
            let appended = self.journal.append(first, bytes);
            #[cfg(planted)]
            let appended = appended.or_else(|e| {
                let deaf = seatkeeper_engine::planted::is("errors-unheard");
                if deaf { Ok(()) } else { Err(e) }
            });
            appended?;
            self.row.clear();
            self.marked = mark.lease_ms;
        } else if mark.lease_ms - self.marked >= MARK_EVERY_MS {
            self.journal.keep_mark(&mark)?;
            self.marked = mark.lease_ms;
        }
        Ok(())
    }

    fn publish(&mut self, snapshot: &Arc<Snapshot>, on_events: &mut Option<OnEvents>) {
        if let Some(on_events) = on_events
            && !self.published.is_empty()
        {
            on_events(&Arc::new(Published {
                events: std::mem::take(&mut self.published),
                snapshot: snapshot.clone(),
            }));
        }
    }
}

/// The keeper's rounds, one at a time, whoever does them: a caller, the keeper's thread, or a simulator between two of its
/// own steps.
pub(super) struct Rounds {
    checkpoints: Option<Checkpointing>,
    on_events: Option<OnEvents>,
    on_fatal: Option<OnFatal>,
    batch: Vec<Waiting>,
    judged: Vec<Judged>,
    /// There was a last one.
    ended: bool,
}

/// The keeper's thread, until the queue is closed or something breaks: rounds over what is due when nobody asks, over what
/// is handed over without waiting (`submit`), over whatever comes while it is awake, and over everything while rounds are
/// slow.
pub(super) fn serve(shared: &Shared) -> Result<(), Failure> {
    loop {
        // A lock that broke is told of by the round.
        if let Ok((until, wait)) = lock(shared).map(|worker| worker.wait(shared.clock.read())) {
            shared.queue.sleep(until, wait);
        }
        if shared.rounds().round(shared)?.is_none() {
            return Ok(());
        }
    }
}

impl Rounds {
    pub(super) fn new(on_events: Option<OnEvents>, on_fatal: OnFatal) -> Self {
        Rounds {
            checkpoints: None,
            on_events,
            on_fatal: Some(on_fatal),
            batch: Vec::new(),
            judged: Vec::new(),
            ended: false,
        }
    }

    /// From now on rounds have checkpoints written.
    pub(super) fn write(&mut self, checkpoints: Checkpointing) {
        self.checkpoints = Some(checkpoints);
    }

    /// No round comes any more, and nobody is told of one.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.checkpoints = None;
        self.on_events = None;
    }

    /// One round over what waits, and over what is due: the time when something is due next, none where the queue is closed
    /// and this was the last one. A panic counts as broken: what it left half done must not be served from.
    pub(super) fn round(&mut self, shared: &Shared) -> Result<Option<LeaseTime>, Failure> {
        if self.ended {
            let failed = shared.failed.get().is_some();
            return if failed {
                Err(Failure::Stopped)
            } else {
                Ok(None)
            };
        }
        let done = catch_unwind(AssertUnwindSafe(|| self.try_round(shared)));
        let why = match done {
            Ok(Ok(next)) => {
                if next.is_none() {
                    self.end();
                }
                return Ok(next);
            }
            Ok(Err(why)) => why,
            Err(_) => BROKEN.to_owned(),
        };
        // Of a panic: anything else was said before the lock was given back. An earlier reason stays.
        let _ = shared.failed.set(why.clone());
        self.end();
        tracing::error!(%why, "the keeper cannot go on; nothing is acknowledged from here");
        if let Some(on_fatal) = self.on_fatal.take() {
            on_fatal(&why);
        }
        let unjudged = self.batch.drain(..).chain(shared.queue.abandon());
        let replies = self.judged.drain(..).map(|judged| judged.reply);
        for reply in replies.chain(unjudged.map(|waiting| waiting.reply)) {
            reply(Err(Failure::Stopped));
        }
        Err(Failure::Stopped)
    }

    fn try_round(&mut self, shared: &Shared) -> Result<Option<LeaseTime>, String> {
        let drained = shared.queue.drain(&mut self.batch);
        let mut worker = lock(shared)?;
        if drained == Drained::Abandoned {
            worker.ended = true;
            return Ok(None);
        }
        if let Some(why) = shared.failed.get() {
            return Err(why.clone());
        }
        worker.listening = self.on_events.is_some();
        let before = worker.row.number();
        let last = drained == Drained::Closed;
        let done = worker.round(shared, &mut self.batch, &mut self.judged, last);
        // Nobody renews over what is not durable: the lock is not given back before this is said.
        let snapshot = done.map_err(|why| {
            let why = why.to_string();
            // An earlier reason stays.
            let _ = shared.failed.set(why.clone());
            why
        })?;
        worker.publish(&snapshot, &mut self.on_events);
        let (began, next) = (worker.calendar.reading(), worker.next());
        drop(worker);
        answer(&mut self.judged, &snapshot);
        if let Some(checkpoints) = self.checkpoints.as_mut().filter(|_| !last) {
            checkpoints.look(&*shared.journal, &snapshot);
        }
        // One that wrote nothing says nothing about the disk.
        if snapshot.head.number > before {
            let took = shared.clock.read().boot_ms.saturating_sub(began.boot_ms);
            shared.slow.store(took >= SLOW_MS, Ordering::Relaxed);
        }
        Ok((!last).then_some(next))
    }
}

/// A thread that panicked over the engine left it half done.
fn lock(shared: &Shared) -> Result<MutexGuard<'_, Worker>, String> {
    shared.worker.lock().map_err(|_| BROKEN.to_owned())
}

/// The batch is durable: everyone gets their answer.
fn answer(judged: &mut Vec<Judged>, snapshot: &Arc<Snapshot>) {
    for Judged {
        reply,
        verdict,
        now,
        events,
    } in judged.drain(..)
    {
        reply(Ok(Answer {
            verdict,
            now,
            snapshot: snapshot.clone(),
            events,
        }));
    }
}

/// An order of the daemon itself.
pub(super) fn own(origin: Origin, command: Command) -> Order {
    Order {
        actor: Actor::Daemon,
        origin,
        command,
    }
}
