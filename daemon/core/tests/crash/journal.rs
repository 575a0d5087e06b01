//! The journal alone: what `append` answered is there after any power cut.

use crate::disk::{Disk, Fault};
use crate::random::Random;
use redb::{Database, TableDefinition};
use seatkeeper_core::calendar::Mark;
use seatkeeper_core::journal::{Cause, Head, Journal, Row, RowFault, RowWriter, follow};
use seatkeeper_engine::event::Recorded;
use seatkeeper_engine::ids::{LoginHash, UserId};
use seatkeeper_engine::time::{Date, LeaseTime};
use seatkeeper_engine::{Actor, Origin};
use std::io::ErrorKind;

/// Points after which a fresh disk takes over, so that loading stays quick.
const POINTS_PER_DISK: u64 = 8;

/// What a client was told: how far the journal had come, by number and hash.
#[derive(Default)]
struct Ledger {
    acknowledged: Head,
}

/// Loads, verifies the chain, and returns the heads after each event.
fn heads(journal: &dyn Journal) -> Result<Vec<Head>, String> {
    let mut head = Head::default();
    let mut heads = vec![head];
    journal
        .load(1, &mut |_, bytes| {
            for raw in Row::parse(bytes)?.events {
                follow(&mut head, raw.get())?;
                heads.push(head);
            }
            Ok(())
        })
        .map_err(|e| e.to_string())?;
    Ok(heads)
}

fn push_event(row: &mut RowWriter, random: &mut Random) {
    let cause = Cause {
        actor: &Actor::Daemon,
        origin: Origin::Socket,
        trace: None,
        wall_s: 1_800_000_000,
    };
    let mut login = [0; 32];
    login[..16].copy_from_slice(&random.id());
    row.push(
        cause,
        &Recorded::UserMet {
            user: UserId(random.id()),
            login: LoginHash(login),
        },
    );
}

fn mark(row: &RowWriter) -> Mark {
    Mark {
        lease_ms: LeaseTime(row.number()),
        j_s: Date(1_800_000_000),
        wall_s: 1_800_000_000,
    }
}

/// Appends rows until something refuses. Every row that `append` answered for goes into the ledger.
fn work(disk: &Disk, ledger: &mut Ledger, random: &mut Random) -> Result<(), String> {
    let Ok(journal) = disk.journal() else {
        return Ok(());
    };
    let heads = match heads(&journal) {
        Ok(heads) => heads,
        // A disk without power cannot be read either; that is no loss.
        Err(_) => return Ok(()),
    };
    survived(&heads, ledger)?;
    let mut row = RowWriter::after(
        *heads
            .last()
            .expect("the head before the first event is there"),
    );
    for _ in 0..90 {
        for _ in 0..=random.below(5) {
            push_event(&mut row, random);
        }
        let mark = mark(&row);
        let (first, bytes) = row.finish(&mark);
        if journal.append(first, bytes).is_err() {
            assert!(
                journal.append(first, bytes).is_err(),
                "I7: after an I/O error nothing is acknowledged"
            );
            return Ok(());
        }
        row.clear();
        ledger.acknowledged = row.head();
    }
    Ok(())
}

fn survived(heads: &[Head], ledger: &Ledger) -> Result<(), String> {
    let at = usize::try_from(ledger.acknowledged.number).unwrap();
    match heads.get(at) {
        Some(head) if *head == ledger.acknowledged => Ok(()),
        Some(_) => Err(format!("event {at} is not the one that was acknowledged")),
        None => Err(format!(
            "event {at} was acknowledged, and the journal ends at {}",
            heads.len() - 1
        )),
    }
}

/// Cuts the power at random points and boots again; the first loss ends it.
fn points(syncs: bool, points: u64, seed: u64) -> Result<u64, String> {
    let mut random = Random(seed);
    let mut acknowledged = 0;
    for round in 0..points.div_ceil(POINTS_PER_DISK) {
        let (disk, mut ledger) = (Disk::default(), Ledger::default());
        // The store is made under a temporary name and renamed when it is whole: no cut meets a half-made one.
        drop(disk.journal().map_err(|e| e.to_string())?);
        if !syncs {
            disk.stop_syncing();
        }
        for point in 0..POINTS_PER_DISK {
            let at = 1 + random.below(160);
            disk.boot(Fault::PowerCut { at });
            let told =
                |e| format!("seed {seed}, round {round}, point {point}, operation {at}: {e}");
            work(&disk, &mut ledger, &mut random).map_err(told)?;
            let whole = !syncs || random.below(2) == 0;
            disk.lose_power(|| !whole && random.below(2) == 0);
            disk.boot(Fault::None);
            let journal = disk.journal().map_err(|e| told(e.to_string()))?;
            let heads = heads(&journal).map_err(told)?;
            survived(&heads, &ledger).map_err(told)?;
        }
        acknowledged += ledger.acknowledged.number;
    }
    Ok(acknowledged)
}

#[test]
fn i2_nothing_acknowledged_is_lost_at_2000_power_cuts() {
    let acknowledged = points(true, 2000, 4).unwrap();
    assert!(
        acknowledged > 10_000,
        "the cuts left too little to lose: {acknowledged} events"
    );
}

#[test]
fn i2_without_the_sync_the_loss_is_found() {
    let found = points(false, 200, 4);
    let why = found.expect_err("a disk that never syncs must lose something");
    assert!(why.contains("was acknowledged"), "{why}");
}

#[test]
fn i6_every_append_is_synced_before_it_answers() {
    let disk = Disk::default();
    let journal = disk.journal().unwrap();
    let mut row = RowWriter::default();
    push_event(&mut row, &mut Random(1));
    let mark = mark(&row);
    let (first, bytes) = row.finish(&mark);
    let before = disk.syncs();
    journal.append(first, bytes).unwrap();
    assert_eq!(disk.syncs() - before, 1);
    disk.lose_power(|| false);
    assert_eq!(heads(&disk.journal().unwrap()).unwrap().len(), 2);
}

