//! The keeper over journals that wait, count and fail.

use super::*;
use crate::calendar::Mark;
use crate::clock::ManualClock;
use crate::journal::{EachRow, MemoryJournal, parse};
use crate::side::{Kind, Side};
use crate::storage::Guard;
use seatkeeper_engine::Command;
use seatkeeper_engine::ids::{LoginHash, MachineId, UserId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

pub(super) const NOON: u64 = 1_800_000_000;
/// Nothing here takes long; who waits this long waits for ever.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// A journal that tells what is done to it, can be held back and can fail.
#[derive(Default)]
pub(super) struct Watched {
    inner: MemoryJournal,
    held: Mutex<bool>,
    released: Condvar,
    pub(super) appends: AtomicU64,
    marks: AtomicU64,
    pub(super) fails: AtomicBool,
    in_append: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Watched {
    pub(super) fn marks(&self) -> u64 {
        self.marks.load(Ordering::SeqCst)
    }

    pub(super) fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }
}

impl Journal for Watched {
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        self.inner.load(from, each)
    }
    fn rotate(&self, first: u64) -> Result<(), JournalError> {
        self.inner.rotate(first)
    }
    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        if let Some(look) = &*self.in_append.lock().unwrap() {
            look();
        }
        let held = self.held.lock().unwrap();
        drop(
            self.released
                .wait_timeout_while(held, LONG, |held| *held)
                .unwrap(),
        );
        if self.fails.load(Ordering::SeqCst) {
            return Err(JournalError::Storage {
                place: self.place(),
                why: "No space left on device".to_owned(),
            });
        }
        self.inner.append(first, row)
    }
    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.marks.fetch_add(1, Ordering::SeqCst);
        self.inner.keep_mark(mark)
    }
    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        self.inner.read(from, limit)
    }
    fn place(&self) -> String {
        "watched".to_owned()
    }
}

type AtEnd = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

pub(super) struct House {
    pub(super) journal: Arc<Watched>,
    side: Arc<Side>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) free: Arc<AtomicU64>,
    fatal: Arc<Mutex<Vec<String>>>,
    /// Is done when the keeper says that it cannot go on.
    pub(super) at_end: AtEnd,
}

impl House {
    pub(super) fn new() -> Self {
        House {
            journal: Arc::default(),
            side: Arc::new(Side::memory().unwrap()),
            clock: Arc::new(ManualClock::at(NOON)),
            free: Arc::new(AtomicU64::new(u64::MAX)),
            fatal: Arc::default(),
            at_end: Arc::default(),
        }
    }

    pub(super) fn start(&self) -> Keeper {
        self.start_with(None)
    }

    pub(super) fn start_with(&self, on_events: Option<OnEvents>) -> Keeper {
        let (free, fatal) = (self.free.clone(), self.fatal.clone());
        let at_end = self.at_end.clone();
        start(Parts {
            journal: self.journal.clone(),
            side: self.side.clone(),
            checkpoints: None,
            clock: self.clock.clone(),
            clock_file: None,
            storage: Guard::new(Box::new(move || Ok(free.load(Ordering::SeqCst))), 100),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events,
            on_fatal: Box::new(move |why| {
                fatal.lock().unwrap().push(why.to_owned());
                if let Some(done) = at_end.lock().unwrap().take() {
                    done();
                }
            }),
        })
        .unwrap()
    }
}

fn meet(uid: u32, n: u8) -> Order {
    Order {
        actor: Actor::Local {
            uid,
            user: None,
            attested_by: MachineId([7; 16]),
            acting_for: None,
            token: None,
            session: None,
        },
        origin: Origin::Socket,
        command: Command::MeetUser {
            user: UserId([n; 16]),
            login: LoginHash([n; 32]),
        },
    }
}

/// Submits without waiting; the answer comes by the channel.
pub(super) fn submit(handle: &Handle, order: Order) -> Receiver<Result<Answer, Failure>> {
    let (send, receive) = channel();
    handle.submit(
        order,
        Some("trace-1".into()),
        Box::new(move |answer| drop(send.send(answer))),
    );
    receive
}

