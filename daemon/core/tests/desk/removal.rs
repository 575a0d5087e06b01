//! What is taken away: a license, all of them, a vendor; and what a withdrawn license does to those who sit (rule 17).

use crate::site::*;
use seatkeeper::wire::{Code, LeaseReply};
use seatkeeper_core::desk::Removal;
use seatkeeper_core::desk::view::Cursor;

fn count(site: &Site) -> usize {
    let page = site.desk.licenses(&site.root(), &Cursor::default());
    page.expect("a list").items.len()
}

/// Ana's seat, and what its next renewal says.
fn seat_and_renewal(site: &Site, vendor: &Vendor, between: impl FnOnce()) -> LeaseReply {
    let (ana, body) = (site.ana(), checkout(vendor));
    let seat = site.desk.checkout(&ana, &body).expect("a seat");
    between();
    let asked = renewal(&body, 2, Some(&seat.reply.lease));
    let renewed = site.desk.renew(&ana, &seat.reply.id, &asked);
    let reply = renewed.expect("a last lease").reply;
    let lease = check(vendor, &seat.reply.chain, &reply, 2, true);
    assert_eq!((lease.ttl_s, lease.grace_s), (300, 0));
    assert_eq!(
        serde_json::to_value(lease.last).expect("JSON"),
        "right_lost"
    );
    assert_eq!(lease.policies, ["save"]);
    reply
}

#[test]
fn r17_a_removed_license_ends_its_holders_with_a_last_lease_and_gives_nothing_new() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    seat_and_renewal(&site, &vendor, || {
        let dry = Removal {
            dry_run: true,
            ..Removal::default()
        };
        let foreseen = site.desk.remove_license(&root, "", "ACME-1", dry);
        let foreseen = foreseen.expect("foreseen");
        assert!(!foreseen.changed && count(&site) == 1);
        let how = Removal::default();
        let done = site.desk.remove_license(&root, "", "ACME-1", how);
        let done = done.expect("removed");
        assert!(done.changed && count(&site) == 0);
        assert_eq!(foreseen.ending, done.ending);
        assert_eq!((done.ending.len(), done.assignments.len()), (1, 1));
    });
    let no = site.checkout(&site.bob(), &vendor).expect_err("removed");
    assert_eq!(no.code, Code::NotLicensed);
    let again = site
        .desk
        .remove_license(&root, "", "ACME-1", Removal::default())
        .expect_err("gone");
    assert_eq!(again.code, Code::NotFound);
}

#[test]
fn r17_the_file_that_a_removal_hands_back_brings_the_license_back() {
    let (site, vendor) = Site::licensed();
    let text = vendor.file(&site.key(), |_| {});
    let how = Removal::default();
    let done = site.desk.remove_license(&site.root(), "", "ACME-1", how);
    let done = done.expect("removed");
    let inbox = site.desk.install_from_inbox("a.lic", text.as_bytes());
    assert!(!inbox.expect("noted").licenses[0].new, "no inbox does");
    assert_eq!(count(&site), 0);
    let back = site.install(&done.file, true).expect("installed");
    assert!(back.licenses[0].new);
    site.checkout(&site.ana(), &vendor).expect("a seat");
}

#[test]
fn r17_a_file_left_in_an_inbox_brings_nothing_back_where_new_licenses_are_everyones() {
    let (site, vendor) = (
        Site::with(|s| s.assign_new_to_everyone = true),
        Vendor::new("acme"),
    );
    site.trust(&vendor).expect("trust");
    let text = vendor.file(&site.key(), |_| {});
    let inbox = || site.desk.install_from_inbox("a.lic", text.as_bytes());
    let first = inbox().expect("installed");
    assert!(first.licenses[0].new && first.licenses[0].assigned_to_everyone);
    let how = Removal::default();
    site.desk
        .remove_license(&site.root(), "", "ACME-1", how)
        .expect("removed");
    let again = inbox().expect("noted");
    assert!(!again.licenses[0].new && !again.licenses[0].assigned_to_everyone);
    assert_eq!(count(&site), 0);
}

#[test]
fn r17_somebody_else_changed_it_meanwhile() {
    let (site, vendor) = Site::licensed();
    let seen = site.desk.license(&site.root(), "", "ACME-1");
    let seen = seen.expect("listed").revision;
    site.install(&vendor.file(&site.key(), |l| l.serial = 2), false)
        .expect("a renewal");
    let how = Removal {
        if_match: Some(seen),
        ..Removal::default()
    };
    let no = site.desk.remove_license(&site.root(), "", "ACME-1", how);
    assert_eq!(no.expect_err("changed").code, Code::WrongRevision);
    assert_eq!(count(&site), 1);
}

