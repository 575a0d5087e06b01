//! Names, counts and the ring.

use super::*;
use seatkeeper_engine::ids::{MachineId, UnitId};

const HOUR: u64 = 500_000;

fn note(feature: &str, wall_s: u64) -> DenialNote {
    DenialNote {
        wall_s,
        user: None,
        machine: MachineId([1; 16]),
        unit: UnitId([2; 16]),
        feature: feature.into(),
        code: "no_seat_free",
        rule: 9,
    }
}

/// What was flushed: hour, feature, how often.
fn counts(side: &Side) -> Vec<(u64, String, u64)> {
    let read = side.database.begin_read().unwrap();
    let table = read.open_table(DENIALS).unwrap();
    let rows = table.iter().unwrap().map(Result::unwrap);
    rows.map(|(key, times)| {
        let (hour, feature, _code, _unit) = key.value();
        (hour, feature.to_owned(), times.value())
    })
    .collect()
}

#[test]
fn names_survive_a_restart_and_may_change() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("side.redb");
    let side = Side::open(&path).unwrap();
    side.put_name(Kind::User, [1; 16], "ana").unwrap();
    side.put_name(Kind::Machine, [1; 16], "ws1").unwrap();
    side.put_name(Kind::User, [1; 16], "ana.b").unwrap();
    drop(side);
    let side = Side::open(&path).unwrap();
    assert_eq!(
        side.name(Kind::User, [1; 16]).unwrap().as_deref(),
        Some("ana.b")
    );
    assert_eq!(
        side.name(Kind::Machine, [1; 16]).unwrap().as_deref(),
        Some("ws1")
    );
    assert_eq!(side.name(Kind::User, [2; 16]).unwrap(), None);
    assert!(!dir.path().join("side.redb.new").exists());
}

#[test]
fn a_second_opener_of_the_side_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("side.redb");
    let _side = Side::open(&path).unwrap();
    let why = Side::open(&path).unwrap_err().to_string();
    assert!(why.contains("another process has it open"), "{why}");
}

#[test]
fn denials_are_counted_by_the_hour_and_flushes_add_up() {
    let side = Side::memory().unwrap();
    for _ in 0..2 {
        side.note_denial(note("cad/modeler", HOUR * 3600));
        side.note_denial(note("cad/modeler", HOUR * 3600 + 3599));
        side.note_denial(note("cad/modeler", HOUR * 3600 + 3600));
        side.flush_denials(0).unwrap();
    }
    let expected = [
        (HOUR, "cad/modeler".to_owned(), 4),
        (HOUR + 1, "cad/modeler".to_owned(), 2),
    ];
    assert_eq!(counts(&side), expected);
}

#[test]
fn counts_past_retention_go_with_the_next_flush() {
    let side = Side::memory().unwrap();
    side.note_denial(note("old", HOUR * 3600));
    side.flush_denials(0).unwrap();
    let later = (HOUR + RETENTION_DAYS * 24) * 3600;
    side.note_denial(note("new", later));
    side.flush_denials(HOUR * 3600 + 3599).unwrap();
    assert_eq!(counts(&side).len(), 2, "its hour is kept whole");
    side.note_denial(note("new", later + 3600));
    side.flush_denials((HOUR + 1) * 3600).unwrap();
    assert!(counts(&side).iter().all(|(_, feature, _)| feature == "new"));
}

#[test]
fn the_ring_and_the_counts_are_bounded() {
    let side = Side::memory().unwrap();
    for i in 0..DENIALS_KEPT as u64 + 10 {
        side.note_denial(note(&format!("made-up-{}", i % 6000), HOUR * 3600 + i % 60));
    }
    let newest = side.newest_denials(usize::MAX);
    assert_eq!(newest.len(), DENIALS_KEPT);
    assert_eq!(
        &*newest[0].feature,
        &format!("made-up-{}", (DENIALS_KEPT + 9) % 6000)
    );
    side.flush_denials(0).unwrap();
    let counts = counts(&side);
    assert!(counts.len() <= 4097, "{}", counts.len());
    assert_eq!(counts[0].1, "*");
    assert_eq!(
        counts.iter().map(|c| c.2).sum::<u64>(),
        DENIALS_KEPT as u64 + 10
    );
}

#[test]
fn names_without_a_user_are_erased_and_newer_ones_are_not() {
    let side = Side::memory().unwrap();
    side.put_name(Kind::User, [1; 16], "ana").unwrap();
    side.put_name(Kind::User, [2; 16], "of a crash").unwrap();
    let then = side.names_now().unwrap();
    side.put_name(Kind::User, [3; 16], "on its way").unwrap();
    let swept = |erased, kept, named| Swept {
        erased,
        kept,
        named,
    };
    let done = side
        .sweep_names(&then, Kind::User, |id| id == [1; 16])
        .unwrap();
    assert_eq!(done, swept(1, 0, 1));
    let left = [1, 2, 3].map(|n| side.name(Kind::User, [n; 16]).unwrap().is_some());
    assert_eq!(left, [true, false, true]);
    // A state that knows nobody, or hardly anybody, is another one: nothing of it is lost for good.
    let nobody = side.sweep_names(&side.names_now().unwrap(), Kind::User, |_| false);
    assert_eq!(nobody.unwrap(), swept(0, 2, 0));
    for n in 10..90 {
        side.put_name(Kind::User, [n; 16], "ana").unwrap();
    }
    let many = side.sweep_names(&side.names_now().unwrap(), Kind::User, |id| id == [1; 16]);
    assert_eq!(many.unwrap(), swept(0, 81, 1));
}