#[test]
fn s26_a_full_or_broken_disk_ends_it_and_loses_nothing() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for at in (1..200).step_by(7) {
            let (disk, mut ledger, mut random) = (Disk::default(), Ledger::default(), Random(at));
            disk.boot(Fault::None);
            drop(disk.journal().unwrap());
            disk.boot(Fault::Refuses { at, kind });
            work(&disk, &mut ledger, &mut random).unwrap();
            assert!(disk.operations() >= at, "the fault was not reached");
            disk.boot(Fault::None);
            let heads = heads(&disk.journal().unwrap()).unwrap();
            survived(&heads, &ledger).unwrap();
        }
    }
}

/// A disk with one row of three events, and what `how` made of its stored bytes.
fn edited(how: impl Fn(String) -> String) -> Disk {
    let disk = Disk::default();
    let journal = disk.journal().unwrap();
    let mut row = RowWriter::default();
    let mut random = Random(9);
    for _ in 0..3 {
        push_event(&mut row, &mut random);
    }
    let mark = mark(&row);
    let (_, bytes) = row.finish(&mark);
    journal
        .append(
            1,
            how(String::from_utf8(bytes.to_vec()).unwrap()).as_bytes(),
        )
        .unwrap();
    disk
}

#[test]
fn i15_an_edited_event_breaks_the_chain_and_the_message_names_file_and_row() {
    assert!(heads(&edited(|row| row).journal().unwrap()).is_ok());
    let disk = edited(|row| row.replacen("\"wall_s\":1800000000", "\"wall_s\":1700000000", 1));
    let why = heads(&disk.journal().unwrap()).unwrap_err();
    assert!(
        why.starts_with("journal/1.redb, row 1: the chain breaks at event 2"),
        "{why}"
    );
    assert!(why.contains("restore the last backup"), "{why}");
}

/// What was written after the row of three events would have gone on from its times.
#[test]
fn i15_edited_times_of_a_row_break_the_chain_at_the_event_behind_it() {
    let times = |row: &str| Row::parse(row.as_bytes()).and_then(|row| row.mark());
    let (mut writer, mut random) = (RowWriter::default(), Random(9));
    let mut next_row = || {
        push_event(&mut writer, &mut random);
        let mark = mark(&writer);
        let (first, bytes) = writer.finish(&mark);
        let row = (first, String::from_utf8(bytes.to_vec()).unwrap());
        writer.clear();
        (row, mark)
    };
    let [((_, one), first), ((_, two), second)] = [next_row(), next_row()];
    assert_eq!(
        (times(&one).unwrap(), times(&two).unwrap()),
        (first, second)
    );
    let loaded = |one: &str| {
        let disk = Disk::default();
        let journal = disk.journal().unwrap();
        journal.append(1, one.as_bytes()).unwrap();
        journal.append(2, two.as_bytes()).unwrap();
        heads(&journal)
    };
    assert_eq!(loaded(&one).unwrap().len(), 3);
    let edited = one.replacen("\"lease_ms\":1", "\"lease_ms\":0", 1);
    assert_ne!(edited, one);
    let why = loaded(&edited).unwrap_err();
    assert!(why.contains("the chain breaks at event 2"), "{why}");
    // Beside the events nothing would be in the chain.
    let beside = one.replacen("]}", r#"],"mark":{"lease_ms":0,"j_s":0,"wall_s":0}}"#, 1);
    let why = times(&beside).unwrap_err().to_string();
    assert!(why.contains("its times are not in its last event"), "{why}");
}

#[test]
fn a_row_that_cannot_be_read_names_file_row_and_what_to_do() {
    // The last row says where the files end: it is looked at when they are opened.
    let opened = edited(|row| row[..row.len() / 2].to_owned()).journal();
    let why = opened.expect_err("a refusal").to_string();
    assert!(
        why.starts_with("journal/1.redb, row 1: it cannot be read"),
        "{why}"
    );
    assert!(why.contains("Keep a copy"), "{why}");
}

#[test]
fn an_event_of_a_newer_version_is_refused_before_it_is_understood() {
    let disk = edited(|row| {
        row.replace("\"v\":2", "\"v\":3")
            .replace("\"UserMet\"", "\"UserMetAgain\"")
    });
    let why = heads(&disk.journal().unwrap()).unwrap_err();
    assert!(why.contains("newer Seatkeeper (event version 3)"), "{why}");
}

#[test]
fn an_event_of_a_newer_version_that_still_parses_is_refused_too() {
    let fault = seatkeeper_core::journal::parse(
        r#"{"v":3,"n":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","wall_s":1,"actor":"daemon","origin":"run","what":{"LicenseUnassigned":{"id":"00000000000000000000000000000000"}}}"#,
    );
    assert!(matches!(fault, Err(RowFault::Newer(3))), "{fault:?}");
}

#[test]
fn a_newer_store_is_refused_with_what_to_do() {
    let disk = Disk::default();
    drop(disk.journal().unwrap());
    let database = Database::builder()
        .create_with_backend(disk.file("1.redb"))
        .unwrap();
    let txn = database.begin_write().unwrap();
    let meta: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
    txn.open_table(meta)
        .unwrap()
        .insert("version", 99_u64.to_le_bytes().as_slice())
        .unwrap();
    txn.commit().unwrap();
    drop(database);
    let why = disk.journal().unwrap_err().to_string();
    assert!(
        why.contains("store version 99, this one knows 3") && why.contains("backup"),
        "{why}"
    );
}
