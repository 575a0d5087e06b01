//! Roles over the desk, as those use them who want more than they have (F8, rule 1).

use crate::directory::{member, person, unit};
use crate::roles::{give, made, role};
use crate::site::Site;
use seatkeeper::wire::{
    Code, RoleDefine, RolesChange, TokenMake, UnitChange, UnitMake, UserChange,
};
use seatkeeper_core::authorize::Caller;

pub(crate) fn defined(
    site: &Site,
    by: &Caller,
    name: &str,
    permissions: &[&str],
    reach: &str,
) -> Result<(), Code> {
    let body = RoleDefine {
        permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
        reach: reach.to_owned(),
    };
    let defined = site.desk.define_role(by, name, &body, None);
    defined.map(drop).map_err(|refused| refused.code)
}

fn placed(units: &[&str]) -> UserChange {
    UserChange {
        units: Some(units.iter().map(|unit| (*unit).to_owned()).collect()),
        ..UserChange::default()
    }
}

fn until(date: u64) -> UserChange {
    UserChange {
        until: Some(date),
        ..UserChange::default()
    }
}

#[test]
fn f8_who_acts_for_an_account_keeps_nothing_of_it() {
    let site = Site::new();
    let root = site.root();
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
    made(&site, "ana", &["Dealer"]);
    made(&site, "wim", &["Works"]);
    give(&site, &root, "ana", &[role("administrator", "Dealer")]).expect("given");
    let own = give(&site, &site.ana(), "ana", &[role("administrator", "Works")]);
    let own = own.expect_err("not to herself");
    assert!(
        own.detail.contains("people of that account"),
        "{}",
        own.detail
    );
    give(&site, &site.ana(), "wim", &[role("administrator", "Works")])
        .expect("H3: to its own people");
}

#[test]
fn f8_a_producer_reaches_neither_the_home_account_nor_other_producers() {
    let site = Site::new();
    let root = site.root();
    for name in ["Maker", "Other"] {
        let producer = UnitMake {
            kind: Some("producer".to_owned()),
            ..unit(name, None)
        };
        site.desk.make_unit(&root, &producer).expect("a producer");
    }
    site.desk
        .make_unit(&root, &unit("Free", None))
        .expect("a customer");
    made(&site, "ana", &["Maker"]);
    made(&site, "bob", &["Acme"]);
    made(&site, "cy", &["Other"]);
    made(&site, "dee", &["Free"]);
    give(&site, &root, "ana", &[role("administrator", "Maker")]).expect("given");
    let change = |login: &str| {
        let suspended = UserChange {
            status: Some("suspended".to_owned()),
            ..UserChange::default()
        };
        let changed = site.desk.change_user(&site.ana(), login, &suspended, None);
        changed.map(drop).map_err(|refused| refused.code)
    };
    assert_eq!(change("bob"), Err(Code::NotFound));
    assert_eq!(change("cy"), Err(Code::NotFound));
    assert_eq!(change("dee"), Ok(()), "a customer that nobody manages");
}

#[test]
fn f8_a_unit_does_not_move_to_where_its_mover_has_more() {
    let site = Site::new();
    let root = site.root();
    for name in ["East", "West"] {
        site.desk
            .make_unit(&root, &unit(name, Some("Acme")))
            .expect(name);
    }
    made(&site, "ana", &["West"]);
    made(&site, "bob", &["East"]);
    defined(
        &site,
        &root,
        "mover",
        &["unit.read", "unit.manage"],
        "below",
    )
    .expect("defined");
    let roles = [role("mover", "Acme"), role("administrator", "West")];
    give(&site, &root, "ana", &roles).expect("given");
    let west = UnitChange {
        above: Some("West".to_owned()),
        ..UnitChange::default()
    };
    let moved = site.desk.change_unit(&site.ana(), "East", &west, None);
    assert_eq!(moved.expect_err("to her").code, Code::Forbidden);
}

#[test]
fn f8_who_only_sees_somebody_does_not_bring_them_into_their_own_place() {
    let site = Site::new();
    let root = site.root();
    site.desk
        .make_unit(&root, &unit("Globex", None))
        .expect("an account");
    made(&site, "ana", &["Globex"]);
    made(&site, "bob", &["Acme"]);
    let roles = [role("auditor", "Acme"), role("administrator", "Globex")];
    give(&site, &root, "ana", &roles).expect("given");
    let placed = site
        .desk
        .change_user(&site.ana(), "bob", &placed(&["Acme", "Globex"]), None);
    assert_eq!(placed.expect_err("only seen").code, Code::Forbidden);
    let group = seatkeeper::wire::GroupMake {
        name: "hers".to_owned(),
        unit: Some("Globex".to_owned()),
        ..seatkeeper::wire::GroupMake::default()
    };
    site.desk
        .make_group(&site.ana(), &group)
        .expect("a group of hers");
    let joined = site
        .desk
        .change_members(&site.ana(), "hers", &member("bob", true), None);
    assert_eq!(joined.expect_err("only seen").code, Code::Forbidden);
}

