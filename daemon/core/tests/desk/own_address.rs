//! People take another mail address by a code that was mailed there, and that does nothing else (S11, D8).

use crate::credentials::{FIRST, SECOND, changes, presents, redeemed, signs_in, user};
use crate::directory::person;
use crate::registrations::{access, account, asks};
use crate::roles::{give, role};
use crate::site::Site;
use seatkeeper::wire::{
    AddressAsk, AddressProve, AddressProved, Code, CodeMade, Forgot, RegistrationApprove, Secret,
    SessionMake, TokenMake, UserChange, UserMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::desk::{AddressShown, AddressToShow, IsOut, Refused, code_hash};
use std::time::Duration;

fn wants(
    site: &Site,
    by: &Caller,
    address: &str,
    password: &str,
) -> Result<AddressToShow, Refused> {
    wants_where(site, by, (address, password), &|_| true)
}

/// The same, where this is known of the mails with codes.
fn wants_where(
    site: &Site,
    by: &Caller,
    (address, password): (&str, &str),
    is_out: IsOut<'_>,
) -> Result<AddressToShow, Refused> {
    let body = AddressAsk {
        address: address.to_owned(),
        password: (!password.is_empty()).then(|| Secret::new(password)),
    };
    site.desk.ask_address(by, &body, is_out)
}

fn shows(site: &Site, by: &Caller, address: &str, code: &Secret) -> Result<AddressShown, Refused> {
    let body = AddressProve {
        address: address.to_owned(),
        code: code.clone(),
    };
    site.desk.prove_address(by, &body)
}

/// A code that somebody asked for and that was mailed.
fn mailed(site: &Site, by: &Caller, address: &str) -> Secret {
    let asked = wants(site, by, address, FIRST).expect("asked");
    asked.code.expect("nobody else's")
}

fn address(site: &Site, login: &str) -> (Option<String>, Option<String>) {
    let user = site.desk.user_shown(&site.root(), login).expect(login);
    (user.address, user.address_is)
}

fn known(text: &str, is: &str) -> (Option<String>, Option<String>) {
    (Some(text.to_owned()), Some(is.to_owned()))
}

/// A user with an address that an administrator gave, and a password.
fn addressed(site: &Site, login: &str) {
    user(site, login, FIRST);
    gives(site, login, &format!("{login}@x.example"));
}

fn gives(site: &Site, login: &str, text: &str) {
    let change = UserChange {
        address: Some(text.to_owned()),
        ..UserChange::default()
    };
    let given = site.desk.change_user(&site.root(), login, &change, None);
    given.expect("given");
}

fn forgot(site: &Site, login: &str) -> Option<CodeMade> {
    forgot_where(site, login, &|_| true)
}

fn forgot_where(site: &Site, login: &str, is_out: IsOut<'_>) -> Option<CodeMade> {
    let asked = Forgot {
        login: login.to_owned(),
    };
    let made = site.desk.file_forgotten(&site.bob(), &asked, Some(is_out));
    made.expect("filed")
}

fn coded(code: &Secret) -> CodeMade {
    CodeMade {
        code: Some(code.clone()),
        ..CodeMade::default()
    }
}

fn no(refused: Result<AddressShown, Refused>) -> Code {
    refused.expect_err("no").code
}

#[test]
fn s11_d8_who_reads_what_is_mailed_to_an_address_and_knows_the_password_has_it() {
    let site = Site::new();
    addressed(&site, "ana");
    let ana = site.ana();
    let wrong = wants(&site, &ana, "new@x.example", SECOND).expect_err("not hers");
    assert_eq!(
        (&wrong.code, &*wrong.detail),
        (&Code::SignInFailed, "the password is wrong")
    );
    let bad = wants(&site, &ana, "new", FIRST).expect_err("no address");
    assert!(bad.detail.starts_with("address: "), "{bad:?}");
    let nobody = wants(&site, &site.bob(), "new@x.example", FIRST).expect_err("no user");
    assert_eq!(nobody.code, Code::UnknownUser);
    let first = nobody.hint.ends_with("with the first seat");
    assert!(first, "{}", nobody.hint);
    let asked = wants(&site, &ana, "New@X.example", FIRST).expect("asked");
    assert_eq!(
        (&*asked.login, &*asked.asked.address),
        ("ana", "new@x.example")
    );
    assert_eq!(asked.asked.until, 1_800_000_000 + 3600);
    // Until it is used nothing is changed.
    assert_eq!(address(&site, "ana"), known("ana@x.example", "given"));
    signs_in(&site, &site.bob(), "new@x.example", FIRST).expect_err("not yet");
    signs_in(
        &site,
        &site.caller(77, "kiosk", false),
        "ana@x.example",
        FIRST,
    )
    .expect("still");
    let code = asked.code.expect("nobody else's");
    assert_eq!(
        no(shows(&site, &ana, "other@x.example", &code)),
        Code::CodeNotValid
    );
    let shown = shows(&site, &ana, "NEW@x.example", &code).expect("hers");
    let proved = AddressProved {
        login: "ana".to_owned(),
        address: "new@x.example".to_owned(),
    };
    assert_eq!(
        (shown.proved, shown.was.as_deref()),
        (proved, Some("ana@x.example"))
    );
    assert_eq!(address(&site, "ana"), known("new@x.example", "proved"));
    signs_in(&site, &site.bob(), "ana@x.example", FIRST).expect_err("the old one");
    let forgotten = forgot(&site, "ana").and_then(|made| made.mailed_to);
    assert_eq!(forgotten.as_deref(), Some("new@x.example"));
    assert_eq!(
        no(shows(&site, &ana, "new@x.example", &code)),
        Code::CodeNotValid
    );
    let again = wants(&site, &ana, "new@x.example", FIRST).expect_err("hers already");
    assert!(again.detail.contains("yours already"), "{again:?}");
    // What it was stands nowhere, and nothing of either in the journal.
    let page = site
        .desk
        .audit(&site.root(), &Cursor::default(), &AuditFilter::default());
    let rows = page.expect("the journal").items;
    assert!(rows.iter().all(|row| !row.stored.contains("x.example")));
    let told = rows
        .iter()
        .any(|row| row.text.contains("ana has another mail address now"));
    assert!(
        told,
        "{:?}",
        rows.iter().map(|row| &row.text).collect::<Vec<_>>()
    );
}

#[test]
fn s11_each_kind_of_code_is_good_for_its_own_use_alone() {
    let site = Site::new();
    addressed(&site, "ana");
    let (root, ana) = (site.root(), site.ana());
    let stretched = || site.desk.passwords_stretched();
    // One that shows an address sets no password, makes no session and signs nobody in, at no work.
    let code = mailed(&site, &ana, "new@x.example");
    let before = stretched();
    let refused = redeemed(&site, &ana, &coded(&code), SECOND).expect_err("no password");
    assert_eq!(refused.code, Code::CodeNotValid);
    let session = SessionMake {
        code: Some(code.clone()),
        password: Secret::new(SECOND),
        ..SessionMake::default()
    };
    let refused = site
        .desk
        .open_session(&ana, &session)
        .expect_err("no session");
    assert_eq!((refused.code, stretched()), (Code::CodeNotValid, before));
    signs_in(&site, &ana, "ana", FIRST).expect("the password stays");
    // One that sets a password shows no address.
    let reset = site.desk.reset(&root, "ana", (None, false)).expect("told");
    let reset = reset.code.expect("told");
    assert_eq!(
        no(shows(&site, &ana, "ana@x.example", &reset)),
        Code::CodeNotValid
    );
    let reset = site.desk.reset(&root, "ana", (None, true)).expect("mailed");
    let reset = reset.code.expect("mailed");
    assert_eq!(
        no(shows(&site, &ana, "ana@x.example", &reset)),
        Code::CodeNotValid
    );
    let body = UserMake {
        address: Some("bob@x.example".to_owned()),
        status: Some("invited".to_owned()),
        ..person("bob", &[])
    };
    site.desk.make_user(&root, &body).expect("made");
    let invited = site
        .desk
        .invite(&root, "bob", (None, true))
        .expect("mailed");
    let invited = invited.code.expect("mailed");
    assert_eq!(
        no(shows(&site, &site.bob(), "bob@x.example", &invited)),
        Code::CodeNotValid
    );
    // Each is good still for what it is.
    shows(&site, &ana, "new@x.example", &code).expect("hers");
    redeemed(&site, &site.bob(), &coded(&invited), FIRST).expect("his");
    // What was mailed to the old address is not.
    let late = redeemed(&site, &ana, &coded(&reset), SECOND).expect_err("the old address");
    assert_eq!(late.code, Code::CodeNotValid);
}

#[test]
fn s11_whose_an_address_is_is_not_told_to_who_asks_for_it() {
    let site = Site::new();
    addressed(&site, "ana");
    addressed(&site, "bob");
    let ana = site.ana();
    let work = || {
        let events = site.desk.snapshot().head.number;
        (site.desk.passwords_stretched(), events)
    };
    let of = |address: &str| {
        let before = work();
        let asked = wants(&site, &ana, address, FIRST).expect("asked");
        let after = work();
        (asked, (after.0 - before.0, after.1 - before.1))
    };
    // From here on each takes the place of the code before it, whose end is an event.
    of("first@x.example");
    let (free, cost) = of("new@x.example");
    let (taken, same) = of("BOB@x.example");
    assert_eq!((cost, free.asked.until), (same, taken.asked.until));
    // The code of one that is somebody's goes nowhere.
    assert!(free.code.is_some() && taken.code.is_none());
    assert_eq!(taken.asked.address, "bob@x.example");
    // One that somebody takes meanwhile is refused when it is used, and whose it is is not told.
    let code = mailed(&site, &ana, "late@x.example");
    gives(&site, "bob", "late@x.example");
    let refused = shows(&site, &ana, "late@x.example", &code).expect_err("bob has it");
    let told = format!("{} {}", refused.detail, refused.hint);
    assert!(
        refused.code == Code::NameTaken && !told.contains("bob"),
        "{refused:?}"
    );
    assert_eq!(address(&site, "ana"), known("ana@x.example", "given"));
    assert_eq!(address(&site, "bob"), known("late@x.example", "given"));
}

#[test]
fn s11_a_code_for_an_address_is_good_for_an_hour_for_who_asked_for_it_and_no_longer() {
    let site = Site::new();
    addressed(&site, "ana");
    user(&site, "bob", FIRST);
    let (root, ana) = (site.root(), site.ana());
    let code = mailed(&site, &ana, "new@x.example");
    assert_eq!(
        no(shows(&site, &site.bob(), "new@x.example", &code)),
        Code::CodeNotValid
    );
    let newer = mailed(&site, &ana, "newer@x.example");
    assert_eq!(
        no(shows(&site, &ana, "new@x.example", &code)),
        Code::CodeNotValid
    );
    site.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        no(shows(&site, &ana, "newer@x.example", &newer)),
        Code::CodeNotValid
    );
    // With another password, by an administrator's address, where she is given more, and with a suspension.
    let ends: [(&str, &dyn Fn()); 4] = [
        ("password", &|| {
            changes(&site, &ana, FIRST, SECOND).expect("another");
            changes(&site, &ana, SECOND, FIRST).expect("and back");
        }),
        ("address", &|| gives(&site, "ana", "given@x.example")),
        ("more", &|| {
            give(&site, &root, "ana", &[role("auditor", "")]).expect("given");
        }),
        ("suspension", &|| {
            for status in ["suspended", "active"] {
                let change = UserChange {
                    status: Some(status.to_owned()),
                    ..UserChange::default()
                };
                site.desk
                    .change_user(&root, "ana", &change, None)
                    .expect(status);
            }
        }),
    ];
    for (what, end) in ends {
        site.clock.advance(Duration::from_secs(3600));
        let code = mailed(&site, &ana, "new@x.example");
        end();
        assert_eq!(
            no(shows(&site, &ana, "new@x.example", &code)),
            Code::CodeNotValid,
            "{what}"
        );
    }
    assert_eq!(address(&site, "ana"), known("given@x.example", "given"));
    // Ten guesses are all there are, and ten mails.
    site.clock.advance(Duration::from_secs(3600));
    let guess = Secret::new("0000-1111-2222-3333-4444-5555-6666");
    for _ in 0..10 {
        assert_eq!(
            no(shows(&site, &ana, "new@x.example", &guess)),
            Code::CodeNotValid
        );
    }
    assert_eq!(
        no(shows(&site, &ana, "new@x.example", &guess)),
        Code::TooManyAttempts
    );
    site.clock.advance(Duration::from_secs(3600));
    for n in 0..10 {
        mailed(&site, &ana, &format!("n{n}@x.example"));
    }
    let refused = wants(&site, &ana, "n@x.example", FIRST).expect_err("ten");
    assert!(
        refused.code == Code::TooManyAttempts && refused.retry_after_s.is_some(),
        "{refused:?}"
    );
    signs_in(&site, &ana, "ana", FIRST).expect("that keeps nobody out");
}

