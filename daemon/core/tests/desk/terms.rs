//! Terms of service over the desk: published, read again, accepted by each for themselves (B15), and what a site that
//! insists on them gives without (D16).

use crate::credentials::user;
use crate::roles::{give, made, role};
use crate::site::{Site, Vendor, checkout, hex, keys_in, renewal};
use seatkeeper::wire::{
    Code, ExplainBody, Item, Problem, Redeem, Secret, SignIn, TermsAccept, TermsPublish,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::Cursor;
use seatkeeper_core::side::Side;
use std::os::unix::fs::PermissionsExt;

const TEXT: &str = "Be kind.\n\nWe count seats.\n";

fn publish(site: &Site, version: &str, text: &str) -> Result<(), Box<Problem>> {
    let body = TermsPublish {
        version: version.to_owned(),
        text: text.to_owned(),
    };
    site.desk.publish_terms(&site.root(), &body).map(drop)
}

fn accept(site: &Site, caller: &Caller, version: &str) -> Result<(), Box<Problem>> {
    let body = TermsAccept {
        version: version.to_owned(),
    };
    site.desk.accept_terms(caller, &body).map(drop)
}

/// A licensed site that insists on its terms, version 1.
fn insisting() -> (Site, Vendor) {
    let (site, vendor) = (
        Site::with(|settings| settings.terms_block_checkout = true),
        Vendor::new("acme"),
    );
    site.trust(&vendor).expect("trust");
    let file = vendor.file(&site.key(), |_| {});
    site.install(&file, true).expect("install");
    publish(&site, "1", TEXT).expect("published");
    (site, vendor)
}

fn why(site: &Site, caller: &Caller, user: Option<&str>) -> (bool, Option<Problem>) {
    let body = ExplainBody {
        user: user.map(str::to_owned),
        product: None,
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        roots: None,
        interactive: false,
        suppose: Vec::new(),
    };
    let told = site.desk.explain(caller, &body, |_| false).expect("why");
    (told.granted, told.denial)
}

pub(crate) fn noes(found: &mut Vec<Problem>) {
    let (site, vendor) = insisting();
    let no = site.desk.checkout(&site.ana(), &checkout(&vendor));
    found.push(*no.expect_err("not accepted"));
}

#[test]
fn b15_terms_are_read_and_accepted_and_a_new_version_asks_anew() {
    let site = Site::new();
    let (ana, root) = (site.ana(), site.root());
    let none = site.desk.terms(&ana).expect_err("none");
    assert_eq!(none.code, Code::NotFound);
    assert_eq!(
        accept(&site, &ana, "1").expect_err("none").code,
        Code::NotFound
    );
    let user = site.desk.meet(&ana).expect("a user");
    assert_eq!(site.desk.terms_to_accept(user), None);
    publish(&site, "1", TEXT).expect("published");
    publish(&site, "1", TEXT).expect("the same again");
    let events = site.desk.snapshot().head.number;
    let shown = site.desk.terms(&ana).expect("they are read");
    assert_eq!(
        (&*shown.version, &*shown.text, shown.accepted),
        ("1", TEXT, false)
    );
    assert!(
        !shown.block_checkout && shown.sha256.len() == 64,
        "{shown:?}"
    );
    assert_eq!(site.desk.terms_to_accept(user).as_deref(), Some("1"));
    accept(&site, &ana, "1").expect("accepted");
    accept(&site, &ana, "1").expect("again");
    assert_eq!(site.desk.snapshot().head.number, events + 1, "once");
    assert!(site.desk.terms(&ana).expect("read").accepted);
    assert_eq!(site.desk.terms_to_accept(user), None);
    let other = publish(&site, "1", "Be kinder.").expect_err("another text");
    assert_eq!((other.code, other.rule), (Code::Conflict, Some(4)));
    publish(&site, "2", "Be kinder.").expect("published");
    let shown = site.desk.terms(&ana).expect("read");
    assert_eq!(
        (shown.accepted, shown.accepted_before.as_deref()),
        (false, Some("1"))
    );
    let late = accept(&site, &ana, "1").expect_err("replaced");
    assert!(
        late.code == Code::Conflict && late.detail.contains("in force is 2"),
        "{late:?}"
    );
    assert!(late.hint.contains("terms show"), "{late:?}");
    let all = site
        .desk
        .acceptances(&root, &Cursor::default())
        .expect("a list");
    let ana = all
        .items
        .iter()
        .find(|one| one.login == "ana")
        .expect("ana");
    assert_eq!((ana.version.as_deref(), ana.present), (Some("1"), false));
}

#[test]
fn b15_only_who_may_publishes_and_what_is_published_has_bounds() {
    let site = Site::new();
    let body = |version: &str, text: String| TermsPublish {
        version: version.to_owned(),
        text,
    };
    let no = site
        .desk
        .publish_terms(&site.ana(), &body("1", TEXT.to_owned()));
    assert_eq!(no.expect_err("ana").code, Code::Forbidden);
    for (version, text) in [
        ("", TEXT.to_owned()),
        ("a/b", TEXT.to_owned()),
        ("a\nb", TEXT.to_owned()),
        ("1", " \n".to_owned()),
        ("1", "a\u{1b}[2J".to_owned()),
        ("1", "x".repeat(48 * 1024 + 1)),
    ] {
        let no = site.desk.publish_terms(&site.root(), &body(version, text));
        assert_eq!(no.expect_err("refused").code, Code::BadRequest);
    }
    let most = body("1", "x".repeat(48 * 1024));
    site.desk
        .publish_terms(&site.root(), &most)
        .expect("the most");
}

#[test]
fn b15_who_has_accepted_is_told_by_sight() {
    let site = Site::new();
    let root = site.root();
    for name in ["East", "West"] {
        let unit = crate::directory::unit(name, Some("Acme"));
        site.desk.make_unit(&root, &unit).expect(name);
    }
    made(&site, "ana", &["Acme/East"]);
    made(&site, "bob", &["Acme/West"]);
    publish(&site, "1", TEXT).expect("published");
    accept(&site, &site.bob(), "1").expect("accepted");
    let no = site.desk.acceptances(&site.ana(), &Cursor::default());
    assert_eq!(no.expect_err("no sight").code, Code::Forbidden);
    give(
        &site,
        &root,
        "ana",
        &[role("portal-administrator", "Acme/East")],
    )
    .expect("given");
    let logins = |caller: &Caller| {
        let page = site
            .desk
            .acceptances(caller, &Cursor::default())
            .expect("a list");
        let rows = page.items.into_iter();
        rows.map(|one| (one.login, one.present)).collect::<Vec<_>>()
    };
    assert_eq!(logins(&site.ana()), [("ana".to_owned(), false)]);
    assert!(logins(&root).contains(&("bob".to_owned(), true)));
}

#[test]
fn b15_the_text_is_the_one_that_the_journal_has_the_hash_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder.path(), own).expect("ours");
    let journal = std::sync::Arc::new(seatkeeper_core::journal::MemoryJournal::new());
    let clock = || std::sync::Arc::new(seatkeeper_core::clock::ManualClock::at(crate::site::NOON));
    let site = |side: Side| {
        Site::over(
            journal.clone(),
            clock(),
            side,
            keys_in(folder.path()),
            |_| {},
        )
    };
    let before = site(Side::memory().expect("a side store"));
    publish(&before, "1", TEXT).expect("published");
    before.stop().expect("stopped");
    // The names are gone, and the text with them: nobody accepts what cannot be read.
    let after = site(Side::memory().expect("a side store"));
    let lost = after.desk.terms(&after.root()).expect_err("no text");
    assert!(
        lost.code == Code::NotFound && lost.hint.contains("terms publish FILE --version 1"),
        "{lost:?}"
    );
    assert!(accept(&after, &after.ana(), "1").is_err());
    let other = publish(&after, "1", "Another text.").expect_err("not that text");
    assert_eq!(other.code, Code::Conflict);
    publish(&after, "1", TEXT).expect("the same text again");
    assert_eq!(after.desk.terms(&after.root()).expect("read").text, TEXT);
    accept(&after, &after.ana(), "1").expect("accepted");
}

