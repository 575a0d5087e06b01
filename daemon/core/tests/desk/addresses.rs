//! A user's mail address is changed by who may change the user (D8, S11).

use crate::accounts::{install, trusting};
use crate::credentials::{FIRST, redeemed, signs_in, user};
use crate::directory::{person, unit};
use crate::registrations::{access, account, asks};
use crate::roles::{give, role};
use crate::site::Site;
use seatkeeper::wire::{Code, Forgot, RegistrationApprove, UserChange, UserMake};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;

fn gives(site: &Site, by: &Caller, login: &str, address: &str) -> Result<Option<String>, Refused> {
    let change = UserChange {
        address: Some(address.to_owned()),
        ..UserChange::default()
    };
    let changed = site.desk.change_user(by, login, &change, None)?;
    Ok(changed.item.address)
}

/// The address to which a code goes that somebody asks for.
fn forgot(site: &Site, login: &str) -> Option<String> {
    let asked = Forgot {
        login: login.to_owned(),
    };
    let made = site
        .desk
        .file_forgotten(&site.bob(), &asked, Some(&|_| true));
    made.expect("filed")?.mailed_to
}

#[test]
fn d8_an_administrator_changes_an_address_and_the_old_one_is_good_for_nothing() {
    let site = Site::new();
    let root = site.root();
    user(&site, "ana", FIRST);
    let east = unit("East", Some("Acme"));
    site.desk.make_unit(&root, &east).expect("made");
    site.desk
        .make_user(&root, &person("eve", &["Acme/East"]))
        .expect("made");
    give(&site, &root, "eve", &[role("administrator", "Acme/East")]).expect("given");
    site.desk
        .make_user(&root, &person("bob", &["Acme/East"]))
        .expect("made");
    let is = |text: &str| Some(text.to_owned());
    let first = gives(&site, &root, "ana", "Ana@Example.com").expect("given");
    assert_eq!(first, is("ana@example.com"));
    let code = site.desk.reset(&root, "ana", (None, true)).expect("mailed");
    let kiosk = site.caller(77, "kiosk", false);
    signs_in(&site, &kiosk, "ANA@example.com", FIRST).expect("by the address");
    let second = gives(&site, &root, "ana", "ana@else.example").expect("given");
    assert_eq!(second, is("ana@else.example"));
    let no = redeemed(&site, &kiosk, &code, FIRST).expect_err("on its way to the old one");
    assert_eq!(no.code, Code::CodeNotValid);
    let no = signs_in(&site, &kiosk, "ana@example.com", FIRST).expect_err("the old one");
    assert_eq!(no.code, Code::SignInFailed);
    signs_in(&site, &kiosk, "ana@ELSE.example", FIRST).expect("the new one");
    // Whoever does not see her is told that it is taken, and not by whom.
    let eve = site.caller(1005, "eve", false);
    let no = gives(&site, &eve, "bob", "ANA@else.example").expect_err("hers");
    assert_eq!(no.code, Code::NameTaken);
    let told = format!("{} {}", no.detail, no.hint);
    assert!(
        !told.contains("user ana") && !told.contains("ana,"),
        "{told}"
    );
    let no = gives(&site, &eve, "ana", "x@else.example").expect_err("not hers to change");
    assert_eq!(no.code, Code::NotFound);
    gives(&site, &eve, "bob", "ana@example.com").expect("it is free");
    for bad in ["ana", "ana@b@c.example"] {
        let no = gives(&site, &root, "ana", bad).expect_err(bad);
        assert!(no.detail.starts_with("address: "), "{no:?}");
    }
    // What an account of this machine is called is nobody's address.
    let machine = site.desk.whoami(&root).expect("who").machine;
    let no = gives(&site, &root, "ana", &format!("bob@{machine}")).expect_err("bob's login");
    assert_eq!(no.code, Code::BadRequest);
    assert!(no.detail.contains("another domain"), "{no:?}");
    assert_eq!(gives(&site, &root, "ana", "").expect("none"), None);
    signs_in(&site, &kiosk, "ana@else.example", FIRST).expect_err("none any more");
}

#[test]
fn d9_no_code_goes_to_an_address_that_was_given_until_it_is_known_to_be_theirs() {
    let site = Site::new();
    let root = site.root();
    user(&site, "ana", FIRST);
    gives(&site, &root, "ana", "ana@example.com").expect("given");
    assert_eq!(forgot(&site, "ana"), None, "not known to be hers");
    let code = site.desk.reset(&root, "ana", (None, true)).expect("mailed");
    redeemed(&site, &site.ana(), &code, FIRST).expect("she reads what is sent there");
    assert_eq!(forgot(&site, "ana").as_deref(), Some("ana@example.com"));
    gives(&site, &root, "ana", "ana@else.example").expect("given");
    assert_eq!(forgot(&site, "ana"), None, "the next one is anybody's");
}

