//! Sessions over the desk: by what they are made, whom they stand for, what is done by them, and what ends them (S11).

use crate::credentials::{FIRST, SECOND, changes, is, presents, signs_in, user, who};
use crate::roles::{give, made, role};
use crate::site::Site;
use seatkeeper::wire::{
    Code, RolesChange, Secret, Session, SessionMade, SessionMake, SignIn, TokenMake, UserChange,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::side::Kind;
use std::time::Duration;

fn opens(site: &Site, by: &Caller, login: &str, password: &str) -> Result<SessionMade, Refused> {
    let body = SessionMake {
        login: Some(login.to_owned()),
        password: Secret::new(password),
        ..SessionMake::default()
    };
    site.desk.open_session(by, &body)
}

fn list(site: &Site, by: &Caller) -> Vec<Session> {
    let page = site.desk.sessions(by, &Cursor::default());
    page.expect("a list").items
}

/// An account that several people share.
fn kiosk(site: &Site) -> Caller {
    site.caller(77, "kiosk", false)
}

#[test]
fn s11_in_a_session_one_is_its_person_with_all_their_rights_and_holds_no_seat() {
    let (site, vendor) = Site::licensed();
    user(&site, "ana", FIRST);
    made(&site, "bob", &[]);
    give(&site, &site.root(), "ana", &[role("administrator", "")]).expect("given");
    let made = opens(&site, &kiosk(&site), "ANA", FIRST).expect("hers");
    assert_eq!((&*made.login, made.until), ("ana", 1_800_000_000 + 43_200));
    assert!(made.session.reveal().starts_with("sks_"));
    assert_eq!(made.session.reveal().len(), 4 + 43, "256 bits");
    // The account stays who it is: nobody's.
    assert_eq!(who(&site, &kiosk(&site)).0, None);
    // Not even root administers the daemon by it.
    let by = presents(&site, site.root(), &made.session).expect("hers");
    assert!(!by.administers);
    assert_eq!(who(&site, &by), is("ana", "session"));
    let told = site.desk.whoami(&by).expect("who");
    assert_eq!(told.known_until, Some(made.until));
    // What a token does not do, for it would outlast it.
    let auditor = RolesChange {
        give: vec![role("auditor", "")],
        ..RolesChange::default()
    };
    let given = site.desk.change_roles(&by, "bob", &auditor, None);
    given.expect("she may give roles");
    let code = site.desk.reset(&by, "bob", (None, false));
    code.expect("she may make codes");
    let token = TokenMake {
        name: "ci".to_owned(),
        ..TokenMake::default()
    };
    site.desk.make_token(&by, &token).expect("and tokens");
    let no = site.checkout(&by, &vendor).expect_err("rule 20");
    assert_eq!(no.code, Code::Forbidden);
    assert!(no.detail.contains("a session holds no seat"), "{no:?}");
    let rows = site
        .desk
        .audit(&site.root(), &Cursor::default(), &AuditFilter::default());
    let rows = rows.expect("the journal").items;
    let by_it = |row: &&seatkeeper::wire::AuditEvent| row.actor.ends_with("in a session");
    assert_eq!(rows.iter().filter(by_it).count(), 3, "{rows:?}");
    let secret = made.session.reveal();
    assert!(rows.iter().all(|row| !row.stored.contains(secret)));
}

#[test]
fn s11_a_session_is_made_by_a_password_or_a_code_alone_and_guesses_are_bounded() {
    let site = Site::new();
    made(&site, "ana", &[]);
    let code = site.desk.reset(&site.root(), "ana", (None, false));
    let code = code.expect("a code").code;
    let by_code = SessionMake {
        code,
        password: Secret::new(FIRST),
        ..SessionMake::default()
    };
    let both = SessionMake {
        login: Some("ana".to_owned()),
        ..by_code.clone()
    };
    for none in [&both, &SessionMake::default()] {
        let no = site.desk.open_session(&kiosk(&site), none);
        assert!(no.expect_err("one of two").detail.starts_with("code: "));
    }
    let made = site.desk.open_session(&kiosk(&site), &by_code);
    let made = made.expect("hers");
    presents(&site, site.bob(), &made.session).expect("from any account");
    let no = site.desk.open_session(&kiosk(&site), &by_code);
    assert_eq!(no.expect_err("used").code, Code::CodeNotValid);
    // A token or a session opens none without the password, and the tries are those of `login`.
    let by = presents(&site, kiosk(&site), &made.session).expect("hers");
    let of = ["ana", "nobody"];
    let noes = (0..9).map(|n| opens(&site, &by, of[n % 2], SECOND).expect_err("wrong"));
    let noes: Vec<_> = noes
        .map(|no| (no.code.clone(), no.detail.clone()))
        .collect();
    assert!(
        noes.iter()
            .all(|no| no.0 == Code::SignInFailed && no.1 == noes[0].1)
    );
    let no = opens(&site, &kiosk(&site), "ana", FIRST).expect_err("enough");
    assert_eq!(no.code, Code::TooManyAttempts);
}

#[test]
fn s11_what_is_no_session_any_more_is_told_as_what_never_was_one() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    let open = |password| opens(&site, &kiosk(&site), "ana", password).expect("hers");
    let never = Secret::new(format!("sks_{}", "A".repeat(43)));
    let told = presents(&site, kiosk(&site), &never).expect_err("none");
    assert_eq!(told.code, Code::Unauthenticated);
    let over = |made: &SessionMade, why: &str| {
        let no = presents(&site, kiosk(&site), &made.session).expect_err(why);
        assert_eq!(
            (&no.code, &no.detail, &no.hint),
            (&told.code, &told.detail, &told.hint)
        );
    };
    let (left, ended, kept) = (open(FIRST), open(FIRST), open(FIRST));
    assert_eq!(list(&site, &site.ana()).len(), 3);
    assert!(list(&site, &kiosk(&site)).is_empty(), "nobody's");
    // `logout` ends the one, and nothing else.
    let by = presents(&site, kiosk(&site), &left.session).expect("hers");
    let current: Vec<_> = list(&site, &by)
        .into_iter()
        .filter(|one| one.current)
        .collect();
    assert_eq!(current.len(), 1);
    let who_is = site.desk.sign_out(&by).expect("left");
    assert_eq!((who_is.user, &*who_is.account), (None, "kiosk"));
    over(&left, "left");
    let no = site.desk.end_session(&kiosk(&site), &ended.id, None);
    assert_eq!(no.expect_err("not theirs").code, Code::NotFound);
    let no = site.desk.revoke_token(&site.ana(), &ended.id, None);
    assert_eq!(no.expect_err("no token").code, Code::NotFound);
    site.desk
        .end_session(&site.ana(), &ended.id, None)
        .expect("hers");
    over(&ended, "ended");
    // Whoever changes the password in a session stays; the others do not.
    let by = presents(&site, kiosk(&site), &kept.session).expect("hers");
    let other = open(FIRST);
    changes(&site, &by, FIRST, SECOND).expect("changed");
    over(&other, "by the old password");
    presents(&site, kiosk(&site), &kept.session).expect("the one");
    // Who is suspended has none when they are back.
    for status in ["suspended", "active"] {
        let change = UserChange {
            status: Some(status.to_owned()),
            ..UserChange::default()
        };
        let changed = site.desk.change_user(&site.root(), "ana", &change, None);
        changed.expect(status);
        over(&kept, status);
    }
    let last = open(SECOND);
    site.clock.advance(Duration::from_secs(43_199));
    let by = presents(&site, kiosk(&site), &last.session).expect("to the end");
    assert!(site.desk.presents_still(&by));
    site.clock.advance(Duration::from_secs(1));
    over(&last, "over");
    assert!(!site.desk.presents_still(&by));
    assert!(list(&site, &site.ana()).is_empty());
    let gone = open(SECOND);
    let removed = site.desk.remove_user(&site.root(), "ana", false, None);
    removed.expect("taken away");
    over(&gone, "with its person");
}

