//! The organisation over the desk: what an administrator types, by name, and what comes of it (rules 1 to 4, 10).

use crate::site::{Site, Vendor, check, checkout, renewal};
use seatkeeper::token::claims;
use seatkeeper::wire::{
    Assignment, AssignmentChange, CheckoutBody, Code, EndingHolder, ExplainBody, GroupChange,
    GroupMake, Item, LeaseReply, MembersChange, Problem, UnitChange, UnitMake, UserChange,
    UserMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::Cursor;

pub(crate) fn unit(name: &str, above: Option<&str>) -> UnitMake {
    UnitMake {
        name: name.to_owned(),
        above: above.map(str::to_owned),
        kind: above.is_none().then(|| "customer".to_owned()),
        ..UnitMake::default()
    }
}

pub(crate) fn member(user: &str, joins: bool) -> MembersChange {
    let users = vec![user.to_owned()];
    let (add_users, drop_users) = match joins {
        true => (users, Vec::new()),
        false => (Vec::new(), users),
    };
    MembersChange {
        add_users,
        drop_users,
        ..MembersChange::default()
    }
}

pub(crate) fn person(login: &str, units: &[&str]) -> UserMake {
    UserMake {
        login: login.to_owned(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..UserMake::default()
    }
}

fn placed(units: &[&str]) -> UserChange {
    UserChange {
        units: Some(units.iter().map(|unit| (*unit).to_owned()).collect()),
        ..UserChange::default()
    }
}

fn below(above: &str) -> UnitChange {
    UnitChange {
        above: Some(above.to_owned()),
        ..UnitChange::default()
    }
}

fn to(group: Option<&str>, unit: Option<&str>) -> Assignment {
    Assignment {
        license: "ACME-1".to_owned(),
        group: group.map(str::to_owned),
        unit: unit.map(str::to_owned),
        ..Assignment::default()
    }
}

/// The tree of F5, F6, F10 and F11: Acme North America, and Special Operations beside it.
pub(crate) fn acme(site: &Site) {
    let root = site.root();
    let make = |name: &str, above: Option<&str>| {
        site.desk.make_unit(&root, &unit(name, above)).expect(name);
    };
    make("Acme North America", None);
    make("Acme East", Some("Acme North America"));
    make("Acme Massachusetts", Some("Acme North America/Acme East"));
    make("Acme Boston", Some("Acme Massachusetts"));
    make("Acme New York", Some("Acme East"));
    make("Special Operations", None);
}

/// The noes of a directory, for the test that every code is produced.
pub(crate) fn noes(found: &mut Vec<Problem>) {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    acme(&site);
    let desk = &site.desk;
    let refused = |found: &mut Vec<Problem>, problem: Box<Problem>| found.push(*problem);
    let again = desk.make_unit(&root, &unit("ACME EAST", Some("Acme North America")));
    refused(found, again.expect_err("taken, whatever the case"));
    refused(
        found,
        desk.remove_unit(&root, "Acme East", None)
            .expect_err("full"),
    );
    let round = desk.change_unit(&root, "Acme East", &below("Acme Boston"), None);
    refused(found, round.expect_err("below itself"));
    desk.make_user(&root, &person("cy", &["Acme Boston"]))
        .expect("cy");
    let line = desk.change_user(&root, "cy", &placed(&["Acme Boston", "Acme East"]), None);
    refused(found, line.expect_err("one line"));
    let partner = UnitMake {
        kind: Some("partner".to_owned()),
        ..unit("Dealer", None)
    };
    desk.make_unit(&root, &partner).expect("a partner");
    let mixed = desk.change_user(&root, "cy", &placed(&["Acme Boston", "Dealer"]), None);
    refused(found, mixed.expect_err("two kinds"));
    refused(
        found,
        desk.change_user(&root, "cy", &placed(&[]), None)
            .expect_err("nowhere"),
    );
    let suspended = UserChange {
        status: Some("suspended".to_owned()),
        ..UserChange::default()
    };
    site.checkout(&site.ana(), &vendor).expect("ana is met");
    desk.change_user(&root, "ana", &suspended, None)
        .expect("suspended");
    refused(
        found,
        site.checkout(&site.ana(), &vendor)
            .map(drop)
            .expect_err("not active"),
    );
    let keeps_bob_out = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("bob".to_owned()),
        exclude: vec!["*".to_owned()],
        ..Assignment::default()
    };
    desk.assign(&root, &keeps_bob_out).expect("assigned");
    refused(
        found,
        site.checkout(&site.bob(), &vendor)
            .map(drop)
            .expect_err("excluded"),
    );
    over(found);
}

/// The noes of limits.
fn over(found: &mut Vec<Problem>) {
    let (site, vendor) = with_groups();
    let root = site.root();
    let desk = &site.desk;
    acme(&site);
    desk.change_members(&root, "CAD", &member("ana", true), None)
        .expect("joined");
    let home = desk.settings().site_name.clone();
    let limited = |assignment: Assignment, most: u64| Assignment {
        max: [("modeler".to_owned(), most)].into(),
        ..assignment
    };
    let to_bob = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("bob".to_owned()),
        ..Assignment::default()
    };
    for (assignment, caller) in [
        (limited(to(Some("CAD"), None), 1), site.ana()),
        (limited(to_bob, 1), site.bob()),
    ] {
        let made = desk.assign(&root, &assignment).expect("assigned");
        assert_eq!(made.max["modeler"], 1);
        site.checkout(&caller, &vendor).expect("the one");
        let no = site.checkout(&caller, &vendor).map(drop);
        found.push(*no.expect_err("no more"));
    }
    let (site, vendor) = with_groups();
    let unit = limited(to(None, Some(&home)), 1);
    site.desk.assign(&site.root(), &unit).expect("assigned");
    site.checkout(&site.ana(), &vendor).expect("the one");
    let no = site.checkout(&site.bob(), &vendor).map(drop);
    found.push(*no.expect_err("no more"));
}

