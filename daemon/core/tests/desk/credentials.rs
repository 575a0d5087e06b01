//! Signing in over the desk: passwords, codes, who forgot, and who may make a code for whom.

use crate::accounts::{install, trusting};
use crate::directory::{person, unit};
use crate::roles::{give, made, role};
use crate::site::{Site, checkout, renewal};
use seatkeeper::wire::{
    Code, CodeMade, Forgot, PasswordChange, Problem, Redeem, RolesChange, Secret, SignIn,
    TokenMade, TokenMake, UnitMake, UserChange, UserMake, Whoami,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::side::Kind;
use std::time::Duration;

pub(crate) const FIRST: &str = "the first sentence of mine";
pub(crate) const SECOND: &str = "and the second one, longer";

pub(crate) fn redeemed(
    site: &Site,
    by: &Caller,
    code: &CodeMade,
    password: &str,
) -> Result<Whoami, Refused> {
    let body = Redeem {
        code: code.code.clone().expect("a code"),
        password: Secret::new(password),
        accept_terms: None,
    };
    site.desk.redeem(by, &body)
}

pub(crate) fn signs_in(
    site: &Site,
    by: &Caller,
    login: &str,
    password: &str,
) -> Result<Whoami, Refused> {
    let body = SignIn {
        login: login.to_owned(),
        password: Secret::new(password),
        accept_terms: None,
    };
    site.desk.sign_in(by, &body)
}

pub(crate) fn changes(site: &Site, by: &Caller, old: &str, new: &str) -> Result<(), Refused> {
    let body = PasswordChange {
        old: Secret::new(old),
        new: Secret::new(new),
    };
    site.desk.change_password(by, &body)
}

/// A user with this password.
pub(crate) fn user(site: &Site, login: &str, password: &str) {
    made(site, login, &[]);
    let code = site
        .desk
        .reset(&site.root(), login, (None, false))
        .expect(login);
    let at = site.caller(4000, &format!("{login}-elsewhere"), false);
    redeemed(site, &at, &code, password).expect(login);
}

pub(crate) fn who(site: &Site, caller: &Caller) -> (Option<String>, String) {
    let who = site.desk.whoami(caller).expect("who");
    (who.user, who.known_by)
}

pub(crate) fn is(user: &str, by: &str) -> (Option<String>, String) {
    (Some(user.to_owned()), by.to_owned())
}

/// Every row of the journal, as it is exported, with the sentences that are told of it.
fn journal(site: &Site) -> String {
    let page = site
        .desk
        .audit(&site.root(), &Cursor::default(), &AuditFilter::default());
    let events = page.expect("the journal").items;
    let rows = events
        .iter()
        .map(|event| format!("{} {}\n", event.stored, event.text));
    rows.collect()
}

/// The noes of those who sign in, for the test that every code is produced.
pub(crate) fn noes(found: &mut Vec<Problem>) {
    let site = Site::new();
    let wrong = || *signs_in(&site, &site.ana(), "ana", FIRST).expect_err("nobody");
    found.push(wrong());
    let code = CodeMade {
        code: Some(Secret::new("0000")),
        ..CodeMade::default()
    };
    found.push(*redeemed(&site, &site.ana(), &code, FIRST).expect_err("no code"));
    for _ in 0..8 {
        assert_eq!(wrong().code, Code::SignInFailed);
    }
    found.push(wrong());
}

#[test]
fn d9_an_invitation_lets_in_whom_it_is_for() {
    let site = Site::new();
    let ana = UserMake {
        status: Some("invited".to_owned()),
        address: Some("Ana@Example.com".to_owned()),
        ..person("ana", &[])
    };
    site.desk.make_user(&site.root(), &ana).expect("made");
    let code = site
        .desk
        .invite(&site.root(), "ana", (None, false))
        .expect("a code");
    assert_eq!((&*code.login, &*code.purpose), ("ana", "invitation"));
    // On an account of any name: the code says who it is.
    let at = site.caller(1234, "a.smith", false);
    let who_is = site.desk.whoami(&at).expect("who");
    let hint = who_is.hint.expect("what to type");
    assert!(hint.contains("`seatkeeper login LOGIN`"), "{hint}");
    let who_is = redeemed(&site, &at, &code, FIRST).expect("let in");
    assert_eq!(
        (who_is.user.as_deref(), &*who_is.status, &*who_is.known_by),
        (Some("ana"), "active", "signed_in")
    );
    assert_eq!(who_is.address.as_deref(), Some("ana@example.com"));
    assert_eq!(
        (&*who_is.accounts, who_is.password),
        (&["Acme".to_owned()][..], true)
    );
    // Once, and nobody who has a password is invited again.
    let no = redeemed(&site, &site.bob(), &code, SECOND).expect_err("used");
    assert_eq!((&no.code, no.rule), (&Code::CodeNotValid, Some(1)));
    let no = site.desk.invite(&site.root(), "ana", (None, false));
    let no = no.expect_err("she has one");
    assert!(
        no.code == Code::Conflict && no.hint.contains("reset-link ana"),
        "{no:?}"
    );
    // B16: by the address and the password, from anywhere.
    let elsewhere = site.caller(77, "kiosk", false);
    signs_in(&site, &elsewhere, "ANA@example.com", FIRST).expect("signed in");
    assert_eq!(who(&site, &elsewhere), is("ana", "signed_in"));
}

#[test]
fn d9_of_a_code_that_is_good_for_nothing_one_thing_is_told() {
    let site = Site::new();
    made(&site, "ana", &[]);
    let root = site.root();
    let replaced = site
        .desk
        .reset(&root, "ana", (None, false))
        .expect("a code");
    let used = site
        .desk
        .reset(&root, "ana", (None, false))
        .expect("a code");
    redeemed(&site, &site.ana(), &used, FIRST).expect("used");
    let over = site
        .desk
        .reset(&root, "ana", (None, false))
        .expect("a code");
    site.clock.advance(Duration::from_secs(3600));
    let wrong = CodeMade {
        code: Some(Secret::new("0000-1111-2222-3333-4444-5555-6666")),
        ..CodeMade::default()
    };
    let stretched = site.desk.passwords_stretched();
    let told = [&replaced, &used, &over, &wrong].map(|code| {
        let no = redeemed(&site, &site.ana(), code, SECOND).expect_err("no");
        assert_eq!(no.code, Code::CodeNotValid);
        (no.detail, no.hint)
    });
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert_eq!(site.desk.passwords_stretched(), stretched, "for nothing");
    let short = redeemed(&site, &site.bob(), &used, "short").expect_err("too short");
    assert!(
        short.detail.starts_with("password: has less than 12"),
        "{}",
        short.detail
    );
    signs_in(&site, &site.bob(), "ana", FIRST).expect("hers is the first still");
}

#[test]
fn b14_an_account_of_a_machine_is_one_person_until_it_signs_out() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    user(&site, "bob", SECOND);
    let shared = site.caller(1000, "ana", false);
    assert_eq!(who(&site, &shared), is("ana", "login"));
    signs_in(&site, &shared, "bob", SECOND).expect("signed in");
    assert_eq!(who(&site, &shared), is("bob", "signed_in"));
    assert_eq!(
        who(&site, &site.caller(1001, "other", false)),
        (None, String::new())
    );
    let no = signs_in(&site, &shared, "ana", SECOND).expect_err("bob's");
    assert_eq!(no.code, Code::SignInFailed);
    assert_eq!(who(&site, &shared), is("bob", "signed_in"), "as before");
    let out = site.desk.sign_out(&shared).expect("signed out");
    assert_eq!(out.user.as_deref(), Some("ana"));
    site.desk.sign_out(&shared).expect("once more");
    // Who may not sit may not sign in; of a wrong password nothing is told.
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    site.desk
        .change_user(&site.root(), "bob", &suspended, None)
        .expect("suspended");
    let no = signs_in(&site, &shared, "bob", SECOND).expect_err("suspended");
    assert_eq!(no.code, Code::UserNotActive);
    let no = signs_in(&site, &shared, "bob", FIRST).expect_err("wrong");
    assert_eq!(no.code, Code::SignInFailed);
}

