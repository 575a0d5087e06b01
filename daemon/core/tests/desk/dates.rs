//! Wrong clocks at the desk: accepting one, what is told of it, and dates from the future.

use crate::site::*;
use seatkeeper::token::{dates, request};
use seatkeeper::wire::{Clock, ClockLicense, Code, InstallBody, LicenseRequestBody};
use seatkeeper_core::desk::Refused;
use std::time::Duration;

const HOUR: u64 = 3600;
const YEARS: u64 = 3650 * DAY;

fn clock(site: &Site) -> Clock {
    site.desk.clock(&site.root()).expect("the clocks")
}

fn until(what: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if what() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    panic!("it never came to be");
}

/// The wall clock shows ten years too much for as long as it takes to be believed, and is put right.
fn carry(site: &Site) {
    site.clock.set_wall(NOON + YEARS);
    let asked = clock(site);
    assert_eq!((asked.ahead_s, asked.behind_s), (YEARS, 0));
    // The keeper looks at a clock that was set when it is told so, on its own thread.
    until(|| clock(site).followed_in_s == Some(HOUR));
    site.clock.advance(Duration::from_secs(HOUR));
    until(|| clock(site).j >= NOON + YEARS);
    site.clock.set_wall(NOON + HOUR);
}

#[test]
fn s21_accepting_the_clock_repairs_a_site_that_a_wrong_one_locked_out() {
    let (site, vendor) = Site::licensed();
    let (root, ana) = (site.root(), site.ana());
    let body = checkout(&vendor);
    let seat = site.desk.checkout(&ana, &body).expect("a seat").reply;
    for n in 0..11 {
        site.clock.advance(Duration::from_secs(300));
        let renewed = site.desk.renew(&ana, &seat.id, &renewal(&body, n, None));
        renewed.expect("renewed");
    }
    let begun = clock(&site);
    site.clock.set_wall(NOON + YEARS);
    let renew = |n| {
        site.desk
            .renew(&ana, &seat.id, &renewal(&body, n, Some(&seat.lease)))
    };
    for n in 0..12 {
        renew(n).expect("no leap is believed within the hour");
        site.clock.advance(Duration::from_secs(300));
    }
    assert_eq!(
        renew(50).expect_err("J has followed").code,
        Code::LicenseExpired
    );
    site.clock.set_wall(NOON + 2 * HOUR);
    assert_eq!(renew(51).expect_err("J stays").code, Code::LicenseExpired);
    let shown = clock(&site);
    assert_eq!((shown.accepted, shown.revision), (0, 0));
    assert!(shown.behind_s > YEARS - 3 * HOUR);
    let would = shown.accept.expect("J is ahead");
    assert_eq!((would.to, would.held_by_vendor), (NOON + 2 * HOUR, false));
    let change = ClockLicense {
        vendor: "acme".to_owned(),
        id: "ACME-1".to_owned(),
        now: "expired".to_owned(),
        then: "in_force".to_owned(),
    };
    assert_eq!(would.licenses, [change]);
    let done = site
        .desk
        .accept_clock(&root, Some(shown.revision))
        .expect("accepted");
    assert!(done.accepted);
    assert_eq!((done.before.j, done.after.j), (shown.j, NOON + 2 * HOUR));
    assert_eq!(
        (done.after.accepted, done.after.behind_s, done.after.accept),
        (1, 0, None)
    );
    assert_eq!(
        done.after.lease_s,
        begun.lease_s + HOUR,
        "lease time runs as ever"
    );
    let renewed = renew(52).expect("the seat goes on").reply;
    assert!(
        renewed.chain.delegation.is_some(),
        "the delegation is made anew"
    );
    let mut chain = seat.chain.clone();
    chain.delegation.clone_from(&renewed.chain.delegation);
    let lease = check(&vendor, &chain, &renewed, 52, true);
    assert_eq!(lease.iat, NOON + 2 * HOUR);
    let again = site.desk.accept_clock(&root, None).expect("nothing to do");
    assert!(!again.accepted && again.after.accepted == 1);
}

