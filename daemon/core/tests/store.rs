//! Stores as earlier versions wrote them: what was recorded then is read today, event by event (I14). A store that a
//! release wrote is never written anew; a new layout gets a folder of its own beside it.

use seatkeeper_core::journal::{Head, Journal, RedbJournal, Row, follow};
use seatkeeper_engine::{Engine, State};
use std::fs;
use std::path::Path;

/// The store of a folder in `tests/stores`, read as a start reads it; a copy, because a start changes it.
fn read(store: &str) -> (State, Head) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/stores")
        .join(store);
    let folder = tempfile::tempdir().expect("a folder");
    for file in fs::read_dir(kept).expect("the store is kept") {
        let file = file.expect("a file");
        fs::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    let journal = RedbJournal::open(folder.path(), 0).expect("it is opened");
    let (mut engine, mut head) = (Engine::new(), Head::default());
    let loaded = journal.load(1, &mut |first, bytes| {
        assert_eq!(first, head.number + 1, "rows follow one another");
        for raw in Row::parse(bytes)?.events {
            engine.replay(&follow(&mut head, raw.get())?.what);
        }
        Ok(())
    });
    loaded.expect("it is read");
    (engine.state().clone(), head)
}

/// Two starts: a vendor trusted, a license for everyone, three seats taken, one given back, one reclaimed; a stop; an
/// assignment to one user, the right of everyone taken and given again, a renewal with fewer seats; and a kill, with
/// all of it after the stop in the append segment.
#[test]
fn i14_a_store_of_version_3_is_read_as_it_was_written() {
    let (state, head) = read("version-3");
    let told = format!(
        "{} {} events; epoch {}; vendors {:?}; licenses {:?}; assignments {}; users {}; grants {:?}; ended {}; clocks {}",
        head.hash,
        head.number,
        state.run.epoch,
        state
            .vendors
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        state
            .licenses
            .values()
            .map(|l| format!("{} serial {}", l.terms.id, l.terms.serial))
            .collect::<Vec<_>>(),
        state.assignments.len(),
        state.users.len(),
        grants(&state),
        state.ended.len(),
        state.clock.count,
    );
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/version-3.txt");
    let kept = fs::read_to_string(kept).expect("it is told");
    assert_eq!(
        told,
        kept.trim_end(),
        "a store that was written is never written anew"
    );
}

fn grants(state: &State) -> Vec<String> {
    let pools = state.pools.values();
    let grants = pools.flat_map(|pool| pool.grants.iter());
    grants
        .map(|(gid, grant)| {
            let holders = grant
                .holders
                .iter()
                .map(|h| (h.h, h.ending().map(|e| e.why)));
            format!(
                "{gid} on {:?}: {:?}",
                grant.slots,
                holders.collect::<Vec<_>>()
            )
        })
        .collect()
}