#[test]
fn r20_a_login_in_mid_seat_takes_nobodys_seat() {
    let (site, vendor) = Site::licensed();
    user(&site, "bob", SECOND);
    let ana = site.ana();
    let asked = checkout(&vendor);
    let seat = site.desk.checkout(&ana, &asked).expect("a seat").reply.id;
    signs_in(&site, &ana, "bob", SECOND).expect("signed in");
    site.desk
        .renew(&ana, &seat, &renewal(&asked, 2, None))
        .expect("the process has its seat");
    let second = checkout(&vendor);
    let other = site.desk.checkout(&ana, &second).expect("a seat of bob's");
    let seats = site.desk.seats(&site.root(), &Cursor::default(), |_| true);
    let mut users: Vec<_> = seats
        .expect("seats")
        .items
        .into_iter()
        .map(|seat| seat.user)
        .collect();
    users.sort();
    assert_eq!(users, ["ana", "bob"], "B17: by who is signed in");
    site.desk.sign_out(&ana).expect("signed out");
    site.desk
        .renew(&ana, &other.reply.id, &renewal(&second, 3, None))
        .expect("and after it");
    site.desk
        .renew(&ana, &seat, &renewal(&asked, 4, None))
        .expect("both");
}

#[test]
fn b14_b18_another_password_ends_what_the_old_one_began() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    let (here, there) = (site.ana(), site.caller(2000, "there", false));
    signs_in(&site, &here, "ana", FIRST).expect("signed in");
    signs_in(&site, &there, "ana", FIRST).expect("signed in");
    let code = site
        .desk
        .reset(&site.root(), "ana", (None, false))
        .expect("a code");
    let no = changes(&site, &here, SECOND, FIRST).expect_err("not the old one");
    assert_eq!(
        (&no.code, &*no.detail),
        (&Code::SignInFailed, "the old password is wrong")
    );
    let no = changes(&site, &here, FIRST, "short").expect_err("too short");
    assert!(no.detail.starts_with("new: "), "{}", no.detail);
    let snapshot = site.desk.snapshot();
    let first = snapshot.state.credentials.of.values().next();
    let first = first.and_then(|of| of.password).expect("a password").0;
    changes(&site, &here, FIRST, SECOND).expect("changed");
    assert_eq!(who(&site, &here), is("ana", "signed_in"));
    assert_eq!(who(&site, &there), (None, String::new()));
    assert_eq!(
        signs_in(&site, &there, "ana", FIRST).expect_err("old").code,
        Code::SignInFailed
    );
    let no = redeemed(&site, &there, &code, FIRST).expect_err("made before it");
    assert_eq!(no.code, Code::CodeNotValid);
    let kept = site.desk.side().name(Kind::Password, first);
    assert_eq!(kept.expect("read"), None, "nothing is kept of the old one");
    // Who has none, or is nobody, is told what to do.
    made(&site, "bob", &[]);
    let no = changes(&site, &site.bob(), FIRST, SECOND).expect_err("has none");
    assert!(
        no.detail.contains("`seatkeeper forgot bob`"),
        "{}",
        no.detail
    );
    let no = changes(&site, &there, FIRST, SECOND).expect_err("nobody");
    assert_eq!(no.code, Code::UnknownUser);
}

