//! License files on their way in: the good, and each bad one with its code and next step.

use crate::site::{DAY, NOON, Site, Vendor, checkout, license_claims};
use seatkeeper::token::claims::Term;
use seatkeeper::token::request;
use seatkeeper::wire::{Assignment, Code, InstallBody, LicenseRequestBody, UserChange};
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::Cursor;

/// A site that trusts the vendor and has no license.
fn trusting() -> (Site, Vendor) {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    (site, vendor)
}

fn refused(site: &Site, text: &str, code: Code) -> Refused {
    let refused = site.install(text, false).expect_err("a refusal");
    assert_eq!(refused.code, code, "{refused:?}");
    assert!(!refused.hint.is_empty() && !refused.detail.is_empty());
    let licenses = site
        .desk
        .licenses(&site.root(), &Cursor::default())
        .expect("a list");
    assert!(
        licenses.items.iter().all(|license| license.serial < 3),
        "nothing was installed"
    );
    refused
}

#[test]
fn u1_a_genuine_license_is_installed_and_said_to_be_nobodys() {
    let (site, vendor) = trusting();
    let done = site
        .install(&vendor.file(&site.key(), |_| {}), false)
        .expect("installed");
    assert_eq!(
        (done.licenses[0].id.as_str(), done.licenses[0].new),
        ("ACME-1", true)
    );
    assert!(done.warnings[0].contains("seatkeeper license assign ACME-1 --everyone"));
    let refused = site
        .checkout(&site.ana(), &vendor)
        .expect_err("not assigned");
    assert_eq!((refused.code, refused.rule), (Code::NotAssigned, Some(4)));
    assert!(
        refused
            .hint
            .contains("seatkeeper license assign ACME-1 --user ana"),
        "{}",
        refused.hint
    );
    site.assign(Some("ana")).expect("assigned");
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let refused = site.checkout(&site.bob(), &vendor).expect_err("only ana");
    assert_eq!(refused.code, Code::NotAssigned);
}

#[test]
fn u1_bad_files_are_refused_with_their_code() {
    let (site, vendor) = trusting();
    let good = vendor.file(&site.key(), |_| {});
    let other = Vendor::new("other");
    let altered = {
        let at = good.len() - 20;
        let swap = if good.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        format!("{}{swap}{}", &good[..at], &good[at + 1..])
    };
    let unknown = refused(&site, &other.file(&site.key(), |_| {}), Code::WrongVendor);
    assert!(
        unknown.detail.contains(other.root.thumbprint())
            && unknown.hint.contains("seatkeeper vendor trust")
    );
    refused(&site, &altered, Code::BadSignature);
    refused(&site, &good[..good.len() - 40], Code::BadSyntax);
    refused(&site, "no license", Code::BadSyntax);
    refused(&site, "", Code::BadSyntax);
    refused(&site, &"# comment\n".repeat(30_000), Code::BodyTooLarge);
    let elsewhere = refused(
        &site,
        &vendor.file(&other.root.public(), |_| {}),
        Code::WrongServerHost,
    );
    assert!(elsewhere.hint.contains("seatkeeper license request"));
    refused(
        &site,
        &vendor.file(&site.key(), |l| l.exp = Some(NOON - 1)),
        Code::LicenseExpired,
    );
    let request = site
        .desk
        .license_request(&site.root(), &asked())
        .expect("a request")
        .request;
    refused(&site, &request, Code::BadSyntax);
}

#[test]
fn u1_a_license_from_the_future_needs_a_word() {
    let (site, vendor) = trusting();
    let text = vendor.file(&site.key(), |l| l.iat = NOON + 32 * DAY);
    let skewed = refused(&site, &text, Code::ClockSkew);
    assert!(skewed.hint.contains("--accept-date"));
    let inbox = site
        .desk
        .install_from_inbox("new.lic", text.as_bytes())
        .expect_err("never from an inbox");
    assert_eq!(inbox.code, Code::ClockSkew);
    let body = InstallBody {
        account: None,
        text,
        assign_everyone: true,
        accept_date: true,
        verify_only: false,
    };
    site.desk.install(&site.root(), &body).expect("accepted");
}