#[test]
fn f4_f5_f6_a_user_is_in_no_two_units_of_one_line() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    site.desk
        .make_user(&root, &person("cy", &["Acme Boston"]))
        .expect("cy");
    for above in ["Acme Massachusetts", "Acme East", "Acme North America"] {
        let both = placed(&["Acme Boston", above]);
        let refused = site.desk.change_user(&root, "cy", &both, None);
        let refused = refused.expect_err("in one line");
        assert_eq!((refused.code, refused.rule), (Code::OneLine, Some(1)));
        // Once, at the beginning, and the units by their paths.
        let detail = &refused.detail;
        assert_eq!(detail.matches("cy").count(), 1, "{detail}");
        let high = format!("{above} and in ");
        assert!(
            detail.starts_with("user cy would be in ") && detail.contains(&high),
            "{detail}"
        );
    }
    let both = placed(&["Acme Boston", "Special Operations"]);
    let changed = site
        .desk
        .change_user(&root, "CY", &both, None)
        .expect("beside");
    assert_eq!(changed.item.units.len(), 2);
    let boston = "Acme North America/Acme East/Acme Massachusetts/Acme Boston";
    assert!(
        changed.item.units.contains(&boston.to_owned()),
        "{:?}",
        changed.item.units
    );
}

#[test]
fn d6_a_move_that_breaks_it_is_refused_and_lists_whom() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    let both = person("cy", &["Acme Boston", "Acme New York"]);
    site.desk.make_user(&root, &both).expect("cy");
    let refused = site
        .desk
        .change_unit(&root, "Acme Boston", &below("Acme New York"), None);
    let refused = refused.expect_err("one line");
    assert_eq!(refused.code, Code::OneLine);
    assert!(refused.detail.ends_with(": cy"), "{}", refused.detail);
    let moved = site.desk.change_unit(
        &root,
        "Acme Massachusetts",
        &below("Special Operations"),
        None,
    );
    let moved = moved.expect("apart from each other");
    assert_eq!(moved.item.path, "Special Operations/Acme Massachusetts");
}

