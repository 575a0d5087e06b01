//! Each step of a pruning fails, or is the last one before a kill: what is left starts, verifies, and is done to its end.

use crate::house::{House, Site};
use seatkeeper_core::calendar::Mark;
use seatkeeper_core::journal::{Archive, EachRow, Journal, JournalError, RedbJournal, StoredRow};
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Steps that are done, once a countdown is set.
const FOREVER: i64 = i64::MAX;

/// A journal whose disk takes so many more changes, and no more.
struct Ending {
    journal: RedbJournal,
    anchor: PathBuf,
    left: AtomicI64,
}

impl Ending {
    fn over(house: &House) -> Arc<Ending> {
        Arc::new(Ending {
            journal: RedbJournal::open(&house.path("journal"), 0).unwrap(),
            anchor: house.path("journal/anchor.new"),
            left: AtomicI64::new(FOREVER),
        })
    }

    fn step(&self) -> Result<(), JournalError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(JournalError::Storage {
            place: self.journal.place(),
            why: "No space left on device".to_owned(),
        })
    }
}

impl Journal for Ending {
    fn load(&self, from: u64, each: EachRow<'_>) -> Result<Option<Mark>, JournalError> {
        self.journal.load(from, each)
    }
    fn append(&self, first: u64, row: &[u8]) -> Result<(), JournalError> {
        self.step()?;
        self.journal.append(first, row)
    }
    fn rotate(&self, first: u64) -> Result<(), JournalError> {
        self.journal.rotate(first)
    }
    fn keep_mark(&self, mark: &Mark) -> Result<(), JournalError> {
        self.journal.keep_mark(mark)
    }
    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Box<str>)>, JournalError> {
        self.journal.read(from, limit)
    }
    fn archive(&self) -> Option<&dyn Archive> {
        Some(self)
    }
    fn place(&self) -> String {
        self.journal.place()
    }
}

impl Archive for Ending {
    fn begin(&self) -> u64 {
        self.journal.begin()
    }
    fn ended(&self) -> Vec<Range<u64>> {
        self.journal.ended()
    }
    fn newest(&self, first: u64) -> Result<Option<Mark>, JournalError> {
        self.journal.newest(first)
    }
    fn rows(&self, first: u64, from: u64) -> Result<Vec<StoredRow>, JournalError> {
        self.journal.rows(first, from)
    }
    fn anchor(&self) -> Result<Option<Vec<u8>>, JournalError> {
        self.journal.anchor()
    }
    fn lay_out(&self, anchor: &[u8]) -> Result<(), JournalError> {
        self.step().inspect_err(|_| {
            // A part of it had reached the disk.
            fs::write(&self.anchor, &anchor[..anchor.len() / 2]).unwrap();
        })?;
        self.journal.lay_out(anchor)
    }
    fn set_anchor(&self) -> Result<(), JournalError> {
        self.step()?;
        self.journal.set_anchor()
    }
    fn remove(&self, first: u64) -> Result<(), JournalError> {
        self.step()?;
        self.journal.remove(first)
    }
    fn holes(&self, pruned: u64) -> Vec<String> {
        self.journal.holes(pruned)
    }
}

/// A site with files that are due: some that were pruned before, and those that go now.
fn due() -> House {
    let house = House::new();
    let site = house.lived(0..35);
    house.days(400);
    site.desk.prune_journal();
    assert!(site.desk.pruned() > 0);
    drop(site);
    let site = house.lived(35..70);
    house.days(400);
    // The times are durable with it.
    site.meet(240);
    house.settle(&site);
    drop(site);
    house
}

/// Where nothing fails.
fn done(house: &House) -> (u64, Vec<u64>) {
    let house = house.copy();
    let site = house.start();
    site.desk.prune_journal();
    assert_eq!(site.verifies(), Ok(site.desk.pruned()));
    (site.desk.pruned(), house.numbers("journal"))
}

fn noted(site: &Site, pruned: u64) -> usize {
    let events = site.events(site.desk.pruned());
    let said = format!("\"JournalPruned\":{{\"before\":{}}}", pruned + 1);
    events.iter().filter(|e| e.stored.contains(&said)).count()
}

