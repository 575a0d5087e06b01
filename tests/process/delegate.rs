//! A site whose key is in a safe: the built daemon signs under delegations that the CLI signs elsewhere and brings (S20).

use crate::clock::{carry, own};
use seatkeeper_tests::wire::{Answer, Ask, Wire};
use seatkeeper_tests::{Application, Site, Vendor};
use std::fs;
use std::path::Path;

fn take(site: &Site, vendor: &Vendor) -> Answer {
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    ask.checkout(&mut wire).expect("an answer")
}

/// Has the daemon's lease key delegated to in the safe, and hands the delegation in.
fn delegate(site: &Site, safe: &Path, days: &str) -> String {
    let file = |name: &str| safe.join(name).to_str().expect("text").to_owned();
    let (lease, out) = (file("lease.pub.pem"), file("site.delegation"));
    for old in [&lease, &out] {
        let _ = fs::remove_file(old);
    }
    site.ok(&["site", "key", "show", "--lease-key", &lease]);
    let (export, word) = (file("site.export"), file("passphrase"));
    let signed = site.ok(&[
        "site",
        "key",
        "delegate",
        "--from",
        &export,
        "--passphrase-file",
        &word,
        "--lease-key",
        &lease,
        "--out",
        &out,
        "--days",
        days,
    ]);
    assert!(signed.contains("until"), "{signed}");
    site.ok(&["site", "key", "accept", &out])
}

#[test]
fn s20_seats_go_on_where_the_site_key_is_in_a_safe_until_its_delegation_ends() {
    let (mut site, vendor) = Site::with_seats(3);
    let safe = site.path("safe");
    fs::create_dir(&safe).expect("a safe");
    let file = |name: &str| safe.join(name).to_str().expect("text").to_owned();
    fs::write(safe.join("passphrase"), "correct horse\n").expect("written");
    site.ok(&[
        "site",
        "key",
        "export",
        "--out",
        &file("site.export"),
        "--passphrase-file",
        &file("passphrase"),
    ]);
    let said = delegate(&site, &safe, "1");
    assert!(said.contains("seats can be signed until"), "{said}");
    let before = Application::start(&site, &vendor);
    assert!(before.said["id"].is_string(), "{}", before.said);
    site.stop();
    let key = site.path("state/keys/site.key");
    fs::rename(&key, safe.join("site.key")).expect("taken away");
    site.start();
    // The SDK takes the whole chain.
    let after = Application::start(&site, &vendor);
    assert!(after.said["id"].is_string(), "{}", after.said);
    assert_eq!(take(&site, &vendor).status, 201);
    assert!(!key.exists(), "none is made");
    let status = site.ok(&["status"]);
    assert!(
        status.contains("delegated until") && status.contains("kept elsewhere"),
        "{status}"
    );
    let doctor = site.cli(&["doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:?}");
    assert!(doctor.out.contains("delegation ends on"), "{}", doctor.out);
    let request = site.cli(&[
        "license",
        "request",
        "--account",
        "1",
        "--out",
        &file("a.req"),
    ]);
    assert!(
        request.code != 0 && request.err.contains("site_key_elsewhere"),
        "{request:?}"
    );
    drop((before, after));
    site.stop();
    carry(&site, 2);
    site.start();
    let refused = take(&site, &vendor);
    assert_eq!(
        (refused.status, refused.text("code")),
        (503, "not_delegated")
    );
    assert!(
        refused.text("detail").contains("its delegation ended at"),
        "{refused:?}"
    );
    let run = site.cli(&["run", "modeler", "--", "true"]);
    assert!(
        run.code == 125 && run.err.contains("not_delegated"),
        "{run:?}"
    );
    let doctor = site.cli(&["doctor"]);
    assert!(
        doctor.code != 0 && doctor.out.contains("site key accept"),
        "{doctor:?}"
    );
    delegate(&site, &safe, "90");
    assert_eq!(take(&site, &vendor).status, 201);
    // The key is put back: the daemon renews by itself again.
    site.stop();
    fs::rename(safe.join("site.key"), &key).expect("put back");
    own(&key);
    site.start();
    assert!(!site.ok(&["status"]).contains("elsewhere"));
    assert_eq!(take(&site, &vendor).status, 201);
    site.ok(&[
        "license",
        "request",
        "--account",
        "1",
        "--out",
        &file("b.req"),
    ]);
}

#[test]
fn s20_a_server_that_never_has_the_site_key_begins_in_quarantine() {
    let mut site = Site::new();
    let safe = site.path("safe");
    fs::create_dir(&safe).expect("a safe");
    let file = |name: &str| safe.join(name).to_str().expect("text").to_owned();
    let made = site.ok(&[
        "site",
        "key",
        "new",
        "--out",
        &file("site.key"),
        "--public",
        &file("site.pub.pem"),
    ]);
    assert!(made.contains("site.pub.pem"), "{made}");
    let keys = site.path("state/keys");
    fs::create_dir(&keys).expect("a folder");
    fs::copy(safe.join("site.pub.pem"), keys.join("site.pub.pem")).expect("copied");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&keys, private).expect("a mode");
    own(&keys);
    site.start();
    let vendor = Vendor::new("acme", 1);
    let license = vendor.license("L-1", 1, 3, &site.site_key());
    site.install(&vendor, &vendor.file(&license));
    let refused = take(&site, &vendor);
    assert_eq!(refused.text("code"), "not_delegated", "{refused:?}");
    let lease = file("lease.pub.pem");
    site.ok(&["site", "key", "show", "--lease-key", &lease]);
    let out = file("site.delegation");
    let key = file("site.key");
    // A key that is no lease key, and one of the daemon's own secret files.
    for wrong in [file("site.pub.pem"), key.clone()] {
        let said = site.cli(&[
            "site",
            "key",
            "delegate",
            "--key",
            &key,
            "--lease-key",
            &wrong,
            "--out",
            &out,
        ]);
        assert!(said.code != 0 && said.err.contains("lease key"), "{said:?}");
    }
    site.ok(&[
        "site",
        "key",
        "delegate",
        "--key",
        &key,
        "--lease-key",
        &lease,
        "--out",
        &out,
    ]);
    site.ok(&["site", "key", "accept", &out]);
    let refused = take(&site, &vendor);
    assert_eq!(refused.text("code"), "quarantine", "{refused:?}");
    assert!(!keys.join("site.key").exists(), "none is made");
}