#[test]
fn r17_a_lower_serial_is_refused_by_hand_and_noted_from_an_inbox() {
    let (site, vendor) = trusting();
    let key = site.key();
    let first = vendor.file(&key, |_| {});
    site.install(&vendor.file(&key, |l| l.serial = 2), false)
        .expect("serial 2");
    let old = refused(&site, &first, Code::Superseded);
    assert!(old.detail.contains("serial 2"), "{}", old.detail);
    let noted = site
        .desk
        .install_from_inbox("old.lic", first.as_bytes())
        .expect("noted");
    assert!(!noted.licenses[0].new);
    let again = site
        .install(&vendor.file(&key, |l| l.serial = 2), true)
        .expect("the same file again");
    assert!(!again.licenses[0].new && again.licenses[0].assigned_to_everyone);
    site.checkout(&site.ana(), &vendor).expect("assigned now");
}

#[test]
fn a_file_may_hold_two_generations_and_several_licenses() {
    let (site, vendor) = trusting();
    let key = site.key();
    let make = |id: &str, serial: u64, nbf: u64| {
        let mut claims = license_claims("acme", &key);
        (claims.sub, claims.serial, claims.nbf) = (id.to_owned(), serial, nbf);
        claims
    };
    let licenses = [
        make("ACME-1", 2, NOON - DAY),
        make("ACME-1", 1, NOON - DAY),
        make("ACME-1", 3, NOON + 90 * DAY),
        make("ACME-2", 1, NOON - DAY),
    ];
    let text = vendor.sign(&vendor.issuer_claims(NOON - DAY), &licenses);
    let done = site.install(&text, false).expect("installed");
    let rows: Vec<_> = done
        .licenses
        .iter()
        .map(|row| (row.id.as_str(), row.serial))
        .collect();
    assert_eq!(rows, [("ACME-1", 2), ("ACME-1", 3), ("ACME-2", 1)]);
    let waits: Vec<_> = done.licenses.iter().map(|row| row.waits_until).collect();
    assert_eq!(waits, [None, Some(NOON + 90 * DAY), None]);
}

#[test]
fn r17_an_install_says_what_stands_in_its_way() {
    let (site, vendor) = trusting();
    let key = site.key();
    let file = |id: &str, serial: u64, replaces: Option<&str>| {
        vendor.file(&key, |l| {
            (l.sub, l.serial) = (id.to_owned(), serial);
            l.replaces = replaces.map(str::to_owned);
        })
    };
    let told = |text: &str| refused(&site, text, Code::Superseded).detail;
    site.install(&file("ACME-1", 2, None), false).expect("two");
    assert_eq!(
        told(&file("ACME-1", 1, None)),
        "license ACME-1 serial 1: serial 2 is in force, and this is not above it"
    );
    let how = seatkeeper_core::desk::Removal::default();
    let gone = site.desk.remove_license(&site.root(), "", "ACME-1", how);
    gone.expect("removed");
    assert_eq!(
        told(&file("ACME-1", 1, None)),
        "license ACME-1 serial 1: serial 2 was removed here; install that one or a higher one"
    );
    site.install(&file("ACME-3", 1, None), false).expect("one");
    site.install(&file("ACME-4", 1, Some("ACME-3")), false)
        .expect("in its place");
    assert_eq!(
        told(&file("ACME-3", 2, None)),
        "license ACME-3 serial 2: it was replaced by ACME-4, which is in force"
    );
}

#[test]
fn r17_a_file_may_hold_a_license_and_what_it_replaces() {
    let (site, vendor) = trusting();
    let key = site.key();
    let make = |id: &str, replaces: Option<&str>| {
        let mut claims = license_claims("acme", &key);
        claims.sub = id.to_owned();
        claims.replaces = replaces.map(str::to_owned);
        claims
    };
    // A chain, the names against it.
    let licenses = [
        make("A-1", Some("B-1")),
        make("B-1", Some("C-1")),
        make("C-1", None),
    ];
    let text = vendor.sign(&vendor.issuer_claims(NOON - DAY), &licenses);
    let rows = || {
        let done = site.install(&text, false).expect("installed");
        let rows = done.licenses.into_iter().map(|row| (row.id, row.new));
        rows.collect::<Vec<_>>()
    };
    let all = |new: bool| ["C-1", "B-1", "A-1"].map(|id| (id.to_owned(), new));
    assert_eq!(rows(), all(true));
    let listed = site.desk.licenses(&site.root(), &Cursor::default());
    let listed = listed.expect("a list").items;
    let ids: Vec<_> = listed.iter().map(|license| license.id.as_str()).collect();
    assert_eq!(ids, ["A-1"]);
    // The same file again is no mistake.
    assert_eq!(rows(), all(false));
}