#[test]
fn i2_a_kill_between_any_two_steps_leaves_what_starts_and_verifies() {
    let prepared = due();
    let (pruned, files) = done(&prepared);
    let mut steps = 0;
    loop {
        let house = prepared.copy();
        let journal = Ending::over(&house);
        let site = house.start_over(journal.clone()).unwrap();
        let begin = journal.begin();
        journal.left.store(steps, Ordering::SeqCst);
        site.desk.prune_journal();
        let whole = journal.left.load(Ordering::SeqCst) >= 0;
        let verified = site.verifies();
        drop((site, journal));
        let site = house.start();
        let at = format!("after {steps} steps");
        assert_eq!(site.holes(), Vec::<String>::new(), "{at}");
        assert_eq!(site.verifies(), Ok(site.desk.pruned()), "{at}");
        assert!(verified.is_ok(), "{at}: {verified:?}");
        assert!(house.numbers("journal")[0] >= begin, "{at}");
        site.desk.prune_journal();
        assert_eq!(
            (site.desk.pruned(), house.numbers("journal")),
            (pruned, files.clone()),
            "{at}"
        );
        assert_eq!(site.verifies(), Ok(pruned), "{at}");
        assert_eq!(site.findings(), Vec::<String>::new(), "{at}");
        // It is said once; twice where it was said before a kill and could not be done.
        assert!((1..=2).contains(&noted(&site, pruned)), "{at}");
        if whole {
            break;
        }
        steps += 1;
    }
    // The anchor laid out, the event, the anchor in its place, and at least two files.
    assert!(steps > 5, "{steps}");
}

#[test]
fn s26_a_disk_that_takes_no_anchor_is_told_and_nothing_else_changes() {
    let house = due();
    let (pruned, files) = done(&house);
    let journal = Ending::over(&house);
    let site = house.start_over(journal.clone()).unwrap();
    let (before, head) = (house.numbers("journal"), site.desk.snapshot().head);
    let anchor = fs::read(house.path("journal/anchor")).unwrap();
    journal.left.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        site.desk.prune_journal();
    }
    let told = site.findings();
    assert!(
        told.len() == 1 && told[0].contains("No space left on device"),
        "{told:?}"
    );
    assert_eq!(
        (house.numbers("journal"), site.desk.snapshot().head),
        (before, head)
    );
    assert_eq!(fs::read(house.path("journal/anchor")).unwrap(), anchor);
    assert_eq!(
        journal.left.load(Ordering::SeqCst),
        -1,
        "it is not tried every minute"
    );
    journal.left.store(FOREVER, Ordering::SeqCst);
    site.meet(250);
    house.clock.advance(Duration::from_secs(3600));
    site.desk.prune_journal();
    assert_eq!(
        (site.desk.pruned(), house.numbers("journal")),
        (pruned, files)
    );
    assert_eq!((site.findings(), site.verifies()), (Vec::new(), Ok(pruned)));
}

/// The anchor is laid out and cannot take its place: what was recorded is not recorded again each time.
#[test]
fn s26_an_anchor_that_cannot_take_its_place_is_recorded_once() {
    let house = due();
    let (pruned, files) = done(&house);
    let journal = Ending::over(&house);
    let site = house.start_over(journal.clone()).unwrap();
    let before = house.numbers("journal");
    // Laid out and recorded; then laid out alone.
    for left in [2, 1, 1] {
        journal.left.store(left, Ordering::SeqCst);
        site.desk.prune_journal();
        assert_eq!(journal.left.load(Ordering::SeqCst), -1);
        assert_eq!(
            (house.numbers("journal"), noted(&site, pruned)),
            (before.clone(), 1)
        );
        assert_eq!(site.verifies(), Ok(site.desk.pruned()));
        house.clock.advance(Duration::from_secs(3600));
    }
    journal.left.store(FOREVER, Ordering::SeqCst);
    site.desk.prune_journal();
    assert_eq!(
        (site.verifies(), house.numbers("journal")),
        (Ok(pruned), files)
    );
    assert_eq!(noted(&site, pruned), 1);
}

/// A file that cannot be removed: the event is written once, and the rest is done when it can be.
#[test]
fn s26_a_file_that_stays_is_told_and_goes_later() {
    let house = due();
    let (pruned, files) = done(&house);
    let journal = Ending::over(&house);
    let site = house.start_over(journal.clone()).unwrap();
    // Laid out, recorded, in its place, and one file.
    journal.left.store(4, Ordering::SeqCst);
    site.desk.prune_journal();
    assert_eq!(site.desk.pruned(), pruned);
    assert!(house.numbers("journal").len() > files.len());
    assert_eq!(site.findings().len(), 1);
    for _ in 0..2 {
        house.clock.advance(Duration::from_secs(3600));
        journal.left.store(0, Ordering::SeqCst);
        site.desk.prune_journal();
    }
    assert_eq!((site.verifies(), noted(&site, pruned)), (Ok(pruned), 1));
    journal.left.store(FOREVER, Ordering::SeqCst);
    house.clock.advance(Duration::from_secs(3600));
    site.desk.prune_journal();
    assert_eq!((house.numbers("journal"), noted(&site, pruned)), (files, 1));
    assert_eq!(site.findings(), Vec::<String>::new());
}