#[test]
fn d8_names_compare_without_case_and_are_found_by_path_name_and_id() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    let desk = &site.desk;
    let east = desk
        .unit_of(&root, "acme north america/ACME EAST")
        .expect("by path");
    assert_eq!(desk.unit_of(&root, "acme east").expect("by name"), east);
    assert_eq!(desk.unit_of(&root, &east.id).expect("by id"), east);
    assert_eq!((east.units, east.name.as_str()), (2, "Acme East"));
    desk.make_unit(&root, &unit("Acme East", Some("Special Operations")))
        .expect("elsewhere");
    let two = desk.unit_of(&root, "Acme East").expect_err("which?");
    assert!(
        two.detail.contains("Special Operations/Acme East"),
        "{}",
        two.detail
    );
    // The home account is called as the site is.
    let home = desk.unit_of(&root, &site.desk.settings().site_name.to_uppercase());
    assert!(home.expect("the home account").home);
    for name in [
        "a/b",
        " a",
        "a\u{202e}b",
        "a\u{200d}b",
        "0123456789abcdef0123456789abcdef",
        "",
    ] {
        let refused = desk
            .make_unit(&root, &unit(name, Some("Acme East")))
            .expect_err(name);
        assert_eq!(refused.code, Code::BadRequest, "{name:?}");
    }
    // One spelling of a letter with an accent is the other.
    let made = GroupMake {
        name: "Zu\u{308}rich".to_owned(),
        ..GroupMake::default()
    };
    desk.make_group(&root, &made).expect("a group");
    assert_eq!(
        desk.group_of(&root, "z\u{fc}RICH").expect("the same").name,
        "Z\u{fc}rich"
    );
}

#[test]
fn d8_a_name_that_was_refused_leaves_the_old_one() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    let rename = |unit: &str, name: &str| {
        let change = UnitChange {
            name: Some(name.to_owned()),
            ..UnitChange::default()
        };
        site.desk.change_unit(&root, unit, &change, None)
    };
    let taken = rename("Acme New York", "acme massachusetts").expect_err("taken");
    assert_eq!(taken.code, Code::NameTaken);
    let kept = site
        .desk
        .unit_of(&root, "Acme New York")
        .expect("still there");
    assert_eq!(kept.name, "Acme New York");
    let renamed = rename("Acme New York", "Acme NEW YORK")
        .expect("another case")
        .item;
    assert_eq!(
        (renamed.name.as_str(), &renamed.id),
        ("Acme NEW YORK", &kept.id)
    );
    rename("Acme New York", "Acme Albany").expect("another name");
    let gone = site.desk.unit_of(&root, "Acme New York").expect_err("gone");
    assert_eq!(gone.code, Code::NotFound);
}

#[test]
fn c7_c8_d4_a_group_gives_and_takes_and_tells_whose_seats_end() {
    let (site, vendor) = with_groups();
    let (root, ana) = (site.root(), site.ana());
    let desk = &site.desk;
    desk.assign(&root, &to(Some("CAD"), None))
        .expect("assigned");
    let refused = site
        .checkout(&ana, &vendor)
        .map(drop)
        .expect_err("not in it");
    assert_eq!(refused.code, Code::NotAssigned);
    desk.change_members(&root, "cad", &member("ana", true), None)
        .expect("joined");
    let body = checkout(&vendor);
    let seat = desk.checkout(&ana, &body).expect("a seat").reply;
    assert_eq!(
        why(&site, &ana),
        "the assignment covers the user, via group CAD"
    );
    let ending = desk
        .change_members(&root, "CAD", &member("ana", false), None)
        .expect("left");
    let ids: Vec<_> = ending
        .ending
        .iter()
        .map(|one: &EndingHolder| &one.id)
        .collect();
    assert_eq!(ids, [&seat.id]);
    let listed = desk.seats(&root, &Cursor::default(), |_| true);
    let listed = &listed.expect("seats").items[0];
    assert_eq!(
        (listed.state.as_str(), listed.hold_s),
        ("right_lost", ending.ending[0].within_s),
        "one end, told alike"
    );
    let last = renewed(&site, &vendor, &body, &seat, 1).last;
    assert_eq!(last, Some(claims::Last::RightLost));
}

