//! Checkout, renewal, release, reclaim: the replies hold before the SDK's own verifier.

use crate::site::{DAY, Site, Vendor, check, checkout, hex, nonce, renewal};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::claims::{Count, Last, Lease};
use seatkeeper::wire::{Chain, Code, ExplainBody, Item};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Released;
use seatkeeper_core::desk::view::Cursor;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn a_lease_verifies_up_to_the_vendors_root() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let leased = site.desk.checkout(&site.ana(), &body).expect("a seat");
    let lease = check(&vendor, &leased.reply.chain, &leased.reply, 1, false);
    assert!(leased.new);
    assert_eq!(lease.sub, "ana@ws1");
    assert_eq!(lease.jti, leased.reply.id);
    assert_eq!(
        (lease.slots, lease.ttl_s, lease.grace_s),
        (vec![0], 900, 60)
    );
    assert_eq!(lease.policies, ["save"]);
}

#[test]
fn r20_a_retry_is_the_same_seat_under_a_new_nonce() {
    let (site, vendor) = Site::licensed();
    let mut body = checkout(&vendor);
    let first = site.desk.checkout(&site.ana(), &body).expect("a seat");
    body.nonce = nonce(2).0;
    let again = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("the same seat");
    assert_eq!(first.holder, again.holder);
    assert!(!again.new);
    let lease = check(&vendor, &again.reply.chain, &again.reply, 2, false);
    assert!(lease.seq > 1);
    body.items[0].n = 2;
    let refused = site
        .desk
        .checkout(&site.ana(), &body)
        .expect_err("other terms");
    assert_eq!((refused.code, refused.rule), (Code::Conflict, Some(20)));
}

#[test]
fn r20_what_cannot_be_remembered_as_given_up_is_refused() {
    let site = Site::licensed().0;
    let ana = site.ana();
    let instance = hex();
    let give_up = |caller: &Caller| site.desk.release(caller, &hex(), Some(&instance));
    site.free.store(0, Ordering::SeqCst);
    site.clock.advance(Duration::from_secs(2));
    let refused = give_up(&ana).expect_err("the disk is nearly full");
    assert_eq!((refused.code, refused.rule), (Code::StorageLow, Some(20)));
    site.free.store(1 << 30, Ordering::SeqCst);
    site.clock.advance(Duration::from_secs(2));
    for _ in 0..4096 {
        give_up(&ana).expect("within her share");
    }
    let before = site.desk.snapshot().head.number;
    let refused = give_up(&ana).expect_err("her share is used up");
    assert_eq!((refused.code, refused.rule), (Code::ServerBusy, Some(20)));
    assert_eq!(refused.retry_after_s, Some(900));
    assert_eq!(refused.hint, "try again in 15 minutes");
    assert!(refused.detail.contains("4096"), "{}", refused.detail);
    assert_eq!(
        site.desk.snapshot().head.number,
        before,
        "nothing is recorded"
    );
    give_up(&site.bob()).expect("bob has a share of his own");
}

#[test]
fn r21_a_renewal_carries_only_what_changed_since_seen() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let first = site.desk.checkout(&site.ana(), &body).expect("a seat");
    site.clock.advance(Duration::from_secs(300));
    let ana = site.ana();
    let renew = |n, seen: Option<&str>| {
        let body = renewal(&body, n, seen);
        site.desk
            .renew(&ana, &first.reply.id, &body)
            .expect("renewed")
            .reply
    };
    let second = renew(2, None);
    assert_eq!(second.chain.license, first.reply.chain.license);
    let third = renew(3, Some(&second.lease));
    assert_eq!(third.chain, Chain::default());
    check(&vendor, &first.reply.chain, &third, 3, true);
    for unreadable in ["", "a.b.c", "x"] {
        assert!(renew(4, Some(unreadable)).chain.delegation.is_some());
    }
}

