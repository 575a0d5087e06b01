//! Who asks to come in, over the desk: by which way, who answers, and whom a domain lets in (rule 1).

use crate::accounts::{install, trusting};
use crate::site::Site;
use seatkeeper::wire::{
    Code, ExplainBody, Forgot, Item, Problem, Registration, RegistrationApprove, RegistrationMake,
    UnitChange, UnitMake, UserMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::side::Kind;
use seatkeeper_engine::state::REGISTRATIONS_MOST;

const WORKS: (&str, &str, &str) = ("C-7", "Works", "it@works.example");

fn company(name: &str, address: Option<&str>) -> RegistrationMake {
    RegistrationMake {
        company: Some(name.to_owned()),
        address: address.map(str::to_owned),
        ..RegistrationMake::default()
    }
}

pub(crate) fn access(account: &str, address: Option<&str>) -> RegistrationMake {
    RegistrationMake {
        access: Some(account.to_owned()),
        address: address.map(str::to_owned),
        ..RegistrationMake::default()
    }
}

/// Somebody with this login.
fn who(site: &Site, name: &str) -> Caller {
    let uid = name
        .bytes()
        .fold(5000, |uid, byte| uid * 31 % 60_000 + u32::from(byte));
    site.caller(uid, name, false)
}

pub(crate) fn asks(
    site: &Site,
    name: &str,
    body: &RegistrationMake,
) -> Result<Registration, Refused> {
    site.desk.register(&who(site, name), body)
}

fn approve(site: &Site, name: &str, units: &[&str]) -> Result<seatkeeper::wire::User, Refused> {
    let units = units.iter().map(|unit| (*unit).to_owned()).collect();
    let body = RegistrationApprove { units };
    site.desk
        .approve_registration(&site.root(), name, &body, None)
}

fn status(site: &Site, name: &str) -> Option<String> {
    site.desk
        .user_shown(&site.root(), name)
        .ok()
        .map(|user| user.status)
}

pub(crate) fn account(site: &Site, name: &str, kind: &str) -> String {
    let body = UnitMake {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        ..UnitMake::default()
    };
    site.desk.make_unit(&site.root(), &body).expect(name).id
}

/// The noes of those who ask, for the test that every code is produced.
pub(crate) fn noes(found: &mut Vec<Problem>) {
    let site = Site::new();
    for n in 0..REGISTRATIONS_MOST {
        asks(
            &site,
            &format!("u{n}"),
            &company(&format!("Company {n}"), None),
        )
        .expect("it waits");
    }
    let one_more = asks(&site, "late", &company("Late", None));
    found.push(*one_more.expect_err("so many may wait"));
    assert!(status(&site, "late").is_none());
}

#[test]
fn f13_a_company_name_makes_a_self_registered_account_with_the_one_who_asks() {
    let (site, vendor) = trusting();
    let made =
        asks(&site, "cy", &company("Fresh Ltd", Some("Cy@Fresh.example"))).expect("it waits");
    assert_eq!(
        (&*made.status, &*made.account, &*made.way),
        ("pending", "Fresh Ltd", "company")
    );
    assert_eq!(made.address.as_deref(), Some("cy@fresh.example"));
    let unit = site.desk.unit_of(&site.root(), "fresh ltd").expect("made");
    assert_eq!(
        (unit.kind.as_deref(), unit.users),
        (Some("self-registered"), 1)
    );
    // Who waits does not sit (B8); who was let in does.
    install(
        (&site, &vendor),
        "F-1",
        ("C-1", "x", "x@x.example"),
        Some("Fresh Ltd"),
    )
    .expect("installed");
    let everyone = seatkeeper::wire::Assignment {
        license: "F-1".to_owned(),
        everyone: true,
        ..seatkeeper::wire::Assignment::default()
    };
    site.desk.assign(&site.root(), &everyone).expect("assigned");
    let no = site
        .checkout(&who(&site, "cy"), &vendor)
        .expect_err("pending");
    assert_eq!(no.code, Code::UserNotActive);
    let user = approve(&site, "CY", &[]).expect("let in");
    assert_eq!((&*user.status, &*user.kind), ("active", "self-registered"));
    assert_eq!(user.address.as_deref(), Some("cy@fresh.example"));
    site.checkout(&who(&site, "cy"), &vendor).expect("a seat");
    let waits = site.desk.registrations(&site.root(), &Cursor::default());
    assert!(waits.expect("a list").items.is_empty());
    // Whoever is a user does not ask once more.
    let no = asks(&site, "cy", &company("Other Ltd", None)).expect_err("a user");
    assert!(
        no.code == Code::Conflict && no.detail.contains("a user here already"),
        "{no:?}"
    );
}

#[test]
fn f14_f15_the_id_of_a_self_registered_account_and_no_other_is_joined() {
    let (site, _) = trusting();
    let made = asks(&site, "cy", &company("Fresh", None)).expect("it waits");
    let works = account(&site, "Works", "customer");
    let join = |account: &str| RegistrationMake {
        join: Some(account.to_owned()),
        ..RegistrationMake::default()
    };
    let joined = asks(&site, "di", &join(&made.account_id)).expect("it waits");
    assert_eq!((&*joined.account, &*joined.way), ("Fresh", "join"));
    let accounts = |site: &Site| {
        let units = site.desk.units(&site.root(), &Cursor::default());
        units.expect("units").items.len()
    };
    assert_eq!(accounts(&site), 3, "no account is made for it");
    let home = site.desk.unit_of(&site.root(), "home").expect("home").id;
    let nowhere = "0123456789abcdef0123456789abcdef".to_owned();
    // One that did not make itself is told as one that is not there.
    let noes: Vec<_> = [works, home, nowhere]
        .iter()
        .map(|id| (id.clone(), asks(&site, "eve", &join(id)).expect_err("no")))
        .collect();
    for (id, no) in &noes {
        let detail = no.detail.replace(id, "ID");
        assert_eq!(
            (&no.code, &*detail),
            (&Code::NotFound, "there is no self-registered account ID")
        );
    }
    assert_eq!(
        asks(&site, "eve", &join("Fresh")).expect_err("a name").code,
        Code::BadRequest
    );
    assert!(status(&site, "eve").is_none());
}

#[test]
fn f16_f17_every_user_is_of_exactly_one_kind() {
    let (site, _) = trusting();
    for kind in ["producer", "partner", "customer"] {
        account(&site, &format!("A {kind}"), kind);
        let body = seatkeeper::wire::UserMake {
            login: kind.to_owned(),
            units: vec![format!("A {kind}")],
            ..seatkeeper::wire::UserMake::default()
        };
        site.desk.make_user(&site.root(), &body).expect("made");
    }
    asks(&site, "self", &company("Fresh", None)).expect("it waits");
    let both = seatkeeper::wire::UserMake {
        login: "both".to_owned(),
        units: vec!["Fresh".to_owned(), "A customer".to_owned()],
        ..seatkeeper::wire::UserMake::default()
    };
    site.desk
        .make_user(&site.root(), &both)
        .expect("customers both");
    let of = |kind: &str| {
        let users =
            site.desk
                .users_of_kind(&site.root(), Some(kind), (None, None), &Cursor::default());
        let mut logins: Vec<_> = users
            .expect(kind)
            .items
            .into_iter()
            .map(|user| user.login)
            .collect();
        logins.sort();
        logins
    };
    assert_eq!(of("producer"), ["producer"]);
    assert_eq!(of("partner"), ["partner"]);
    assert_eq!(of("customer"), ["both", "customer"]);
    assert_eq!(of("self-registered"), ["self"]);
    // Called a customer by an administrator it is one like others.
    let change = UnitChange {
        kind: Some("customer".to_owned()),
        ..UnitChange::default()
    };
    site.desk
        .change_unit(&site.root(), "Fresh", &change, None)
        .expect("changed");
    assert_eq!(of("self-registered"), [""; 0]);
}

#[test]
fn f19_the_id_of_a_license_leads_to_its_account() {
    let (site, vendor) = trusting();
    install((&site, &vendor), "W-1", WORKS, Some("new")).expect("installed");
    for (name, license) in [("cy", "W-1"), ("di", "acme/W-1")] {
        let body = RegistrationMake {
            license: Some(license.to_owned()),
            ..RegistrationMake::default()
        };
        let made = asks(&site, name, &body).expect("it waits");
        assert_eq!(
            (&*made.account, made.license.as_deref()),
            ("Works", Some("acme/W-1"))
        );
    }
    let body = RegistrationMake {
        license: Some("W-9".to_owned()),
        ..RegistrationMake::default()
    };
    assert_eq!(
        asks(&site, "eve", &body).expect_err("none").code,
        Code::NotFound
    );
}

#[test]
fn h3_a_request_goes_to_the_partner_who_manages_the_account() {
    let (site, _) = trusting();
    let works = account(&site, "Works", "customer");
    let made = asks(&site, "ana", &access(&works, None)).expect("it waits");
    assert_eq!(made.to, None, "the site's administrators");
    account(&site, "Maker", "producer");
    let made = asks(&site, "bob", &access(&works, None)).expect("it waits");
    assert_eq!(made.to.as_deref(), Some("Maker"));
    account(&site, "Dealer", "partner");
    let change = UnitChange {
        managed_by: Some("Dealer".to_owned()),
        ..UnitChange::default()
    };
    site.desk
        .change_unit(&site.root(), "Works", &change, None)
        .expect("managed");
    let made = asks(&site, "cy", &access(&works, None)).expect("it waits");
    assert_eq!((made.to.as_deref(), &*made.way), (Some("Dealer"), "access"));
    manager_answers(&site);
    let unit = UnitMake {
        name: "Lab".to_owned(),
        above: Some("Works".to_owned()),
        ..UnitMake::default()
    };
    site.desk.make_unit(&site.root(), &unit).expect("made");
    let no = approve(&site, "cy", &["Dealer"]).expect_err("outside");
    assert!(
        no.code == Code::BadRequest && no.detail.contains("outside of the account"),
        "{no:?}"
    );
    assert_eq!(
        approve(&site, "cy", &["Works/Lab"]).expect("let in").units,
        ["Works/Lab"]
    );
}

/// An administrator of the partner.
fn boss_of_dealer(site: &Site) -> Caller {
    let root = site.root();
    let body = seatkeeper::wire::UserMake {
        login: "boss".to_owned(),
        units: vec!["Dealer".to_owned()],
        ..seatkeeper::wire::UserMake::default()
    };
    site.desk.make_user(&root, &body).expect("made");
    let give = seatkeeper::wire::RolesChange {
        give: vec![seatkeeper::wire::GivenRole {
            role: "administrator".to_owned(),
            unit: "Dealer".to_owned(),
        }],
        ..seatkeeper::wire::RolesChange::default()
    };
    site.desk
        .change_roles(&root, "boss", &give, None)
        .expect("given");
    who(site, "boss")
}

/// An administrator of the manager sees who waits for its customer, and nobody else; what they answer is marked.
fn manager_answers(site: &Site) {
    let (root, boss) = (site.root(), boss_of_dealer(site));
    asks(site, "zoe", &company("Elsewhere", None)).expect("it waits");
    let seen = site.desk.registrations(&boss, &Cursor::default());
    let seen = seen.expect("a list").items;
    assert!(
        seen.iter().all(|one| one.account == "Works") && seen.len() == 3,
        "{seen:?}"
    );
    let no = site.desk.refuse_registration(&boss, "zoe", None);
    assert_eq!(no.expect_err("out of sight").code, Code::NotFound);
    let body = RegistrationApprove::default();
    let user = site.desk.approve_registration(&boss, "ana", &body, None);
    assert_eq!(user.expect("let in").status, "active");
    let page = site
        .desk
        .audit(&root, &Cursor::default(), &AuditFilter::default())
        .expect("the journal");
    let last = page.items.last().expect("an event");
    assert!(last.stored.contains("acting_for"), "{}", last.stored);
    let let_in = site
        .desk
        .let_in(&boss, ("Elsewhere", "x.example"), true, None);
    assert_eq!(let_in.expect_err("out of sight").code, Code::NotFound);
}

/// What `status` says of those who wait.
fn waits(site: &Site, caller: &Caller) -> Vec<(String, String)> {
    let told = site.desk.status(caller).expect("everybody may ask");
    let told = told.findings.into_iter();
    let told = told.filter(|one| ["registration", "reset"].contains(&&*one.about));
    told.map(|one| (one.text, one.remedy)).collect()
}

#[test]
fn d15_h3_who_waits_is_told_to_whoever_may_answer_and_to_nobody_else() {
    let (site, _) = trusting();
    let root = site.root();
    account(&site, "Dealer", "partner");
    let works = account(&site, "Works", "customer");
    let change = UnitChange {
        managed_by: Some("Dealer".to_owned()),
        ..UnitChange::default()
    };
    let managed = site.desk.change_unit(&root, "Works", &change, None);
    managed.expect("managed");
    let boss = boss_of_dealer(&site);
    assert_eq!((waits(&site, &root), waits(&site, &boss)), (vec![], vec![]));
    asks(&site, "cy", &access(&works, None)).expect("it waits");
    for name in ["zoe", "zac"] {
        asks(&site, name, &company(&format!("{name}'s"), None)).expect("it waits");
    }
    let forgot = Forgot {
        login: "zoe".to_owned(),
    };
    let filed = site.desk.file_forgotten(&who(&site, "zoe"), &forgot, None);
    filed.expect("on the list");
    let seen = waits(&site, &root);
    assert!(
        seen[0].0.starts_with("3 users asked to come in"),
        "{seen:?}"
    );
    assert!(seen[0].1.contains("`seatkeeper registration list`"));
    assert!(seen[1].0.starts_with("1 user cannot get in"), "{seen:?}");
    assert!(seen[1].1.contains("`seatkeeper user resets`") && seen.len() == 2);
    let seen = waits(&site, &boss);
    assert!(
        seen[0].0.starts_with("1 user asked to come in") && seen.len() == 1,
        "their customer's alone: {seen:?}"
    );
    assert_eq!(waits(&site, &who(&site, "cy")), []);
}

#[test]
fn b7_d7_only_exactly_a_listed_domain_lets_in_and_only_when_verified() {
    let (site, _) = trusting();
    let root = site.root();
    let works = account(&site, "Works", "customer");
    let unit = site
        .desk
        .let_in(&root, ("works", "Works.EXAMPLE"), true, None)
        .expect("listed");
    assert_eq!(unit.lets_in, ["works.example"]);
    let verified = |name: &str, address: &str| {
        asks(&site, name, &access(&works, Some(address))).expect(address);
        assert_eq!(
            status(&site, name).as_deref(),
            Some("pending"),
            "{address} is nobody's word yet"
        );
        site.desk
            .verify_registration(&root, name, None)
            .expect(address)
            .status
    };
    assert_eq!(verified("a", "A@WORKS.example"), "active");
    for (name, address) in [
        ("b", "b@mail.works.example"),
        ("c", "c@works.example.evil.example"),
        ("d", "d@w0rks.example"),
        ("e", "e@xn--wrks-55d.example"),
        ("f", "works.example@evil.example"),
        ("g", "g@orks.example"),
    ] {
        assert_eq!(verified(name, address), "pending", "{address}");
    }
    for (n, address) in [
        "h@w\u{43e}rks.example",
        "i@works.example.",
        "j@works.example\u{200b}",
        "k@works\u{3002}example",
    ]
    .iter()
    .enumerate()
    {
        let no = asks(&site, &format!("n{n}"), &access(&works, Some(address))).expect_err(address);
        assert_eq!(no.code, Code::BadRequest, "{address}");
    }
    for domain in [
        "w\u{43e}rks.example",
        "works.example.",
        "example",
        "*.example",
        ".example",
        "a@works.example",
        "\u{202e}elpmaxe.skrow",
    ] {
        let no = site
            .desk
            .let_in(&root, ("works", domain), true, None)
            .expect_err(domain);
        assert_eq!(no.code, Code::BadRequest, "{domain}");
    }
    let later = site
        .desk
        .let_in(&root, ("works", "mail.works.example"), true, None)
        .expect("listed");
    assert_eq!(later.lets_in, ["mail.works.example", "works.example"]);
    assert_eq!(
        status(&site, "b").as_deref(),
        Some("pending"),
        "it counts from then on"
    );
    let none = site
        .desk
        .let_in(&root, ("works", "WORKS.example"), false, None)
        .expect("dropped");
    assert_eq!(none.lets_in, ["mail.works.example"]);
    assert_eq!(verified("z", "z@works.example"), "pending");
    let stale = site
        .desk
        .let_in(&root, ("works", "more.example"), true, Some(1))
        .expect_err("stale");
    assert_eq!(stale.code, Code::WrongRevision);
}

#[test]
fn d8_one_registration_for_a_login_whatever_the_case() {
    let (site, _) = trusting();
    let works = account(&site, "Works", "customer");
    asks(&site, "Cy", &access(&works, Some("Cy@x.example"))).expect("it waits");
    let no = asks(&site, "cY", &access(&works, None)).expect_err("one at a time");
    assert!(
        no.code == Code::Conflict && no.hint.contains("registration show cy"),
        "{no:?}"
    );
    // Whoever sees them is led to them, whoever does not to another name.
    let one = crate::directory::person("cy", &[]);
    let no = site.desk.make_user(&site.root(), &one).expect_err("taken");
    assert!(
        no.code == Code::NameTaken && no.hint.contains("registration approve cy"),
        "{no:?}"
    );
    account(&site, "Dealer", "partner");
    let one = crate::directory::person("cy", &["Dealer"]);
    let no = site.desk.make_user(&boss_of_dealer(&site), &one);
    assert_eq!(no.expect_err("taken").hint, "take another login or address");
    // The same id and body is the same one (rule 20).
    let id = "00112233445566778899aabbccddeeff".to_owned();
    let body = RegistrationMake {
        id: Some(id.clone()),
        ..company("Fresh", Some("di@x.example"))
    };
    let first = asks(&site, "di", &body).expect("it waits");
    assert_eq!(asks(&site, "di", &body).expect("the same"), first);
    let other = RegistrationMake {
        address: Some("di@y.example".to_owned()),
        ..body
    };
    assert_eq!(
        asks(&site, "di", &other).expect_err("another").code,
        Code::Conflict
    );
    assert_eq!(first.id, id.clone());
    // Nor is it ever somebody else's (design 6): whoever is told it would have their past.
    let gone = site.desk.refuse_registration(&site.root(), "di", None);
    gone.expect("refused");
    let taken = RegistrationMake {
        id: Some(id.clone()),
        ..access(&works, None)
    };
    let no = asks(&site, "eve", &taken).expect_err("di's id");
    assert_eq!(no.code, Code::Conflict);
    let made = UserMake {
        id: Some(id),
        ..crate::directory::person("eve", &[])
    };
    let no = site.desk.make_user(&site.root(), &made);
    assert_eq!(no.expect_err("di's id").code, Code::Conflict);
    // Names of strange forms are refused, and taken by nobody.
    for name in [
        "a/b",
        "",
        "of\u{202e}fice",
        &"ö".repeat(65),
        "home",
        "WORKS",
    ] {
        asks(&site, "eve", &company(name, None)).expect_err(name);
    }
    assert!(status(&site, "eve").is_none());
}

#[test]
fn b8_who_is_refused_is_forgotten_and_may_ask_again() {
    let (site, _) = trusting();
    let root = site.root();
    let made = asks(&site, "cy", &company("Fresh", Some("cy@x.example"))).expect("it waits");
    site.desk
        .refuse_registration(&root, "cy", None)
        .expect("refused");
    assert!(status(&site, "cy").is_none() && site.desk.unit_of(&root, "Fresh").is_err());
    let side = site.desk.side();
    let id = u128::from_str_radix(&made.id, 16)
        .expect("an id")
        .to_be_bytes();
    assert_eq!(side.name(Kind::User, id).expect("readable"), None);
    let page = site
        .desk
        .audit(&root, &Cursor::default(), &AuditFilter::default())
        .expect("the journal");
    for event in &page.items {
        let stored = event.stored.to_lowercase();
        assert!(
            !stored.contains("x.example") && !stored.contains("fresh"),
            "{stored}"
        );
    }
    let told: Vec<_> = page.items.iter().map(|event| event.text.clone()).collect();
    assert!(
        told.iter().any(|text| text.contains("not let in")),
        "{told:?}"
    );
    asks(&site, "cy", &company("Fresh", Some("cy@x.example"))).expect("once more");
    let no = site
        .desk
        .refuse_registration(&root, "cy", Some(1))
        .expect_err("stale");
    assert_eq!(no.code, Code::WrongRevision);
    // Nobody but an administrator answers; who asked sees their own, and nothing else.
    let cy = who(&site, "cy");
    assert_eq!(
        site.desk
            .registration(&cy, "cy")
            .expect("their own")
            .account,
        "Fresh"
    );
    for no in [
        site.desk.registration(&cy, "di").map(drop),
        site.desk.registrations(&cy, &Cursor::default()).map(drop),
        site.desk.verify_registration(&cy, "cy", None).map(drop),
        site.desk.refuse_registration(&cy, "cy", None).map(drop),
        site.desk
            .let_in(&cy, ("Fresh", "x.example"), true, None)
            .map(drop),
    ] {
        assert_eq!(no.expect_err("no").code, Code::Forbidden);
    }
}

#[test]
fn d8_what_is_kept_of_an_address_goes_with_its_user_and_stays_over_a_sweep() {
    let (site, _) = trusting();
    let works = account(&site, "Works", "customer");
    asks(&site, "cy", &access(&works, Some("cy@x.example"))).expect("it waits");
    approve(&site, "cy", &[]).expect("let in");
    site.desk
        .let_in(&site.root(), ("works", "x.example"), true, None)
        .expect("listed");
    let then = site.desk.side().names_now().expect("readable");
    site.desk.sweep_names(then, &site.desk.snapshot());
    let user = site.desk.user_shown(&site.root(), "cy").expect("cy");
    assert_eq!(
        (user.address.as_deref(), user.address_is.as_deref()),
        (Some("cy@x.example"), Some("not_proved"))
    );
    let unit = site.desk.unit_of(&site.root(), "works").expect("there");
    assert_eq!(unit.lets_in, ["x.example"]);
    site.desk
        .remove_user(&site.root(), "cy", false, None)
        .expect("removed");
    asks(&site, "cy", &access(&works, Some("cy@x.example"))).expect("both are free again");
}

#[test]
fn r22_whoever_answers_is_led_to_who_waits_and_from_who_waits_to_the_answer() {
    let (site, vendor) = trusting();
    install((&site, &vendor), "ACME-1", WORKS, None).expect("a license");
    let (root, list) = (
        site.root(),
        "`seatkeeper registration list` shows who waits",
    );
    crate::roles::made(&site, "ana", &[]);
    for name in ["ana", "nobody"] {
        let noes = [
            site.desk.registration(&root, name).map(drop),
            approve(&site, name, &[]).map(drop),
            site.desk.refuse_registration(&root, name, None).map(drop),
            site.desk.verify_registration(&root, name, None).map(drop),
        ];
        for no in noes {
            let no = no.expect_err(name);
            assert_eq!(
                (&no.code, no.hint.as_str()),
                (&Code::NotFound, list),
                "{name}"
            );
        }
    }
    let home = site.desk.units(&root, &Cursor::default()).expect("units");
    asks(&site, "cy", &access(&home.items[0].id, None)).expect("waits");
    let hint = |caller: &Caller| {
        let no = site.checkout(caller, &vendor).expect_err("waits");
        assert_eq!(no.code, Code::UserNotActive);
        no.hint
    };
    let own = hint(&who(&site, "cy"));
    assert!(own.contains("to let you in"), "{own}");
    let body = ExplainBody {
        user: Some("cy".to_owned()),
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
    let why = site.desk.explain(&root, &body, |_| false).expect("why");
    let hint = why.denial.expect("waits").hint;
    assert!(
        hint.contains("`seatkeeper registration approve cy`"),
        "{hint}"
    );
}

/// An activation id is known to whoever was sent the license: nobody finds one by trying (F19).
#[test]
fn f19_who_guesses_at_activation_ids_fails_ten_times() {
    let (site, vendor) = trusting();
    install((&site, &vendor), "W-9", WORKS, Some("new")).expect("installed");
    let by = |license: &str| RegistrationMake {
        license: Some(license.to_owned()),
        ..RegistrationMake::default()
    };
    for n in 0..10 {
        let no = asks(&site, "eve", &by(&format!("W-1{n}"))).expect_err("none");
        assert_eq!(no.code, Code::NotFound, "{n}");
    }
    let no = asks(&site, "eve", &by("W-9")).expect_err("no more");
    assert!(
        no.code == Code::TooManyAttempts && no.retry_after_s.is_some(),
        "{no:?}"
    );
    asks(&site, "fay", &by("W-9")).expect("another account of the machine");
}
