//! Licenses that wait for their first day (rule 17): listed, told, in force by themselves.

use crate::site::*;
use seatkeeper::wire::{Code, InstallBody, License};
use seatkeeper_core::desk::view::Cursor;
use std::time::Duration;

fn listed(site: &Site) -> License {
    site.desk
        .license(&site.root(), "", "ACME-1")
        .expect("listed")
}

/// A renewal with more seats, from that many days on.
fn renewal_in(site: &Site, vendor: &Vendor, days: u64) -> String {
    vendor.file(&site.key(), |l| {
        (l.serial, l.nbf) = (2, NOON + days * DAY);
        l.features = vec![feature("modeler", 3)];
    })
}

#[test]
fn r17_a_renewal_waits_is_listed_and_begins_on_its_first_day() {
    let (site, vendor) = Site::licensed();
    let renewal = renewal_in(&site, &vendor, 2);
    let done = site.install(&renewal, false).expect("installed");
    let row = &done.licenses[0];
    assert_eq!(
        (row.new, row.waits_until),
        (true, Some(NOON + 2 * DAY)),
        "{row:?}"
    );
    let before = listed(&site);
    assert_eq!((before.serial, before.status.as_str()), (1, "in_force"));
    let waits = &before.waiting[0];
    assert_eq!((waits.serial, waits.nbf), (2, NOON + 2 * DAY));
    assert_eq!(waits.status, "waiting");
    assert_eq!(waits.features[0].seats, Some(3));
    let status = site.desk.status(&site.root()).expect("a status");
    assert_eq!((status.licenses, status.waiting), (1, 1));

    site.clock.advance(Duration::from_secs(2 * DAY));
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let after = listed(&site);
    assert_eq!((after.serial, after.waiting.len()), (2, 0));
}

#[test]
fn r17_the_same_file_again_is_no_mistake_while_it_waits() {
    let (site, vendor) = Site::licensed();
    let renewal = renewal_in(&site, &vendor, 2);
    site.install(&renewal, false).expect("installed");
    let again = site.install(&renewal, false).expect("noted");
    assert!(!again.licenses[0].new && !again.changed);
    let inbox = site
        .desk
        .install_from_inbox("r.lic", renewal.as_bytes())
        .expect("noted");
    assert!(!inbox.licenses[0].new);
}

#[test]
fn r17_a_new_license_waits_says_so_and_can_be_assigned_before() {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    let text = vendor.file(&site.key(), |l| l.nbf = NOON + DAY);
    let body = InstallBody {
        account: None,
        text: text.clone(),
        assign_everyone: false,
        accept_date: false,
        verify_only: true,
    };
    let foreseen = site.desk.install(&site.root(), &body).expect("verified");
    assert_eq!(foreseen.licenses[0].waits_until, Some(NOON + DAY));
    assert!(!foreseen.changed);

    let done = site.install(&text, false).expect("installed");
    assert!(done.warnings[0].contains("assigned to nobody"), "{done:?}");
    site.assign(None).expect("assigned before its first day");
    assert_eq!(listed(&site).status, "waiting");
    let findings = site.desk.status(&site.root()).expect("a status").findings;
    let told = findings.iter().find(|f| f.about == "license");
    let told = told.expect("told");
    assert!(told.text.contains("begins on 2027-01-16"), "{told:?}");

    let pools = site.desk.pools(&site.ana(), &Cursor::default());
    let pool = pools.expect("a list").items.remove(0);
    assert_eq!((pool.status.as_str(), pool.served), ("waiting", false));
    let early = site
        .checkout(&site.ana(), &vendor)
        .expect_err("not before its day");
    assert_eq!((early.code, early.rule), (Code::NotStarted, Some(17)));
    assert!(early.detail.contains("2027-01-16"), "{}", early.detail);
    site.clock.advance(Duration::from_secs(DAY));
    site.checkout(&site.ana(), &vendor).expect("a seat");
}

#[test]
fn r17_what_waits_and_is_withdrawn_is_told_with_what_to_do() {
    let (site, vendor) = Site::licensed();
    site.install(&renewal_in(&site, &vendor, 2), false)
        .expect("installed");
    let mut newer = vendor.issuer_claims(NOON - DAY / 2);
    newer.min_serial = 3;
    site.install(&vendor.sign(&newer, &[]), false)
        .expect("an issuer alone");
    assert_eq!(listed(&site).waiting[0].status, "revoked");
    let findings = site.desk.status(&site.root()).expect("a status").findings;
    let told = findings.iter().find(|f| f.text.contains("does not begin"));
    let told = told.expect("told");
    assert!(
        told.remedy
            .contains("seatkeeper license remove ACME-1 --waiting 2"),
        "{told:?}"
    );
    site.clock.advance(Duration::from_secs(2 * DAY));
    let no = site.checkout(&site.ana(), &vendor).expect_err("withdrawn");
    assert_eq!(no.code, Code::RevokedLicense);
    assert_eq!(listed(&site).serial, 1);
}

#[test]
fn r17_a_renewal_for_another_customer_is_refused_before_anything_is_done() {
    let (site, vendor) = Site::licensed();
    let text = vendor.file(&site.key(), |l| {
        l.serial = 2;
        l.customer.id = "C-2".to_owned();
    });
    for verify_only in [true, false] {
        let body = InstallBody {
            account: None,
            text: text.clone(),
            assign_everyone: false,
            accept_date: false,
            verify_only,
        };
        let no = site
            .desk
            .install(&site.root(), &body)
            .expect_err("another customer");
        assert_eq!((no.code, no.rule), (Code::Conflict, Some(17)));
        assert!(no.detail.contains("C-1") && no.detail.contains("C-2"));
    }
    assert_eq!(listed(&site).serial, 1);
}

#[test]
fn r17_pages_leave_nothing_out_where_a_vendor_is_the_beginning_of_another() {
    let site = Site::new();
    for name in ["acme-cad", "acme"] {
        let vendor = Vendor::new(name);
        site.trust(&vendor).expect("trust");
        site.install(&vendor.file(&site.key(), |_| {}), false)
            .expect("installed");
    }
    let page = |after: Option<String>| {
        let limit = Some(1);
        let page = site.desk.licenses(&site.root(), &Cursor { after, limit });
        page.expect("a page")
    };
    let first = page(None);
    let second = page(first.next);
    let vendors = [&first.items[0].vendor, &second.items[0].vendor];
    assert_eq!(vendors, ["acme-cad", "acme"], "by their text, both of them");
}
