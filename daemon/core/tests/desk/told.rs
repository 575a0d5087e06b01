//! What a refusal and the audit log call things: whoever reads them knows which was meant, and what they can do.

use crate::directory::{acme, member, person, unit};
use crate::roles::{give, made, role};
use crate::site::{Site, checkout};
use seatkeeper::wire::{
    Assignment, AssignmentChange, CheckoutBody, Code, GroupMake, Item, UnitChange, UserChange,
};
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use std::collections::BTreeMap;

fn group(name: &str, unit: &str) -> GroupMake {
    GroupMake {
        id: None,
        name: name.to_owned(),
        unit: Some(unit.to_owned()),
    }
}

fn seats(n: u64) -> BTreeMap<String, u64> {
    [("modeler".to_owned(), n)].into()
}

#[test]
fn r2_a_name_of_a_group_is_of_one_in_the_whole_site() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    made(&site, "ana", &["Acme New York"]);
    let here = role("portal-administrator", "Acme New York");
    give(&site, &root, "ana", &[here]).expect("given");
    let make = |by, unit| site.desk.make_group(by, &group("modelers", unit));
    make(&root, "Acme Boston").expect("made");
    let no = make(&root, "Special Operations").expect_err("taken");
    assert_eq!(no.code, Code::NameTaken);
    assert!(
        no.detail
            .ends_with("another group of this site has this name"),
        "{}",
        no.detail
    );
    assert!(no.hint.contains("`seatkeeper group list`"), "{}", no.hint);
    // Her list does not show it.
    let no = make(&site.ana(), "Acme New York").expect_err("taken");
    assert!(
        no.hint.contains("not shown to you") && !no.hint.contains("group list"),
        "{}",
        no.hint
    );
}

#[test]
fn r1_a_unit_whose_name_is_taken_where_it_goes_is_renamed_first() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    let twin = unit("Acme Boston", Some("Special Operations"));
    site.desk.make_unit(&root, &twin).expect("elsewhere");
    let change = UnitChange {
        above: Some("Acme Massachusetts".to_owned()),
        ..UnitChange::default()
    };
    let moves = site
        .desk
        .change_unit(&root, "Special Operations/Acme Boston", &change, None);
    let no = moves.expect_err("taken");
    assert_eq!(no.code, Code::NameTaken);
    assert!(
        no.hint
            .contains("`seatkeeper unit rename 'Special Operations/Acme Boston' NAME`"),
        "{}",
        no.hint
    );
}

#[test]
fn r1_two_units_in_one_line_are_named() {
    let site = Site::new();
    let root = site.root();
    acme(&site);
    made(&site, "cy", &["Acme Boston"]);
    let both = UserChange {
        units: Some(vec!["Acme Boston".to_owned(), "Acme East".to_owned()]),
        ..UserChange::default()
    };
    let no = site.desk.change_user(&root, "cy", &both, None);
    let no = no.expect_err("one line");
    assert_eq!(no.code, Code::OneLine);
    assert_eq!(
        no.detail,
        "user cy would be in Acme North America/Acme East and in \
         Acme North America/Acme East/Acme Massachusetts/Acme Boston, which lies in it"
    );
}

#[test]
fn r8_whoever_names_no_unit_is_told_which_was_meant() {
    let site = Site::new();
    acme(&site);
    made(&site, "ana", &["Acme New York"]);
    let here = role("portal-administrator", "Acme New York");
    give(&site, &site.root(), "ana", &[here]).expect("given");
    let no = site.desk.make_user(&site.ana(), &person("dora", &[]));
    let no = no.expect_err("not at home");
    assert_eq!(no.code, Code::Forbidden);
    assert!(
        no.detail
            .ends_with("lacks the permission user.manage at the home account of this site"),
        "{}",
        no.detail
    );
    assert!(no.hint.contains("`--unit`"), "{}", no.hint);
}