#[test]
fn a_renewed_license_comes_with_the_next_renewal() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let first = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("a seat")
        .reply;
    site.clock.advance(Duration::from_secs(60));
    site.install(&vendor.file(&site.key(), |l| l.serial = 2), false)
        .expect("serial 2");
    let next = site
        .desk
        .renew(
            &site.ana(),
            &first.id,
            &renewal(&body, 2, Some(&first.lease)),
        )
        .expect("renewed")
        .reply;
    assert_ne!(next.chain.license, None);
    let mut chain = first.chain.clone();
    chain.license = next.chain.license.clone();
    check(&vendor, &chain, &next, 2, true);
}

#[test]
fn the_delegation_is_renewed_at_half_its_life() {
    let (site, vendor) = Site::licensed();
    let before = site
        .desk
        .site_key(&site.root())
        .expect("a key")
        .delegation_exp
        .expect("one");
    site.clock.advance(Duration::from_secs(46 * DAY));
    let body = checkout(&vendor);
    let leased = site.desk.checkout(&site.ana(), &body).expect("a seat");
    check(&vendor, &leased.reply.chain, &leased.reply, 1, false);
    let after = site
        .desk
        .site_key(&site.root())
        .expect("a key")
        .delegation_exp
        .expect("one");
    assert_eq!(after - before, 46 * DAY);
}

#[test]
fn r21_a_delegation_that_is_newer_than_seen_is_sent() {
    let (site, vendor) = Site::licensed();
    let old = site.checkout(&site.ana(), &vendor).expect("a seat").reply;
    site.clock.advance(Duration::from_secs(46 * DAY));
    let body = checkout(&vendor);
    let seat = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("a seat")
        .reply;
    site.clock.advance(Duration::from_secs(300));
    let renew = |n, seen: &str| {
        let body = renewal(&body, n, Some(seen));
        site.desk
            .renew(&site.ana(), &seat.id, &body)
            .expect("renewed")
            .reply
    };
    let first = renew(2, &old.lease);
    assert_eq!(first.chain.license, None);
    assert_eq!(first.chain.delegation, seat.chain.delegation);
    assert_ne!(first.chain.delegation, old.chain.delegation);
    assert_eq!(renew(3, &first.lease).chain, Chain::default());
}

#[test]
fn r16_a_reclaimed_seat_gets_a_last_lease_and_a_cool_down() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let seat = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("a seat")
        .reply;
    let Released::Ending(told) = site
        .desk
        .reclaim(&site.root(), &seat.id, false)
        .expect("reclaimed")
    else {
        panic!("it is ending")
    };
    assert_eq!(told.ending[0].id, seat.id);
    let last = site
        .desk
        .renew(&site.ana(), &seat.id, &renewal(&body, 2, None))
        .expect("a last lease")
        .reply;
    let lease = check(&vendor, &seat.chain, &last, 2, true);
    assert_eq!(
        (lease.last, lease.ttl_s, lease.grace_s),
        (Some(Last::Reclaimed), 300, 0)
    );
    let refused = site.checkout(&site.ana(), &vendor).expect_err("a pause");
    assert_eq!(
        (&refused.code, refused.class, refused.rule),
        (&Code::CoolDown, Code::CoolDown.class(), Some(16))
    );
    assert!(
        refused.retry_after_s.is_some_and(|s| s >= 600),
        "{refused:?}"
    );
    let mut asked = checkout(&vendor);
    asked.interactive = true;
    site.desk
        .checkout(&site.ana(), &asked)
        .expect("asked by the user");
}

#[test]
fn r16_a_seat_is_given_back_from_elsewhere_by_its_user_only() {
    let (site, vendor) = Site::licensed();
    let seat = site.checkout(&site.ana(), &vendor).expect("a seat").reply;
    site.checkout(&site.bob(), &vendor).expect("bob is known");
    let refused = site
        .desk
        .release(&site.bob(), &seat.id, None)
        .expect_err("not his");
    assert_eq!(refused.code, Code::Forbidden);
    let told = site
        .desk
        .release(&site.ana(), &seat.id, None)
        .expect("given back");
    assert!(matches!(told, Released::Ending(_)));
}