#[test]
fn s11_s23_neither_a_password_nor_a_code_nor_a_hash_that_could_be_guessed_from_is_in_the_journal() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    let code = site.desk.invite(&site.root(), "ana", (None, false));
    assert_eq!(code.expect_err("she has one").code, Code::Conflict);
    let code = site
        .desk
        .reset(&site.root(), "ana", (None, false))
        .expect("a code");
    signs_in(&site, &site.ana(), "ana", FIRST).expect("signed in");
    changes(&site, &site.ana(), FIRST, SECOND).expect("changed");
    let rows = journal(&site);
    let code = code.code.expect("a code");
    let plain = code.reveal().replace('-', "");
    for secret in [FIRST, SECOND, "argon2", code.reveal(), &plain] {
        assert!(!rows.contains(secret), "{secret} stands in the journal");
    }
    for told in [
        "user ana has a new password",
        "user ana used a code",
        "user ana has a code to set another password",
        "an account of a machine is signed in as user ana",
    ] {
        assert!(rows.contains(told), "{told} is not told: {rows}");
    }
    // With the user goes what is kept of the password.
    let snapshot = site.desk.snapshot();
    let of = snapshot.state.credentials.of.values().next();
    let password = of.and_then(|of| of.password).expect("a password").0;
    let kept = || site.desk.side().name(Kind::Password, password);
    assert!(
        kept()
            .expect("read")
            .is_some_and(|kept| kept.contains("argon2id"))
    );
    site.desk
        .remove_user(&site.root(), "ana", false, None)
        .expect("taken away");
    assert_eq!(kept().expect("read"), None);
    assert_eq!(who(&site, &site.ana()), (None, String::new()));
}