#[test]
fn d16_nobody_gets_a_new_seat_without_them_and_who_sits_goes_on() {
    let (site, vendor) = insisting();
    let (ana, root) = (site.ana(), site.root());
    let no = site
        .desk
        .checkout(&ana, &checkout(&vendor))
        .expect_err("no");
    assert_eq!((&no.code, no.rule), (&Code::TermsNotAccepted, Some(4)));
    assert!(no.detail.contains("version 1"), "{no:?}");
    assert!(no.hint.contains("`seatkeeper terms accept`"), "{no:?}");
    let (granted, denial) = why(&site, &ana, None);
    let denial = denial.expect("a no");
    assert_eq!(
        (granted, &denial.code, &denial.detail),
        (false, &no.code, &no.detail)
    );
    let (_, theirs) = why(&site, &root, Some("ana"));
    let theirs = theirs.expect("a no");
    assert!(
        theirs.hint.starts_with("ana reads and accepts"),
        "{theirs:?}"
    );
    accept(&site, &ana, "1").expect("accepted");
    assert!(why(&site, &ana, None).0);
    let body = checkout(&vendor);
    let seat = site.desk.checkout(&ana, &body).expect("a seat").reply.id;
    publish(&site, "2", "Be kinder.").expect("published");
    let kept = site.desk.renew(&ana, &seat, &renewal(&body, 2, None));
    kept.expect("nobody's seat is taken for it");
    let again = site.desk.checkout(&ana, &body);
    again.expect("the same checkout again is the same seat");
    let mut second = checkout(&vendor);
    second.checkout_id = hex();
    let no = site.desk.checkout(&ana, &second).expect_err("a new one");
    assert_eq!(no.code, Code::TermsNotAccepted);
}

