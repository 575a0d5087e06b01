//! Who sat before the machine was started anew (rule 6).

use crate::site::{BOOT, NOON, Site, Vendor};
use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::journal::MemoryJournal;
use seatkeeper_core::keys::Keys;
use seatkeeper_core::side::Side;
use seatkeeper_engine::command::Process;
use seatkeeper_engine::ids::BootId;
use seatkeeper_engine::time::Date;
use std::sync::Arc;
use std::time::Duration;

fn open(journal: &Arc<MemoryJournal>, clock: ManualClock, boot: BootId) -> Site {
    let side = Side::memory().expect("a side store");
    let keys = Keys::memory(Date(NOON)).expect("keys");
    Site::over(journal.clone(), Arc::new(clock), side, keys, |settings| {
        settings.boot = boot;
    })
}

fn sitting(site: &Site) -> Process {
    let snapshot = site.desk.snapshot();
    let grants = snapshot.state.pools.values().flat_map(|pool| &pool.grants);
    let mut holders = grants.flat_map(|(_, grant)| &grant.holders);
    holders.next().expect("a holder").facts.process.clone()
}

#[test]
fn r06_after_a_reboot_nobody_of_the_boot_before_sits_and_after_a_move_holds_decide() {
    let journal = Arc::new(MemoryJournal::new());
    let vendor = Vendor::new("acme");
    let site = open(&journal, ManualClock::at(NOON), BOOT);
    site.trust(&vendor).expect("trust");
    site.install(&vendor.file(&site.key(), |_| {}), true)
        .expect("install");
    let asked = site.checkout(&site.caller(1000, "ana", false), &vendor);
    asked.expect("a seat");
    let process = sitting(&site);
    let gone = |site: &Site| site.desk.is_of_an_earlier_boot(&process);
    assert!(!gone(&site));
    drop(site);
    let other = BootId([9; 16]);
    let same = open(&journal, ManualClock::at(NOON + 60), BOOT);
    assert!(!gone(&same), "the daemon alone was started anew");
    drop(same);
    let moved = ManualClock::at(NOON - 1_000);
    moved.advance(Duration::from_secs(2_000));
    let moved = open(&journal, moved, other);
    assert!(!gone(&moved), "a machine that ran while they sat elsewhere");
    drop(moved);
    let rebooted = open(&journal, ManualClock::at(NOON + 2_000), other);
    assert!(gone(&rebooted));
    let elsewhere = Process {
        attested_by: seatkeeper_engine::ids::MachineId([3; 16]),
        ..process.clone()
    };
    assert!(!rebooted.desk.is_of_an_earlier_boot(&elsewhere));
}
