//! The append segment before redb: what is found in it after a power cut, and what is said where it is not whole.

use crate::disk::{Disk, Fault, SEGMENT};
use seatkeeper_core::journal::{Journal, RedbJournal};
use std::sync::atomic::{AtomicBool, Ordering};

const BLOCK: usize = 4096;

/// Row `n`, of one event: larger than a block, so that a record has two.
fn row(n: u64) -> String {
    format!(
        r#"{{"events":[{{"n":{n},"pad":"{}","mark":{{"lease_ms":1,"j_s":1,"wall_s":1}}}}]}}"#,
        "x".repeat(5000)
    )
}

fn append(journal: &RedbJournal, rows: impl Iterator<Item = u64>) {
    for n in rows {
        journal.append(n, row(n).as_bytes()).unwrap();
    }
}

/// A disk that lost its power with rows 1 to `rows` in the segment.
fn cut_after(rows: u64) -> Disk {
    let disk = Disk::default();
    let journal = disk.journal().unwrap();
    append(&journal, 1..=rows);
    disk.boot(Fault::PowerCut { at: 1 });
    drop(journal);
    disk.lose_power(|| false);
    disk.boot(Fault::None);
    disk
}

/// First events of the rows that a start reads.
fn loaded(journal: &RedbJournal) -> Vec<u64> {
    let mut firsts = Vec::new();
    let each = &mut |first, bytes: &[u8]| {
        assert_eq!(bytes, row(first).as_bytes());
        firsts.push(first);
        Ok(())
    };
    journal.load(1, each).unwrap();
    firsts
}

#[test]
fn i2_rows_in_the_segment_are_found_after_a_power_cut_and_go_on() {
    let disk = cut_after(5);
    let journal = disk.journal().unwrap();
    assert_eq!(loaded(&journal), [1, 2, 3, 4, 5]);
    // More than the segment holds: they move, and the order stays.
    append(&journal, 6..=40);
    assert_eq!(loaded(&journal), (1..=40).collect::<Vec<_>>());
    drop(journal);
    assert_eq!(
        loaded(&disk.journal().unwrap()),
        (1..=40).collect::<Vec<_>>()
    );
}

#[test]
fn i2_a_row_that_was_never_synced_does_not_lock_the_daemon_out() {
    let disk = Disk::default();
    let journal = disk.journal().unwrap();
    append(&journal, 1..=3);
    // The row is in the page cache; the sync after it fails, and with it the daemon.
    disk.boot(Fault::Refuses {
        at: 2,
        kind: std::io::ErrorKind::Other,
    });
    journal.append(4, row(4).as_bytes()).unwrap_err();
    drop(journal);
    disk.boot(Fault::None);
    let journal = disk.journal().unwrap();
    assert_eq!(loaded(&journal), [1, 2, 3, 4]);
    // The power fails in the sync after the next row: of what waits, the last blocks reach the disk, and no other.
    disk.boot(Fault::PowerCut { at: 2 });
    journal.append(5, row(5).as_bytes()).unwrap_err();
    drop(journal);
    let mut blocks = 0;
    disk.lose_power(|| {
        blocks += 1;
        blocks > 2
    });
    disk.boot(Fault::None);
    assert_eq!(loaded(&disk.journal().unwrap())[..4], [1, 2, 3, 4]);
}

#[test]
fn i15_damage_before_another_row_is_refused_by_name() {
    // In the header, in the row, in the second block of the second of three records.
    for at in [2 * BLOCK, 2 * BLOCK + 20, 2 * BLOCK + 100, 3 * BLOCK + 10] {
        let disk = cut_after(3);
        disk.damage("append", |bytes| bytes[at] ^= 1);
        let why = disk.journal().unwrap_err().to_string();
        assert!(why.starts_with("journal/append, row 3: "), "{why}");
        assert!(
            why.contains("bytes from 8192 on") && why.contains("restore the last backup"),
            "{why}"
        );
    }
}

#[test]
fn i2_a_last_record_that_is_not_whole_was_never_answered_for() {
    let disk = cut_after(3);
    disk.damage("append", |bytes| bytes[5 * BLOCK..6 * BLOCK].fill(0));
    let journal = disk.journal().unwrap();
    assert_eq!(loaded(&journal), [1, 2]);
    append(&journal, 3..=4);
    assert_eq!(loaded(&journal), [1, 2, 3, 4]);
}

#[test]
fn a_segment_that_was_cut_is_refused_by_name() {
    let disk = cut_after(3);
    disk.damage("append", |bytes| bytes.truncate(SEGMENT / 2));
    let why = disk.journal().unwrap_err().to_string();
    assert!(
        why.contains("journal/append") && why.contains("it has 32768 bytes and not 65536"),
        "{why}"
    );
}

#[test]
fn what_was_moved_is_not_found_again() {
    let disk = cut_after(3);
    drop(disk.journal().unwrap());
    // Rows 1 to 3 still stand in the segment, and in redb.
    let journal = disk.journal().unwrap();
    assert_eq!(loaded(&journal), [1, 2, 3]);
    assert_eq!(journal.read(1, 10).unwrap().len(), 3);
    append(&journal, 4..=4);
    disk.boot(Fault::PowerCut { at: 1 });
    drop(journal);
    disk.lose_power(|| false);
    disk.boot(Fault::None);
    assert_eq!(loaded(&disk.journal().unwrap()), [1, 2, 3, 4]);
}

#[test]
fn a_row_larger_than_the_segment_goes_to_redb_at_once() {
    let large = format!(
        r#"{{"events":[{{"n":2,"pad":"{}","mark":{{"lease_ms":1,"j_s":1,"wall_s":1}}}}]}}"#,
        "x".repeat(2 * SEGMENT)
    );
    let disk = Disk::default();
    let journal = disk.journal().unwrap();
    append(&journal, 1..=1);
    journal.append(2, large.as_bytes()).unwrap();
    append(&journal, 3..=3);
    let lengths: Vec<_> = journal.read(1, 10).unwrap();
    let numbers: Vec<_> = lengths.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    disk.lose_power(|| false);
    let mut firsts = Vec::new();
    drop(journal);
    let each = &mut |first, _: &[u8]| {
        firsts.push(first);
        Ok(())
    };
    disk.journal().unwrap().load(1, each).unwrap();
    assert_eq!(firsts, [1, 2, 3]);
}

#[test]
fn readers_find_every_event_once_while_rows_move() {
    let journal = Disk::default().journal().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::SeqCst) {
                let page = journal.read(1, 1000).unwrap();
                let numbers: Vec<_> = page.iter().map(|(number, _)| *number).collect();
                assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
                assert!(numbers.len() >= most, "an event was there, and is not");
                most = numbers.len();
            }
        });
        append(&journal, 1..=120);
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    assert_eq!(journal.read(1, 1000).unwrap().len(), 120);
}