#[test]
fn r20_a_release_may_name_the_checkout() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let ana = site.ana();
    site.desk
        .release(&ana, &body.checkout_id, Some(&body.instance))
        .expect("remembered as ended");
    let refused = site
        .desk
        .checkout(&ana, &body)
        .expect_err("it arrived late");
    assert_eq!(refused.code, Code::LeaseEnded);
    let refused = site
        .desk
        .release(&ana, &body.checkout_id, None)
        .expect_err("whose?");
    assert_eq!(refused.code, Code::BadRequest);
}

#[test]
fn r20_a_seat_belongs_to_its_instance() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let seat = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("a seat")
        .reply;
    let other = renewal(&checkout(&vendor), 2, None);
    let refused = site
        .desk
        .renew(&site.ana(), &seat.id, &other)
        .expect_err("another instance");
    assert_eq!(refused.code, Code::Forbidden);
    let released = site
        .desk
        .release(&site.ana(), &seat.id, Some(&body.instance))
        .expect("its own");
    assert!(matches!(released, Released::Now(Some(_))));
    let refused = site
        .desk
        .renew(&site.ana(), &seat.id, &renewal(&body, 3, None))
        .expect_err("gone");
    assert_eq!(refused.code, Code::LeaseEnded);
}

#[test]
fn r22_why_says_what_a_checkout_would_get() {
    let (site, vendor) = Site::licensed();
    let why = |caller: &seatkeeper_core::authorize::Caller, user: Option<&str>| {
        let body = ExplainBody {
            suppose: Vec::new(),
            user: user.map(str::to_owned),
            product: None,
            item: Item {
                feature: "modeler".to_owned(),
                version: None,
                n: 1,
            },
            interactive: false,
            roots: None,
        };
        site.desk.explain(caller, &body, |_| false)
    };
    let told = why(&site.root(), Some("carol")).expect("judged");
    assert!(told.granted && !told.steps.is_empty(), "{told:?}");
    for caller in [site.ana(), site.bob()] {
        site.checkout(&caller, &vendor).expect("a seat");
    }
    let told = why(&site.root(), Some("carol")).expect("judged");
    let denial = told.denial.expect("a no");
    let met = site
        .checkout(&site.caller(1002, "carol", false), &vendor)
        .expect_err("full");
    assert_eq!((denial.code, denial.rule), (met.code, met.rule));
    assert_eq!(told.holders.len(), 2);
    assert_eq!(
        why(&site.ana(), Some("bob")).expect_err("not hers").code,
        Code::Forbidden
    );
    assert!(why(&site.ana(), None).is_ok() && why(&site.ana(), Some("ANA")).is_ok());
}

#[test]
fn r22_why_and_a_checkout_agree_where_no_license_is_installed() {
    let site = Site::new();
    let item = Item {
        feature: "modeler".to_owned(),
        version: None,
        n: 1,
    };
    let body = |product: Option<&str>| ExplainBody {
        suppose: Vec::new(),
        user: None,
        product: product.map(str::to_owned),
        item: item.clone(),
        interactive: false,
        roots: None,
    };
    let bare = site.desk.explain(&site.ana(), &body(None), |_| false);
    assert_eq!(bare.expect_err("a no").code, Code::NotLicensed);
    let named = site
        .desk
        .explain(&site.ana(), &body(Some("acme-cad")), |_| false);
    let denial = named.expect("judged").denial.expect("a no");
    assert_eq!(denial.code, Code::NotLicensed);
}

