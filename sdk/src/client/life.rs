//! One life of a process: its instance, connections, seats and heartbeat. A forked child begins a new one.

use super::call::{self, Seen};
use super::error::{Error, Unreachable};
use super::event::{Event, EventKind};
use super::heartbeat;
use super::seat::Cell;
use super::transport::{Transport, UnixTransport};
use super::trust::Proven;
use crate::clock::{Bell, Clock, Moment};
use crate::os;
use crate::token::keys::PublicKey;
use crate::wire::Code;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// A listener to events.
pub(crate) type OnEvent = Box<dyn Fn(&Event) + Send + Sync>;

/// What a client was built with.
pub(crate) struct Setup {
    pub(crate) product: Arc<str>,
    pub(crate) roots: Vec<PublicKey>,
    pub(crate) thumbprints: Vec<String>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_event: Option<OnEvent>,
}

/// The lives of a client: the last is the present one. A lock that was held by another thread at a fork stays held in
/// the child for ever, so the child touches no lock of an earlier life.
#[derive(Default)]
pub(crate) struct Lives {
    first: OnceLock<Link>,
}

struct Link {
    life: Arc<Life>,
    next: OnceLock<Box<Link>>,
}

/// One life of the process.
pub(crate) struct Life {
    process: (i32, u64),
    pub(crate) instance: String,
    pub(crate) boot_id: [u8; 16],
    pub(crate) setup: Arc<Setup>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) bell: Arc<Bell>,
    seats: Mutex<BTreeMap<u64, Arc<Cell>>>,
    farewells: Mutex<Vec<Farewell>>,
    events: Mutex<VecDeque<Event>>,
    newest: Mutex<Seen>,
    next_seat: AtomicU64,
    beats: AtomicBool,
}

/// A release that nobody has answered yet.
pub(crate) struct Farewell {
    id: String,
    /// Not before.
    at: Moment,
    /// The daemon's hold is over by then.
    until: Moment,
}

/// Events kept for polling; the oldest go first.
const MAX_EVENTS: usize = 1_024;
/// Releases kept for another attempt.
const MAX_FAREWELLS: usize = 1_024;
/// The longest hold there is (ttl and grace have 24 h together at most).
const LONGEST_HOLD: Duration = Duration::from_secs(86_500);
const FAREWELL_PAUSE: Duration = Duration::from_secs(5);
/// No call has less time than this.
const SHORTEST: Duration = Duration::from_secs(1);

impl Lives {
    /// The life of this process, begun at its first call.
    pub(crate) fn current(&self, setup: &Arc<Setup>) -> Result<Arc<Life>, Error> {
        loop {
            let last = self.last();
            if let Some(link) = last
                && link.life.is_mine()
            {
                return Ok(link.life.clone());
            }
            // Two threads may begin one at once; the slower one's is dropped unused.
            let link = Link {
                life: Arc::new(Life::begin(setup.clone())?),
                next: OnceLock::new(),
            };
            match last {
                None => drop(self.first.set(link)),
                Some(last) => drop(last.next.set(Box::new(link))),
            }
        }
    }

    /// The life of this process, if it has begun.
    pub(crate) fn begun(&self) -> Option<Arc<Life>> {
        self.last()
            .filter(|link| link.life.is_mine())
            .map(|link| link.life.clone())
    }

    fn last(&self) -> Option<&Link> {
        let mut link = self.first.get()?;
        while let Some(next) = link.next.get() {
            link = next;
        }
        Some(link)
    }
}