#[test]
fn s11_s14_what_a_change_ends_has_a_line_of_its_own_and_keeps_no_name() {
    let site = Site::new();
    let root = site.root();
    user(&site, "ana", FIRST);
    opens(&site, &kiosk(&site), "ana", FIRST).expect("hers");
    let body = TokenMake {
        name: "others".to_owned(),
        user: Some("ana".to_owned()),
        ..TokenMake::default()
    };
    let token = site.desk.make_token(&root, &body).expect("made for her");
    let code = site.desk.reset(&root, "ana", (None, false));
    code.expect("told");
    give(&site, &root, "ana", &[role("auditor", "")]).expect("given");
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    let done = site.desk.change_user(&root, "ana", &suspended, None);
    done.expect("suspended");
    let rows = site
        .desk
        .audit(&root, &Cursor::default(), &AuditFilter::default());
    let rows = rows.expect("the journal").items;
    let told: Vec<_> = rows.iter().rev().take(5).rev().collect();
    let words: Vec<_> = told.iter().map(|row| &*row.text).collect();
    assert_eq!(
        words[..3],
        [
            "a code of user ana is good no more",
            "a token of user ana stands for nobody any more",
            "user ana has auditor at Acme",
        ]
    );
    assert_eq!(words[3], "a session of user ana is over");
    assert!(told.iter().all(|row| row.actor == told[0].actor));
    let id = token.id.parse::<seatkeeper_engine::ids::BearerId>();
    let name = site.desk.side().name(Kind::Token, id.expect("an id").0);
    assert_eq!(name.expect("read"), None, "nothing is called so any more");
}

#[test]
fn s14_a_token_signs_nobody_out() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    let signed_in = site.caller(78, "desk", false);
    let body = SignIn {
        login: "ana".to_owned(),
        password: Secret::new(FIRST),
        accept_terms: None,
    };
    site.desk.sign_in(&signed_in, &body).expect("hers");
    let token = TokenMake {
        name: "ci".to_owned(),
        ..TokenMake::default()
    };
    let token = site.desk.make_token(&signed_in, &token).expect("hers");
    let by = presents(&site, signed_in.clone(), &token.token).expect("hers");
    let refused = site.desk.sign_out(&by).expect_err("a token");
    assert!(
        refused.code == Code::BadRequest && refused.hint.contains("token revoke"),
        "{refused:?}"
    );
    assert_eq!(who(&site, &signed_in), is("ana", "signed_in"));
}

#[test]
fn s11_a_refusal_names_the_person_whom_an_account_is_signed_in_as() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    let refused = || {
        let body = crate::directory::unit("East", Some("home"));
        let no = site.desk.make_unit(&kiosk(&site), &body);
        no.expect_err("she lacks it").detail.clone()
    };
    let account = kiosk(&site).login.name.to_string();
    let before = refused();
    assert!(before.starts_with(&format!("{account} lacks")), "{before}");
    signs_in(&site, &kiosk(&site), "ana", FIRST).expect("signed in");
    let after = refused();
    let named =
        format!("ana, signed in by the account {account}, lacks the permission unit.manage");
    assert!(after.starts_with(&named), "{after}");
}