#[test]
fn s21_what_was_accepted_is_told_in_status_and_in_every_request() {
    let (site, _) = Site::licensed();
    carry(&site);
    let root = site.root();
    let asked = LicenseRequestBody {
        account: "C-1".to_owned(),
        product_version: None,
        order: None,
    };
    let told = |site: &Site| {
        let reply = site.desk.license_request(&root, &asked).expect("a request");
        let claims = request::verify(&reply.request).expect("genuine");
        let said = reply
            .warnings
            .iter()
            .any(|w| w.contains("wrong clock was accepted"));
        let status = site.desk.status(&root).expect("a status");
        (claims.clocks_accepted, said, status.clocks_accepted)
    };
    assert_eq!(told(&site), (0, false, 0));
    let findings = || site.desk.status(&root).expect("a status").findings;
    // The keeper looks at a clock that was set on its own thread.
    until(|| findings().iter().any(|f| f.about == "clock"));
    let findings = findings();
    let about = findings.iter().find(|f| f.about == "clock").expect("told");
    assert!(
        about.remedy.contains("seatkeeper clock accept"),
        "{about:?}"
    );
    let first = clock(&site).revision;
    site.desk
        .accept_clock(&root, Some(first))
        .expect("accepted");
    assert_eq!(told(&site), (1, true, 1));
    let last = clock(&site).last.expect("the last one");
    assert_eq!((last.from, last.to), (NOON + YEARS + HOUR, NOON + HOUR));
    let findings = site.desk.status(&root).expect("a status").findings;
    assert!(findings.iter().all(|f| f.about != "clock"), "{findings:?}");
    let late = site
        .desk
        .accept_clock(&root, Some(first))
        .expect_err("the second of two");
    assert_eq!(late.code, Code::WrongRevision);
}

fn install(site: &Site, text: &str, accept_date: bool) -> Result<(), Refused> {
    let body = InstallBody {
        account: None,
        text: text.to_owned(),
        assign_everyone: true,
        accept_date,
        verify_only: false,
    };
    site.desk.install(&site.root(), &body).map(drop)
}

#[test]
fn s21_a_date_from_the_future_needs_a_word_and_never_comes_from_an_inbox() {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    let key = site.key();
    let by = vendor.issuer_claims(NOON - 100 * DAY);
    let signed = |serial, iat| {
        let mut claims = license_claims("acme", &key);
        (claims.serial, claims.iat) = (serial, iat);
        vendor.sign(&by, &[claims])
    };
    install(&site, &signed(1, NOON + 31 * DAY), false).expect("31 days are none too many");
    let (late, limit) = (signed(2, NOON + 31 * DAY + 1), dates::format(NOON));
    let refused = install(&site, &late, false).expect_err("a second more");
    assert_eq!(refused.code, Code::ClockSkew);
    assert!(refused.detail.contains(&limit), "{}", refused.detail);
    // The wall clock decides, not J, which the first license has raised.
    assert_eq!(clock(&site).j, NOON + 31 * DAY);
    let inbox = site.desk.install_from_inbox("a.lic", late.as_bytes());
    assert_eq!(
        inbox.expect_err("an inbox has no such word").code,
        Code::ClockSkew
    );
    // The issuer token above an ordinary license counts, too.
    let by = vendor.issuer_claims(NOON + 32 * DAY);
    let mut claims = license_claims("acme", &key);
    (claims.serial, claims.iat) = (3, NOON + 31 * DAY);
    let issuer = vendor.sign(&by, &[claims]);
    assert_eq!(
        install(&site, &issuer, false).expect_err("the issuer").code,
        Code::ClockSkew
    );
    let inbox = site.desk.install_from_inbox("b.lic", issuer.as_bytes());
    assert_eq!(
        inbox.expect_err("an inbox has no such word").code,
        Code::ClockSkew
    );
    install(&site, &late, true).expect("with that word");
    // What a vendor signed J is not put back before, whatever is accepted.
    let would = clock(&site).accept;
    assert_eq!(would, None);
}