pub(super) fn until(what: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if what() {
            return;
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(1));
    }
    panic!("it never came to be");
}

#[test]
fn a_first_start_names_the_machine_and_founds_the_site() {
    let house = House::new();
    let keeper = house.start();
    let state = keeper.handle().snapshot().state.clone();
    let machine = state.site.unwrap().machine;
    assert_eq!(
        house
            .side
            .name(Kind::Machine, machine.0)
            .unwrap()
            .as_deref(),
        Some("ws1")
    );
    assert_eq!((state.run.epoch, state.events), (1, 2));
}

#[test]
fn r21_each_start_takes_a_higher_epoch_and_a_new_run() {
    let house = House::new();
    let first = house.start().handle().snapshot().state.clone();
    let second = house.start().handle().snapshot().state.clone();
    assert_eq!((second.run.epoch, second.site), (2, first.site));
    assert_ne!(second.run.id, first.run.id);
}

#[test]
fn i6_no_reply_and_no_snapshot_before_the_batch_is_durable() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    let answered = Arc::new(AtomicU64::new(0));
    let (seen, reader) = (answered.clone(), handle.clone());
    let looks = Arc::new(Mutex::new(Vec::new()));
    let noted = looks.clone();
    *house.journal.in_append.lock().unwrap() = Some(Box::new(move || {
        let look = (seen.load(Ordering::SeqCst), reader.snapshot().state.events);
        noted.lock().unwrap().push(look);
    }));
    let counted = answered.clone();
    let (send, receive) = channel();
    handle.submit(
        meet(1, 1),
        None,
        Box::new(move |answer| {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(send.send(answer));
        }),
    );
    let answer = receive.recv_timeout(LONG).unwrap().unwrap();
    assert_eq!(answer.events, 3..4);
    assert_eq!(
        (answer.snapshot.state.events, handle.snapshot().state.events),
        (3, 3)
    );
    keeper.stop().unwrap();
    assert_eq!(
        looks.lock().unwrap()[0],
        (0, 2),
        "answered and published at the append"
    );
}

#[test]
fn what_waits_during_a_commit_becomes_one_row() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    house.journal.hold(true);
    let first = submit(&handle, meet(1, 1));
    until(|| house.journal.appends.load(Ordering::SeqCst) == 3);
    let rest: Vec<_> = (2..50)
        .map(|n| submit(&handle, meet(u32::from(n) % 5, n)))
        .collect();
    house.journal.hold(false);
    for reply in rest.iter().chain([&first]) {
        reply.recv_timeout(LONG).unwrap().unwrap();
    }
    assert_eq!(house.journal.appends.load(Ordering::SeqCst), 4);
}

/// Where the journal was appended to, in order.
fn threads_of_appends(house: &House) -> Arc<Mutex<Vec<String>>> {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let noted = threads.clone();
    *house.journal.in_append.lock().unwrap() = Some(Box::new(move || {
        let name = std::thread::current().name().unwrap_or("?").to_owned();
        noted.lock().unwrap().push(name);
    }));
    threads
}

#[test]
fn who_asks_does_the_round_and_the_keepers_thread_while_rounds_are_slow() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    let threads = threads_of_appends(&house);
    let mine = std::thread::current().name().unwrap().to_owned();
    let ask = |n| {
        until(|| handle.shared.queue.sleeps());
        handle.ask(meet(1, n)).unwrap();
    };
    ask(1);
    assert_eq!(*threads.lock().unwrap(), [&*mine]);
    // A round that takes two milliseconds.
    let clock = house.clock.clone();
    *house.journal.in_append.lock().unwrap() = Some(Box::new(move || {
        clock.advance(Duration::from_millis(2));
    }));
    ask(2);
    let threads = threads_of_appends(&house);
    ask(3);
    // That one was quick again.
    ask(4);
    assert_eq!(*threads.lock().unwrap(), ["keeper", &mine]);
}