#[test]
fn d8_s11_an_address_that_is_the_only_login_is_changed_and_the_old_one_is_good_for_nothing() {
    let (site, vendor) = trusting();
    let root = site.root();
    let works = ("C-7", "Works", "It@Works.example");
    install((&site, &vendor), "W-1", works, Some("new")).expect("installed");
    let it = site.caller(3000, "it", false);
    let first = site
        .desk
        .reset(&root, "it@works.example", (None, true))
        .expect("mailed");
    assert_eq!(first.mailed_to.as_deref(), Some("it@works.example"));
    redeemed(&site, &it, &first, FIRST).expect("let in");
    let late = site.desk.reset(&root, "it@works.example", (None, true));
    let late = late.expect("mailed");
    let no = gives(&site, &root, "it@works.example", "").expect_err("nothing would be left");
    assert_eq!(no.code, Code::BadRequest);
    assert!(no.detail.contains("only login"), "{no:?}");
    gives(&site, &root, "it@works.example", "New@Works.example").expect("given");
    let kiosk = site.caller(77, "kiosk", false);
    let no = redeemed(&site, &kiosk, &late, FIRST).expect_err("on its way to the old one");
    assert_eq!(no.code, Code::CodeNotValid);
    let no = signs_in(&site, &kiosk, "it@works.example", FIRST).expect_err("the old one");
    assert_eq!(no.code, Code::SignInFailed);
    let who = signs_in(&site, &kiosk, "new@works.example", FIRST).expect("the new one");
    assert_eq!(who.user.as_deref(), Some("new@works.example"));
    assert_eq!(forgot(&site, "new@works.example"), None, "not known yet");
    assert_eq!(forgot(&site, "it@works.example"), None, "nobody's");
    // Once more, and the old ones are free.
    gives(&site, &root, "new@works.example", "third@works.example").expect("given");
    let ana = site.desk.make_user(&root, &person("ana", &[]));
    ana.expect("made");
    gives(&site, &root, "ana", "it@works.example").expect("free");
}

/// The address that is shown of a user, and how it is known to be theirs.
fn address(site: &Site, login: &str) -> (Option<String>, Option<String>) {
    let user = site.desk.user_shown(&site.root(), login).expect(login);
    (user.address, user.address_is)
}

fn known(text: &str, is: &str) -> (Option<String>, Option<String>) {
    (Some(text.to_owned()), Some(is.to_owned()))
}

#[test]
fn s11_an_address_that_was_only_told_is_found_by_nobody_and_mailed_nothing() {
    let (site, _) = trusting();
    let root = site.root();
    let works = account(&site, "Works", "customer");
    asks(&site, "cy", &access(&works, Some("Boss@x.example"))).expect("waits");
    assert_eq!(address(&site, "cy"), known("boss@x.example", "not_proved"));
    let approve = RegistrationApprove::default();
    let approved = site.desk.approve_registration(&root, "cy", &approve, None);
    assert_eq!(
        approved.expect("let in").address_is.as_deref(),
        Some("not_proved")
    );
    // Who names the boss by the address does not mean cy.
    let no = site.desk.user_shown(&root, "boss@x.example");
    assert_eq!(no.expect_err("nobody").code, Code::NotFound);
    let no = give(
        &site,
        &root,
        "boss@x.example",
        &[role("administrator", "Works")],
    );
    assert_eq!(no.expect_err("nobody").code, Code::NotFound);
    // A code is told to whoever makes it, and why.
    for made in [
        site.desk.invite(&root, "cy", (None, true)),
        site.desk.reset(&root, "cy", (None, true)),
    ] {
        let made = made.expect("made");
        assert_eq!(made.not_proved.as_deref(), Some("boss@x.example"));
        assert!(made.mailed_to.is_none() && made.code.is_some());
    }
    let made = site.desk.reset(&root, "cy", (None, true)).expect("made");
    redeemed(&site, &site.caller(5001, "cy", false), &made, FIRST).expect("told");
    assert_eq!(address(&site, "cy"), known("boss@x.example", "not_proved"));
    assert_eq!(forgot(&site, "cy"), None);
    assert_eq!(forgot(&site, "boss@x.example"), None);
    let no = signs_in(&site, &site.bob(), "boss@x.example", FIRST);
    assert_eq!(no.expect_err("no login").code, Code::SignInFailed);
    // By an administrator's word it is hers.
    gives(&site, &root, "cy", "boss@x.example").expect("given");
    assert_eq!(address(&site, "cy"), known("boss@x.example", "given"));
    assert_eq!(
        site.desk
            .user_shown(&root, "boss@x.example")
            .expect("cy")
            .login,
        "cy"
    );
    let made = site.desk.reset(&root, "cy", (None, true)).expect("made");
    assert_eq!(made.mailed_to.as_deref(), Some("boss@x.example"));
    redeemed(&site, &site.caller(5001, "cy", false), &made, FIRST).expect("read");
    assert_eq!(address(&site, "cy"), known("boss@x.example", "proved"));
}