#[test]
fn one_bad_license_refuses_the_whole_file() {
    let (site, vendor) = trusting();
    let (good, mut bad) = (
        license_claims("acme", &site.key()),
        license_claims("acme", &site.key()),
    );
    (bad.sub, bad.exp) = ("ACME-2".to_owned(), Some(NOON - 1));
    refused(
        &site,
        &vendor.sign(&vendor.issuer_claims(NOON - DAY), &[good, bad]),
        Code::LicenseExpired,
    );
    assert!(
        site.desk
            .licenses(&site.root(), &Cursor::default())
            .expect("a list")
            .items
            .is_empty()
    );
}

#[test]
fn r17_a_newer_issuer_withdraws_licenses() {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    site.desk.checkout(&site.ana(), &body).expect("a seat");
    let mut newer = vendor.issuer_claims(NOON - DAY / 2);
    newer.min_serial = 2;
    let text = vendor.sign(&newer, &[]);
    let first = site.install(&text, false).expect("an issuer alone");
    let again = site.install(&text, false).expect("the same again");
    assert_eq!((first.changed, again.changed), (true, false));
    for (done, news) in [(first, "is withdrawn"), (again, "known here already")] {
        let said = done.warnings.join("\n");
        assert!(
            said.contains("holds no license, only the issuer token of acme"),
            "{said}"
        );
        assert!(said.contains(news), "{said}");
    }
    let no = site.checkout(&site.bob(), &vendor).expect_err("withdrawn");
    assert_eq!((no.code, no.rule), (Code::RevokedLicense, Some(17)));
    let listed = site
        .desk
        .license(&site.root(), "", "ACME-1")
        .expect("listed");
    assert_eq!(listed.status, "revoked");
    let old = vendor.file(&site.key(), |l| l.sub = "ACME-9".to_owned());
    refused(&site, &old, Code::RevokedLicense);
}

#[test]
fn verifying_changes_nothing() {
    let (site, vendor) = trusting();
    let body = InstallBody {
        account: None,
        text: vendor.file(&site.key(), |_| {}),
        assign_everyone: false,
        accept_date: false,
        verify_only: true,
    };
    let before = site.desk.snapshot().head.number;
    let told = site.desk.install(&site.root(), &body).expect("genuine");
    assert!(told.licenses[0].new);
    assert_eq!(site.desk.snapshot().head.number, before);
}

#[test]
fn a_refused_file_stands_in_status_until_it_is_mended() {
    let (site, vendor) = trusting();
    let findings = || site.desk.status(&site.root()).expect("a status").findings;
    let inbox = || {
        findings()
            .into_iter()
            .find(|finding| finding.about == "inbox")
    };
    let other = Vendor::new("other");
    let text = other.file(&site.key(), |_| {});
    site.desk
        .install_from_inbox("acme.lic", text.as_bytes())
        .expect_err("untrusted");
    let finding = inbox().expect("told");
    assert_eq!(
        (finding.file.as_deref(), finding.code),
        (Some("acme.lic"), Some(Code::WrongVendor))
    );
    site.desk
        .trust_from_inbox("other.pem", &other.root.public().to_pem())
        .expect("trusted");
    site.desk
        .install_from_inbox("acme.lic", text.as_bytes())
        .expect("installed");
    assert_eq!(inbox(), None);
    let taken = site
        .desk
        .trust_from_inbox("thief.pem", &vendor.root.public().to_pem())
        .expect_err("taken");
    assert_eq!(taken.code, Code::Conflict);
    assert!(
        taken.hint.contains("already as a root of acme"),
        "{}",
        taken.hint
    );
    assert!(site.desk.remark("thief.pem", None), "it was said");
    assert_eq!(inbox(), None);
}

#[test]
fn s10_a_private_key_in_the_inbox_is_called_one() {
    let (site, vendor) = trusting();
    let pem = vendor.root.public().to_pem().replace("PUBLIC", "PRIVATE");
    let refused = site.desk.trust_from_inbox("acme.pem", &pem);
    let refused = refused.expect_err("no root of anybody");
    assert!(
        refused.detail.contains("a private key") && refused.hint.contains("public half"),
        "{refused:?}"
    );
}