#[test]
fn s11_a_session_is_its_person_and_a_token_changes_no_address() {
    let site = Site::new();
    addressed(&site, "ana");
    let kiosk = || site.caller(77, "kiosk", false);
    let token = TokenMake {
        name: "ci".to_owned(),
        ..TokenMake::default()
    };
    let token = site.desk.make_token(&site.ana(), &token).expect("hers");
    let by_token = presents(&site, kiosk(), &token.token).expect("hers");
    let refused = wants(&site, &by_token, "new@x.example", FIRST).expect_err("a token");
    assert_eq!(refused.code, Code::Forbidden);
    let session = SessionMake {
        login: Some("ana".to_owned()),
        password: Secret::new(FIRST),
        ..SessionMake::default()
    };
    let session = site.desk.open_session(&kiosk(), &session).expect("hers");
    let in_session = presents(&site, kiosk(), &session.session).expect("hers");
    let code = mailed(&site, &in_session, "new@x.example");
    assert_eq!(
        no(shows(&site, &by_token, "new@x.example", &code)),
        Code::Forbidden
    );
    assert_eq!(
        no(shows(&site, &kiosk(), "new@x.example", &code)),
        Code::UnknownUser
    );
    shows(&site, &in_session, "new@x.example", &code).expect("hers");
    assert_eq!(address(&site, "ana"), known("new@x.example", "proved"));
}

