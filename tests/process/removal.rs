//! A license that waits, is removed and comes back, through the built programs.

use seatkeeper_tests::binaries::run;
use seatkeeper_tests::vendor::{Vendor, now};
use seatkeeper_tests::{Application, Site};
use std::time::Duration;

const DAY: u64 = 86_400;

/// A file beside the site.
fn file(site: &Site, name: &str, text: &str) -> String {
    let path = site.path(name);
    std::fs::write(&path, text).expect("it is written");
    path.display().to_string()
}

#[test]
fn r17_a_license_waits_over_a_restart_and_begins_by_itself() {
    let mut site = Site::new();
    site.start();
    let vendor = Vendor::new("acme", 1);
    let mut soon = vendor.license("L-1", 1, 2, &site.site_key());
    soon.nbf = now() + 3;
    site.install(&vendor, &vendor.file(&soon));
    let mut later = vendor.license("L-1", 2, 5, &site.site_key());
    later.nbf = now() + 30 * DAY;
    let said = site.cli(&[
        "license",
        "install",
        &file(&site, "later.lic", &vendor.file(&later)),
    ]);
    assert!(
        said.code == 0 && said.out.contains("it waits until"),
        "{said:?}"
    );
    site.kill();
    // What begins while the daemon is down is in force when it answers.
    for _ in 0..1000 {
        if now() > soon.nbf {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    site.start();
    let listed = site.cli(&["license", "list"]).out;
    assert!(
        listed.contains("in force; serial 2 waits until"),
        "{listed}"
    );
    let app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "a seat of it: {}", app.said);
}

#[test]
fn l21_d5_what_is_removed_ends_its_seats_leaves_a_backup_and_comes_back() {
    let (site, vendor) = Site::with_seats(2);
    let mut app = Application::start(&site, &vendor);
    assert!(app.said["code"].is_null(), "{}", app.said);
    let no = site.cli(&["vendor", "remove", "acme"]);
    assert_eq!(no.code, 1, "{no:?}");
    assert!(no.err.contains("license remove acme/L-1"), "{no:?}");
    let no = site.cli(&["license", "remove", "--all", "--confirm=another site"]);
    assert!(
        no.code == 2 && no.err.contains("--confirm='test site'"),
        "{no:?}"
    );

    let mut remove = site.cli_command(&["license", "remove", "--all", "--confirm=test site"]);
    let folder = site.path("backup");
    std::fs::create_dir(&folder).expect("a folder");
    let gone = run(remove.current_dir(&folder));
    assert_eq!(gone.code, 0, "{gone:?}");
    for said in [
        "acme/L-1 serial 1 is removed",
        "assignments to everyone",
        "is ending",
    ] {
        assert!(gone.out.contains(said), "{gone:?}");
    }
    assert!(
        site.cli(&["license", "list"])
            .err
            .contains("no license is installed")
    );
    let seats = site.cli(&["seat", "list"]).out;
    assert!(seats.contains("ending (right_lost)"), "{seats}");
    let next = Application::start(&site, &vendor);
    assert_eq!(next.said["code"], "not_licensed");

    let backup = std::fs::read_dir(&folder).expect("a folder").next();
    let backup = backup.expect("a backup").expect("readable").path();
    let back = site.cli(&["license", "install", &backup.display().to_string()]);
    assert_eq!(back.code, 0, "{back:?}");
    site.ok(&["license", "assign", "L-1", "--everyone"]);
    let seats = site.cli(&["seat", "list"]).out;
    assert!(seats.contains("live"), "the right is back in time: {seats}");
    app.kill();

    site.ok(&["license", "remove", "L-1"]);
    let gone = site.ok(&["vendor", "remove", "acme"]);
    assert!(gone.contains("acme is trusted no more"), "{gone}");
}
