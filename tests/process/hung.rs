//! What breaks while it runs: an application that hangs, a disk that fills up.

use seatkeeper_tests::site::{DAEMON_UID, is_root, signal};
use seatkeeper_tests::wire::{Ask, Wire};
use seatkeeper_tests::{Application, Site, Vendor, not_run, vendor};
use std::os::unix::fs::{chown, symlink};
use std::path::PathBuf;
use std::process::Command;

/// A hung application renews no more: its seat is free when its hold is over, though the process lives on (rules 14, 15).
#[test]
fn r15_the_seat_of_a_hung_application_is_free_when_its_hold_is_over() {
    let mut site = Site::new();
    site.start();
    let acme = Vendor::new("acme", 1);
    let mut short = acme.license("L-1", 1, 1, &site.site_key());
    (short.features[0].ttl_s, short.features[0].save_s) = (4, 4);
    site.install(&acme, &acme.file(&short));
    let app = Application::start(&site, &acme);
    assert!(app.said["slots"].is_array(), "{}", app.said);
    signal(app.pid(), rustix::process::Signal::STOP);
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let end = vendor::now() + 60;
    loop {
        let ask = Ask::new("cad", "modeler", &acme.roots());
        let answer = ask.checkout(&mut wire).expect("an answer");
        if answer.status == 201 {
            return;
        }
        assert_eq!(answer.text("code"), "no_seat_free", "{answer:?}");
        assert!(
            vendor::now() < end,
            "the seat of the hung application never came back"
        );
    }
}