#[test]
fn d1_two_routes_are_one_seat_and_removing_one_keeps_the_other() {
    let (site, vendor) = with_groups();
    let (root, ana) = (site.root(), site.ana());
    let desk = &site.desk;
    desk.change_members(&root, "CAD", &member("ana", true), None)
        .expect("joined");
    let by_group = desk
        .assign(&root, &to(Some("CAD"), None))
        .expect("by group");
    let own = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("ana".to_owned()),
        ..Assignment::default()
    };
    let own = desk.assign(&root, &own).expect("her own");
    let body = checkout(&vendor);
    let seat = desk.checkout(&ana, &body).expect("a seat").reply;
    desk.unassign(&root, &by_group.id, false, None)
        .expect("taken back");
    assert_eq!(renewed(&site, &vendor, &body, &seat, 1).last, None);
    desk.unassign(&root, &own.id, false, None)
        .expect("taken back");
    assert_eq!(
        renewed(&site, &vendor, &body, &seat, 2).last,
        Some(claims::Last::RightLost)
    );
}

#[test]
fn c12_policies_are_changed_without_unassigning_and_the_second_editor_is_told() {
    let site = Site::new();
    let vendor = Vendor::new("acme");
    let root = site.root();
    site.trust(&vendor).expect("trusted");
    let file = vendor.file(&site.key(), |license| {
        license.features[0].optional_policies = vec!["export".to_owned()];
    });
    site.install(&file, true).expect("installed");
    let all = site
        .desk
        .assignments(&root, &Cursor::default())
        .expect("assignments");
    let one = &all.items[0];
    assert!(one.everyone && one.policies.is_empty() && one.priority == Some(5));
    let with = |policy: &str| AssignmentChange {
        policies: Some(vec![policy.to_owned()]),
        ..AssignmentChange::default()
    };
    let changed = site
        .desk
        .change_assignment(&root, &one.id, &with("export"), Some(one.revision));
    assert_eq!(changed.expect("changed").item.policies, ["export"]);
    let late = site
        .desk
        .change_assignment(&root, &one.id, &with("export"), Some(one.revision));
    assert_eq!(
        late.expect_err("somebody else did").code,
        Code::WrongRevision
    );
    let none = site
        .desk
        .change_assignment(&root, &one.id, &with("fly"), None);
    let none = none.expect_err("no such policy");
    assert!(
        none.detail.contains("optional policy fly"),
        "{}",
        none.detail
    );
    let body = checkout(&vendor);
    let seat = site
        .desk
        .checkout(&site.ana(), &body)
        .expect("a seat")
        .reply;
    assert_eq!(
        renewed(&site, &vendor, &body, &seat, 1).policies,
        ["save", "export"]
    );
}

