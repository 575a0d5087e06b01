//! Every no has a code, and every code is produced here, elsewhere, or by a failure that no rule emits.

use crate::site::{ADMINISTRATORS, DAY, NOON, Site, Vendor, checkout, hex, renewal};
use crate::{credentials, directory, named, registrations, reserves, roles, terms};
use seatkeeper::wire::{Assignment, CheckoutBody, Code, Item, Problem};
use seatkeeper_core::authorize::Caller;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Where the codes come from that the desk does not make of a denial.
const ELSEWHERE: &[(Code, &str)] = &[
    (Code::BadSignature, "install.rs"),
    (Code::BadSyntax, "install.rs"),
    (Code::BodyTooLarge, "install.rs"),
    (Code::WrongServerHost, "install.rs"),
    (Code::ClockSkew, "install.rs"),
    (Code::NotStarted, "waiting.rs"),
    (Code::Quarantine, "rollback.rs"),
    (Code::ShowDelegation, "rollback.rs"),
    (Code::MailOff, "the mail room"),
    (Code::NotDelegated, "delegated.rs"),
    (Code::SiteKeyElsewhere, "delegated.rs"),
    (Code::Pruned, "tests/pruning"),
    (Code::BrowserRefused, "the HTTP layer"),
    (Code::MethodNotAllowed, "the HTTP layer"),
    (Code::RequestTimeout, "the HTTP layer"),
    (Code::NameServiceDown, "the HTTP layer"),
    (Code::IdentityMismatch, "the process watch"),
    (Code::ServerBusy, "a failure: the queue is full"),
    (Code::ServerStopping, "a failure: the daemon stops"),
    (Code::Internal, "a failure: something broke"),
];

fn feature(
    site: &Site,
    caller: &Caller,
    vendor: &Vendor,
    change: impl FnOnce(&mut CheckoutBody),
) -> Problem {
    let mut body = checkout(vendor);
    change(&mut body);
    *site.desk.checkout(caller, &body).expect_err("a no")
}

/// The noes of one site that is licensed and used up.
fn used_up(found: &mut Vec<Problem>) {
    let (site, vendor) = Site::licensed();
    let (ana, bob, root) = (site.ana(), site.bob(), site.root());
    found.push(feature(&site, &ana, &vendor, |b| {
        b.items[0].feature = "viewer".to_owned()
    }));
    found.push(feature(&site, &ana, &vendor, |b| {
        b.product = "other".to_owned()
    }));
    found.push(feature(&site, &ana, &vendor, |b| {
        b.roots = vec!["x".repeat(43)]
    }));
    found.push(feature(&site, &ana, &vendor, |b| b.items[0].n = 3));
    let body = checkout(&vendor);
    let seat = site.desk.checkout(&ana, &body).expect("a seat").reply.id;
    let other = site
        .desk
        .checkout(&bob, &checkout(&vendor))
        .expect("a seat")
        .reply
        .id;
    found.push(feature(&site, &ana, &vendor, |_| {}));
    let renew = |id: &str| {
        *site
            .desk
            .renew(&ana, id, &renewal(&body, 2, None))
            .expect_err("a no")
    };
    found.push(renew("9.9.9"));
    found.push(renew(&other));
    site.desk.reclaim(&root, &seat, true).expect("taken back");
    found.push(renew(&seat));
    found.push(feature(&site, &ana, &vendor, |_| {}));
    site.clock.advance(Duration::from_secs(2000));
    let late = renewal(&body, 3, None);
    let lapsed = site
        .desk
        .renew(&bob, &other, &late)
        .expect_err("its hold is over");
    found.push(*lapsed);
    let assigned = site.assign(None).expect("assigned already");
    found.push(
        *site
            .desk
            .unassign(&root, &assigned.id, false, Some(999))
            .expect_err("changed"),
    );
    found.push(
        *site
            .desk
            .unassign(&root, &hex(), false, None)
            .expect_err("none"),
    );
    let twice = Assignment {
        user: Some("ana".to_owned()),
        everyone: false,
        ..assigned
    };
    found.push(*site.desk.assign(&root, &twice).expect_err("another body"));
    site.free.store(0, Ordering::SeqCst);
    site.clock.advance(Duration::from_secs(2));
    found.push(feature(&site, &ana, &vendor, |_| {}));
}