#[test]
fn s11_b7_who_waits_shows_the_address_that_they_told_and_its_owner_has_it() {
    let site = Site::new();
    let root = site.root();
    let works = account(&site, "Works", "customer");
    site.desk
        .let_in(&root, ("Works", "works.example"), true, None)
        .expect("listed");
    let told = access(&works, Some("cy@works.example"));
    asks(&site, "bad", &told).expect("waits");
    asks(&site, "cy", &told).expect("waits");
    // No password is asked of who has none, for that address alone.
    let cy = site.caller(5001, "cy", false);
    let refused = wants(&site, &cy, "other@works.example", "").expect_err("another one");
    assert!(
        refused
            .detail
            .starts_with("password: cy has no password yet and waits to be let in: by then"),
        "{refused:?}"
    );
    // Whoever told none is not sent to ask for a code that nobody can mail.
    asks(&site, "di", &access(&works, None)).expect("waits");
    let di = site.caller(5003, "di", false);
    let refused = wants(&site, &di, "di@works.example", "").expect_err("none told");
    assert!(
        refused.detail.contains("user address di ADDRESS") && !refused.detail.contains("forgot"),
        "{refused:?}"
    );
    let asked = wants(&site, &cy, "cy@works.example", "");
    let code = asked.expect("asked").code;
    let more = wants(&site, &cy, "cy@works.example", "").expect_err("one in an hour");
    assert_eq!(more.code, Code::TooManyAttempts);
    let shown = shows(
        &site,
        &cy,
        "cy@works.example",
        &code.expect("nobody else's"),
    );
    assert_eq!(
        shown.expect("theirs").was,
        None,
        "nobody is told at an address that was only told"
    );
    assert_eq!(address(&site, "cy"), known("cy@works.example", "proved"));
    let user = site.desk.user_shown(&root, "cy@works.example").expect("cy");
    assert_eq!(
        (&*user.login, &*user.status),
        ("cy", "active"),
        "B7: by the domain"
    );
    assert_eq!(address(&site, "bad"), (None, None));
    // Where somebody else has it their code goes nowhere, and the yes of an administrator does not change that.
    asks(&site, "eve", &told).expect("waits");
    let eve = site.caller(5002, "eve", false);
    let asked = wants(&site, &eve, "cy@works.example", "").expect("asked");
    assert!(asked.code.is_none());
    let approve = RegistrationApprove::default();
    let approved = site.desk.approve_registration(&root, "eve", &approve, None);
    assert_eq!(
        approved.expect("let in").address_is.as_deref(),
        Some("not_proved")
    );
}

