//! A user's mail address is changed, by who may change the user and by themselves (D8, D9, S11).

use crate::credentials::{FIRST, redeemed, signs_in, user};
use crate::directory::{person, unit};
use crate::roles::{give, made, role};
use crate::site::Site;
use seatkeeper::wire::{AddressChange, AddressChanged, Code, CodeMade, Forgot, Secret, UserChange};
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

fn takes(
    site: &Site,
    by: &Caller,
    address: Option<&str>,
    password: &str,
) -> Result<(AddressChanged, Option<CodeMade>), Refused> {
    let body = AddressChange {
        address: address.map(str::to_owned),
        password: Secret::new(password),
    };
    site.desk.change_address(by, &body, true)
}

/// The address to which a code goes that somebody asks for.
fn forgot(site: &Site, login: &str) -> Option<String> {
    let asked = Forgot {
        login: login.to_owned(),
    };
    let made = site.desk.file_forgotten(&site.bob(), &asked, true);
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
    assert_eq!(gives(&site, &root, "ana", "").expect("none"), None);
    signs_in(&site, &kiosk, "ana@else.example", FIRST).expect_err("none any more");
}

#[test]
fn d9_ones_own_address_is_changed_by_the_password_and_is_known_by_a_code_alone() {
    let site = Site::new();
    let root = site.root();
    user(&site, "ana", FIRST);
    made(&site, "bob", &[]);
    let ana = site.ana();
    let no = takes(&site, &site.bob(), Some("bob@example.com"), FIRST).expect_err("he has none");
    assert!(no.detail.contains("no password yet"), "{no:?}");
    let no = takes(&site, &ana, Some("ana@example.com"), "not what it is").expect_err("wrong");
    assert_eq!(no.code, Code::SignInFailed);
    let (changed, code) = takes(&site, &ana, Some("Ana@Example.com"), FIRST).expect("hers");
    assert_eq!(changed.address.as_deref(), Some("ana@example.com"));
    let code = code.expect("a code to mail");
    assert_eq!(code.mailed_to.as_deref(), Some("ana@example.com"));
    redeemed(&site, &ana, &code, FIRST).expect("she reads what is sent there");
    assert_eq!(forgot(&site, "ana").as_deref(), Some("ana@example.com"));
    // The next one is anybody's until a code that was mailed there is used.
    let (_, code) = takes(&site, &ana, Some("ana@else.example"), FIRST).expect("hers");
    site.desk
        .drop_reset(&root, "ana", None)
        .expect_err("not asked");
    let told = site.desk.whoami(&ana).expect("who");
    assert_eq!(told.address.as_deref(), Some("ana@else.example"));
    let (_, again) = takes(&site, &ana, Some("ana@else.example"), FIRST).expect("the same");
    let old = redeemed(&site, &ana, &code.expect("one"), FIRST).expect_err("a newer one is out");
    assert_eq!(old.code, Code::CodeNotValid);
    let (none, no_code) = takes(&site, &ana, None, FIRST).expect("none");
    assert!(none.address.is_none() && no_code.is_none());
    let no = redeemed(&site, &ana, &again.expect("one"), FIRST).expect_err("no address");
    assert_eq!(no.code, Code::CodeNotValid);
    assert_eq!(forgot(&site, "ana"), None);
}