/// The noes of licenses with limits, dates and successors.
fn limited(found: &mut Vec<Problem>) {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    let text = vendor.file(&site.key(), |l| {
        l.features[0].version = Some("2026".to_owned());
        l.exp = Some(NOON + DAY);
    });
    site.install(&text, false).expect("installed");
    let ana = site.ana();
    let new = |b: &mut CheckoutBody| b.items[0].version = Some("2027.1".to_owned());
    found.push(feature(&site, &ana, &vendor, new));
    found.push(feature(&site, &ana, &vendor, |b| {
        b.items[0].version = Some("2026".to_owned())
    }));
    site.clock.advance(Duration::from_secs(2 * DAY));
    found.push(feature(&site, &ana, &vendor, |b| {
        b.items[0].version = Some("2026".to_owned())
    }));
    found.push(
        *site
            .install(&text, false)
            .map(|_| ())
            .err()
            .unwrap_or_else(|| {
                site.install(
                    &vendor.file(&site.key(), |l| l.sub = "ACME-7".to_owned()),
                    false,
                )
                .expect("another");
                site.install(
                    &vendor.file(&site.key(), |l| {
                        (l.sub, l.serial) = ("ACME-7".to_owned(), 3)
                    }),
                    false,
                )
                .expect("higher");
                site.install(
                    &vendor.file(&site.key(), |l| {
                        (l.sub, l.serial) = ("ACME-7".to_owned(), 2)
                    }),
                    false,
                )
                .expect_err("lower")
            }),
    );
    let mut newer = vendor.issuer_claims(NOON);
    newer.min_serial = 9;
    site.install(&vendor.sign(&newer, &[]), false)
        .expect("an issuer");
    found.push(
        *site
            .install(
                &vendor.file(&site.key(), |l| l.sub = "ACME-8".to_owned()),
                false,
            )
            .expect_err("withdrawn"),
    );
}

/// The noes to callers.
fn callers(found: &mut Vec<Problem>) {
    let site = Site::with(|settings| settings.create_users = false);
    let vendor = Vendor::new("acme");
    found.push(feature(&site, &site.ana(), &vendor, |_| {}));
    let licensed = Site::licensed().0;
    found.push(feature(&licensed, &licensed.ana(), &vendor, |b| {
        b.items.clear()
    }));
    found.push(*site.desk.login(5, "two words").expect_err("no login"));
    found.push(
        *site
            .desk
            .reclaim(&site.ana(), "1.1", false)
            .expect_err("not hers"),
    );
}

#[test]
fn r22_every_code_is_produced_or_reserved() {
    let mut found = Vec::new();
    used_up(&mut found);
    limited(&mut found);
    callers(&mut found);
    directory::noes(&mut found);
    found.push(*roles::lone_administrator());
    reserves::noes(&mut found);
    named::noes(&mut found);
    terms::noes(&mut found);
    registrations::noes(&mut found);
    credentials::noes(&mut found);
    for problem in &found {
        assert_eq!(problem.kind, format!("/problems/{}", problem.code));
        assert!(
            !problem.detail.is_empty() && !problem.hint.is_empty(),
            "{problem:?}"
        );
        assert_eq!(problem.status, problem.code.status());
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == *code))
        .filter(|code| !found.iter().any(|problem| problem.code == **code))
        .collect();
    let codes: Vec<_> = found.iter().map(|p| p.code.to_string()).collect();
    assert!(
        missing.is_empty(),
        "nobody produces {missing:?}; found {codes:?}"
    );
}

#[test]
fn r22_a_hint_names_no_command_that_its_reader_may_not_run() {
    let mut found = Vec::new();
    used_up(&mut found);
    limited(&mut found);
    let theirs = [
        Code::NotLicensed,
        Code::UnknownFeature,
        Code::NoSeatFree,
        Code::StorageLow,
        Code::VersionTooNew,
        Code::LicenseExpired,
    ];
    for code in theirs {
        let to_ana = found.iter().filter(|problem| problem.code == code);
        for problem in to_ana {
            assert!(problem.hint.contains(ADMINISTRATORS), "{problem:?}");
            assert!(!problem.hint.contains("`seatkeeper"), "{problem:?}");
        }
    }
    let (site, vendor) = Site::licensed();
    let status = site.desk.status(&site.ana()).expect("the status");
    assert_eq!(status.administrators, ADMINISTRATORS);
    let refused = site.desk.reclaim(&site.ana(), "1.1", false);
    let hint = refused.expect_err("not hers").hint;
    assert!(
        hint.contains(ADMINISTRATORS) && !hint.contains("usermod"),
        "{hint}"
    );
    let to_root = feature(&site, &site.root(), &vendor, |b| {
        b.product = "other".to_owned()
    });
    assert!(
        to_root.hint.contains("`seatkeeper license request`"),
        "{to_root:?}"
    );
}