impl Life {
    fn begin(setup: Arc<Setup>) -> Result<Life, Error> {
        let transport = match &setup.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(UnixTransport::new(setup.socket.clone())),
        };
        let bell = Arc::new(Bell::default());
        Ok(Life {
            process: os::process(),
            instance: call::random_id()?,
            boot_id: os::boot_id().map_err(|e| Unreachable::machine(&e))?,
            setup,
            transport,
            bell,
            seats: Mutex::default(),
            farewells: Mutex::default(),
            events: Mutex::default(),
            newest: Mutex::default(),
            next_seat: AtomicU64::new(1),
            beats: AtomicBool::new(false),
        })
    }

    /// This process began it, not one that forked it.
    pub(crate) fn is_mine(&self) -> bool {
        self.process == os::process()
    }

    /// Takes a proven lease in as a seat, and sees to it that its heart beats.
    pub(crate) fn seat(
        self: &Arc<Self>,
        ask: super::trust::Ask,
        proven: Proven,
    ) -> Result<Arc<Cell>, Error> {
        self.ensure_heartbeat()?;
        self.saw(&proven);
        let number = self.next_seat.fetch_add(1, Ordering::Relaxed);
        let cell = Arc::new(Cell::new(number, ask, proven, self.setup.clock.now()));
        lock(&self.seats).insert(number, cell.clone());
        self.bell.ring();
        Ok(cell)
    }

    /// Forgets a seat that was given back.
    pub(crate) fn forget(&self, number: u64) {
        lock(&self.seats).remove(&number);
    }

    pub(crate) fn seats(&self) -> Vec<Arc<Cell>> {
        lock(&self.seats).values().cloned().collect()
    }

    /// The newest lease seen in this life.
    pub(crate) fn newest(&self) -> Seen {
        lock(&self.newest).clone()
    }

    /// Remembers a lease as seen.
    pub(crate) fn saw(&self, proven: &Proven) {
        let order = (proven.lease.epoch, proven.lease.seq);
        let mut newest = lock(&self.newest);
        if newest.token.is_none() || newest.order < order {
            *newest = Seen {
                token: Some(proven.token.clone()),
                delegation: proven.chain.delegation.clone(),
                order,
            };
        }
    }

    /// Releases by a holder's or checkout's id, now if it can be, else later.
    pub(crate) fn give_back(&self, id: &str, timeout: Duration) -> Result<(), Error> {
        let result = call::release(self, id, timeout);
        if unanswered(&result) {
            let now = self.setup.clock.now();
            let mut farewells = lock(&self.farewells);
            if farewells.len() < MAX_FAREWELLS {
                let (at, until) = (now + pause(&result), now + LONGEST_HOLD);
                farewells.push(Farewell {
                    id: id.to_owned(),
                    at,
                    until,
                });
            }
            drop(farewells);
            // Without a thread the daemon's hold, or the end of this process, frees the seat.
            if self.beats.load(Ordering::Acquire) {
                self.bell.ring();
            }
        }
        result
    }

    /// Repeats the releases that are due, and tells when the next one is.
    pub(crate) fn repeat_farewells(&self) -> Option<Moment> {
        let now = self.setup.clock.now();
        let due: Vec<_> = lock(&self.farewells)
            .extract_if(.., |farewell| farewell.at <= now)
            .collect();
        let mut silent = None;
        for farewell in due {
            // Where one finds nobody the others would wait as long for nothing, and the seats with them.
            let wait = match silent {
                Some(wait) => Some(wait),
                None => self.say_farewell(&farewell),
            };
            if let Some(pause) = wait
                && farewell.until > now
            {
                silent = wait;
                let at = self.setup.clock.now() + pause;
                lock(&self.farewells).push(Farewell { at, ..farewell });
            }
        }
        lock(&self.farewells)
            .iter()
            .map(|farewell| farewell.at)
            .min()
    }

    /// Gives back; how long to wait where that was not answered.
    fn say_farewell(&self, farewell: &Farewell) -> Option<Duration> {
        let result = call::release(self, &farewell.id, self.patience());
        unanswered(&result).then(|| pause(&result))
    }

    /// How long a call of the heartbeat may take: until one of the seats goes into grace or is over, so that a daemon that
    /// hangs keeps nobody from being told.
    pub(crate) fn patience(&self) -> Duration {
        let now = self.setup.clock.now();
        let cells = self.seats();
        let changes = cells
            .iter()
            .filter_map(|cell| lock(&cell.sitting).changes_at(now));
        let next = changes.min();
        next.map_or(call::CALL, |at| at.since(now).clamp(SHORTEST, call::CALL))
    }

    /// Tells the application, by callback and for those who poll.
    pub(crate) fn tell(&self, cell: &Cell, kind: EventKind) {
        let event = Event {
            seat: cell.number,
            feature: cell.ask.item.feature.clone(),
            kind,
        };
        if let Some(on_event) = &self.setup.on_event {
            // A callback that panics must not end the heartbeat of the seats.
            drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(
                || on_event(&event),
            )));
        }
        let mut events = lock(&self.events);
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// The oldest event that nobody has polled.
    pub(crate) fn poll(&self) -> Option<Event> {
        lock(&self.events).pop_front()
    }

    fn ensure_heartbeat(self: &Arc<Self>) -> Result<(), Error> {
        if self.beats.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        heartbeat::start(self).map_err(|e| {
            self.beats.store(false, Ordering::Release);
            Unreachable::machine(&e)
        })?;
        // Only now: a clock that is moved by hand waits for those who answer.
        self.setup.clock.tell(&self.bell);
        Ok(())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // In a forked child the bell's lock may be held for ever, and there is no thread to wake.
        if self.is_mine() {
            self.bell.close();
        }
    }
}

/// How long a release waits for its next attempt: as long as the daemon says, and some seconds at the least.
fn pause(result: &Result<(), Error>) -> Duration {
    let asked = match result {
        Err(Error::Denied(denied)) => denied.retry_after(),
        Err(Error::Unreachable(broken)) => broken.retry_after(),
        _ => None,
    };
    asked
        .unwrap_or_default()
        .clamp(FAREWELL_PAUSE, LONGEST_HOLD)
}

/// Nothing was judged, or what was asked cannot be recorded now: the release is repeated.
fn unanswered(result: &Result<(), Error>) -> bool {
    match result {
        Err(Error::Denied(denied)) => *denied.code() == Code::StorageLow,
        Err(Error::Unreachable(_)) => true,
        _ => false,
    }
}

/// A lock whose data is whole after every statement, so that a panic elsewhere leaves nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