#[test]
fn s10_an_issuing_key_is_no_root() {
    let site = Site::new();
    let pem = Vendor::new("acme").root.public().to_pem();
    let pem = format!("# seatkeeper vendor issuing key: new 2026-12-01, thumbprint x\n{pem}");
    let refused = site.desk.trust_from_inbox("acme.pem", &pem);
    let refused = refused.expect_err("no root");
    assert!(refused.detail.contains("an issuing key"), "{refused:?}");
}

#[test]
fn r12_what_is_not_served_yet_is_told_with_the_license() {
    let (site, vendor) = trusting();
    let text = vendor.file(&site.key(), |l| {
        l.features[0].overdraft = 1;
        l.term = Term::Perpetual;
        l.exp = None;
    });
    site.install(&text, true).expect("installed");
    let shown = site
        .desk
        .license(&site.root(), "acme", "ACME-1")
        .expect("listed");
    assert!(
        shown.notes.len() == 1 && shown.notes[0].contains("overdraft"),
        "{shown:?}"
    );
    assert_eq!(shown.customer, "Acme (C-1)");
    site.checkout(&site.ana(), &vendor).expect("a seat");
}

fn asked() -> LicenseRequestBody {
    LicenseRequestBody {
        account: "C-1".to_owned(),
        product_version: Some("2027".to_owned()),
        order: None,
    }
}

#[test]
fn l10_l11_l12_the_request_is_signed_by_the_site_key_and_says_what_is_installed() {
    let (site, _) = Site::licensed();
    let reply = site
        .desk
        .license_request(&site.root(), &asked())
        .expect("a request");
    let claims = request::verify(&reply.request).expect("genuine");
    assert_eq!(claims.iss, site.key().thumbprint());
    assert_eq!(
        (
            claims.account.as_str(),
            claims.installed[0].license.as_str(),
            claims.clocks_accepted
        ),
        ("C-1", "ACME-1", 0)
    );
    assert!(reply.warnings[0].contains("site key export"));
    let bad = LicenseRequestBody {
        account: "two\nlines".to_owned(),
        ..asked()
    };
    let refused = site
        .desk
        .license_request(&site.root(), &bad)
        .expect_err("a control character");
    assert!(refused.detail.starts_with("account"), "{}", refused.detail);
}

#[test]
fn r03_assigning_again_on_other_terms_says_to_whom_it_is_assigned() {
    let (site, _) = Site::licensed();
    site.assign(Some("ana")).expect("assigned");
    for (user, whom) in [(Some("ana"), "user ana"), (None, "everyone")] {
        let other = Assignment {
            license: "ACME-1".to_owned(),
            user: user.map(str::to_owned),
            everyone: user.is_none(),
            max_each: [("modeler".to_owned(), 1)].into(),
            ..Assignment::default()
        };
        let no = site.desk.assign(&site.root(), &other).expect_err(whom);
        let told = format!("license ACME-1 is assigned to {whom} already, on other terms");
        assert_eq!((&no.code, &no.detail), (&Code::Conflict, &told));
        assert!(
            no.hint.contains("`seatkeeper license change "),
            "{}",
            no.hint
        );
    }
}

#[test]
fn d3_whom_an_assignment_keeps_out_and_who_is_suspended_may_not_use_it() {
    let (site, _) = Site::licensed();
    let root = site.root();
    for login in ["ana", "bob", "cy"] {
        crate::roles::made(&site, login, &[]);
    }
    let out = |user: &str, of: &str| Assignment {
        license: "ACME-1".to_owned(),
        user: Some(user.to_owned()),
        exclude: vec![of.to_owned()],
        ..Assignment::default()
    };
    let counted = |body: &Assignment| {
        let made = site.desk.assign(&root, body).expect("assigned");
        (made.people, made.may_use.get("modeler").copied())
    };
    let before = counted(&Assignment {
        license: "ACME-1".to_owned(),
        everyone: true,
        ..Assignment::default()
    });
    let all = before.0.expect("a number");
    assert_eq!(before.1, Some(all));
    assert_eq!(counted(&out("ana", "modeler")).1, Some(all - 1));
    assert_eq!(counted(&out("bob", "*")).1, Some(all - 2));
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    let changed = site.desk.change_user(&root, "cy", &suspended, None);
    changed.expect("suspended");
    let again = site.assign(None).expect("as before");
    assert_eq!(again.may_use.get("modeler").copied(), Some(all - 3));
}