/// Takes the small disk away again.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where the tests may not mount.
    fn small() -> Option<Disk> {
        let disk = Disk(tempfile::tempdir().expect("a folder"));
        let mounted = is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=24m,mode=755", "seatkeeper-test"])
                .arg(disk.0.path())
                .status()
                .is_ok_and(|status| status.success());
        if !mounted {
            not_run("needs root that may mount a small disk");
        }
        mounted.then_some(disk)
    }

    /// Fills it up with a file, whose path this is.
    fn fill(&self) -> PathBuf {
        let filler = self.0.path().join("filler");
        let _ = Command::new("dd")
            .args(["if=/dev/zero", "bs=4k", "status=none"])
            .arg(format!("of={}", filler.display()))
            .status();
        filler
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// No room for a commit: the daemon ends and acknowledges nothing more; what it had acknowledged is there afterwards (S26, I7).
#[test]
fn s26_a_full_disk_ends_the_daemon_and_costs_nothing_acknowledged() {
    let Some(disk) = Disk::small() else {
        println!("not run: needs root that may mount a small disk");
        return;
    };
    let mut site = Site::below(disk.0.path());
    site.start();
    let acme = Vendor::new("acme", 1);
    site.install(
        &acme,
        &acme.file(&acme.license("L-1", 1, 100_000, &site.site_key())),
    );
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let mut held = Vec::new();
    for _ in 0..5 {
        let ask = Ask::new("cad", "modeler", &acme.roots());
        let answer = ask.checkout(&mut wire).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        held.push((answer.text("id").to_owned(), ask));
    }
    // Whatever is free goes, so that the next growth of the journal fails.
    let filler = disk.fill();
    loop {
        assert!(held.len() < 50_000, "the journal never grew");
        let ask = Ask::new("cad", "modeler", &acme.roots());
        match ask.checkout(&mut wire) {
            Ok(answer) if answer.status == 201 => held.push((answer.text("id").to_owned(), ask)),
            Ok(answer) => assert!(answer.status >= 500, "{answer:?}"),
            Err(_) => break,
        }
    }
    assert_ne!(site.wait(), Some(0), "it failed: {}", site.log());
    std::fs::remove_file(filler).expect("it is there");
    site.start();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    for (id, ask) in held {
        let answer = ask.renew(&mut wire, &id).expect("an answer");
        assert_eq!(answer.status / 100, 2, "{id} was acknowledged: {answer:?}");
    }
    drop(site);
}

/// Seats that end are recorded on a disk that is full to the last byte, in what is held for it (S26).
#[test]
fn s26_on_a_full_disk_seats_are_given_back_and_the_daemon_stays() {
    // More than the append segment has room for.
    const SEATS: u64 = 300;
    let Some(disk) = Disk::small() else {
        println!("not run: needs root that may mount a small disk");
        return;
    };
    let mut site = Site::below(disk.0.path());
    site.with_env("SEATKEEPERD_DISK_RESERVE", "2 MiB");
    site.start();
    let acme = Vendor::new("acme", 1);
    let license = acme.license("L-1", 1, SEATS, &site.site_key());
    site.install(&acme, &acme.file(&license));
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let ask = || Ask::new("cad", "modeler", &acme.roots());
    let mut held = Vec::new();
    for _ in 0..SEATS {
        let ask = ask();
        let answer = ask.checkout(&mut wire).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        held.push((answer.text("id").to_owned(), ask));
    }
    let filler = disk.fill();
    let (kept, ask_of_kept) = held.pop().expect("some are held");
    for (id, ask) in &held {
        let answer = ask.release(&mut wire, id).expect("an answer");
        assert_eq!(answer.status / 100, 2, "{id}: {answer:?} {}", site.log());
    }
    let renewed = ask_of_kept.renew(&mut wire, &kept).expect("an answer");
    assert_eq!(renewed.status / 100, 2, "{renewed:?}");
    assert!(
        site.log().contains("goes on in its reserve"),
        "{}",
        site.log()
    );
    // Nothing new while there is no room, also after a start; what was given back stays given back.
    for _ in 0..2 {
        let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
        // The disk is looked at once a second.
        loop {
            let ask = ask();
            let answer = ask.checkout(&mut wire).expect("an answer");
            if answer.status != 201 {
                assert_eq!(answer.text("code"), "storage_low", "{answer:?}");
                break;
            }
            let answer = ask.release(&mut wire, answer.text("id"));
            assert_eq!(answer.expect("an answer").status / 100, 2);
        }
        site.kill();
        site.start();
    }
    std::fs::remove_file(filler).expect("it is there");
    site.stop();
    site.start();
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    for _ in 1..SEATS {
        let answer = ask().checkout(&mut wire).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let answer = ask().checkout(&mut wire).expect("an answer");
    assert_eq!(answer.text("code"), "no_seat_free", "{answer:?}");
    drop(site);
}

/// Whoever is new here is written into the side store first: where that fails the daemon ends as for its journal, and does
/// not go on with an error for everyone it does not know (S26, I7).
#[test]
fn s26_a_side_store_that_cannot_be_written_ends_the_daemon_too() {
    let Some(disk) = Disk::small() else {
        println!("not run: needs root that may mount a small disk");
        return;
    };
    let (mut site, acme) = Site::with_seats(100_000);
    site.stop();
    // The side store alone lies on the small disk.
    let (own, small) = (
        site.path("state/side.redb"),
        disk.0.path().join("side.redb"),
    );
    std::fs::copy(&own, &small).expect("it fits");
    chown(&small, Some(DAEMON_UID), Some(DAEMON_UID)).expect("root may give files away");
    std::fs::remove_file(&own).expect("it is there");
    symlink(&small, &own).expect("a link");
    let filler = disk.fill();
    site.start();
    let ask = |uid| {
        let mut wire = Wire::connect_as(&site.socket(), uid)?;
        Ask::new("cad", "modeler", &acme.roots()).checkout(&mut wire)
    };
    // Whoever is known by then costs the side store nothing; sooner or later one name does not fit.
    let last = (30_000..60_000)
        .map(ask)
        .find(|answer| answer.as_ref().map_or(true, |answer| answer.status != 201));
    // The end may come before the answer is out.
    if let Ok(answer) = last.expect("the side store never grew") {
        assert_eq!(answer.text("code"), "server_stopping", "{answer:?}");
    }
    assert_eq!(site.wait(), Some(70), "it failed: {}", site.log());
    assert!(site.log().contains("side.redb"), "{}", site.log());
    std::fs::remove_file(filler).expect("it is there");
    site.start();
    let mut wire = Wire::connect_as(&site.socket(), 61_000).expect("the daemon listens");
    let answer = Ask::new("cad", "modeler", &acme.roots())
        .checkout(&mut wire)
        .expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    drop(site);
}
