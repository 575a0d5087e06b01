//! A state that is restored, and one that is lost: what the built daemon does with clients that know more (rule 21).

use seatkeeper_tests::site::copy;
use seatkeeper_tests::wire::{Answer, Ask, Wire, nonce};
use seatkeeper_tests::{Site, Vendor};
use serde_json::{Value, json};

/// Renews, and shows a lease as the SDK does.
fn renew(site: &Site, ask: &Ask, seat: &Answer) -> Answer {
    let body = json!({"instance": ask.instance, "nonce": nonce(), "seen": seat.text("lease")});
    put(site, seat, body)
}

/// The same with the delegation beside it, as after `show_delegation`.
fn renew_proved(site: &Site, ask: &Ask, seat: &Answer) -> Answer {
    let delegation = seat.body["chain"]["delegation"].clone();
    let body = json!({
        "instance": ask.instance, "nonce": nonce(), "seen": seat.text("lease"), "delegation": delegation,
    });
    put(site, seat, body)
}

fn put(site: &Site, seat: &Answer, body: Value) -> Answer {
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let path = format!("/v1/leases/{}", seat.text("id"));
    let answer = wire.exchange("PUT", &path, Some(&body));
    answer.expect("an answer")
}

fn take(site: &Site, vendor: &Vendor) -> (Ask, Answer) {
    let ask = Ask::new("cad", "modeler", &vendor.roots());
    let mut wire = Wire::connect(&site.socket()).expect("the daemon listens");
    let answer = ask.checkout(&mut wire).expect("an answer");
    (ask, answer)
}

#[test]
fn s19_a_restored_daemon_is_in_quarantine_from_its_first_witness() {
    let (mut site, vendor) = Site::with_seats(3);
    site.stop();
    copy(&site.path("state"), &site.path("backup"));
    site.start();
    let (ask, seat) = take(&site, &vendor);
    assert_eq!(seat.status, 201, "{seat:?}");
    site.kill();
    std::fs::remove_dir_all(site.path("state")).expect("the state is lost");
    copy(&site.path("backup"), &site.path("state"));
    site.start();
    let renewed = renew(&site, &ask, &seat);
    assert_eq!(renewed.status, 200, "its seat is adopted: {renewed:?}");
    assert_ne!(renewed.text("id"), seat.text("id"));
    let (_, refused) = take(&site, &vendor);
    assert_eq!((refused.status, refused.text("code")), (503, "quarantine"));
    assert_eq!(refused.body["rule"], 21);
    assert!(
        refused.body["retry_after_s"].as_u64() > Some(0),
        "{refused:?}"
    );
    let said = site.ok(&["status"]);
    assert!(said.contains("quarantine"), "{said}");
    let doctor = site.cli(&["doctor"]);
    assert!(
        doctor.out.contains("restored, cloned or lost") && doctor.code != 0,
        "{}",
        doctor.out
    );
    let audit = site.ok(&["audit", "list"]);
    assert!(
        audit.contains("a client showed a lease of epoch"),
        "{audit}"
    );
    assert!(
        audit.contains("whose lease this journal did not know"),
        "{audit}"
    );
    // The same holds over a restart.
    site.kill();
    site.start();
    assert_eq!(take(&site, &vendor).1.text("code"), "quarantine");
    assert_eq!(renew(&site, &ask, &renewed).status, 200);
}

#[test]
fn s20_an_exported_key_without_its_state_starts_in_quarantine() {
    let (mut site, vendor) = Site::with_seats(3);
    let license = vendor.file(&vendor.license("L-1", 1, 3, &site.site_key()));
    let (ask, seat) = take(&site, &vendor);
    site.stop();
    let key = std::fs::read_to_string(site.path("state/keys/site.key")).expect("a key");
    let (_, bare) = key.split_once('\n').expect("a first line, and the key");
    for name in [
        "journal",
        "checkpoints",
        "side.redb",
        "keys/lease.key",
        "keys/delegation",
    ] {
        let path = site.path("state").join(name);
        let _ = match path.is_dir() {
            true => std::fs::remove_dir_all(path),
            false => std::fs::remove_file(path),
        };
    }
    // What `openssl pkey` writes has no first line.
    std::fs::write(site.path("state/keys/site.key"), bare).expect("a key");
    site.start();
    site.install(&vendor, &license);
    assert_eq!(take(&site, &vendor).1.text("code"), "quarantine");
    assert_eq!(renew(&site, &ask, &seat).text("code"), "show_delegation");
    let renewed = renew_proved(&site, &ask, &seat);
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let said = site.ok(&["status"]);
    assert!(said.contains("quarantine"), "{said}");
}
