//! Pruning on a real disk, with a clock that is passed in: what goes, what stands for it, and what each failure leaves.
#![allow(clippy::unwrap_used)] // A test that unwraps has failed, in its helpers too.

mod house;
mod steps;

use house::{DAY, EVERY, House, NOON, flip};
use seatkeeper::wire::{AuditAnchor, Code};
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::journal::Head;
use std::fs;
use std::time::Duration;

fn cursor(after: Option<u64>) -> Cursor {
    Cursor {
        after: after.map(|n| n.to_string()),
        limit: Some(1000),
    }
}

#[test]
fn i15_events_older_than_the_retention_leave_in_whole_files_and_an_anchor_stands_for_them() {
    let house = House::new();
    let site = house.lived(0..45);
    let files = house.numbers("journal");
    assert!(files.len() > 4, "{files:?}");
    house.days(399);
    site.desk.prune_journal();
    assert_eq!(house.numbers("journal"), files, "none is 400 days old");
    house.days(1);
    let before = site.desk.snapshot().head.number;
    site.desk.prune_journal();
    // What a start from the older of two checkpoints reads is still there.
    let needed = house.numbers("checkpoints")[0];
    let kept = house.numbers("journal");
    assert_eq!(kept[0], needed);
    assert_eq!(kept, files[files.len() - kept.len()..]);
    let pruned = needed - 1;
    assert_eq!(site.desk.pruned(), pruned);
    assert_eq!(site.verifies(), Ok(pruned));
    let told = site.events(before);
    let noted: Vec<_> = told.iter().filter(|e| e.kind == "JournalPruned").collect();
    assert_eq!(noted.len(), 1, "{told:?}");
    assert_eq!(
        noted[0].text,
        format!("events 1 to {pruned} pruned: all of them are older than `retention_days`")
    );
    assert_eq!(
        (noted[0].actor.as_str(), noted[0].n),
        ("daemon", before + 1)
    );
    // The anchor's file is the first line of an export.
    let line = fs::read_to_string(house.path("journal/anchor")).unwrap();
    let anchor = site.desk.audit_pruned(&site.root()).unwrap();
    assert_eq!(line, serde_json::to_string(&anchor).unwrap() + "\n");
    // Again and again it is done once.
    site.desk.prune_journal();
    assert_eq!(site.desk.snapshot().head.number, before + 1);
    let state = site.desk.snapshot().state.clone();
    drop(site);
    let site = house.start();
    assert_eq!(site.desk.snapshot().state.users, state.users);
    assert_eq!((site.desk.pruned(), site.holes()), (pruned, Vec::new()));
    // The next ones go when it is their turn, and the chain is followed from the anchor on.
    drop(site);
    let site = house.lived(45..90);
    house.days(400);
    site.desk.prune_journal();
    assert!(site.desk.pruned() > pruned + EVERY);
    assert_eq!(site.verifies(), Ok(site.desk.pruned()));
}

#[test]
fn i2_nothing_goes_that_a_start_may_need() {
    // One checkpoint, and the journal behind it from the first event: both are needed, in case the checkpoint is damaged.
    let house = House::new();
    let site = house.lived(0..12);
    assert_eq!(house.numbers("checkpoints").len(), 1);
    house.days(1000);
    site.desk.prune_journal();
    assert_eq!(house.numbers("journal")[0], 1);
    drop(site);
    // Two, and one of them is damaged: a start would need what stands behind the other.
    for damaged in 0..2 {
        let house = House::new();
        let site = house.lived(0..35);
        house.days(1000);
        let number = house.numbers("checkpoints")[damaged];
        let path = house.path(&format!("checkpoints/{number}"));
        let whole = fs::read(&path).unwrap();
        flip(&path);
        site.desk.prune_journal();
        assert_eq!(house.numbers("journal")[0], 1);
        let told = site.findings();
        let named = format!("checkpoints/{number}: its bytes are not those that were written");
        assert!(told.iter().any(|text| text.contains(&named)), "{told:?}");
        fs::write(&path, whole).unwrap();
        house.clock.advance(Duration::from_secs(3600));
        site.desk.prune_journal();
        assert!(house.numbers("journal")[0] > 1);
        assert_eq!(site.findings(), Vec::<String>::new());
        drop(site);
        // Whichever of the two is damaged now, the other one does.
        flip(&path);
        let site = house.start();
        assert!(site.desk.snapshot().state.users.len() >= 35);
    }
    let house = House::new();
    let site = house.lived(0..35);
    house.days(1000);
    site.desk.prune_journal();
    drop(site);
    fs::remove_dir_all(house.path("checkpoints")).unwrap();
    let why = house.try_start().err().unwrap();
    assert!(
        why.contains("1.redb was pruned") && why.contains("Put the checkpoints back"),
        "{why}"
    );
}