#[test]
fn d14_who_is_suspended_or_a_guest_no_more_has_no_right() {
    let (site, vendor) = Site::licensed();
    let (root, ana) = (site.root(), site.ana());
    let body = checkout(&vendor);
    let seat = site.desk.checkout(&ana, &body).expect("a seat").reply;
    let hard = UserChange {
        status: Some("suspended".to_owned()),
        hard: true,
        ..UserChange::default()
    };
    let changed = site
        .desk
        .change_user(&root, "ana", &hard, None)
        .expect("suspended");
    assert_eq!(
        (changed.item.status.as_str(), changed.ending.len()),
        ("suspended", 1)
    );
    let refused = site
        .desk
        .renew(&ana, &seat.id, &renewal(&body, 1, None))
        .map(drop);
    assert_eq!(refused.expect_err("at once").code, Code::LeaseEnded);
    let refused = site
        .checkout(&ana, &vendor)
        .map(drop)
        .expect_err("suspended");
    assert_eq!(refused.code, Code::UserNotActive);
    assert_eq!(refused.detail, "ana is not active: suspended");
    let guest = UserChange {
        status: Some("active".to_owned()),
        until: Some(1),
        ..UserChange::default()
    };
    site.desk
        .change_user(&root, "ana", &guest, None)
        .expect("a guest once");
    let over = |name| {
        let who = site.desk.whoami(&ana).expect("who");
        let hint = who.hint.is_some_and(|hint| hint.contains("is over"));
        let told = (who.over, hint);
        let over = site.desk.user_shown(&root, name).expect(name).over;
        assert_eq!(told, (over, over), "told to whom it is about, too");
        over
    };
    assert!(over("ana"));
    let refused = site
        .checkout(&ana, &vendor)
        .map(drop)
        .expect_err("long ago");
    assert_eq!(
        (refused.code, refused.limit.as_deref()),
        (Code::UserNotActive, Some("a guest whose last day is over"))
    );
    let for_good = UserChange {
        until: Some(0),
        ..UserChange::default()
    };
    site.desk
        .change_user(&root, "ana", &for_good, None)
        .expect("for good");
    assert!(!over("ana"));
    site.checkout(&ana, &vendor).expect("a seat again");
    // It is over by itself, on a daemon that nobody asks for anything.
    let guest = UserChange {
        until: Some(crate::site::NOON + 60),
        ..UserChange::default()
    };
    site.desk
        .change_user(&root, "ana", &guest, None)
        .expect("a guest for a minute");
    assert!(!over("ana"));
    site.clock.advance(std::time::Duration::from_secs(61));
    assert!(over("ana"));
}

#[test]
fn d2_lists_follow_groups_and_units_down() {
    let (site, _) = with_groups();
    let root = site.root();
    acme(&site);
    let desk = &site.desk;
    desk.make_user(&root, &person("cy", &["Acme Boston"]))
        .expect("cy");
    desk.make_user(&root, &person("di", &["Special Operations"]))
        .expect("di");
    let inner = GroupMake {
        name: "Inner".to_owned(),
        ..GroupMake::default()
    };
    desk.make_group(&root, &inner).expect("inner");
    let groups = MembersChange {
        add_groups: vec!["Inner".to_owned()],
        add_users: vec!["di".to_owned()],
        ..MembersChange::default()
    };
    desk.change_members(&root, "CAD", &groups, None)
        .expect("joined");
    desk.change_members(&root, "Inner", &member("cy", true), None)
        .expect("joined");
    let logins = |unit: Option<&str>, group: Option<&str>| {
        let page = desk
            .users(&root, (unit, group), &Cursor::default())
            .expect("users");
        let mut logins: Vec<_> = page.items.into_iter().map(|user| user.login).collect();
        logins.sort();
        logins
    };
    assert_eq!(logins(Some("Acme East"), None), ["cy"]);
    assert_eq!(logins(None, Some("CAD")), ["cy", "di"]);
    let members = desk
        .members(&root, "CAD", &Cursor::default())
        .expect("members")
        .items;
    let members: Vec<_> = members
        .iter()
        .map(|m| (m.kind.as_str(), m.name.as_str()))
        .collect();
    assert_eq!(members, [("group", "Inner"), ("user", "di")]);
    let shown = desk.user_shown(&root, "cy").expect("cy");
    assert_eq!(shown.groups, ["Inner"]);
    let rename = GroupChange {
        name: "Core".to_owned(),
    };
    desk.change_group(&root, "Inner", &rename, None)
        .expect("renamed");
    assert_eq!(desk.user_shown(&root, "cy").expect("cy").groups, ["Core"]);
    desk.remove_group(&root, "Core", false, None).expect("gone");
    assert!(desk.user_shown(&root, "cy").expect("cy").groups.is_empty());
}

