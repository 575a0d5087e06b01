//! The bounded queue before the keeper: the one lock on the way of a command. Every caller has a lane, and lanes take
//! turns, so that one caller's flood delays itself only.
//!
//! Nothing waits unseen: while there is a command the keeper's thread is awake, or somebody was told to do a round
//! ([`Pushed::First`], [`Queue::goes_on`]), or a round is under way, and whoever does it looks again when it is done.

use super::{Failure, Reply};
use seatkeeper_engine::ids::{MachineId, Name};
use seatkeeper_engine::time::LeaseTime;
use seatkeeper_engine::{Actor, Order};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Commands that wait, of all callers together. More is `Busy` now, not latency later.
pub const QUEUE: usize = 4096;
/// Commands of one caller that wait.
pub const QUEUE_PER_CALLER: usize = 256;
/// Commands in one batch.
pub const BATCH: usize = 1024;
/// So many that wait are worth a round, whatever else is on its way: they are judged while others are read.
const CROWD: usize = 16;

/// A command that waits.
pub(super) struct Waiting {
    pub(super) order: Order,
    pub(super) trace: Option<Name>,
    pub(super) reply: Reply,
}

/// How a command was put in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pushed {
    /// Somebody sees to it, or it was refused.
    Behind,
    /// Nobody was told yet.
    First,
    /// Many wait, and the keeper's thread sleeps.
    Crowd,
}

/// What a round is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Drained {
    /// Commands, a changed clock, or the time is up.
    Go,
    /// The queue is closed and empty: a clean stop.
    Closed,
    /// Nobody will be served any more: the end of a crash.
    Abandoned,
}

/// Whose lane: the credential as the kernel or a certificate names it. The daemon's own commands have one without
/// the caller's limit: they are few, and a lost one would be a lost seat.
type Lane = Option<(MachineId, u32)>;

#[derive(Default)]
struct Lanes {
    lanes: BTreeMap<Lane, VecDeque<Waiting>>,
    turn: VecDeque<Lane>,
    length: usize,
    /// The keeper's thread sleeps, and nobody has woken it yet: a wake-up is a system call.
    sleeps: bool,
    /// Until when it sleeps.
    until: Option<LeaseTime>,
    nudged: bool,
    closed: bool,
    abandoned: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    lanes: Mutex<Lanes>,
    filled: Condvar,
}

impl Queue {
    /// Puts a command into its caller's lane, or gives the reply back with the reason.
    pub(super) fn push(&self, waiting: Waiting) -> Result<Pushed, (Reply, Failure)> {
        let mut lanes = self.lock();
        if lanes.closed {
            return Err((waiting.reply, Failure::Stopped));
        }
        let lane = lane_of(&waiting.order.actor);
        let in_lane = lanes.lanes.get(&lane).map_or(0, VecDeque::len);
        if in_lane >= limit_of(lane) || lane.is_some() && lanes.length >= QUEUE {
            return Err((waiting.reply, Failure::Busy));
        }
        if in_lane == 0 {
            lanes.turn.push_back(lane);
        }
        lanes.lanes.entry(lane).or_default().push_back(waiting);
        lanes.length += 1;
        Ok(match lanes.length {
            _ if !lanes.sleeps => Pushed::Behind,
            1 => Pushed::First,
            CROWD.. => Pushed::Crowd,
            _ => Pushed::Behind,
        })
    }

    /// Wakes the keeper's thread, where it sleeps.
    pub(super) fn wake(&self) {
        let sleeps = std::mem::take(&mut self.lock().sleeps);
        if sleeps {
            self.filled.notify_one();
        }
    }

    /// Wakes the keeper's thread without a command.
    pub(super) fn nudge(&self) {
        self.lock().nudged = true;
        self.filled.notify_one();
    }

    /// Takes no more commands; what waits is still served.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// After a round that was not the keeper's thread's: something is due next at this time. Whether more waits.
    pub(super) fn goes_on(&self, next: LeaseTime) -> bool {
        let mut lanes = self.lock();
        if lanes.until.is_none_or(|until| next < until) {
            lanes.nudged = true;
            self.filled.notify_one();
        }
        lanes.length > 0
    }

    /// Waits for commands that nobody else is told to see to, a nudge or the time, which is `until`.
    pub(super) fn sleep(&self, until: LeaseTime, wait: Duration) {
        let idle = |lanes: &mut Lanes| {
            lanes.sleeps = lanes.length == 0 && !lanes.nudged && !lanes.closed;
            lanes.sleeps
        };
        let mut lanes = self.lock();
        lanes.until = Some(until);
        let slept = self.filled.wait_timeout_while(lanes, wait, idle);
        let (mut lanes, _) = slept.unwrap_or_else(PoisonError::into_inner);
        (lanes.nudged, lanes.sleeps, lanes.until) = (false, false, None);
    }

    /// Moves a batch out: one command of each lane in turn.
    pub(super) fn drain(&self, batch: &mut Vec<Waiting>) -> Drained {
        let mut lanes = self.lock();
        lanes.take(batch);
        match (lanes.abandoned, lanes.closed && batch.is_empty()) {
            (true, _) => Drained::Abandoned,
            (false, true) => Drained::Closed,
            (false, false) => Drained::Go,
        }
    }

    /// Closes and empties the queue: nobody will be served any more.
    pub(super) fn abandon(&self) -> Vec<Waiting> {
        let mut lanes = self.lock();
        lanes.closed = true;
        lanes.abandoned = true;
        lanes.turn.clear();
        lanes.length = 0;
        let left = std::mem::take(&mut lanes.lanes)
            .into_values()
            .flatten()
            .collect();
        drop(lanes);
        self.filled.notify_one();
        left
    }