#[test]
fn i2_a_checkpoint_of_another_version_stands_for_no_event_that_goes() {
    let other = |house: &House, number: u64| {
        let path = house.path(&format!("checkpoints/{number}"));
        let mut bytes = b"seatkeeper checkpoint 9".to_vec();
        let whole = fs::read(&path).unwrap();
        bytes.extend(&whole[whole.iter().position(|byte| *byte == b'\n').unwrap()..]);
        fs::write(&path, bytes).unwrap();
        path
    };
    // This version could not begin at it, where the newest is damaged.
    let house = House::new();
    let site = house.lived(0..35);
    other(&house, house.numbers("checkpoints")[0]);
    house.days(1000);
    site.desk.prune_journal();
    assert_eq!(house.numbers("journal")[0], 1);
    // Where the journal was pruned already it is the only way to begin.
    let house = House::new();
    let site = house.lived(0..35);
    house.days(1000);
    site.desk.prune_journal();
    drop(site);
    let numbers = house.numbers("checkpoints");
    let paths: Vec<_> = numbers.iter().map(|n| other(&house, *n)).collect();
    let why = house.try_start().err().unwrap();
    assert!(
        why.contains("an older version of Seatkeeper wrote it (format 9")
            && why.contains("1.redb was pruned")
            && why.contains("Start the version that wrote it"),
        "{why}"
    );
    assert!(paths.iter().all(|path| path.exists()));
}

/// A wall clock that is far ahead is believed by J after an hour; until then it ends nothing.
#[test]
fn d5_a_wall_clock_that_was_set_ahead_prunes_no_event_and_no_count() {
    let house = House::new();
    let site = house.lived(0..45);
    site.denied("cad/modeler");
    site.desk.flush_denials().unwrap();
    house.clock.set_wall(NOON + 500 * DAY);
    site.meet(200);
    site.desk.prune_journal();
    site.denied("cad/viewer");
    site.desk.flush_denials().unwrap();
    assert_eq!(site.desk.pruned(), 0);
    drop(site);
    assert_eq!(house.counted(), ["cad/modeler", "cad/viewer"]);
    let site = house.start();
    // What was recorded under such a clock goes all the same when so long a time has passed by the one that nobody sets.
    for n in 201..220 {
        site.meet(n);
        house.settle(&site);
    }
    let under_it = house.numbers("journal");
    house.clock.set_wall(NOON);
    house.days(401);
    for n in 220..250 {
        site.meet(n);
        house.settle(&site);
    }
    site.desk.prune_journal();
    assert_eq!(Some(site.desk.pruned() + 1), under_it.last().copied());
}

#[test]
fn i15_pages_begin_at_the_first_kept_event_and_an_older_cursor_is_told() {
    let house = House::new();
    let site = house.lived(0..45);
    let before = site.events(0);
    assert!(
        site.desk
            .audit_pruned(&site.root())
            .is_err_and(|no| no.code == Code::NotFound)
    );
    house.days(400);
    site.desk.prune_journal();
    let (root, pruned) = (site.root(), site.desk.pruned());
    assert!(pruned > EVERY);
    let all = AuditFilter::default();
    let kept = site.desk.audit(&root, &cursor(None), &all).unwrap().items;
    let first = usize::try_from(pruned).unwrap();
    assert_eq!(kept[..before.len() - first], before[first..]);
    let events = site.desk.events(&root, &cursor(None)).unwrap().items;
    assert_eq!(events[0].n, pruned + 1);
    for after in [pruned, pruned + 3] {
        let page = site.desk.audit(&root, &cursor(Some(after)), &all).unwrap();
        assert_eq!(page.items[0].n, after + 1);
    }
    for after in [0, 1, pruned - 1] {
        let audit = site.desk.audit(&root, &cursor(Some(after)), &all);
        let events = site.desk.events(&root, &cursor(Some(after)));
        for no in [audit.unwrap_err(), events.unwrap_err()] {
            assert_eq!((no.code.clone(), no.status), (Code::Pruned, 410));
            assert!(
                no.detail
                    .contains(&format!("events 1 to {pruned} were pruned")),
                "{no:?}"
            );
        }
    }
    // A filter that follows what came before begins where the journal does.
    let filter = AuditFilter {
        feature: Some("modeler".to_owned()),
        ..all
    };
    let page = site.desk.audit(&root, &cursor(Some(pruned + 2)), &filter);
    assert_eq!(page.unwrap().items, []);
    assert_eq!(site.desk.status(&root).unwrap().pruned, pruned);
}

