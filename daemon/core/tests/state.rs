//! The stores on a real disk: made whole, owned by one.

use redb::{ReadableDatabase, ReadableTableMetadata};
use seatkeeper_core::journal::{Journal, JournalError, RedbJournal};
use seatkeeper_core::side::Side;
use seatkeeper_core::state_dir::StateDir;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn a_journal_is_made_whole_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    std::fs::write(dir.path().join("journal/1.redb.new"), "what a crash left").unwrap();
    drop(RedbJournal::open(&state.journal(), 0).unwrap());
    assert!(!dir.path().join("journal/1.redb.new").exists());
    RedbJournal::open(&state.journal(), 0).unwrap();
}

#[test]
fn the_stores_are_their_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in [state.journal().join("1.redb"), state.side()] {
        let open = || match file == state.side() {
            true => drop(Side::open(&file).unwrap()),
            false => drop(RedbJournal::open(&state.journal(), 0).unwrap()),
        };
        open();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        open();
        assert_eq!(mode(&file), 0o600, "one that an earlier version made");
    }
    assert_eq!(mode(&state.journal().join("append")), 0o600);
}

#[test]
fn s15_a_directory_that_others_may_write_into_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (state, link) = (dir.path().join("state"), dir.path().join("link"));
    drop(StateDir::open(&state).unwrap());
    std::os::unix::fs::symlink(&state, &link).unwrap();
    for inside in ["", "journal", "keys"] {
        let mode = |mode| {
            let path = state.join(inside);
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        for writable in [0o777, 0o770, 0o702] {
            mode(writable);
            for way in [&state, &link] {
                let why = StateDir::open(way).unwrap_err().to_string();
                assert!(why.contains("`chmod 0700`"), "{inside} {writable:o}: {why}");
            }
        }
        mode(0o700);
        drop(StateDir::open(&link).unwrap());
    }
}

#[test]
fn a_second_opener_of_the_journal_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let _first = RedbJournal::open(&state.journal(), 0).unwrap();
    let why = RedbJournal::open(&state.journal(), 0)
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("another process has it open") && why.contains("stop the other one"),
        "{why}"
    );
}

#[test]
fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("1.redb");
    std::fs::write(&path, "something else").unwrap();
    assert!(RedbJournal::open(dir.path(), 0).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
}

/// A row of one event, as far as the journal looks into it.
fn row(n: u64) -> Vec<u8> {
    let mark = format!("{{\"j_s\":1,\"lease_ms\":{n},\"wall_s\":1}}");
    format!("{{\"events\":[{{\"v\":2,\"n\":{n},\"mark\":{mark}}}]}}").into_bytes()
}

/// The numbers of the rows that a journal gives.
fn rows(journal: &RedbJournal) -> Vec<u64> {
    let mut found = Vec::new();
    let loaded = journal.load(1, &mut |first, bytes| {
        assert_eq!(bytes, row(first), "row {first}");
        found.push(first);
        Ok(())
    });
    loaded.expect("it is read");
    found
}

#[test]
fn s26_a_start_without_room_goes_on_behind_the_rows_of_the_segment() {
    let dir = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(0));
    let open = || {
        let free = free.clone();
        let space = move || Ok(free.load(Ordering::SeqCst));
        RedbJournal::open_within(dir.path(), Box::new(space), 0).unwrap()
    };
    let in_file = || {
        let file = redb::Database::open(dir.path().join("1.redb")).unwrap();
        let read = file.begin_read().unwrap();
        let table = redb::TableDefinition::<u64, &[u8]>::new("rows");
        read.open_table(table).unwrap().len().unwrap()
    };
    for n in 1..=3 {
        let journal = open();
        assert_eq!(rows(&journal), (1..n).collect::<Vec<_>>());
        journal.append(n, &row(n)).unwrap();
        journal.settle().unwrap();
        drop(journal);
        assert_eq!(in_file(), 0, "redb was touched without room");
    }
    free.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(rows(&open()), [1, 2, 3]);
    assert_eq!(in_file(), 3, "with room the rows go where they belong");
}

