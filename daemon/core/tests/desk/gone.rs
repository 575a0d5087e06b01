//! What a change took with it is told to who made it, of what they see.

use crate::directory::person;
use crate::registrations::{access, account, asks};
use crate::roles::{give, made, role};
use crate::site::Site;
use seatkeeper::wire::{
    AddressAsk, Assignment, Ended, GroupMake, MembersChange, RoleDefine, TokenMake, UnitChange,
};
use seatkeeper_core::authorize::Caller;
use std::collections::BTreeMap;

const TOKEN: Option<Ended> = Some(Ended {
    codes: 0,
    tokens: 1,
    sessions: 0,
});
const CODE: Option<Ended> = Some(Ended {
    codes: 1,
    tokens: 0,
    sessions: 0,
});

fn group(site: &Site, name: &str) {
    let body = GroupMake {
        name: name.to_owned(),
        ..GroupMake::default()
    };
    site.desk.make_group(&site.root(), &body).expect(name);
}

fn assigns(site: &Site, to: Assignment) {
    let body = Assignment {
        license: "ACME-1".to_owned(),
        ..to
    };
    site.desk.assign(&site.root(), &body).expect("assigned");
}

fn to_group(name: &str) -> Assignment {
    Assignment {
        group: Some(name.to_owned()),
        max: BTreeMap::from([("modeler".to_owned(), 1)]),
        ..Assignment::default()
    }
}

fn defines(site: &Site, name: &str, permissions: &[&str]) -> Option<Ended> {
    let body = RoleDefine {
        permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
        reach: "below".to_owned(),
    };
    let defined = site.desk.define_role(&site.root(), name, &body, None);
    defined.expect("defined").ended
}

/// A token that an administrator makes for somebody.
fn lends(site: &Site, login: &str) {
    let token = TokenMake {
        name: "ci".to_owned(),
        user: Some(login.to_owned()),
        ..TokenMake::default()
    };
    site.desk.make_token(&site.root(), &token).expect("made");
}

#[test]
fn r3_what_was_assigned_to_who_is_taken_away_is_told_to_who_sees_it() {
    let (site, _) = Site::licensed();
    let (root, desk) = (site.root(), &site.desk);
    for name in ["CAD", "CAM"] {
        group(&site, name);
        assigns(&site, to_group(name));
    }
    let gone = desk.remove_group(&root, "CAD", false, None).expect("gone");
    let told = &gone.assignments[..];
    assert_eq!((told.len(), told[0].group.as_deref()), (1, Some("CAD")));
    assert_eq!((&*told[0].license, told[0].max["modeler"]), ("ACME-1", 1));
    // Whoever manages groups and sees no assignments is told of none.
    made(&site, "ana", &[]);
    defines(&site, "clerk", &["group.read", "group.manage"]);
    give(&site, &root, "ana", &[role("clerk", "")]).expect("given");
    let gone = desk.remove_group(&site.ana(), "CAM", false, None);
    assert_eq!(gone.expect("gone").assignments, []);
    // Of users, and of those who waited.
    made(&site, "bob", &[]);
    let home = desk.unit_of(&root, "home").expect("there").id;
    asks(&site, "cy", &access(&home, None)).expect("waits");
    for name in ["bob", "cy"] {
        let user = Some(name.to_owned());
        assigns(
            &site,
            Assignment {
                user,
                ..Assignment::default()
            },
        );
    }
    let bob = desk.remove_user(&root, "bob", false, None).expect("gone");
    let cy = desk.refuse_registration(&root, "cy", None).expect("gone");
    for (gone, name) in [(bob, "bob"), (cy, "cy")] {
        let users = gone.assignments.iter().map(|one| one.user.as_deref());
        assert_eq!(users.collect::<Vec<_>>(), [Some(name)]);
    }
}