#[test]
fn b2_b3_b13_the_contact_of_a_license_comes_in_by_forgot_and_adds_the_others() {
    let (site, vendor) = trusting();
    let works = ("C-7", "Works", "It@Works.example");
    install((&site, &vendor), "W-1", works, Some("new")).expect("installed");
    let it = site.caller(3000, "it", false);
    let asked = Forgot {
        login: "IT@works.example".to_owned(),
    };
    site.desk.forgot(&it, &asked).expect("taken");
    site.desk.file_forgotten(&it, &asked, None).expect("noted");
    let list = site.desk.resets(&site.root(), &Cursor::default());
    let list = list.expect("a list").items;
    assert_eq!(list.len(), 1);
    assert_eq!(
        (&*list[0].login, &*list[0].status),
        ("it@works.example", "invited")
    );
    let code = site
        .desk
        .reset(&site.root(), "it@works.example", (None, false))
        .expect("a code");
    let list = site.desk.resets(&site.root(), &Cursor::default());
    assert!(list.expect("a list").items.is_empty(), "answered");
    let who_is = redeemed(&site, &it, &code, FIRST).expect("let in");
    assert_eq!(
        (&*who_is.status, &who_is.accounts[0][..]),
        ("active", "Works")
    );
    assert_eq!(who_is.roles, [role("administrator", "Works")]);
    site.desk
        .make_user(&it, &person("boss", &["Works"]))
        .expect("B3: the contact adds users");
    give(&site, &it, "boss", &[role("administrator", "Works")]).expect("and administrators");
    let elsewhere = site.desk.make_user(&it, &person("eve", &["Acme"]));
    assert_eq!(elsewhere.expect_err("not theirs").code, Code::NotFound);
}