#[test]
fn l21_d5_all_licenses_go_where_the_accounts_name_is_typed_and_a_backup_is_left() {
    let (site, vendor) = Site::licensed();
    let more = vendor.file(&site.key(), |l| l.sub = "ACME-2".to_owned());
    site.install(&more, false).expect("another one");
    let later = vendor.file(&site.key(), |l| (l.serial, l.nbf) = (2, NOON + DAY));
    site.install(&later, false).expect("one that waits");
    let all = |name| {
        let how = Removal::default();
        site.desk.remove_all_licenses(&site.root(), name, how)
    };
    let no = all("acme").expect_err("another name");
    assert_eq!((no.code, count(&site)), (Code::BadRequest, 2));
    assert!(no.hint.contains("--confirm='Acme'"), "{}", no.hint);
    let done = all("Acme").expect("removed");
    let gone: Vec<_> = done
        .licenses
        .iter()
        .map(|one| (one.id.as_str(), one.serial, one.waiting))
        .collect();
    assert_eq!(
        gone,
        [
            ("ACME-1", 1, false),
            ("ACME-1", 2, true),
            ("ACME-2", 1, false)
        ]
    );
    assert_eq!(count(&site), 0);
    let back = site.install(&done.file, false).expect("the backup");
    assert_eq!((back.licenses.len(), count(&site)), (3, 2));
}

#[test]
fn d12_l22_without_a_license_the_daemon_is_well_and_says_not_licensed() {
    let (site, vendor) = Site::licensed();
    let how = Removal::default();
    site.desk
        .remove_all_licenses(&site.root(), "Acme", how)
        .expect("removed");
    let no = site.checkout(&site.ana(), &vendor).expect_err("a demo");
    assert_eq!(no.code, Code::NotLicensed);
    let status = site.desk.status(&site.root()).expect("a status");
    assert_eq!((status.licenses, status.waiting), (0, 0));
}

#[test]
fn r17_a_vendor_goes_after_its_licenses_and_no_file_brings_it_back() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    let remove = || site.desk.remove_vendor(&root, "acme", None);
    let no = remove().expect_err("its license is here");
    assert_eq!(no.code, Code::Conflict);
    assert!(no.hint.contains("license remove acme/ACME-1"), "{no:?}");
    site.desk
        .remove_license(&root, "acme", "ACME-1", Removal::default())
        .expect("removed");
    assert_eq!(remove().expect("removed").name, "acme");
    assert_eq!(remove().expect_err("gone").code, Code::NotFound);
    let text = vendor.file(&site.key(), |l| l.serial = 2);
    let no = site.install(&text, false).expect_err("not trusted");
    assert_eq!(no.code, Code::WrongVendor);
    let pem = vendor.root.public().to_pem();
    let inbox = site.desk.trust_from_inbox("acme.pem", &pem);
    let inbox = inbox.expect_err("a file left behind");
    assert!(inbox.hint.contains("vendor trust"), "{}", inbox.hint);
    site.trust(&vendor).expect("by hand");
    let inbox = site.desk.trust_from_inbox("acme.pem", &pem);
    inbox.expect("nothing to say against it any more");
    site.install(&text, false).expect("trusted again");
}

#[test]
fn r17_removing_needs_a_right_of_its_own() {
    let (site, _) = Site::licensed();
    let how = Removal::default();
    let no = site.desk.remove_license(&site.ana(), "", "ACME-1", how);
    assert_eq!(no.expect_err("ana").code, Code::Forbidden);
    let no = site.desk.remove_all_licenses(&site.ana(), "Acme", how);
    assert_eq!(no.expect_err("ana").code, Code::Forbidden);
    let no = site.desk.remove_vendor(&site.ana(), "acme", None);
    assert_eq!(no.expect_err("ana").code, Code::Forbidden);
}

#[test]
fn r17_holders_of_a_withdrawn_license_get_a_last_lease_under_the_chain_they_have() {
    let (site, vendor) = Site::licensed();
    let mut newer = vendor.issuer_claims(NOON - DAY / 2);
    newer.revoked_kids = vec![vendor.issuing.thumbprint().to_owned()];
    seat_and_renewal(&site, &vendor, || {
        site.install(&vendor.sign(&newer, &[]), false)
            .expect("an issuer alone");
    });
    let listed = site.desk.license(&site.root(), "", "ACME-1");
    assert_eq!(listed.expect("listed").status, "revoked");
    let findings = site.desk.status(&site.root()).expect("a status").findings;
    let told = findings
        .iter()
        .find(|f| f.code == Some(Code::RevokedLicense));
    assert!(told.is_some_and(|told| told.remedy.contains("replacement")));
}