#[test]
fn d15_what_ended_by_a_role_that_is_as_it_came_or_reaches_more_is_told() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    for (name, above) in [("West", "home"), ("East", "home")] {
        let body = crate::directory::unit(name, Some(above));
        desk.make_unit(&root, &body).expect(name);
    }
    made(&site, "ana", &["West"]);
    let west = [role("portal-administrator", "West")];
    give(&site, &root, "ana", &west).expect("given");
    lends(&site, "ana");
    assert_eq!(defines(&site, "portal-administrator", &["user.read"]), None);
    let again = desk.remove_role(&root, "portal-administrator", None);
    let again = again.expect("as it came");
    assert_eq!(
        (again.usual, again.changed, again.ended),
        (true, false, TOKEN)
    );
    // One that nobody has ends nothing, and is told as it was.
    defines(&site, "clerk", &["user.read"]);
    let gone = desk.remove_role(&root, "clerk", None).expect("gone");
    assert_eq!(
        (&gone.permissions[..], gone.ended),
        (&["user.read".to_owned()][..], None)
    );
    // A unit that comes into the reach of her role.
    lends(&site, "ana");
    let below = UnitChange {
        above: Some("West".to_owned()),
        ..UnitChange::default()
    };
    let moved = desk.change_unit(&root, "East", &below, None);
    assert_eq!(moved.expect("moved").item.ended, TOKEN);
    let shown = desk.unit_of(&root, "East").expect("there");
    assert_eq!(shown.ended, None);
}

#[test]
fn s11_what_ended_by_a_word_for_an_address_is_told_of_those_who_are_seen() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    let (works, mills) = (
        account(&site, "Works", "customer"),
        account(&site, "Mills", "customer"),
    );
    desk.make_user(&root, &person("ana", &["Works"]))
        .expect("ana");
    let boss = [role("administrator", "Works")];
    give(&site, &root, "ana", &boss).expect("given");
    let claims = |name: &str, address: &str| {
        let waits = |name: &str, account: &str| {
            asks(&site, name, &access(account, Some(address))).expect("waits");
        };
        waits(name, &works);
        let other = format!("{name}-elsewhere");
        waits(&other, &mills);
        let at: Caller = site.caller(7000, &other, false);
        let ask = AddressAsk {
            address: address.to_owned(),
            password: None,
        };
        let asked = desk.ask_address(&at, &ask, &|_| true).expect("asked");
        assert!(asked.code.is_some(), "mailed");
    };
    claims("cy", "cy@x.example");
    let verified = desk.verify_registration(&site.ana(), "cy", None);
    assert_eq!(
        verified.expect("hers").ended,
        None,
        "of Mills she sees nobody"
    );
    claims("di", "di@x.example");
    let verified = desk.verify_registration(&root, "di", None);
    assert_eq!(verified.expect("theirs").ended, CODE);
    // Who is let in by it, because their domain is.
    desk.let_in(&root, ("Works", "y.example"), true, None)
        .expect("listed");
    asks(&site, "eve", &access(&works, Some("eve@y.example"))).expect("waits");
    desk.reset(&root, "eve", (None, false)).expect("told");
    let verified = desk.verify_registration(&root, "eve", None).expect("in");
    assert_eq!((&*verified.status, verified.ended), ("active", CODE));
}

#[test]
fn r2_who_was_in_a_group_already_did_not_join_it() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    made(&site, "ana", &[]);
    made(&site, "bob", &[]);
    group(&site, "CAD");
    group(&site, "Inner");
    let changes = |come: &[&str], leave: &[&str]| {
        let texts = |of: &[&str]| of.iter().map(|one| (*one).to_owned()).collect();
        let body = MembersChange {
            add_users: texts(come),
            add_groups: vec!["Inner".to_owned()],
            drop_users: texts(leave),
            ..MembersChange::default()
        };
        let changed = desk.change_members(&root, "CAD", &body, None);
        let changed = changed.expect("changed");
        (changed.joined, changed.left)
    };
    assert_eq!(changes(&["ana", "ANA"], &[]), (2, 0));
    assert_eq!(changes(&["ana", "bob"], &[]), (1, 0));
    assert_eq!(changes(&[], &["ana", "bob"]), (0, 2));
    assert_eq!(changes(&[], &["ana"]), (0, 0));
}