#[test]
fn a_refusal_names_the_member() {
    let (site, vendor) = Site::licensed();
    let ana = site.ana();
    type Change = fn(&mut CheckoutBody);
    let cases: &[(&str, Change)] = &[
        ("checkout_id", |b| b.checkout_id = "ABC".to_owned()),
        ("instance", |b| b.instance = String::new()),
        ("nonce", |b| b.nonce = "AAAA".to_owned()),
        ("nonce", |b| b.nonce = "A".repeat(200)),
        ("product", |b| b.product = "a/b".to_owned()),
        ("product", |b| b.product = "x".repeat(200)),
        ("items.feature", |b| {
            b.items[0].feature = "a\u{7}".to_owned()
        }),
        ("items.version", |b| {
            b.items[0].version = Some("2026.b".to_owned())
        }),
        ("items.n", |b| b.items[0].n = 0),
        ("items.n", |b| b.items[0].n = u32::MAX),
        ("items", |b| b.items.clear()),
        ("items", |b| {
            b.items.push(Item {
                feature: "x".to_owned(),
                version: None,
                n: 1,
            })
        }),
        ("wait_s", |b| b.wait_s = 86_401),
        ("roots", |b| b.roots = vec!["short".to_owned()]),
        ("roots", |b| b.roots = vec!["x".repeat(43); 17]),
        ("seen", |b| b.seen = Some("x".repeat(33_000))),
        ("delegation", |b| b.delegation = Some("x".repeat(33_000))),
    ];
    for (member, change) in cases {
        let refused = feature(&site, &ana, &vendor, *change);
        assert_eq!(refused.code, Code::BadRequest, "{member}");
        assert!(
            refused.detail.starts_with(&format!("{member}: ")),
            "{member}: {}",
            refused.detail
        );
        assert_eq!(refused.trace_id, "trace-1");
    }
}

#[test]
fn d8_logins_are_one_in_any_letter_case() {
    let (site, _) = Site::licensed();
    let user = site.desk.meet(&site.ana()).expect("met");
    let again = site
        .desk
        .meet(&site.caller(1000, "ANA", false))
        .expect("met");
    assert_eq!(user, again);
}

#[test]
fn a_known_user_costs_one_commit() {
    let (site, vendor) = Site::licensed();
    let ana = site.ana();
    site.desk.meet(&ana).expect("met");
    let before = site.desk.snapshot().head.number;
    site.desk
        .checkout(&ana, &checkout(&vendor))
        .expect("a seat");
    assert_eq!(site.desk.snapshot().head.number, before + 1);
}

#[test]
fn denials_are_noted_with_who_and_what() {
    let (site, vendor) = Site::licensed();
    let no = feature(&site, &site.ana(), &vendor, |b| {
        b.items[0].feature = "viewer".to_owned()
    });
    let noted = site
        .desk
        .denials(&site.root(), &Default::default())
        .expect("denials");
    assert_eq!(
        (noted[0].feature.as_ref(), noted[0].code),
        ("cad/viewer", no.code.as_str())
    );
    assert_eq!(noted[0].user, site.desk.user_of(&site.ana()));
    site.desk.flush_denials().expect("flushed");
}

#[test]
fn an_administrators_word_makes_a_user_where_first_sight_does_not() {
    let site = Site::with(|settings| settings.create_users = false);
    let vendor = Vendor::new("acme");
    site.trust(&vendor).expect("trust");
    site.install(&vendor.file(&site.key(), |_| {}), false)
        .expect("installed");
    let refused = feature(&site, &site.ana(), &vendor, |_| {});
    assert_eq!(refused.code, Code::UnknownUser);
    for helps in [
        "`seatkeeper register --help`",
        "`seatkeeper user add ana`",
        ADMINISTRATORS,
    ] {
        assert!(refused.hint.contains(helps), "{}", refused.hint);
    }
    let root = feature(&site, &site.root(), &vendor, |_| {});
    let add = "`seatkeeper user add root` makes them a user";
    assert!(root.hint.starts_with(add), "{}", root.hint);
    site.assign(Some("Ana")).expect("assigned");
    site.desk
        .checkout(&site.ana(), &checkout(&vendor))
        .expect("a seat");
    assert_eq!(
        feature(&site, &site.bob(), &vendor, |_| {}).code,
        Code::UnknownUser
    );
}