#[test]
fn r10_the_hint_of_a_limit_names_its_feature_and_its_flag() {
    let (site, vendor) = Site::licensed();
    let root = site.root();
    let mut limited = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("bob".to_owned()),
        max: seats(1),
        ..Assignment::default()
    };
    let made = site.desk.assign(&root, &limited).expect("assigned");
    let more = |n| {
        let mut body = checkout(&vendor);
        body.items = vec![Item {
            n,
            ..body.items.remove(0)
        }];
        let admin = site.caller(1001, "bob", true);
        site.desk.checkout(&admin, &body).map(drop)
    };
    let no = more(2).expect_err("one is the most");
    assert_eq!(no.code, Code::RequestExceedsTotal);
    let hint = |flag: &str| {
        format!(
            "`seatkeeper license change {} {flag} modeler=N`, `{flag} none` for no limit",
            made.id
        )
    };
    assert_eq!(no.hint, hint("--max"));
    let change = AssignmentChange {
        max: Some(BTreeMap::new()),
        max_each: Some(seats(1)),
        ..AssignmentChange::default()
    };
    let changed = site.desk.change_assignment(&root, &made.id, &change, None);
    changed.expect("changed");
    assert_eq!(more(2).expect_err("one each").hint, hint("--max-each"));
    // No assignment gives more than the license has.
    let no = more(5).expect_err("two are all");
    assert_eq!((no.code, no.assignment), (Code::RequestExceedsTotal, None));
    assert_eq!(
        no.detail,
        "no license has so many seats of cad/modeler: the most is 2"
    );
    assert!(
        no.hint.starts_with("ask for 2 at most") && !no.hint.contains("license change"),
        "{}",
        no.hint
    );
    // What others reserve is told beside what was asked for.
    limited = Assignment {
        user: Some("cy".to_owned()),
        max: BTreeMap::new(),
        reserve: seats(1),
        ..limited
    };
    site.desk.assign(&root, &limited).expect("one of two");
    let change = AssignmentChange {
        max_each: Some(BTreeMap::new()),
        reserve: Some(seats(2)),
        ..AssignmentChange::default()
    };
    let no = site.desk.change_assignment(&root, &made.id, &change, None);
    let no = no.expect_err("three of two");
    assert!(
        no.detail.ends_with(
            "2 seats of modeler would be reserved, 3 with what is reserved already, and license ACME-1 has 2"
        ),
        "{}",
        no.detail
    );
    assert_eq!(no.reserved, None);
}

#[test]
fn d4_the_audit_log_says_of_an_assignment_whose_it_was() {
    let (site, _) = Site::licensed();
    let root = site.root();
    site.desk
        .make_group(&root, &group("CAD", "home"))
        .expect("made");
    made(&site, "cy", &[]);
    site.desk
        .change_members(&root, "CAD", &member("cy", true), None)
        .expect("joined");
    let to = Assignment {
        license: "ACME-1".to_owned(),
        group: Some("CAD".to_owned()),
        ..Assignment::default()
    };
    let made = site.desk.assign(&root, &to).expect("assigned");
    let change = AssignmentChange {
        max: Some(seats(1)),
        ..AssignmentChange::default()
    };
    let changed = site.desk.change_assignment(&root, &made.id, &change, None);
    changed.expect("changed");
    site.desk
        .unassign(&root, &made.id, false, None)
        .expect("taken back");
    let filter = AuditFilter::default();
    let cursor = Cursor::default();
    let page = site.desk.audit(&root, &cursor, &filter).expect("a page");
    let told: Vec<_> = page.items.into_iter().map(|event| event.text).collect();
    let whose = format!(
        "assignment of license acme/ACME-1 to group CAD (assignment {})",
        made.id
    );
    for end in [" changed, ", " taken back"] {
        let found = told
            .iter()
            .any(|text| text.starts_with(&format!("{whose}{end}")));
        assert!(found, "{end}: {told:#?}");
    }
}

#[test]
fn r20_an_id_in_capital_letters_is_told_what_it_has_to_be() {
    let (site, vendor) = Site::licensed();
    let capital = "ABCDEF0123456789ABCDEF0123456789";
    let refused = |change: &dyn Fn(&mut CheckoutBody)| {
        let mut body = checkout(&vendor);
        change(&mut body);
        let no = site.desk.checkout(&site.ana(), &body);
        no.expect_err("capital letters").detail
    };
    let form = "not 32 lower-case hex digits";
    assert_eq!(
        refused(&|body| capital.clone_into(&mut body.checkout_id)),
        format!("checkout_id: {form}")
    );
    assert_eq!(
        refused(&|body| capital.clone_into(&mut body.instance)),
        format!("instance: {form}")
    );
}
