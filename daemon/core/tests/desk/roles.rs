//! Roles over the desk: what people see and may, by place (F8 to F12), and whom the journal says they acted for.

use crate::directory::{acme, person, unit};
use crate::registrations::{access, account, asks};
use crate::site::{Site, Vendor};
use seatkeeper::wire::{
    Assignment, Code, Ended, ExplainBody, GivenRole, Item, Problem, RegistrationApprove,
    RoleDefine, RolesChange, TokenMake, UnitMake, UserChange,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};

pub(crate) fn role(name: &str, unit: &str) -> GivenRole {
    GivenRole {
        role: name.to_owned(),
        unit: unit.to_owned(),
    }
}

fn gives(roles: &[GivenRole]) -> RolesChange {
    RolesChange {
        give: roles.to_vec(),
        take: Vec::new(),
    }
}

fn takes(roles: &[GivenRole]) -> RolesChange {
    RolesChange {
        give: Vec::new(),
        take: roles.to_vec(),
    }
}

fn suspended() -> UserChange {
    UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    }
}

pub(crate) fn give(
    site: &Site,
    by: &Caller,
    login: &str,
    roles: &[GivenRole],
) -> Result<(), Box<Problem>> {
    let given = site.desk.change_roles(by, login, &gives(roles), None);
    given.map(drop)
}

pub(crate) fn made(site: &Site, login: &str, units: &[&str]) {
    let person = person(login, units);
    site.desk.make_user(&site.root(), &person).expect(login);
}

/// The last who gives roles in an account with people in it.
pub(crate) fn lone_administrator() -> Box<Problem> {
    let (site, root) = (Site::new(), Site::new().root());
    site.desk
        .make_unit(&root, &unit("Works", None))
        .expect("an account");
    made(&site, "ana", &["Works"]);
    made(&site, "bob", &["Works"]);
    let administrator = [role("administrator", "Works")];
    give(&site, &root, "ana", &administrator).expect("given");
    let taken = site
        .desk
        .change_roles(&root, "ana", &takes(&administrator), None);
    taken.expect_err("nobody else gives roles")
}

fn units_seen(site: &Site, by: &Caller) -> Vec<String> {
    let page = site.desk.units(by, &Cursor::default()).expect("a list");
    let mut paths: Vec<_> = page.items.into_iter().map(|unit| unit.path).collect();
    paths.sort();
    paths
}

fn users_seen(site: &Site, by: &Caller) -> Vec<String> {
    let page = site.desk.users(by, (None, None), &Cursor::default());
    let mut logins: Vec<_> = page
        .expect("a list")
        .items
        .into_iter()
        .map(|user| user.login)
        .collect();
    logins.sort();
    logins
}

fn sees_no_users(site: &Site, by: &Caller) {
    let refused = site.desk.users(by, (None, None), &Cursor::default());
    assert_eq!(refused.expect_err("no right").code, Code::Forbidden);
}

#[test]
fn f10_a_portal_administrator_sees_the_places_of_the_fixture() {
    let site = Site::new();
    acme(&site);
    made(&site, "ana", &["Acme New York"]);
    made(&site, "cy", &["Acme Boston"]);
    made(&site, "dee", &["Special Operations"]);
    let places = [
        role("portal-administrator", "Acme Massachusetts"),
        role("portal-administrator", "Acme New York"),
    ];
    give(&site, &site.root(), "ana", &places).expect("given");
    let below = "Acme North America/Acme East";
    assert_eq!(
        units_seen(&site, &site.ana()),
        [
            format!("{below}/Acme Massachusetts"),
            format!("{below}/Acme Massachusetts/Acme Boston"),
            format!("{below}/Acme New York"),
        ]
    );
    assert_eq!(users_seen(&site, &site.ana()), ["ana", "cy"]);
    let unseen = site
        .desk
        .user_shown(&site.ana(), "dee")
        .expect_err("another branch");
    let nobody = site
        .desk
        .user_shown(&site.ana(), "nobody")
        .expect_err("nobody");
    assert_eq!((unseen.code, nobody.code), (Code::NotFound, Code::NotFound));
    assert_eq!(
        unseen.detail.replace("dee", "nobody"),
        nobody.detail,
        "what is out of sight is told as if there were none"
    );
}

#[test]
fn f11_a_portal_user_sees_their_own_accounts_and_no_more() {
    let site = Site::new();
    acme(&site);
    made(&site, "bob", &["Acme Boston", "Special Operations"]);
    made(&site, "cy", &["Acme Boston"]);
    assert_eq!(
        units_seen(&site, &site.bob()),
        [
            "Acme North America/Acme East/Acme Massachusetts/Acme Boston",
            "Special Operations"
        ]
    );
    let own = site.desk.user_shown(&site.bob(), "bob").expect("oneself");
    assert_eq!(own.units.len(), 2);
    let other = site
        .desk
        .user_shown(&site.bob(), "cy")
        .expect_err("a neighbour");
    assert_eq!(other.code, Code::Forbidden, "{}", other.detail);
}