#[test]
fn d15_who_forgot_is_seen_by_who_may_answer_and_by_nobody_else() {
    let site = Site::new();
    let root = site.root();
    for name in ["East", "West"] {
        site.desk
            .make_unit(&root, &unit(name, Some("Acme")))
            .expect("a unit");
    }
    made(&site, "eli", &["East"]);
    made(&site, "wim", &["West"]);
    made(&site, "ana", &["East"]);
    give(&site, &root, "ana", &[role("portal-administrator", "East")]).expect("given");
    for login in ["eli", "wim", "nobody"] {
        let asked = Forgot {
            login: login.to_owned(),
        };
        site.desk.forgot(&site.bob(), &asked).expect("taken");
        let filed = site.desk.file_forgotten(&site.bob(), &asked, None);
        filed.expect("noted");
    }
    let seen = |by: &Caller| {
        let page = site.desk.resets(by, &Cursor::default());
        page.map(|page| {
            page.items
                .into_iter()
                .map(|one| one.login)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(seen(&site.ana()).expect("a list"), ["eli"]);
    assert_eq!(seen(&root).expect("a list").len(), 2);
    let no = seen(&site.caller(9, "wim", false)).expect_err("no administrator");
    assert_eq!(no.code, Code::Forbidden);
    let no = site.desk.drop_reset(&site.ana(), "wim", None);
    assert_eq!(no.expect_err("out of sight").code, Code::NotFound);
    site.desk
        .drop_reset(&site.ana(), "eli", None)
        .expect("no code for eli");
    let no = site.desk.drop_reset(&site.ana(), "eli", None);
    let no = no.expect_err("no more");
    assert!(
        no.code == Code::NotFound && no.hint.contains("user resets"),
        "{no:?}"
    );
}

#[test]
fn d15_nobody_makes_a_code_for_one_who_has_more() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    made(&site, "boss", &[]);
    made(&site, "bob", &[]);
    give(&site, &root, "ana", &[role("portal-administrator", "Acme")]).expect("given");
    give(&site, &root, "boss", &[role("administrator", "Acme")]).expect("given");
    let ana = site.ana();
    for of in [
        site.desk.invite(&ana, "boss", (None, false)),
        site.desk.reset(&ana, "boss", (None, false)),
    ] {
        let no = of.expect_err("she would have what he has");
        assert_eq!(no.code, Code::Forbidden);
        assert!(
            no.detail.contains("the role administrator"),
            "{}",
            no.detail
        );
    }
    let no = site
        .desk
        .reset(&ana, "ana", (None, false))
        .expect_err("for herself");
    assert!(no.hint.contains("`seatkeeper password`"), "{no:?}");
    site.desk
        .reset(&ana, "bob", (None, false))
        .expect("he has less");
    let no = site.desk.reset(&site.bob(), "ana", (None, false));
    assert_eq!(no.expect_err("no administrator").code, Code::Forbidden);
    let no = site.desk.reset(&root, "bob", (Some(1), false));
    assert_eq!(no.expect_err("changed").code, Code::WrongRevision);
    // H3: whoever manages the account makes it for its people, and the journal says so.
    let dealer = UnitMake {
        kind: Some("partner".to_owned()),
        ..unit("Dealer", None)
    };
    let works = UnitMake {
        managed_by: Some("Dealer".to_owned()),
        ..unit("Works", None)
    };
    site.desk.make_unit(&root, &dealer).expect("a partner");
    site.desk.make_unit(&root, &works).expect("its customer");
    made(&site, "di", &["Dealer"]);
    made(&site, "wim", &["Works"]);
    give(&site, &root, "di", &[role("administrator", "Dealer")]).expect("given");
    let di = site.caller(1002, "di", false);
    site.desk.invite(&di, "wim", (None, false)).expect("a code");
    let page = site
        .desk
        .audit(&root, &Cursor::default(), &AuditFilter::default());
    let page = page.expect("the journal");
    let last = page.items.last().expect("an event");
    assert!(last.actor.ends_with("acting for Works"), "{}", last.actor);
    assert_eq!(last.text, "user wim has an invitation");
}

#[test]
fn b6_an_address_is_one_users_alone() {
    let site = Site::new();
    let with = |login: &str, address: &str| UserMake {
        address: Some(address.to_owned()),
        ..person(login, &[])
    };
    let root = site.root();
    let ana = site
        .desk
        .make_user(&root, &with("ana", "Ana@Example.com"))
        .expect("made");
    assert_eq!(ana.address.as_deref(), Some("ana@example.com"));
    let no = site.desk.make_user(&root, &with("bob", "ANA@example.com"));
    let no = no.expect_err("hers");
    assert!(
        no.code == Code::NameTaken && no.detail.contains("ANA@example.com"),
        "{no:?}"
    );
    assert!(
        site.desk.user_shown(&root, "bob").is_err(),
        "nobody was made"
    );
    let no = site.desk.make_user(&root, &with("bob", "no address"));
    assert!(no.expect_err("none").detail.starts_with("address: "));
    // The same id and body is the same user.
    let again = UserMake {
        id: Some(ana.id.clone()),
        ..with("ana", "ana@example.com")
    };
    site.desk.make_user(&root, &again).expect("the same");
    let other = UserMake {
        address: Some("other@example.com".to_owned()),
        ..again
    };
    let no = site.desk.make_user(&root, &other).expect_err("another");
    assert_eq!(no.code, Code::Conflict);
}

fn token(site: &Site, by: &Caller, of: Option<&str>) -> Result<TokenMade, Refused> {
    called(site, by, of, of.map_or("ci", |_| "by another"))
}

fn called(site: &Site, by: &Caller, of: Option<&str>, name: &str) -> Result<TokenMade, Refused> {
    let body = TokenMake {
        name: name.to_owned(),
        user: of.map(str::to_owned),
        ..TokenMake::default()
    };
    site.desk.make_token(by, &body)
}

pub(crate) fn presents(site: &Site, by: Caller, token: &Secret) -> Result<Caller, Refused> {
    let authorization = format!("Bearer {}", token.reveal());
    site.desk.presenting(by, Some(&authorization))
}

#[test]
fn s14_a_token_never_has_more_than_its_person() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    made(&site, "boss", &[]);
    made(&site, "bob", &[]);
    give(&site, &root, "ana", &[role("portal-administrator", "Acme")]).expect("given");
    give(&site, &root, "boss", &[role("administrator", "Acme")]).expect("given");
    let ana = site.ana();
    let hers = token(&site, &ana, None).expect("her own");
    assert_eq!(
        (&*hers.login, hers.until),
        ("ana", Some(1_800_000_000 + 90 * 86_400))
    );
    token(&site, &ana, Some("bob")).expect("he has less");
    let no = token(&site, &ana, Some("boss")).expect_err("he has more");
    assert_eq!(no.code, Code::Forbidden);
    let no = token(&site, &site.bob(), Some("ana")).expect_err("no administrator");
    assert_eq!(no.code, Code::Forbidden);
    let no = token(&site, &root, None).expect_err("root is nobody's account");
    assert!(
        no.code == Code::UnknownUser && no.hint.contains("--for LOGIN"),
        "{no:?}"
    );
    // Who administers the daemon does not by a token, and has what its person has now.
    let by = presents(&site, root.clone(), &hers.token).expect("hers");
    assert!(!by.administers);
    assert_eq!(who(&site, &by), is("ana", "token"));
    site.desk.resets(&by, &Cursor::default()).expect("she may");
    let taken = RolesChange {
        take: vec![role("portal-administrator", "Acme")],
        ..RolesChange::default()
    };
    site.desk
        .change_roles(&root, "ana", &taken, None)
        .expect("taken");
    let no = site.desk.resets(&by, &Cursor::default());
    assert_eq!(no.expect_err("no more").code, Code::Forbidden);
    let no = token(&site, &by, None).expect_err("a token makes no token");
    assert!(no.detail.contains("makes no token"), "{no:?}");
    // What is done by it stands so in the journal, and its text nowhere.
    let asked = SignIn {
        login: "ana".to_owned(),
        password: Secret::new(FIRST),
        accept_terms: None,
    };
    site.desk.sign_in(&by, &asked).expect_err("no password");
    let rows = journal(&site);
    assert!(!rows.contains(hers.token.reveal()), "{rows}");
    assert!(
        rows.contains("user ana has a token that stands for them, until"),
        "{rows}"
    );
}

#[test]
fn s14_a_token_ends_with_its_day_its_person_or_a_word() {
    let site = Site::new();
    made(&site, "ana", &[]);
    let ana = site.ana();
    let first = token(&site, &ana, None).expect("a token");
    let no = token(&site, &ana, None).expect_err("which one is `ci` then?");
    assert!(
        no.code == Code::NameTaken && no.hint.contains(&first.id),
        "{no:?}"
    );
    let second = called(&site, &ana, None, "cd").expect("a token");
    let list = |by: &Caller| {
        site.desk
            .tokens(by, &Cursor::default())
            .expect("a list")
            .items
    };
    assert_eq!(list(&ana).len(), 2);
    assert!(list(&site.bob()).is_empty());
    let no = site.desk.revoke_token(&site.bob(), &first.id, None);
    assert_eq!(no.expect_err("not his").code, Code::NotFound);
    site.desk.revoke_token(&ana, &first.id, None).expect("hers");
    let nobody = presents(&site, site.bob(), &first.token).expect_err("taken back");
    assert_eq!(nobody.code, Code::Unauthenticated);
    presents(&site, site.bob(), &second.token).expect("the other");
    token(&site, &ana, None).expect("nothing is called so any more");
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    site.desk
        .change_user(&site.root(), "ana", &suspended, None)
        .expect("suspended");
    let no = presents(&site, site.bob(), &second.token).expect_err("suspended");
    assert_eq!(no.detail, nobody.detail, "one body");
    let active = UserChange {
        status: Some("active".to_owned()),
        ..UserChange::default()
    };
    site.desk
        .change_user(&site.root(), "ana", &active, None)
        .expect("active");
    site.clock.advance(Duration::from_secs(90 * 86_400));
    let no = presents(&site, site.bob(), &second.token).expect_err("over");
    assert_eq!(no.detail, nobody.detail);
    let id = second
        .id
        .parse::<seatkeeper_engine::ids::BearerId>()
        .expect("an id");
    let name = || site.desk.side().name(Kind::Token, id.0).expect("read");
    assert_eq!(name().as_deref(), Some("cd"));
    site.desk
        .remove_user(&site.root(), "ana", false, None)
        .expect("taken away");
    assert_eq!(name(), None);
}

#[test]
fn s14_nothing_that_outlasts_a_token_is_done_by_it() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    for login in ["ana", "bob"] {
        made(&site, login, &[]);
    }
    let all = RolesChange {
        give: vec![role("administrator", "")],
        ..RolesChange::default()
    };
    site.desk
        .change_roles(&root, "ana", &all, None)
        .expect("given");
    let hers = token(&site, &site.ana(), None).expect("hers");
    let by = presents(&site, site.bob(), &hers.token).expect("hers");
    site.desk.resets(&by, &Cursor::default()).expect("she may");
    let mut noes = vec![
        site.desk.invite(&by, "bob", (None, true)).err(),
        site.desk.reset(&by, "bob", (None, true)).err(),
        token(&site, &by, Some("bob")).err(),
        site.desk.change_roles(&by, "bob", &all, None).err(),
        site.checkout(&by, &vendor).err(),
    ];
    noes.retain(|no| no.as_ref().is_none_or(|no| no.code != Code::Forbidden));
    assert!(noes.is_empty(), "{noes:?}");
}