#[test]
fn f8_nobody_makes_a_role_of_more_than_they_have() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &["Acme"]);
    defined(&site, &root, "definer", &["role.define"], "unit").expect("defined");
    give(&site, &root, "ana", &[role("definer", "Acme")]).expect("given");
    let more = ["role.define", "daemon.operate"];
    let own = defined(&site, &site.ana(), "definer", &more, "unit");
    assert_eq!(own, Err(Code::Forbidden));
    let other = site.desk.remove_role(&site.ana(), "administrator", None);
    assert_eq!(other.expect_err("it gives more").code, Code::Forbidden);
}

#[test]
fn f8_a_seat_out_of_sight_is_not_taken_back() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    site.desk
        .make_unit(&root, &unit("East", Some("Acme")))
        .expect("East");
    made(&site, "ana", &["Acme"]);
    made(&site, "bob", &["East"]);
    let takes = ["seat.read", "seat.reclaim"];
    defined(&site, &root, "taker", &takes, "unit").expect("defined");
    give(&site, &root, "ana", &[role("taker", "Acme")]).expect("given");
    let seat = site
        .checkout(&site.bob(), &vendor)
        .expect("a seat")
        .reply
        .id;
    let taken = site.desk.reclaim(&site.ana(), &seat, true);
    assert_eq!(taken.expect_err("below her place").code, Code::NotFound);
}

#[test]
fn f8_nobody_prolongs_themselves() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &["Acme"]);
    made(&site, "bob", &["Acme"]);
    give(&site, &root, "ana", &[role("administrator", "Acme")]).expect("given");
    give(&site, &root, "bob", &[role("administrator", "Acme")]).expect("given");
    let guest = crate::site::NOON + 86_400;
    site.desk
        .change_user(&root, "ana", &until(guest), None)
        .expect("a guest");
    let own = site.desk.change_user(&site.ana(), "ana", &until(0), None);
    assert_eq!(own.expect_err("herself").code, Code::Forbidden);
    // Bob would be the last one who stays.
    let last = site.desk.change_user(&root, "bob", &until(guest), None);
    assert_eq!(last.expect_err("the last").code, Code::LastAdministrator);
}

#[test]
fn l4_who_distributes_licenses_makes_no_users_by_it() {
    let (site, _) = Site::licensed();
    made(&site, "ana", &["Acme"]);
    give(
        &site,
        &site.root(),
        "ana",
        &[role("license-manager", "Acme")],
    )
    .expect("given");
    let assign = |login: &str| seatkeeper::wire::Assignment {
        license: "ACME-1".to_owned(),
        user: Some(login.to_owned()),
        ..seatkeeper::wire::Assignment::default()
    };
    let ghost = site.desk.assign(&site.ana(), &assign("ghost"));
    assert_eq!(ghost.expect_err("nobody").code, Code::NotFound);
    site.desk
        .assign(&site.ana(), &assign("ana"))
        .expect("known");
    // And a refused assignment leaves nobody behind.
    let bad = seatkeeper::wire::Assignment {
        policies: vec![String::new()],
        ..assign("ghost")
    };
    assert!(site.desk.assign(&site.root(), &bad).is_err());
    let nobody = site.desk.user_shown(&site.root(), "ghost");
    assert_eq!(nobody.expect_err("nobody").code, Code::NotFound);
}

#[test]
fn s11_what_is_made_while_a_role_is_given_does_not_outlast_it() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    give(&site, &root, "ana", &[role("portal-administrator", "")]).expect("given");
    for n in 0..40 {
        let login = format!("cat{n}");
        made(&site, &login, &[]);
        let makes = |by: usize| {
            let name = format!("of ana {by}");
            let made = named_token(&site, &site.ana(), &login, &name);
            assert!(
                made.as_ref()
                    .map_or_else(|no| *no == Code::Forbidden, |()| true),
                "{made:?}"
            );
        };
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..3).map(|by| scope.spawn(move || makes(by))).collect();
            give(&site, &root, &login, &[role("auditor", "")]).expect("given");
            hands
                .into_iter()
                .for_each(|hand| hand.join().expect("no panic"));
        });
        let state = &site.desk.keeper().recorded().state;
        let bearers = &state.credentials.bearers;
        assert_eq!(bearers.len(), 0, "made for {login}, who had nothing then");
    }
}