#[test]
fn f12_what_a_role_gives_can_be_changed() {
    let site = Site::new();
    acme(&site);
    made(&site, "bob", &["Acme Boston"]);
    made(&site, "cy", &["Acme Boston"]);
    let body = RoleDefine {
        permissions: vec!["unit.read".to_owned(), "user.read".to_owned()],
        reach: "unit".to_owned(),
    };
    let root = site.root();
    let own = site.desk.define_role(&site.bob(), "user", &body, None);
    assert_eq!(own.expect_err("not his").code, Code::Forbidden);
    let defined = site
        .desk
        .define_role(&root, "user", &body, Some(0))
        .expect("defined");
    assert!(defined.usual && defined.changed);
    assert_eq!(users_seen(&site, &site.bob()), ["bob", "cy"]);
    // The second of two editors is told.
    let second = site.desk.define_role(&root, "user", &body, Some(0));
    assert_eq!(second.expect_err("changed").code, Code::WrongRevision);
    site.desk
        .remove_role(&root, "user", Some(defined.revision))
        .expect("as it came");
    sees_no_users(&site, &site.bob());
}

#[test]
fn f8_nobody_gives_more_than_they_have_nor_changes_who_has_more() {
    let site = Site::new();
    acme(&site);
    let root = site.root();
    made(&site, "ana", &["Acme East"]);
    made(&site, "bob", &["Acme Boston"]);
    made(&site, "cy", &["Acme Boston"]);
    let leads = RoleDefine {
        permissions: ["user.read", "user.manage", "unit.read", "role.give"]
            .map(str::to_owned)
            .to_vec(),
        reach: "below".to_owned(),
    };
    site.desk
        .define_role(&root, "leader", &leads, None)
        .expect("defined");
    give(&site, &root, "ana", &[role("leader", "Acme East")]).expect("given");
    give(
        &site,
        &root,
        "bob",
        &[role("administrator", "Acme North America")],
    )
    .expect("given");
    let ana = site.ana();
    give(&site, &ana, "cy", &[role("leader", "Acme Boston")]).expect("as far as she reaches");
    let more = give(
        &site,
        &ana,
        "cy",
        &[role("portal-administrator", "Acme Boston")],
    );
    let more = more.expect_err("more than she has");
    assert_eq!(more.code, Code::Forbidden, "{}", more.detail);
    let further = give(&site, &ana, "cy", &[role("leader", "Acme North America")]);
    assert_eq!(further.expect_err("out of sight").code, Code::NotFound);
    let own = give(&site, &ana, "ana", &[role("administrator", "Acme East")]);
    assert_eq!(own.expect_err("herself").code, Code::Forbidden);
    // Bob is in her place, and has more than she.
    let over = site.desk.change_user(&ana, "bob", &suspended(), None);
    assert_eq!(over.expect_err("he has more").code, Code::Forbidden);
    let gone = site.desk.remove_user(&ana, "bob", false, None);
    assert_eq!(gone.expect_err("he has more").code, Code::Forbidden);
    site.desk
        .change_user(&ana, "cy", &suspended(), None)
        .expect("she gave it");
}

/// Ana looks after one of two branches, in which both users sit.
fn two_branches() -> (Site, Vendor) {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    for name in ["East", "West"] {
        site.desk
            .make_unit(&root, &unit(name, Some("Acme")))
            .expect(name);
    }
    made(&site, "ana", &["East"]);
    made(&site, "bob", &["East"]);
    made(&site, "cy", &["West"]);
    give(&site, &root, "ana", &[role("portal-administrator", "East")]).expect("given");
    (site, vendor)
}