#[test]
fn whoever_comes_during_a_callers_round_is_served_after_it() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    house.journal.hold(true);
    let asking = handle.clone();
    let first = std::thread::spawn(move || asking.ask(meet(1, 1)));
    until(|| house.journal.appends.load(Ordering::SeqCst) == 3);
    let rest: Vec<_> = (2..20)
        .map(|n| {
            let handle = handle.clone();
            std::thread::spawn(move || handle.ask(meet(2, n)))
        })
        .collect();
    until(|| handle.waiting() == rest.len());
    house.journal.hold(false);
    for asked in rest.into_iter().chain([first]) {
        asked.join().unwrap().unwrap();
    }
    assert_eq!(house.journal.appends.load(Ordering::SeqCst), 4);
    keeper.stop().unwrap();
}

#[test]
fn a_batch_that_records_nothing_commits_nothing() {
    let house = House::new();
    let keeper = house.start();
    keeper.handle().ask(meet(1, 1)).unwrap();
    let before = house.journal.appends.load(Ordering::SeqCst);
    let answer = keeper.handle().ask(meet(1, 1)).unwrap();
    assert!(answer.events.is_empty());
    assert_eq!(house.journal.appends.load(Ordering::SeqCst), before);
}

#[test]
fn i7_s26_after_a_failed_write_nothing_is_acknowledged() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    house.journal.hold(true);
    let mut replies = vec![submit(&handle, meet(1, 1))];
    until(|| house.journal.appends.load(Ordering::SeqCst) == 3);
    replies.extend((2..9).map(|n| submit(&handle, meet(2, n))));
    house.journal.fails.store(true, Ordering::SeqCst);
    house.journal.hold(false);
    for reply in replies {
        assert_eq!(
            reply.recv_timeout(LONG).unwrap().unwrap_err(),
            Failure::Stopped
        );
    }
    assert_eq!(handle.ask(meet(1, 20)).unwrap_err(), Failure::Stopped);
    assert_eq!(
        handle.snapshot().state.events,
        2,
        "what is not durable is not shown"
    );
    assert_eq!(keeper.stop(), Err(Failure::Stopped));
    let fatal = house.fatal.lock().unwrap();
    assert_eq!(fatal.len(), 1);
    assert!(fatal[0].contains("No space left on device"), "{fatal:?}");
}

#[test]
fn a_panic_in_the_keeper_is_the_end_too() {
    let house = House::new();
    let keeper = house.start_with(Some(Box::new(|_| panic!("a test panics"))));
    assert_eq!(
        keeper.handle().ask(meet(1, 1)).unwrap_err(),
        Failure::Stopped
    );
    assert_eq!(keeper.stop(), Err(Failure::Stopped));
    assert!(house.fatal.lock().unwrap()[0].contains("panicked"));
}

#[test]
fn r19_a_clean_stop_serves_what_waits_and_records_itself() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    house.journal.hold(true);
    let replies: Vec<_> = (1..9).map(|n| submit(&handle, meet(1, n))).collect();
    let stopping = std::thread::spawn(move || keeper.stop());
    house.journal.hold(false);
    for reply in replies {
        assert!(reply.recv_timeout(LONG).is_ok());
    }
    stopping.join().unwrap().unwrap();
    assert_eq!(handle.ask(meet(1, 1)).unwrap_err(), Failure::Stopped);
    let events = handle.read(1, 1000).unwrap();
    assert!(events.last().unwrap().1.contains("RunStopped"));
}

#[test]
fn r19_a_keeper_that_is_dropped_ends_like_a_crash() {
    let house = House::new();
    drop(house.start());
    let events = house.journal.read(1, 1000).unwrap();
    assert!(events.iter().all(|(_, raw)| !raw.contains("RunStopped")));
}