#[test]
fn s11_who_loses_a_right_places_nobody_afterwards() {
    let site = Site::new();
    let root = site.root();
    in_two_places(&site);
    for _ in 0..40 {
        give(&site, &root, "ana", &[role("portal-administrator", "")]).expect("given");
        let places = |by: usize| {
            let mut tries = (0..).map(|n| moved(&site, &format!("cat{by}"), n));
            let no = tries.find_map(Result::err);
            let no = no.expect("it is taken from her");
            assert!(matches!(no, Code::Forbidden | Code::NotFound), "{no:?}");
        };
        std::thread::scope(|scope| {
            let hands: Vec<_> = (0..3).map(|by| scope.spawn(move || places(by))).collect();
            let takes = RolesChange {
                take: vec![role("portal-administrator", "")],
                ..RolesChange::default()
            };
            let taken = site.desk.change_roles(&root, "ana", &takes, None);
            taken.expect("taken");
            hands
                .into_iter()
                .for_each(|hand| hand.join().expect("no panic"));
        });
        let revision = |login: &str| {
            let shown = site.desk.user_shown(&root, login);
            shown.expect("there").revision
        };
        let last = (0..3).map(|by| revision(&format!("cat{by}"))).max();
        assert!(last < Some(revision("ana")), "placed after it was taken");
    }
}

#[test]
fn s11_nobody_is_refused_because_others_are_placed() {
    let site = Site::new();
    in_two_places(&site);
    let given = [role("portal-administrator", "")];
    give(&site, &site.root(), "ana", &given).expect("given");
    let places = |by: usize| (0..30).try_for_each(|n| moved(&site, &format!("cat{by}"), n));
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..6).map(|by| scope.spawn(move || places(by))).collect();
        for hand in hands {
            assert_eq!(hand.join().expect("no panic"), Ok(()));
        }
    });
}

/// Ana, and some whom she could place in one of two units.
fn in_two_places(site: &Site) {
    for name in ["East", "West"] {
        let below = unit(name, Some("Acme"));
        site.desk.make_unit(&site.root(), &below).expect(name);
    }
    made(site, "ana", &["Acme"]);
    (0..6).for_each(|n| made(site, &format!("cat{n}"), &["East"]));
}

/// Ana places somebody in the one unit or the other.
fn moved(site: &Site, login: &str, n: usize) -> Result<(), Code> {
    let to = placed(&[["West", "East"][n % 2]]);
    let moved = site.desk.change_user(&site.ana(), login, &to, None);
    moved.map(drop).map_err(|refused| refused.code)
}

#[test]
fn d8_nobody_is_made_in_the_place_of_an_account_that_is_here_by_its_name() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    made(&site, "bob", &[]);
    give(&site, &root, "ana", &[role("portal-administrator", "")]).expect("given");
    let full = |name: &str| format!("{name}@{}", site.desk.settings().machine.to_uppercase());
    let no = site.desk.make_user(&site.ana(), &person(&full("bob"), &[]));
    assert_eq!(no.expect_err("bob would be another").code, Code::NameTaken);
    let made = |by: &Caller, name: &str| site.desk.make_user(by, &person(&full(name), &[]));
    made(&site.ana(), "cy").expect("nobody is here by that name");
    made(&root, "bob").expect("the daemon's administrator tells them apart");
}

#[test]
fn s14_nobody_makes_a_token_for_who_has_more_by_what_everybody_has() {
    let site = Site::new();
    let root = site.root();
    made(&site, "ana", &[]);
    made(&site, "bob", &[]);
    give(&site, &root, "ana", &[role("portal-administrator", "")]).expect("given");
    named_token(&site, &site.ana(), "bob", "one").expect("he has nothing");
    let more = ["unit.read", "license.install"];
    defined(&site, &root, "user", &more, "unit").expect("for everybody");
    let no = named_token(&site, &site.ana(), "bob", "two");
    // She is in the home account herself, and has it there.
    assert_eq!(no, Ok(()));
    site.desk
        .make_unit(&root, &unit("East", None))
        .expect("made");
    site.desk
        .change_user(&root, "ana", &placed(&["East"]), None)
        .expect("placed");
    let no = named_token(&site, &site.ana(), "bob", "three");
    assert_eq!(no, Err(Code::Forbidden));
}

fn named_token(site: &Site, by: &Caller, login: &str, name: &str) -> Result<(), Code> {
    let body = TokenMake {
        name: name.to_owned(),
        user: Some(login.to_owned()),
        ..TokenMake::default()
    };
    let made = site.desk.make_token(by, &body);
    made.map(drop).map_err(|refused| refused.code)
}