#[test]
fn i15_what_does_not_follow_is_told_and_not_signed_over() {
    for damage in 0..4 {
        let house = House::new();
        let site = house.lived(0..45);
        let files = house.numbers("journal");
        drop(site);
        let second = house.path(&format!("journal/{}.redb", files[1]));
        match damage {
            0 => house.edit(files[0], |row| {
                row.replacen("\"origin\":\"run\"", "\"origin\":\"inbox\"", 1)
            }),
            1 => house.edit(files[1], |row| row.replacen("\"v\":2", "\"v\":0", 1)),
            2 => fs::remove_file(&second).unwrap(),
            _ => fs::write(&second, "").unwrap(),
        }
        let site = house.start();
        house.days(400);
        site.desk.prune_journal();
        let told = site.findings();
        let named = told
            .iter()
            .any(|text| text.contains("could not be pruned: ") && text.contains(".redb"));
        assert!(named, "{damage}: {told:?}");
        // What stands before it and is whole may go.
        let begin = house.numbers("journal")[0];
        assert_eq!(
            begin,
            if damage == 0 { 1 } else { files[1].min(begin) },
            "{damage}"
        );
        if damage > 1 {
            assert!(!site.holes().is_empty());
        }
    }
}

#[test]
fn i15_an_anchor_that_is_gone_damaged_or_anothers_is_told_and_nothing_more_goes() {
    let house = House::new();
    let site = house.lived(0..45);
    house.days(400);
    site.desk.prune_journal();
    let pruned = site.desk.pruned();
    let now = site.desk.audit_anchor(&site.root()).unwrap();
    drop(site);
    let site = house.lived(45..90);
    house.days(400);
    // The times are durable with it.
    site.meet(240);
    house.settle(&site);
    let other = House::new();
    let elsewhere = other.lived(0..45);
    other.days(400);
    elsewhere.desk.prune_journal();
    drop((site, elsewhere));
    let path = house.path("journal/anchor");
    let whole = fs::read(&path).unwrap();
    let mut cut = whole.clone();
    cut.truncate(whole.len() / 2);
    let mut flipped = whole.clone();
    flipped[60] ^= 1;
    let later = serde_json::to_vec(&now).unwrap();
    let theirs = fs::read(other.path("journal/anchor")).unwrap();
    let line = |bytes: &[u8]| serde_json::from_slice::<AuditAnchor>(bytes).unwrap();
    let beside = AuditAnchor {
        site_key: line(&theirs).site_key,
        ..line(&whole)
    };
    let beside = serde_json::to_vec(&beside).unwrap();
    for (says, bytes) in [
        ("is missing", None),
        ("is damaged", Some(cut)),
        ("is damaged", Some(Vec::new())),
        ("the key beside it is not the site key", Some(beside)),
        ("is not signed by the site key", Some(flipped)),
        ("is not signed by the site key", Some(theirs)),
    ] {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let site = house.start();
        let holes = site.holes();
        let told = format!("events 1 to {pruned}, which are gone, were pruned");
        assert!(
            holes.len() == 1 && holes[0].contains(says) && holes[0].contains(&told),
            "{holes:?}"
        );
        site.desk.prune_journal();
        assert_eq!(house.numbers("journal")[0], pruned + 1, "{says}");
    }
    // An anchor of this site for a later event, which anybody who may read the audit log can have: it does not hide that
    // files are gone, and lets none go that is not due.
    fs::write(&path, later).unwrap();
    let site = house.start();
    assert!(site.desk.pruned() > pruned);
    let why = site.verifies().unwrap_err();
    assert!(why.contains("no event says"), "{why}");
    // Files that are due go, and are recorded first.
    let copied = house.copy();
    let other = copied.start();
    other.desk.prune_journal();
    assert_eq!(other.verifies(), Ok(other.desk.pruned()));
    drop((site, other));
    fs::write(&path, &whole).unwrap();
    let site = house.start();
    assert_eq!((site.holes(), site.verifies()), (Vec::new(), Ok(pruned)));
    drop(site);
    // The anchor of the pruning before the last one.
    let copied = house.copy();
    let other = copied.start();
    other.desk.prune_journal();
    assert!(other.desk.pruned() > pruned);
    drop(other);
    fs::write(copied.path("journal/anchor"), &whole).unwrap();
    let holes = copied.start().holes();
    let told = format!("events {} to", pruned + 1);
    assert!(holes.len() == 1 && holes[0].contains(&told), "{holes:?}");
    // A file behind the anchor.
    let first = house.path(&format!("journal/{}.redb", pruned + 1));
    fs::remove_file(first).unwrap();
    let site = house.start();
    let holes = site.holes();
    assert!(
        holes.len() == 1 && holes[0].contains(&format!("events {} to", pruned + 1)),
        "{holes:?}"
    );
    assert_ne!(site.verifies(), Ok(pruned));
}

#[test]
fn i15_an_empty_journal_and_one_without_files_prune_nothing() {
    let house = House::new();
    let site = house.start();
    house.days(4000);
    site.desk.prune_journal();
    assert_eq!((site.desk.pruned(), site.verifies()), (0, Ok(0)));
    assert_eq!(site.findings(), Vec::<String>::new());
    let head = site.desk.snapshot().head;
    assert_ne!(head, Head::default());
}