#[test]
fn r1_who_is_taken_away_is_forgotten_by_name() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    site.checkout(&site.ana(), &vendor).expect("a seat");
    let id = site.desk.user_shown(&root, "ana").expect("ana").id;
    let ending = site
        .desk
        .remove_user(&root, "ana", false, None)
        .expect("gone")
        .ending;
    assert_eq!(ending.len(), 1);
    let seats = site
        .desk
        .seats(&root, &Cursor::default(), |_| true)
        .expect("seats");
    assert_eq!(
        (seats.items[0].user.as_str(), seats.items[0].state.as_str()),
        (id.as_str(), "right_lost")
    );
    site.checkout(&site.ana(), &vendor).expect("somebody new");
    assert_ne!(site.desk.user_shown(&root, "ana").expect("ana").id, id);
}

#[test]
fn d8_a_refused_change_leaves_every_name_as_it_was() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    acme(&site);
    let id = || Some("00112233445566778899aabbccddeeff".to_owned());
    let lab = |above: &str| UnitMake {
        id: id(),
        ..unit("Lab", Some(above))
    };
    let made = desk.make_unit(&root, &lab("Acme East")).expect("made");
    assert_eq!(
        desk.make_unit(&root, &lab("Acme East")).expect("the same"),
        made
    );
    let other = desk
        .make_unit(&root, &lab("Acme Boston"))
        .expect_err("elsewhere");
    assert_eq!(other.code, Code::Conflict);
    assert_eq!(desk.unit_of(&root, &made.id).expect("there").name, "Lab");
    let group = |unit: &str| GroupMake {
        id: id(),
        name: "CAD".to_owned(),
        unit: Some(unit.to_owned()),
    };
    desk.make_group(&root, &group("Acme East")).expect("made");
    desk.make_group(&root, &group("Acme Boston"))
        .expect_err("another one");
    let rename = GroupChange {
        name: "cad".to_owned(),
    };
    desk.change_group(&root, "CAD", &rename, Some(1))
        .expect_err("changed meanwhile");
    assert_eq!(desk.group_of(&root, "CAD").expect("there").name, "CAD");
    let cy = |login: &str| UserMake {
        id: id(),
        ..person(login, &["Acme East"])
    };
    desk.make_user(&root, &cy("cy")).expect("made");
    desk.make_user(&root, &cy("di")).expect_err("another one");
    assert_eq!(desk.user_shown(&root, "cy").expect("there").login, "cy");
}

#[test]
fn d8_many_hands_at_one_name_leave_it_a_name() {
    const NAMES: [&str; 4] = ["Acme Albany", "Acme Buffalo", "Acme Troy", "Acme New York"];
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    acme(&site);
    let id = desk.unit_of(&root, "Acme New York").expect("there").id;
    let renames = &|name: &'static str| {
        let mut done = 0;
        for name in [name, "Acme New York"].repeat(50) {
            let change = UnitChange {
                name: Some(name.to_owned()),
                ..UnitChange::default()
            };
            // Another hand may have been there in between: the last one's name counts.
            let changed = desk.change_unit(&root, &id, &change, None);
            done += usize::from(changed.is_ok());
        }
        done
    };
    let done: usize = std::thread::scope(|scope| {
        let hands = [NAMES[0], NAMES[0], NAMES[1], NAMES[2]];
        let hands = hands.map(|name| scope.spawn(move || renames(name)));
        let done = hands.map(|hand| hand.join().expect("no panic"));
        done.into_iter().sum()
    });
    assert_eq!(done, 400, "nobody else has one of these names");
    let name = desk.unit_of(&root, &id).expect("there").name;
    assert!(NAMES.contains(&&*name), "{name}");
    for one in NAMES {
        let found = desk.unit_of(&root, one).map(|unit| unit.id).ok();
        assert_eq!(found, (one == name).then(|| id.clone()), "{one}");
    }
}

