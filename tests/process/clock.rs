//! A clock that was wrong, and a state that believed it, put right through the built programs (S21).

use seatkeeper_core::clock::ManualClock;
use seatkeeper_core::journal::RedbJournal;
use seatkeeper_core::keeper;
use seatkeeper_core::side::Side;
use seatkeeper_core::state_dir::StateDir;
use seatkeeper_core::storage::Guard;
use seatkeeper_tests::site::{DAEMON_UID, is_root};
use seatkeeper_tests::vendor::{Vendor, now};
use seatkeeper_tests::{Application, Site};
use std::os::unix::fs::chown;
use std::path::Path;
use std::sync::Arc;

const DAY: u64 = 86_400;

/// Runs a keeper over the state of a stopped daemon under a clock that is so far ahead, as a machine with a dead battery
/// would at its start.
pub(crate) fn carry(site: &Site, days: u64) {
    let path = site.path("state");
    let state = StateDir::open(&path).expect("the state is free");
    let parts = keeper::Parts {
        journal: Arc::new(RedbJournal::open(&state.journal(), 0).expect("the journal opens")),
        side: Arc::new(Side::open(&state.side()).expect("the side store opens")),
        clock: Arc::new(ManualClock::at(now() + days * DAY)),
        checkpoints: None,
        clock_file: None,
        storage: Guard::none(),
        copied_key: false,
        host: "ws1".to_owned(),
        on_events: None,
        on_fatal: Box::new(|why| panic!("{why}")),
    };
    let keeper = keeper::start(parts).expect("it starts");
    keeper.stop().expect("it stops");
    drop(state);
    own(&path);
}

/// What a test as root made belongs to the daemon again.
pub(crate) fn own(path: &Path) {
    if !is_root() {
        return;
    }
    chown(path, Some(DAEMON_UID), Some(DAEMON_UID)).expect("root may give files away");
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder") {
            own(&entry.expect("an entry").path());
        }
    }
}

#[test]
fn s21_clock_accept_puts_a_site_right_that_a_wrong_clock_locked_out() {
    let mut site = Site::new();
    site.start();
    let vendor = Vendor::new("acme", 1);
    let mut license = vendor.license("L-1", 1, 2, &site.site_key());
    license.exp = Some(now() + 10 * DAY);
    site.install(&vendor, &vendor.file(&license));
    site.kill();
    carry(&site, 20);

    site.start();
    let listed = site.ok(&["license", "list"]);
    assert!(listed.contains("expired"), "{listed}");
    let locked_out = Application::start(&site, &vendor);
    assert_eq!(locked_out.said["code"], "license_expired");
    let shown = site.ok(&["clock", "show"]);
    assert!(shown.contains("behind"), "{shown}");
    let doctor = site.cli(&["doctor"]);
    assert!(
        (doctor.out.clone() + &doctor.err).contains("seatkeeper clock accept"),
        "{doctor:?}"
    );

    site.ok(&["clock", "accept"]);
    let listed = site.ok(&["license", "list"]);
    assert!(listed.contains("in force"), "{listed}");
    let seated = Application::start(&site, &vendor);
    assert!(seated.said["code"].is_null(), "{}", seated.said);
    let request = site.path("site.req");
    let asked = ["license", "request", "--account", "C-1", "--out"];
    let said = site.cli(&[&asked[..], &[&request.display().to_string()]].concat());
    assert!(said.err.contains("wrong clock was accepted"), "{said:?}");
    // It holds over a restart, and is counted once.
    site.kill();
    site.start();
    let status = site.ok(&["status"]);
    assert!(status.contains("a wrong clock, 1 time"), "{status}");
    assert!(site.ok(&["license", "list"]).contains("in force"));
}