#[test]
fn s23_texts_hold_no_secret() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let leased = site.desk.checkout(&site.ana(), &body).expect("a seat");
    let canary = "correct horse battery staple canary";
    let export = seatkeeper::wire::ExportBody {
        passphrase: canary.to_owned(),
    };
    let key = site
        .desk
        .export_site_key(&site.root(), &export)
        .expect("an export")
        .pem;
    let secret = key.lines().nth(2).expect("the key's first line").to_owned();
    let refused = site
        .desk
        .export_site_key(&site.ana(), &export)
        .expect_err("not hers");
    let texts = [
        format!("{refused:?}"),
        format!("{:?}", site.desk.status(&site.root())),
        format!("{:?}", site.desk.events(&site.root(), &Cursor::default())),
        format!(
            "{:?}",
            site.desk.seats(&site.root(), &Cursor::default(), |_| true)
        ),
        format!("{:?}", leased.reply),
        format!("{:?}", site.desk.settings()),
    ];
    for text in texts {
        assert!(!text.contains(canary) && !text.contains(&secret), "{text}");
    }
}

#[test]
fn r8_the_largest_checkout_and_the_longest_policies_fit_into_a_lease() {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    let policies: Vec<_> = (0..34).map(|n| format!("{n:0117}")).collect();
    let file = vendor.file(&site.key(), |claims| {
        claims.features[0].seats = Count::UNLIMITED;
        claims.features[0].policies = policies.clone();
    });
    site.install(&file, true).expect("installed");
    let mut body = checkout(&vendor);
    body.items[0].n = 1025;
    let refused = site
        .desk
        .checkout(&site.ana(), &body)
        .expect_err("too many for a lease");
    assert_eq!(refused.code, Code::BadRequest);
    assert!(refused.detail.contains("1 to 1024"), "{}", refused.detail);
    body.items[0].n = 1024;
    let leased = site.desk.checkout(&site.ana(), &body).expect("signed");
    let payload = leased.reply.lease.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let lease: Lease = serde_json::from_slice(&payload).expect("claims");
    assert_eq!((lease.slots.len(), lease.policies), (1024, policies));
}

#[test]
fn r22_why_tells_of_each_seat_in_the_way_whether_its_process_is_watched() {
    let (site, vendor) = Site::licensed();
    let held: Vec<_> = [site.ana(), site.bob()]
        .iter()
        .map(|caller| site.checkout(caller, &vendor).expect("a seat").holder)
        .collect();
    let body = ExplainBody {
        suppose: Vec::new(),
        user: Some("carol".to_owned()),
        product: None,
        item: checkout(&vendor).items.remove(0),
        interactive: false,
        roots: None,
    };
    let watched = |holder| holder == held[1];
    let told = site.desk.explain(&site.root(), &body, watched);
    let seats = told.expect("judged").holders;
    let seats: Vec<_> = seats.iter().map(|s| (s.watched, s.held_at_least)).collect();
    assert_eq!(seats, [(false, false), (true, false)]);
}

#[test]
fn r22_why_and_status_look_at_the_disk_when_they_are_asked() {
    let (site, vendor) = Site::licensed();
    let (ana, root) = (site.ana(), site.root());
    site.checkout(&ana, &vendor).expect("a seat");
    let body = ExplainBody {
        user: None,
        product: None,
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        interactive: false,
        roots: None,
        suppose: Vec::new(),
    };
    // The keeper looks when somebody asks it; here nobody does in between.
    for (free, low) in [(0, true), (1 << 30, false)] {
        site.free.store(free, Ordering::SeqCst);
        site.clock.advance(Duration::from_secs(2));
        let why = site.desk.explain(&ana, &body, |_| true).expect("told");
        assert_eq!(why.granted, !low, "{}", why.summary);
        let status = site.desk.status(&root).expect("told");
        assert_eq!(status.storage_low, low);
        let said = status
            .findings
            .iter()
            .any(|of| of.code == Some(Code::StorageLow));
        assert_eq!(said, low, "{:?}", status.findings);
        let asked = site.checkout(&ana, &vendor);
        assert_eq!(asked.is_ok(), !low, "as they said");
    }
}