#[test]
fn s11_d8_an_address_that_was_only_told_gives_way_to_who_has_it() {
    let (site, _) = trusting();
    let root = site.root();
    let works = account(&site, "Works", "customer");
    user(&site, "ana", FIRST);
    gives(&site, &root, "ana", "ana@x.example").expect("given");
    // Whoever tells an address that somebody has is told the same as of any other.
    let asked = |who: &str, address: &str| asks(&site, who, &access(&works, Some(address)));
    let (taken, free) = (
        asked("cy", "ANA@x.example").expect("waits"),
        asked("di", "Eve@x.example").expect("waits"),
    );
    assert_eq!(taken.verified, free.verified);
    let no = site.desk.verify_registration(&root, "cy", None);
    let no = no.expect_err("ana has it");
    assert!(
        no.code == Code::NameTaken && no.detail.contains("address of another user"),
        "{no:?}"
    );
    let no = gives(&site, &root, "cy", "ana@x.example").expect_err("ana has it");
    assert_eq!(no.code, Code::NameTaken);
    assert_eq!(address(&site, "cy"), known("ana@x.example", "not_proved"));
    // Their owner asks with it, too, and has it by an administrator's word: whoever told it has none any more.
    asked("eve", "eve@x.example").expect("waits");
    site.desk
        .verify_registration(&root, "eve", None)
        .expect("hers");
    assert_eq!(address(&site, "eve"), known("eve@x.example", "proved"));
    assert_eq!(address(&site, "di"), (None, None));
    let waits = site.desk.registration(&root, "di").expect("waits");
    assert_eq!(waits.address, None);
    // So has whoever is made with it.
    asked("fay", "gil@x.example").expect("waits");
    let gil = UserMake {
        address: Some("gil@x.example".to_owned()),
        ..person("gil", &[])
    };
    site.desk.make_user(&root, &gil).expect("made");
    assert_eq!(address(&site, "fay"), (None, None));
    assert_eq!(address(&site, "gil"), known("gil@x.example", "given"));
    // Nothing is left of what they told, and nothing else goes.
    let names = || site.desk.side().names_now().expect("readable");
    site.desk.sweep_names(names(), &site.desk.snapshot());
    assert_eq!(address(&site, "cy"), known("ana@x.example", "not_proved"));
    gives(&site, &root, "cy", "").expect("none");
    assert_eq!(address(&site, "cy"), (None, None));
}

#[test]
fn s11_all_lists_say_the_same_of_the_address_of_who_waits() {
    let (site, _) = trusting();
    let root = site.root();
    let works = account(&site, "Works", "customer");
    asks(&site, "cy", &access(&works, Some("cy@x.example"))).expect("waits");
    let cy = site.caller(5001, "cy", false);
    let told = |text: &str, is: &str| {
        let waits = site.desk.registration(&root, "cy").expect("waits");
        let who = site.desk.whoami(&cy).expect("cy");
        let said = known(text, is);
        assert_eq!((waits.address, waits.address_is), said);
        assert_eq!((who.address, who.address_is), said);
        assert_eq!(address(&site, "cy"), said);
        waits.verified
    };
    assert!(!told("cy@x.example", "not_proved"));
    // An administrator's word makes it theirs; only who shows it, or of whom it is said so, comes in by its domain.
    gives(&site, &root, "cy", "new@x.example").expect("given");
    assert!(!told("new@x.example", "given"));
    site.desk
        .verify_registration(&root, "cy", None)
        .expect("hers");
    assert!(told("new@x.example", "proved"));
    gives(&site, &root, "cy", "").expect("none");
    let waits = site.desk.registration(&root, "cy").expect("waits");
    assert_eq!((waits.address, waits.address_is), (None, None));
}