#[test]
fn s14_what_others_made_is_good_no_more_when_one_is_given_more() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    let own = token(&site, &site.ana(), None).expect("hers");
    let others = token(&site, &root, Some("ana")).expect("made for her");
    let code = site.desk.reset(&root, "ana", (None, false)).expect("told");
    presents(&site, site.bob(), &others.token).expect("hers");
    let more = RolesChange {
        give: vec![role("auditor", "")],
        ..RolesChange::default()
    };
    site.desk
        .change_roles(&root, "ana", &more, None)
        .expect("given");
    let no = presents(&site, site.bob(), &others.token);
    assert_eq!(no.expect_err("no more").code, Code::Unauthenticated);
    let no = redeemed(&site, &site.bob(), &code, FIRST);
    assert_eq!(no.expect_err("no more").code, Code::CodeNotValid);
    presents(&site, site.bob(), &own.token).expect("her own stays");
}

#[test]
fn d9_a_code_that_is_mailed_goes_to_an_address_that_is_known_to_be_theirs() {
    let site = Site::new();
    let root = site.root();
    let ana = UserMake {
        address: Some("ana@example.com".to_owned()),
        ..person("ana", &[])
    };
    site.desk.make_user(&root, &ana).expect("made");
    made(&site, "bob", &[]);
    let bob = site.bob();
    let asks = |login: &str| {
        let asked = Forgot {
            login: login.to_owned(),
        };
        let made = site.desk.file_forgotten(&bob, &asked, Some(&|_| true));
        made.expect("done")
    };
    assert!(asks("ana").is_none(), "an administrator typed it");
    let code = site.desk.reset(&root, "ana", (None, true)).expect("a code");
    assert_eq!(code.mailed_to.as_deref(), Some("ana@example.com"));
    redeemed(&site, &site.ana(), &code, FIRST).expect("hers");
    let code = asks("ana").expect("a code to mail");
    assert_eq!(code.mailed_to.as_deref(), Some("ana@example.com"));
    assert!(asks("ana").is_none(), "one is out, and stays the one");
    // Where no mail took it administrators see that she asked.
    let asked = Forgot {
        login: "ana".to_owned(),
    };
    let filed = site.desk.file_forgotten(&site.bob(), &asked, None);
    assert!(filed.expect("filed").is_none());
    let list = site.desk.resets(&root, &Cursor::default()).expect("a list");
    assert_eq!(list.items.len(), 1, "not lost for an hour");
    redeemed(&site, &site.ana(), &code, SECOND).expect("hers");
    assert!(asks("bob").is_none() && asks("nobody").is_none());
    let list = site.desk.resets(&root, &Cursor::default()).expect("a list");
    assert_eq!(
        list.items.len(),
        1,
        "bob has no address: an administrator answers"
    );
    let code = site
        .desk
        .invite(&root, "bob", (None, true))
        .expect("a code");
    assert_eq!(code.mailed_to, None);
    // Who waits told an address that nobody knows to be theirs: the code is told, and by an administrator's word it is theirs.
    let cy = site.caller(1003, "cy", false);
    let registration = seatkeeper::wire::RegistrationMake {
        company: Some("Fresh".to_owned()),
        address: Some("cy@fresh.example".to_owned()),
        ..seatkeeper::wire::RegistrationMake::default()
    };
    site.desk.register(&cy, &registration).expect("waits");
    assert!(asks("cy").is_none(), "not mailed for the asking");
    let code = site.desk.invite(&root, "cy", (None, true)).expect("a code");
    let to = (code.mailed_to.as_deref(), code.not_proved.as_deref());
    assert_eq!(to, (None, Some("cy@fresh.example")));
    site.desk
        .let_in(&root, ("Fresh", "fresh.example"), true, None)
        .expect("let in");
    let who = redeemed(&site, &cy, &code, SECOND).expect("told");
    assert_eq!(who.status, "pending", "it shows nothing");
    let verified = site.desk.verify_registration(&root, "cy", None);
    let status = verified.expect("verified").status;
    assert_eq!(status, "active", "B7: by the domain");
}

#[test]
fn r04_who_is_suspended_is_named_where_somebody_else_asks_for_them() {
    let site = Site::new();
    user(&site, "bob", FIRST);
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    let root = site.root();
    site.desk
        .change_user(&root, "bob", &suspended, None)
        .expect("suspended");
    let noes = [
        site.desk.invite(&root, "bob", (None, false)).map(drop),
        site.desk.reset(&root, "bob", (None, false)).map(drop),
        token(&site, &root, Some("bob")).map(drop),
    ];
    for no in noes {
        let no = no.expect_err("suspended");
        assert_eq!((&no.code, no.rule), (&Code::UserNotActive, Some(4)));
        assert!(no.detail.starts_with("bob is not active"), "{}", no.detail);
        assert!(
            no.hint.contains("`seatkeeper user activate bob`"),
            "{}",
            no.hint
        );
    }
}