#[test]
fn f8_holders_in_lists_in_denials_and_in_why_are_those_that_one_sees() {
    let (site, vendor) = two_branches();
    let cy = site.caller(1003, "cy", false);
    let (bobs, cys) = (
        site.checkout(&site.bob(), &vendor)
            .expect("a seat")
            .reply
            .id,
        site.checkout(&cy, &vendor).expect("a seat").reply.id,
    );
    let seats = |by: &Caller| {
        let page = site
            .desk
            .seats(by, &Cursor::default(), |_| true)
            .expect("a list");
        page.items
            .into_iter()
            .map(|seat| seat.user)
            .collect::<Vec<_>>()
    };
    assert_eq!(seats(&site.ana()), ["bob"]);
    assert_eq!(seats(&cy), ["cy"]);
    let refused = site.checkout(&site.ana(), &vendor).expect_err("full");
    assert_eq!(refused.code, Code::NoSeatFree);
    assert_eq!(refused.holders.len(), 1, "{:?}", refused.holders);
    assert!(refused.holders[0].starts_with("bob"));
    let why = |user: &str| {
        let body = ExplainBody {
            user: Some(user.to_owned()),
            item: Item {
                feature: "modeler".to_owned(),
                version: None,
                n: 1,
            },
            product: None,
            roots: None,
            interactive: false,
            suppose: Vec::new(),
        };
        site.desk.explain(&site.ana(), &body, |_| true)
    };
    let told = why("bob").expect("he is hers");
    let users: Vec<_> = told.holders.iter().map(|seat| &*seat.user).collect();
    assert_eq!(users, ["bob"]);
    let (other, nobody) = (
        why("cy").expect_err("not hers"),
        why("zoe").expect_err("not hers"),
    );
    assert_eq!(
        (other.code, nobody.code),
        (Code::Forbidden, Code::Forbidden)
    );
    assert_eq!(
        other.detail, nobody.detail,
        "whether there is such a one is not told"
    );
    let (own, unseen) = (
        site.desk.reclaim(&site.ana(), &bobs, true),
        site.desk.reclaim(&site.ana(), &cys, true),
    );
    own.expect("in her place");
    assert_eq!(unseen.expect_err("elsewhere").code, Code::NotFound);
}

#[test]
fn h8_a_user_sees_the_licenses_that_cover_them() {
    let (site, vendor) = two_branches();
    let other = vendor.file(&site.key(), |l| l.sub = "ACME-2".to_owned());
    site.install(&other, false).expect("installed");
    let seen = |by: &Caller| {
        let page = site.desk.licenses(by, &Cursor::default()).expect("a list");
        page.items
            .into_iter()
            .map(|license| license.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&site.bob()), ["ACME-1"]);
    assert_eq!(seen(&site.root()), ["ACME-1", "ACME-2"]);
    let pools = site
        .desk
        .pools(&site.bob(), &Cursor::default())
        .expect("a list");
    assert_eq!(pools.items.len(), 1);
    let unseen = site
        .desk
        .license(&site.bob(), "", "ACME-2")
        .expect_err("not his");
    assert_eq!(unseen.code, Code::NotFound);
    // Who distributes licenses in the account sees what there is to distribute.
    assert_eq!(seen(&site.ana()), ["ACME-1", "ACME-2"]);
}

#[test]
fn h1_who_acts_for_a_customer_is_told_so_in_the_audit() {
    let site = Site::new();
    let root = site.root();
    let dealer = UnitMake {
        kind: Some("partner".to_owned()),
        ..unit("Dealer", None)
    };
    site.desk.make_unit(&root, &dealer).expect("a partner");
    made(&site, "ana", &["Dealer"]);
    give(&site, &root, "ana", &[role("administrator", "Dealer")]).expect("given");
    // H2: she makes her customer's account and its people without anybody's leave.
    let works = UnitMake {
        managed_by: Some("Dealer".to_owned()),
        ..unit("Works", None)
    };
    let ana = site.ana();
    site.desk
        .make_unit(&ana, &works)
        .expect("a customer of hers");
    site.desk
        .make_user(&ana, &person("wim", &["Works"]))
        .expect("a user of hers");
    let elsewhere = site.desk.make_unit(&ana, &unit("Free", None));
    assert_eq!(elsewhere.expect_err("nobody's").code, Code::Forbidden);
    let page = site
        .desk
        .audit(&root, &Cursor::default(), &AuditFilter::default())
        .expect("a page");
    let last = page.items.last().expect("an event");
    assert!(last.text.contains("wim"), "{}", last.text);
    assert!(last.actor.ends_with("acting for Works"), "{}", last.actor);
    // Switched over (H5, H6): all users of that customer, and no others.
    let of = site
        .desk
        .users(&ana, (Some("Works"), None), &Cursor::default())
        .expect("a list");
    assert_eq!(of.items.len(), 1);
    // H14: nobody is an administrator by being made.
    assert!(of.items[0].roles.is_empty());
}

#[test]
fn f8_a_right_ends_with_its_role_its_owner_and_its_place() {
    let (site, _) = two_branches();
    let root = site.root();
    assert_eq!(users_seen(&site, &site.ana()), ["ana", "bob"]);
    site.desk
        .change_user(&root, "ana", &suspended(), None)
        .expect("suspended");
    sees_no_users(&site, &site.ana());
    let active = UserChange {
        status: Some("active".to_owned()),
        ..UserChange::default()
    };
    site.desk
        .change_user(&root, "ana", &active, None)
        .expect("active");
    // Another place of what she looks after, and hers is what is in it now.
    let west = seatkeeper::wire::UnitChange {
        above: Some("West".to_owned()),
        ..seatkeeper::wire::UnitChange::default()
    };
    site.desk
        .change_unit(&root, "East", &west, None)
        .expect("moved");
    assert_eq!(users_seen(&site, &site.ana()), ["ana", "bob"]);
    assert_eq!(units_seen(&site, &site.ana()), ["Acme/West/East"]);
    let east = [role("portal-administrator", "East")];
    site.desk
        .change_roles(&root, "ana", &takes(&east), None)
        .expect("taken");
    sees_no_users(&site, &site.ana());
}

