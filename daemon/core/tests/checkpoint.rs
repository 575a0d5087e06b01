//! Checkpoints and the files of the journal, on a real disk: what a start reads, and what it says where it cannot.

use seatkeeper_core::checkpoint::Checkpoints;
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::journal::{Journal, RedbJournal};
use seatkeeper_core::keeper::{self, Handle, Keeper, Parts};
use seatkeeper_core::side::Side;
use seatkeeper_core::state_dir::StateDir;
use seatkeeper_core::storage::Guard;
use seatkeeper_engine::ids::{LoginHash, UserId};
use seatkeeper_engine::{Actor, Command, Order, Origin, State};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Events from one checkpoint to the next in these tests.
const EVERY: u64 = 10;
const NOON: u64 = 1_800_000_000;

struct House {
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        House {
            folder: tempfile::tempdir().expect("a disk that works"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Result<Keeper, String> {
        self.start_at(Arc::new(ManualClock::at(NOON)))
    }

    fn start_at(&self, clock: Arc<ManualClock>) -> Result<Keeper, String> {
        let dir = StateDir::open(self.folder.path()).map_err(|e| e.to_string())?;
        let journal = RedbJournal::open(&dir.journal(), 0).map_err(|e| e.to_string())?;
        let checkpoints = Checkpoints::open(&dir.checkpoints()).map_err(|e| e.to_string())?;
        keeper::start(Parts {
            journal: Arc::new(journal),
            side: Arc::new(Side::memory().map_err(|e| e.to_string())?),
            checkpoints: Some((checkpoints, EVERY)),
            clock,
            clock_file: Some(dir.clock()),
            storage: Guard::none(),
            copied_key: false,
            host: "ws1".to_owned(),
            on_events: None,
            on_fatal: Box::new(|_| {}),
        })
        .map_err(|e| e.to_string())
    }

    /// A site with so many users more, and with the checkpoints of all that written.
    fn lived(&self, users: u8) -> State {
        let keeper = self.start().expect("a disk that works");
        for n in 0..users {
            meet(&keeper.handle(), n);
            self.settle(&keeper.handle());
        }
        let state = keeper.handle().snapshot().state.clone();
        drop(keeper);
        state
    }

    /// Waits until what is due is written and noted.
    fn settle(&self, handle: &Handle) {
        for _ in 0..20_000 {
            let newest = self.numbers("checkpoints").last().copied().unwrap_or(1);
            let begun = self.numbers("journal").last().copied().unwrap_or(1);
            let noted = newest == 1 || noted(handle, newest);
            let due = handle.snapshot().head.number + 1 - begun >= EVERY;
            if newest == begun && noted && !due {
                return;
            }
            std::thread::yield_now();
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        panic!("a checkpoint was never written");
    }

    fn numbers(&self, folder: &str) -> Vec<u64> {
        let files = fs::read_dir(self.path(folder)).expect("a disk that works");
        let mut numbers: Vec<u64> = files
            .filter_map(|file| {
                let name = file
                    .expect("a disk that works")
                    .file_name()
                    .into_string()
                    .expect("a disk that works");
                name.trim_end_matches(".redb").parse().ok()
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }

    fn newest(&self) -> PathBuf {
        let number = self
            .numbers("checkpoints")
            .pop()
            .expect("a disk that works");
        self.path(&format!("checkpoints/{number}"))
    }
}

fn noted(handle: &Handle, number: u64) -> bool {
    let events = handle.read(number, 100).expect("a disk that works");
    events
        .iter()
        .any(|(_, raw)| raw.contains("CheckpointWritten"))
}

fn meet(handle: &Handle, n: u8) {
    let order = Order {
        actor: Actor::Daemon,
        origin: Origin::Socket,
        command: Command::MeetUser {
            user: UserId([n; 16]),
            login: LoginHash([n; 32]),
        },
    };
    handle.ask(order).expect("a disk that works");
}

fn same(before: &State, after: &State) {
    assert_eq!(before.users, after.users);
    assert_eq!(before.logins, after.logins);
    assert_eq!(before.run.epoch + 1, after.run.epoch);
}

/// Flips one bit in the middle.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("a disk that works");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("a disk that works");
}

#[test]
fn s21_a_clock_that_was_set_back_and_kills_stop_no_date() {
    let house = House::new();
    let clock = Arc::new(ManualClock::at(NOON));
    drop(house.start_at(clock.clone()).expect("a first start"));
    clock.set_wall(NOON - 86_400);
    for life in 0..5 {
        // Dropped, it ends like a crash; nothing but the start was written in its ten minutes.
        let keeper = house.start_at(clock.clone()).expect("a start");
        assert_eq!(keeper.handle().now().j.0, NOON + life * 585);
        clock.advance(std::time::Duration::from_secs(585));
    }
}

#[test]
fn a_checkpoint_that_the_system_does_not_give_is_left_where_it_is() {
    let house = House::new();
    let before = house.lived(25);
    let newest = house.newest();
    let away = newest.with_extension("away");
    fs::rename(&newest, &away).expect("a name");
    // A loop of links: the system's error, whoever asks.
    std::os::unix::fs::symlink(&newest, &newest).expect("a link");
    let why = house.start().err().expect("no start");
    let named = newest.display().to_string();
    assert!(
        why.contains(&named) && why.contains("move it away"),
        "{why}"
    );
    fs::remove_file(&newest).expect("a link");
    fs::rename(&away, &newest).expect("a name");
    same(&before, &house.start().unwrap().handle().snapshot().state);
}

#[test]
fn a_disk_that_takes_no_checkpoint_is_told_in_its_own_words() {
    let house = House::new();
    let keeper = house.start().expect("a disk that works");
    meet(&keeper.handle(), 1);
    let snapshot = keeper.handle().snapshot();
    let folder = house.path("checkpoints");
    let half = folder.join(format!("{}.new", snapshot.head.number + 1));
    let checkpoints = Checkpoints::open(&folder).expect("a folder");
    std::os::unix::fs::symlink("/dev/full", half).expect("a link");
    let why = checkpoints.write(&snapshot).expect_err("a full disk");
    assert_eq!(why.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn i14_a_start_from_a_checkpoint_is_the_same_state_as_one_from_the_first_event() {
    let house = House::new();
    let before = house.lived(45);
    let files = house.numbers("journal");
    assert!(files.len() > 2, "{files:?}");
    assert_eq!(
        house.numbers("checkpoints").len(),
        2,
        "the newest and the one before it"
    );
    // A start from the newest checkpoint has no need of what came before it.
    let first = house.path("journal/1.redb");
    fs::rename(&first, house.path("1.redb")).unwrap();
    let from_checkpoint = house.start().unwrap().handle().snapshot().state.clone();
    same(&before, &from_checkpoint);
    fs::rename(house.path("1.redb"), &first).unwrap();
    fs::remove_dir_all(house.path("checkpoints")).unwrap();
    let from_the_first = house.start().unwrap().handle().snapshot().state.clone();
    assert_eq!(from_checkpoint.users, from_the_first.users);
    assert_eq!(from_checkpoint.events + 1, from_the_first.events);
}

#[test]
fn a_page_of_events_goes_over_the_borders_of_files() {
    let house = House::new();
    house.lived(45);
    let keeper = house.start().unwrap();
    let all = keeper.handle().read(1, 1000).unwrap();
    let numbers: Vec<_> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let border = house.numbers("journal")[1];
    let around = keeper.handle().read(border - 1, 3).unwrap();
    let from = usize::try_from(border).unwrap() - 2;
    assert_eq!(around, all[from..from + 3]);
}

#[test]
fn a_damaged_checkpoint_is_put_aside_and_the_one_before_it_does_as_well() {
    for damage in [
        flip,
        |path: &Path| fs::write(path, b"seatkeeper checkpoints\n").unwrap(),
        |path: &Path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 3]).unwrap();
        },
        // Whole, and no state.
        |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes.truncate(bytes.len() - 40);
            let sum = Sha256::digest(&bytes);
            bytes.extend(sum);
            fs::write(path, bytes).unwrap();
        },
    ] {
        let house = House::new();
        let before = house.lived(35);
        let newest = house.newest();
        damage(&newest);
        same(&before, &house.start().unwrap().handle().snapshot().state);
        assert!(newest.with_extension("damaged").exists() && !newest.exists());
    }
}

/// As another version would have written it.
fn of_format(path: &Path, format: u32) -> Vec<u8> {
    let bytes = fs::read(path).expect("a disk that works");
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("a line");
    let mut other = format!("seatkeeper checkpoint {format}").into_bytes();
    other.extend(&bytes[end..]);
    fs::write(path, &other).expect("a disk that works");
    other
}

#[test]
fn a_checkpoint_of_another_version_stays_and_the_journal_is_read_instead() {
    for format in [2, 99] {
        let house = House::new();
        let before = house.lived(35);
        let numbers = house.numbers("checkpoints");
        let all = numbers
            .iter()
            .map(|n| house.path(&format!("checkpoints/{n}")));
        let all: Vec<_> = all.map(|path| (of_format(&path, format), path)).collect();
        same(&before, &house.start().unwrap().handle().snapshot().state);
        for (bytes, path) in &all {
            assert_eq!(&fs::read(path).unwrap(), bytes, "{}", path.display());
        }
        // They leave once two of the own format stand in their place, and not before.
        let keeper = house.start().unwrap();
        let mut n = 100;
        while !house
            .numbers("checkpoints")
            .iter()
            .all(|n| !numbers.contains(n))
        {
            let own = house.numbers("checkpoints");
            assert!(
                numbers.iter().all(|n| own.contains(n)) && own.len() < 4,
                "{own:?}"
            );
            meet(&keeper.handle(), n);
            house.settle(&keeper.handle());
            n += 1;
        }
        assert_eq!(house.numbers("checkpoints").len(), 2);
    }
}

#[test]
fn a_checkpoint_of_another_version_without_the_journal_before_it_is_refused_and_stays() {
    for (format, version) in [(2, "an older version"), (99, "a newer version")] {
        let house = House::new();
        let before = house.lived(35);
        let newest = house.newest();
        let was: Vec<_> = house.numbers("checkpoints");
        let paths = was.iter().map(|n| house.path(&format!("checkpoints/{n}")));
        let own: Vec<_> = paths.map(|path| (fs::read(&path).unwrap(), path)).collect();
        own.iter()
            .for_each(|(_, path)| drop(of_format(path, format)));
        fs::remove_file(house.path("journal/1.redb")).unwrap();
        let why = house.start().err().unwrap();
        let named = newest.display().to_string();
        for words in [
            &named,
            version,
            "1.redb is missing",
            "Start the version that wrote it",
        ] {
            assert!(why.contains(words), "{words}: {why}");
        }
        assert_eq!(house.numbers("checkpoints"), was);
        // The version that wrote them starts as if nothing had been.
        own.iter()
            .for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
        same(&before, &house.start().unwrap().handle().snapshot().state);
    }
}

#[test]
fn a_checkpoint_that_the_journal_did_not_record_is_refused_by_name() {
    let house = House::new();
    let other = House::new();
    house.lived(25);
    other.lived(25);
    let newest = house.newest();
    fs::copy(other.newest(), &newest).unwrap();
    let why = house.start().err().unwrap();
    let number = newest.file_name().unwrap().to_str().unwrap();
    let named = why.contains(&format!("checkpoints/{number}")) || why.contains("the chain breaks");
    assert!(named, "{why}");
}

#[test]
fn a_journal_file_that_is_missing_is_refused_by_name() {
    let house = House::new();
    house.lived(35);
    let files = house.numbers("journal");
    let last = house.path(&format!("journal/{}.redb", files.last().unwrap()));
    fs::remove_file(&last).unwrap();
    let why = house.start().err().unwrap();
    assert!(
        why.contains("is missing") && why.contains("restore the last backup"),
        "{why}"
    );
    let house = House::new();
    house.lived(35);
    fs::remove_dir_all(house.path("checkpoints")).unwrap();
    let second = house.numbers("journal")[1];
    fs::remove_file(house.path(&format!("journal/{second}.redb"))).unwrap();
    let why = house.start().err().unwrap();
    assert!(why.contains("are missing behind 1.redb"), "{why}");
}

#[test]
fn what_a_crash_left_half_written_is_taken_away() {
    let house = House::new();
    let before = house.lived(15);
    let half = house.path("checkpoints/99.new");
    fs::write(&half, "half").unwrap();
    same(&before, &house.start().unwrap().handle().snapshot().state);
    assert!(!half.exists());
}

#[test]
fn a_disk_that_takes_no_checkpoint_stops_nobody() {
    let house = House::new();
    let keeper = house.start().unwrap();
    fs::remove_dir_all(house.path("checkpoints")).unwrap();
    fs::write(house.path("checkpoints"), "not a folder").unwrap();
    for n in 0..35 {
        meet(&keeper.handle(), n);
    }
    let before = keeper.handle().snapshot().state.clone();
    drop(keeper);
    fs::remove_file(house.path("checkpoints")).unwrap();
    same(&before, &house.start().unwrap().handle().snapshot().state);
}

#[test]
fn a_store_of_version_1_is_raised_after_a_copy_and_a_newer_one_is_refused() {
    let house = House::new();
    let before = house.lived(5);
    let path = house.path("journal/1.redb");
    set_version(&path, 1);
    same(&before, &house.start().unwrap().handle().snapshot().state);
    assert!(house.path("backup/journal-v1/1.redb").exists());
    set_version(&path, 99);
    let why = house.start().err().unwrap();
    assert!(
        why.contains("written by a newer Seatkeeper (store version 99"),
        "{why}"
    );
}

#[test]
fn a_store_without_its_append_segment_is_refused_and_one_from_before_it_gets_one() {
    let house = House::new();
    let before = house.lived(5);
    fs::remove_file(house.path("journal/append")).unwrap();
    let why = house.start().err().unwrap();
    assert!(
        why.contains("journal/append: it is missing") && why.contains("restore the last backup"),
        "{why}"
    );
    set_version(&house.path("journal/1.redb"), 2);
    same(&before, &house.start().unwrap().handle().snapshot().state);
    assert!(house.path("backup/journal-v2/1.redb").exists());
}

fn set_version(path: &Path, version: u64) {
    const META: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("meta");
    let database = redb::Database::open(path).expect("a store");
    let txn = database.begin_write().expect("a store");
    txn.open_table(META)
        .expect("a store")
        .insert("version", version.to_le_bytes().as_slice())
        .expect("a store");
    txn.commit().expect("a store");
}

#[test]
fn readers_and_rotation_do_not_get_into_each_others_way() {
    let house = House::new();
    house.lived(45);
    let dir = StateDir::open(house.folder.path()).unwrap();
    let journal = RedbJournal::open(&dir.journal(), 0).unwrap();
    let all = journal.read(1, 1000).unwrap();
    let next = all.len() as u64 + 1;
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..50).all(|_| journal.read(1, 1000).unwrap() == all)))
            .collect();
        for n in 0..5 {
            journal.rotate(next + n).unwrap();
        }
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
    });
}