#[test]
fn s11_d8_whose_login_is_their_address_is_called_by_the_one_that_they_showed() {
    let (site, vendor) = crate::accounts::trusting();
    let works = ("C-7", "Works", "it@works.example");
    crate::accounts::install((&site, &vendor), "W-1", works, Some("new")).expect("installed");
    let it = site.caller(3000, "it", false);
    let first = site
        .desk
        .reset(&site.root(), "it@works.example", (None, true));
    redeemed(&site, &it, &first.expect("mailed"), FIRST).expect("let in");
    let code = mailed(&site, &it, "new@works.example");
    let shown = shows(&site, &it, "new@works.example", &code).expect("theirs");
    assert_eq!(
        (&*shown.proved.login, shown.was.as_deref()),
        ("new@works.example", Some("it@works.example"))
    );
    let kiosk = site.caller(77, "kiosk", false);
    signs_in(&site, &kiosk, "it@works.example", FIRST).expect_err("the old one");
    signs_in(&site, &kiosk, "NEW@works.example", FIRST).expect("the new one");
    assert_eq!(
        forgot(&site, "new@works.example")
            .and_then(|made| made.mailed_to)
            .as_deref(),
        Some("new@works.example")
    );
}

#[test]
fn s11_many_accounts_fill_nobodys_mailbox() {
    let site = Site::new();
    let ask = |uid: u32| {
        let login = format!("many{uid}");
        user(&site, &login, FIRST);
        wants(
            &site,
            &site.caller(uid, &login, false),
            "victim@x.example",
            FIRST,
        )
    };
    for uid in 2001..2006 {
        ask(uid).expect("one of five");
    }
    let refused = ask(2006).expect_err("the sixth");
    assert!(
        refused.code == Code::TooManyAttempts && refused.hint.contains("user address"),
        "{refused:?}"
    );
    // A newer code takes the place of one's own: it is not counted with those of others.
    let own = wants(
        &site,
        &site.caller(2001, "many2001", false),
        "victim@x.example",
        FIRST,
    );
    own.expect("no more than five");
    // A daemon that starts again knows as much: it stands in the state. After the hour there is room.
    site.clock.advance(Duration::from_secs(3600));
    ask(2007).expect("the first of the next");
}