#[test]
fn d16_a_site_that_does_not_insist_gives_seats_without_them() {
    let (site, vendor) = Site::licensed();
    publish(&site, "1", TEXT).expect("published");
    assert!(why(&site, &site.ana(), None).0);
    site.checkout(&site.ana(), &vendor).expect("a seat");
}

#[test]
fn d16_b15_who_signs_in_accepts_the_terms_in_force_or_stays_out() {
    const WORDS: &str = "a sentence that ana knows";
    let site = Site::new();
    user(&site, "ana", WORDS);
    publish(&site, "1", TEXT).expect("published");
    let laptop = site.caller(1_007, "somebody", false);
    let signs_in = |accepts: Option<&str>| {
        let body = SignIn {
            login: "ana".to_owned(),
            password: Secret::new(WORDS),
            accept_terms: accepts.map(str::to_owned),
        };
        site.desk.sign_in(&laptop, &body)
    };
    // However often: it is no guess.
    for accepts in [None, Some("0"), Some("2")].repeat(5) {
        let no = signs_in(accepts).expect_err("not accepted");
        assert_eq!(no.code, Code::TermsNotAccepted);
        assert!(no.hint.contains("--accept-terms 1"), "{no:?}");
        let who = site.desk.whoami(&laptop).expect("who");
        assert_eq!(who.user, None, "she stays out");
    }
    let who = signs_in(Some("1")).expect("accepted");
    assert_eq!(who.user.as_deref(), Some("ana"));
    signs_in(None).expect("once is enough");
    publish(&site, "2", "Be kinder.\n").expect("published");
    signs_in(None).expect_err("everyone is asked anew");
    // A code that was not taken for it is good still.
    let root = site.root();
    let code = site
        .desk
        .reset(&root, "ana", (None, false))
        .expect("a code");
    let redeems = |accepts: Option<&str>| {
        let body = Redeem {
            code: code.code.clone().expect("told"),
            password: Secret::new("another sentence of hers"),
            accept_terms: accepts.map(str::to_owned),
        };
        site.desk.redeem(&laptop, &body)
    };
    let no = redeems(None).expect_err("not accepted");
    assert_eq!(no.code, Code::TermsNotAccepted);
    redeems(Some("2")).expect("accepted");
}

#[test]
fn b15_nobodys_account_is_told_how_to_accept_and_how_to_come_in() {
    let site = Site::with(|settings| settings.create_users = false);
    publish(&site, "1", TEXT).expect("published");
    let no = accept(&site, &site.ana(), "1").expect_err("nobody");
    assert_eq!(no.code, Code::UnknownUser);
    for step in [
        "seatkeeper login LOGIN --accept-terms 1",
        "seatkeeper register",
    ] {
        assert!(no.hint.contains(step), "{}", no.hint);
    }
}