#[test]
fn events_name_who_where_and_which_exchange() {
    let house = House::new();
    let (send, receive) = channel();
    let keeper = house.start_with(Some(Box::new(move |published| {
        drop(send.send(published.clone()))
    })));
    let handle = keeper.handle();
    submit(&handle, meet(1000, 1))
        .recv_timeout(LONG)
        .unwrap()
        .unwrap();
    let published = receive.recv_timeout(LONG).unwrap();
    let event = &published.events[0];
    assert_eq!(
        (event.number, event.wall_s, published.snapshot.state.events),
        (3, NOON, 3)
    );
    let page = handle.read(3, 10).unwrap();
    let noted = parse(&page[0].1).unwrap();
    assert_eq!((page.len(), page[0].0, noted.number), (1, 3, 3));
    assert_eq!(
        (noted.actor, noted.origin),
        (meet(1000, 1).actor, Origin::Socket)
    );
    assert_eq!(
        (noted.trace.as_deref(), noted.version),
        (Some("trace-1"), 2)
    );
    assert_eq!(noted.what, event.what);
}

#[test]
fn d5_times_are_durable_every_ten_minutes_without_any_load() {
    let house = House::new();
    let keeper = house.start();
    house.clock.advance(Duration::from_secs(599));
    keeper.handle().ask(meet(1, 1)).unwrap();
    house.clock.advance(Duration::from_secs(599));
    keeper.handle().ask(meet(1, 1)).unwrap();
    assert_eq!(
        house.journal.marks.load(Ordering::SeqCst),
        0,
        "a row carries the mark"
    );
    house.clock.advance(Duration::from_secs(1));
    until(|| house.journal.marks.load(Ordering::SeqCst) == 1);
    drop(keeper);
    let again = house.start();
    assert_eq!(again.handle().snapshot().now.lease.0, 1_199_000);
}

#[test]
fn readers_tell_the_present_time_without_the_keeper() {
    let house = House::new();
    let keeper = house.start();
    let before = keeper.handle().now();
    house.clock.advance(Duration::from_secs(30));
    let now = keeper.handle().now();
    assert_eq!(
        (now.lease - before.lease, now.j.0 - before.j.0),
        (30_000, 30)
    );
}

#[test]
fn low_storage_is_seen_and_goes_away() {
    let house = House::new();
    let keeper = house.start();
    for (free, low) in [(99, true), (100, false)] {
        house.free.store(free, Ordering::SeqCst);
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(
            keeper
                .handle()
                .ask(meet(1, 1))
                .unwrap()
                .snapshot
                .state
                .storage_low,
            low
        );
    }
}

#[test]
fn one_callers_flood_is_busy_and_delays_nobody_else() {
    let house = House::new();
    let keeper = house.start();
    let handle = keeper.handle();
    house.journal.hold(true);
    let first = submit(&handle, meet(1, 1));
    until(|| house.journal.appends.load(Ordering::SeqCst) == 3);
    let flood: Vec<_> = (0..=QUEUE_PER_CALLER)
        .map(|_| submit(&handle, meet(1, 1)))
        .collect();
    assert_eq!(
        flood[QUEUE_PER_CALLER].try_recv().unwrap().unwrap_err(),
        Failure::Busy
    );
    let other = submit(&handle, meet(2, 2));
    assert!(other.try_recv().is_err(), "accepted, and waiting");
    assert_eq!(handle.waiting(), QUEUE_PER_CALLER + 1);
    house.journal.hold(false);
    for reply in flood[..QUEUE_PER_CALLER].iter().chain([&first, &other]) {
        reply.recv_timeout(LONG).unwrap().unwrap();
    }
}

#[test]
fn i7_a_side_store_that_fails_ends_the_keeper_too() {
    let house = House::new();
    let keeper = house.start();
    keeper.handle().fail(&"side.redb: Input/output error");
    assert_eq!(
        keeper.handle().ask(meet(1, 1)).unwrap_err(),
        Failure::Stopped
    );
    assert_eq!(keeper.stop(), Err(Failure::Stopped));
    assert_eq!(
        *house.fatal.lock().unwrap(),
        ["side.redb: Input/output error"]
    );
}