#[test]
fn s11_d9_a_code_whose_mail_is_not_out_keeps_nobody_waiting_for_it() {
    let site = Site::new();
    addressed(&site, "bob");
    let works = account(&site, "Works", "customer");
    // Whosever the address is: the same is told of both.
    for (login, address) in [("cy", "cy@x.example"), ("eve", "bob@x.example")] {
        asks(&site, login, &access(&works, Some(address))).expect("waits");
        let by = site.caller(5001, login, false);
        let ask = |is_out: IsOut<'_>| wants_where(&site, &by, (address, ""), is_out);
        let first = ask(&|_| panic!("there is none")).expect("asked");
        let code = first.hash.expect("a code");
        let refused = ask(&|of| of == code).expect_err("it is out");
        assert_eq!(refused.code, Code::TooManyAttempts);
        // The outbox refused it, the server did, or the daemon that had it ended.
        let second = ask(&|_| false).expect("asked again");
        assert_ne!(second.hash, Some(code));
        let refused = ask(&|of| Some(of) == second.hash).expect_err("it is out");
        assert_eq!(refused.code, Code::TooManyAttempts);
        if let (Some(old), Some(new)) = (first.code, second.code) {
            assert_eq!(no(shows(&site, &by, address, &old)), Code::CodeNotValid);
            shows(&site, &by, address, &new).expect("theirs");
        }
    }
    assert_eq!(address(&site, "cy"), known("cy@x.example", "proved"));
    // So it is of who forgot their password.
    user(&site, "di", FIRST);
    let di = site.caller(77, "di", false);
    let code = mailed(&site, &di, "di@x.example");
    shows(&site, &di, "di@x.example", &code).expect("hers");
    let hash = |made: &CodeMade| made.code.as_ref().and_then(code_hash);
    let first = forgot(&site, "di").expect("mailed");
    assert!(forgot_where(&site, "di", &|of| Some(of) == hash(&first)).is_none());
    let second = forgot_where(&site, "di", &|_| false).expect("mailed again");
    assert_ne!(hash(&first), hash(&second));
    // One that an administrator told by word was never to be mailed: it stays the one.
    let told = site.desk.reset(&site.root(), "di", (None, false));
    assert!(forgot_where(&site, "di", &|_| false).is_none());
    redeemed(&site, &di, &told.expect("told"), SECOND).expect("hers");
}

#[test]
fn s11_d9_who_waits_shows_the_address_that_an_administrator_gave() {
    let site = Site::new();
    let works = account(&site, "Works", "customer");
    asks(&site, "cy", &access(&works, None)).expect("waits");
    gives(&site, "cy", "cy@works.example");
    let cy = site.caller(5001, "cy", false);
    let other = wants(&site, &cy, "other@works.example", "").expect_err("another one");
    assert!(other.detail.contains("noted of them"), "{}", other.detail);
    let asked = wants(&site, &cy, "cy@works.example", "").expect("asked");
    let code = asked.code.expect("nobody else's");
    let shown = shows(&site, &cy, "cy@works.example", &code);
    assert_eq!(shown.expect("theirs").was, None);
    assert_eq!(address(&site, "cy"), known("cy@works.example", "proved"));
    let again = wants(&site, &cy, "cy@works.example", "").expect_err("known");
    assert!(
        again.detail.contains("is yours already"),
        "{}",
        again.detail
    );
}