/// How many people a license is for is told of those whom one sees.
#[test]
fn d3_f8_who_sees_a_part_is_told_how_many_of_it_may_use_a_license() {
    let (site, _) = two_branches();
    let to_east = Assignment {
        license: "ACME-1".to_owned(),
        unit: Some("East".to_owned()),
        ..Assignment::default()
    };
    let made = site.desk.assign(&site.ana(), &to_east).expect("hers");
    let told = (made.people, made.may_use.get("modeler").copied());
    assert_eq!(told, (Some(2), Some(2)), "ana and bob, and nobody of West");
    let to_west = Assignment {
        unit: Some("West".to_owned()),
        ..to_east
    };
    let made = site.desk.assign(&site.root(), &to_west).expect("assigned");
    assert_eq!(made.people, Some(3));
}

#[test]
fn d15_who_gives_more_is_told_what_ended_by_it() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    let lent = || {
        let token = TokenMake {
            name: "ci".to_owned(),
            user: Some("ana".to_owned()),
            ..TokenMake::default()
        };
        site.desk.make_token(&root, &token).expect("made");
    };
    let gives = |name: &str| {
        let body = gives(&[role(name, "")]);
        let given = site.desk.change_roles(&root, "ana", &body, None);
        given.expect("given").ended
    };
    lent();
    site.desk.reset(&root, "ana", (None, false)).expect("told");
    let both = Ended {
        codes: 1,
        tokens: 1,
        sessions: 0,
    };
    assert_eq!(gives("auditor"), Some(both));
    assert_eq!(gives("auditor"), None, "the same again");
    let shown = site.desk.user_shown(&root, "ana").expect("ana");
    assert_eq!(shown.ended, None);
    // A role that gives more is given to everyone who has it.
    lent();
    let auditor = site.desk.role_shown(&root, "auditor").expect("there");
    let mut more = auditor.permissions.clone();
    more.push("user.manage".to_owned());
    let defines = |permissions: &[String]| {
        let body = RoleDefine {
            permissions: permissions.to_vec(),
            reach: auditor.reach.clone(),
        };
        let defined = site.desk.define_role(&root, "auditor", &body, None);
        defined.expect("defined").ended
    };
    let token = Ended {
        tokens: 1,
        ..Ended::default()
    };
    assert_eq!(defines(&more), Some(token));
    lent();
    assert_eq!(defines(&auditor.permissions), None, "less");
    // Whoever waited and is let in.
    let works = account(&site, "Works", "customer");
    asks(&site, "cy", &access(&works, None)).expect("waits");
    site.desk.reset(&root, "cy", (None, false)).expect("told");
    let approve = RegistrationApprove::default();
    let let_in = site.desk.approve_registration(&root, "cy", &approve, None);
    let code = Ended {
        codes: 1,
        ..Ended::default()
    };
    assert_eq!(let_in.expect("let in").ended, Some(code));
}

#[test]
fn f8_a_role_is_refused_with_what_helps() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    made(&site, "ana", &["Acme"]);
    made(&site, "bob", &["Acme"]);
    let define = |permission: &str| {
        let body = RoleDefine {
            permissions: vec![permission.to_owned()],
            reach: "below".to_owned(),
        };
        desk.define_role(&root, "helper", &body, None)
    };
    let no = define("group.mange").expect_err("no permission");
    for words in ["group.read, group.manage", "`seatkeeper role list`"] {
        assert!(no.hint.contains(words), "{}", no.hint);
    }
    let no = define("mange").expect_err("no permission");
    assert!(no.hint.starts_with("`seatkeeper role list`"), "{}", no.hint);
    define("group.read").expect("defined");
    for name in ["ana", "bob"] {
        give(&site, &root, name, &[role("helper", "Acme")]).expect(name);
    }
    let no = desk.remove_role(&root, "helper", None).expect_err("had");
    assert_eq!(no.code, Code::NotEmpty);
    assert!(
        no.detail.ends_with("somebody has it: ana, bob"),
        "{}",
        no.detail
    );
    let hint = "`seatkeeper role take helper ana --unit 'Acme'`";
    assert!(no.hint.starts_with(hint), "{}", no.hint);
}