    /// Commands that wait now.
    pub(super) fn len(&self) -> usize {
        self.lock().length
    }

    /// Whether the keeper's thread sleeps.
    #[cfg(test)]
    pub(super) fn sleeps(&self) -> bool {
        self.lock().sleeps
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn take(&mut self, batch: &mut Vec<Waiting>) {
        while batch.len() < BATCH {
            let Some(lane) = self.turn.pop_front() else {
                return;
            };
            let Some(waiting) = self.lanes.get_mut(&lane) else {
                continue;
            };
            batch.extend(waiting.pop_front());
            self.length -= 1;
            if waiting.is_empty() {
                self.lanes.remove(&lane);
            } else {
                self.turn.push_back(lane);
            }
        }
    }
}

fn lane_of(actor: &Actor) -> Lane {
    match actor {
        Actor::Daemon => None,
        Actor::Local {
            uid, attested_by, ..
        } => Some((*attested_by, *uid)),
    }
}

fn limit_of(lane: Lane) -> usize {
    if lane.is_some() {
        QUEUE_PER_CALLER
    } else {
        QUEUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seatkeeper_engine::{Command, Origin};

    fn waiting(uid: Option<u32>) -> Waiting {
        let actor = uid.map_or(Actor::Daemon, |uid| Actor::Local {
            uid,
            user: None,
            attested_by: MachineId([0; 16]),
            acting_for: None,
            token: None,
            session: None,
        });
        Waiting {
            order: Order {
                actor,
                origin: Origin::Socket,
                command: Command::Tick,
            },
            trace: None,
            reply: Box::new(|_| ()),
        }
    }

    fn put(queue: &Queue, uid: Option<u32>) -> Result<Pushed, Failure> {
        queue.push(waiting(uid)).map_err(|(_, failure)| failure)
    }

    fn push(queue: &Queue, uid: Option<u32>) -> Result<(), Failure> {
        put(queue, uid).map(drop)
    }

    /// While somebody sleeps, until `wakes` has woken them.
    fn asleep(queue: &Queue, wakes: impl FnOnce()) {
        const FOREVER: Duration = Duration::from_secs(3600);
        std::thread::scope(|threads| {
            let sleeper = threads.spawn(|| queue.sleep(LeaseTime(100), FOREVER));
            while !queue.sleeps() {
                std::thread::yield_now();
            }
            wakes();
            sleeper.join().unwrap();
        });
    }

    fn drained(queue: &Queue) -> Vec<Lane> {
        let mut batch = Vec::new();
        queue.drain(&mut batch);
        batch
            .iter()
            .map(|waiting| lane_of(&waiting.order.actor))
            .collect()
    }

    #[test]
    fn lanes_take_turns_so_that_a_flood_delays_itself() {
        let queue = Queue::default();
        for _ in 0..10 {
            push(&queue, Some(1)).unwrap();
        }
        push(&queue, Some(2)).unwrap();
        push(&queue, None).unwrap();
        let lane = |uid| Some((MachineId([0; 16]), uid));
        assert_eq!(drained(&queue)[..4], [lane(1), lane(2), None, lane(1)]);
    }

    #[test]
    fn the_first_of_those_that_wait_is_told_and_no_other_until_they_are_a_crowd() {
        let queue = Queue::default();
        asleep(&queue, || {
            assert_eq!(put(&queue, Some(1)), Ok(Pushed::First));
            for n in 2..CROWD {
                assert_eq!(put(&queue, Some(1)), Ok(Pushed::Behind), "{n}");
            }
            assert_eq!(put(&queue, Some(2)), Ok(Pushed::Crowd));
            assert_eq!(drained(&queue).len(), CROWD);
            assert_eq!(put(&queue, Some(2)), Ok(Pushed::First), "of the next round");
            queue.wake();
        });
    }

    #[test]
    fn whoever_comes_while_the_keeper_is_at_work_is_told_nothing() {
        assert_eq!(put(&Queue::default(), Some(1)), Ok(Pushed::Behind));
    }

    #[test]
    fn a_round_after_which_something_is_due_sooner_wakes_the_keeper() {
        let queue = Queue::default();
        asleep(&queue, || {
            assert!(!queue.goes_on(LeaseTime(100)));
            assert!(!queue.lock().nudged, "it wakes in time by itself");
            push(&queue, Some(1)).unwrap();
            assert!(queue.goes_on(LeaseTime(99)), "more waits");
        });
        // One that is awake, and about to sleep until later, looks again.
        queue.goes_on(LeaseTime(1));
        drained(&queue);
        queue.sleep(LeaseTime(100), Duration::from_secs(3600));
    }

    #[test]
    fn the_queue_is_bounded_and_the_daemon_is_still_heard() {
        let queue = Queue::default();
        let mut accepted = 0;
        for uid in 0..20 {
            for _ in 0..QUEUE_PER_CALLER {
                accepted += usize::from(push(&queue, Some(uid)).is_ok());
            }
        }
        assert_eq!(accepted, QUEUE);
        assert_eq!(push(&queue, Some(99)), Err(Failure::Busy));
        assert_eq!(push(&queue, None), Ok(()));
    }

    #[test]
    fn a_batch_is_bounded_and_nothing_is_left_out() {
        let queue = Queue::default();
        for n in 0..=BATCH {
            push(&queue, Some(u32::try_from(n % 16).unwrap())).unwrap();
        }
        assert_eq!((drained(&queue).len(), queue.len()), (BATCH, 1));
        assert_eq!((drained(&queue).len(), queue.len()), (1, 0));
        assert_eq!(drained(&queue), []);
    }
}