#[test]
fn s26_a_full_segment_without_room_ends_before_redb_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let open = |free: u64| RedbJournal::open_within(dir.path(), Box::new(move || Ok(free)), 0);
    let journal = open(0).unwrap();
    let mut n = 0;
    let why = loop {
        match journal.append(n + 1, &row(n + 1)) {
            // More than a segment has blocks.
            Ok(()) if n < 1_000 => n += 1,
            Ok(()) => panic!("rows went into redb without room"),
            Err(why) => break why.to_string(),
        }
    };
    assert!(why.contains("no space is left"), "{why}");
    assert_eq!(rows(&journal).len() as u64, n, "a reader sees all of them");
    drop(journal);
    assert_eq!(rows(&open(u64::MAX).unwrap()).len() as u64, n);
}

/// What the files of a folder take up.
fn taken(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("a folder");
    files
        .map(|file| {
            file.and_then(|file| file.metadata())
                .expect("a file")
                .blocks()
                * 512
        })
        .sum()
}

#[test]
fn s26_a_full_segment_on_a_full_disk_goes_on_in_the_reserve_until_that_is_gone() {
    /// Whatever `disk_reserve` is, where it is anything.
    const RESERVE: u64 = 8 << 20;
    let dir = tempfile::tempdir().unwrap();
    // A disk that ends somewhere: what is free is what the journal does not take.
    let end = Arc::new(AtomicU64::new(u64::MAX));
    let open = |reserve| {
        let (end, folder) = (end.clone(), dir.path().to_owned());
        let space = move || Ok(end.load(Ordering::SeqCst).saturating_sub(taken(&folder)));
        RedbJournal::open_within(dir.path(), Box::new(space), reserve).unwrap()
    };
    let held = || fs::metadata(dir.path().join("reserve")).map_or(0, |file| file.len());
    let journal = open(RESERVE);
    assert_eq!(held(), RESERVE);
    let mut n = 0;
    let mut fill = |journal: &RedbJournal, rows: u64| {
        for _ in 0..rows {
            journal.append(n + 1, &row(n + 1)).map(|()| n += 1)?;
        }
        Ok::<_, JournalError>(())
    };
    // A segment has fewer blocks.
    fill(&journal, 300).unwrap();
    end.store(taken(dir.path()), Ordering::SeqCst);
    fill(&journal, 600).unwrap();
    assert!(held() < RESERVE, "nothing of it was needed");
    drop(journal);
    let journal = open(RESERVE);
    assert!(held() < RESERVE, "it grew on a full disk");
    // Others take whatever it gives back.
    end.store(0, Ordering::SeqCst);
    let why = fill(&journal, 300).expect_err("nothing is left");
    assert!(why.to_string().contains("no space is left"), "{why}");
    let left = held();
    assert!(left < 2 << 20, "what is left is not enough for one move");
    drop(journal);
    // With room it is whole again with the next row, and nothing was lost.
    let journal = open(RESERVE);
    end.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(held(), left);
    fill(&journal, 1).unwrap();
    assert_eq!(held(), RESERVE);
    assert_eq!(rows(&journal).len() as u64, n);
    // It takes nothing of what is to be free.
    fs::remove_file(dir.path().join("reserve")).unwrap();
    end.store(taken(dir.path()) + RESERVE, Ordering::SeqCst);
    drop(journal);
    drop(open(RESERVE));
    assert_eq!(held(), 0);
    // A file that was copied without its blocks holds nothing until it has some.
    end.store(u64::MAX, Ordering::SeqCst);
    let path = dir.path().join("reserve");
    fs::File::create(&path).unwrap().set_len(RESERVE).unwrap();
    drop(open(1));
    assert_eq!(fs::metadata(&path).unwrap().blocks() * 512, RESERVE);
    drop(open(0));
    assert!(!dir.path().join("reserve").exists());
}