#[test]
fn r1_no_other_account_is_found_where_the_home_account_is() {
    let site = Site::new();
    let root = site.root();
    for name in ["Home", &site.desk.settings().site_name.to_uppercase()] {
        let no = site
            .desk
            .make_unit(&root, &unit(name, None))
            .expect_err(name);
        assert_eq!(no.code, Code::NameTaken, "{name}");
    }
    acme(&site);
    // A unit right below home does not stand in the way of the account: each is found by its path.
    let below = site
        .desk
        .make_unit(&root, &unit("Special Operations", Some("home")))
        .expect("below home");
    let found = |text: &str| site.desk.unit_of(&root, text).expect(text);
    assert_eq!(found("Special Operations").above, None);
    assert_eq!(found(&below.path), below);
}

#[test]
fn d4_whose_seats_end_is_told_of_this_change_and_of_no_other() {
    let (site, vendor) = with_groups();
    let (root, ana) = (site.root(), site.ana());
    let desk = &site.desk;
    desk.assign(&root, &to(Some("CAD"), None))
        .expect("assigned");
    desk.change_members(&root, "CAD", &member("ana", true), None)
        .expect("joined");
    desk.checkout(&ana, &checkout(&vendor)).expect("a seat");
    let left = desk
        .change_members(&root, "CAD", &member("ana", false), None)
        .expect("left");
    assert_eq!(left.ending.len(), 1);
    desk.make_user(&root, &person("cy", &[])).expect("cy");
    let joined = desk
        .change_members(&root, "CAD", &member("cy", true), None)
        .expect("joined");
    assert!(joined.ending.is_empty(), "{joined:?}");
    let stale = desk.change_members(&root, "CAD", &member("cy", false), Some(1));
    assert_eq!(
        stale.expect_err("changed meanwhile").code,
        Code::WrongRevision
    );
    let hard = MembersChange {
        hard: true,
        ..member("cy", true)
    };
    let no = desk
        .change_members(&root, "CAD", &hard, None)
        .expect_err("nobody leaves");
    assert_eq!(no.code, Code::BadRequest);
}

/// What a renewal of a seat says.
fn renewed(
    site: &Site,
    vendor: &Vendor,
    body: &CheckoutBody,
    seat: &LeaseReply,
    n: u8,
) -> claims::Lease {
    let reply = site
        .desk
        .renew(&site.ana(), &seat.id, &renewal(body, n, None));
    let reply = reply.expect("a lease").reply;
    check(vendor, &seat.chain, &reply, n, true)
}

/// A licensed site that assigned its license to nobody, with a group.
fn with_groups() -> (Site, Vendor) {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    let all = site
        .desk
        .assignments(&root, &Cursor::default())
        .expect("assignments");
    for one in all.items {
        site.desk
            .unassign(&root, &one.id, false, None)
            .expect("taken back");
    }
    let cad = GroupMake {
        name: "CAD".to_owned(),
        ..GroupMake::default()
    };
    site.desk.make_group(&root, &cad).expect("a group");
    site.desk
        .make_user(&root, &person("ana", &[]))
        .expect("ana");
    (site, vendor)
}

/// The step of a `why` that tells the right, without the assignment's id.
fn why(site: &Site, caller: &Caller) -> String {
    let body = ExplainBody {
        suppose: Vec::new(),
        item: Item {
            feature: "modeler".to_owned(),
            version: Some("1".to_owned()),
            n: 1,
        },
        product: None,
        user: None,
        roots: None,
        interactive: false,
    };
    let told = site.desk.explain(caller, &body, |_| true).expect("why");
    let step = told
        .steps
        .iter()
        .find(|step| step.rule == 4)
        .expect("a right");
    let words = step.text.split(' ').filter(|word| word.len() != 32);
    words.collect::<Vec<_>>().join(" ")
}
