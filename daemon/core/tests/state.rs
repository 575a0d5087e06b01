//! The stores on a real disk: made whole, owned by one.

use seatkeeper_core::journal::RedbJournal;
use seatkeeper_core::side::Side;
use seatkeeper_core::state_dir::StateDir;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn a_journal_is_made_whole_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    std::fs::write(dir.path().join("journal/1.redb.new"), "what a crash left").unwrap();
    drop(RedbJournal::open(&state.journal()).unwrap());
    assert!(!dir.path().join("journal/1.redb.new").exists());
    RedbJournal::open(&state.journal()).unwrap();
}

#[test]
fn the_stores_are_their_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in [state.journal().join("1.redb"), state.side()] {
        let open = || match file == state.side() {
            true => drop(Side::open(&file).unwrap()),
            false => drop(RedbJournal::open(&state.journal()).unwrap()),
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
fn a_second_opener_of_the_journal_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let _first = RedbJournal::open(&state.journal()).unwrap();
    let why = RedbJournal::open(&state.journal()).unwrap_err().to_string();
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
    assert!(RedbJournal::open(dir.path()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else");
}
