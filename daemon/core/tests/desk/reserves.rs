//! Reserves over the desk: what is kept for whom, how much of it is filled, and what others are told (rule 11).

use crate::site::{Site, Vendor, checkout};
use seatkeeper::wire::{
    Assignment, AssignmentChange, CheckoutBody, Code, ExplainBody, Item, Problem,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::Cursor;
use std::collections::BTreeMap;

fn seats(n: u64) -> BTreeMap<String, u64> {
    [("modeler".to_owned(), n)].into()
}

/// Two seats, of which one is kept for bob.
fn kept() -> (Site, Vendor, Assignment) {
    let (site, vendor) = Site::licensed();
    let for_bob = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("bob".to_owned()),
        reserve: seats(1),
        ..Assignment::default()
    };
    let made = site.desk.assign(&site.root(), &for_bob);
    (site, vendor, made.expect("assigned"))
}

fn refused(site: &Site, vendor: &Vendor, caller: &Caller, n: u32) -> Box<Problem> {
    let body = CheckoutBody {
        items: vec![Item {
            n,
            ..checkout(vendor).items.remove(0)
        }],
        ..checkout(vendor)
    };
    let no = site.desk.checkout(caller, &body).map(drop);
    no.expect_err("kept for others")
}

/// The noes of reserves, for the test that every code is produced.
pub(crate) fn noes(found: &mut Vec<Problem>) {
    let (site, vendor, _) = kept();
    site.checkout(&site.ana(), &vendor).expect("what is left");
    found.push(*refused(&site, &vendor, &site.ana(), 1));
    let more = Assignment {
        license: "ACME-1".to_owned(),
        user: Some("cy".to_owned()),
        reserve: seats(2),
        ..Assignment::default()
    };
    let no = site.desk.assign(&site.root(), &more);
    found.push(*no.expect_err("more than there is"));
}

#[test]
fn r11_who_is_refused_is_told_what_is_kept_and_what_helps() {
    let (site, vendor, kept) = kept();
    site.checkout(&site.ana(), &vendor).expect("what is left");
    let no = refused(&site, &vendor, &site.ana(), 1);
    assert_eq!((&no.code, no.rule), (&Code::ReservedForOthers, Some(11)));
    assert_eq!(
        (no.in_use, no.total, no.reserved),
        (Some(1), Some(2), Some(1))
    );
    assert_eq!(no.assignment, None, "bob's is out of her sight");
    assert!(no.retryable && no.retry_after_s.is_some(), "{no:?}");
    assert!(
        no.detail.starts_with("1 of 2 seats") && no.detail.ends_with("1 are reserved for others"),
        "{}",
        no.detail
    );
    // Whoever may not change it is told no command.
    assert!(!no.hint.contains("`seatkeeper"), "{}", no.hint);
    let no = refused(&site, &vendor, &site.root(), 1);
    let command = format!("`seatkeeper license change {} --reserve", kept.id);
    assert!(no.hint.contains(&command), "{}", no.hint);
    // More than is ever left beside it: no wait helps.
    let no = refused(&site, &vendor, &site.ana(), 2);
    assert_eq!((&no.code, no.rule), (&Code::ReservedForOthers, Some(13)));
    assert!(!no.retryable, "{no:?}");
    site.checkout(&site.bob(), &vendor).expect("his own");
}

#[test]
fn r11_lists_tell_what_is_reserved_and_how_much_of_it_is_filled() {
    let (site, vendor, kept) = kept();
    let root = site.root();
    let told = || {
        let known = site.desk.assignment(&root, &kept.id).expect("it stands");
        let license = site.desk.license(&root, "", "ACME-1").expect("installed");
        let pools = site.desk.pools(&site.ana(), &Cursor::default());
        let pools = pools.expect("a list").items;
        let (feature, pool) = (&license.features[0], &pools[0]);
        assert_eq!(
            (feature.reserved, feature.reserved_filled),
            (pool.reserved, pool.reserved_filled)
        );
        let filled = known.filled.get("modeler").copied();
        (known.reserve, filled, pool.reserved, pool.reserved_filled)
    };
    assert_eq!(told(), (seats(1), Some(0), 1, 0));
    let seat = site.checkout(&site.bob(), &vendor).expect("his own");
    assert_eq!(told(), (seats(1), Some(1), 1, 1));
    site.desk
        .reclaim(&root, &seat.reply.id, false)
        .expect("asked for");
    // Until it is free it is his.
    assert_eq!(told(), (seats(1), Some(1), 1, 1));
    // What a change does not name stays; with none named there is none.
    let change = |reserve| AssignmentChange {
        reserve,
        ..AssignmentChange::default()
    };
    let changed = |body| site.desk.change_assignment(&root, &kept.id, &body, None);
    let same = changed(AssignmentChange {
        priority: Some(3),
        ..change(None)
    });
    assert_eq!(same.expect("changed").item.reserve, seats(1));
    let none = changed(change(Some(BTreeMap::new())));
    assert!(none.expect("changed").item.reserve.is_empty());
    assert_eq!(told(), (BTreeMap::new(), None, 0, 0));
}

#[test]
fn r11_over_promised_names_the_bound() {
    let (site, _, kept) = kept();
    let root = site.root();
    let change = |reserve, max| AssignmentChange {
        reserve: Some(seats(reserve)),
        max,
        ..AssignmentChange::default()
    };
    let no = site
        .desk
        .change_assignment(&root, &kept.id, &change(3, None), None)
        .expect_err("two seats");
    assert_eq!((&no.code, no.rule), (&Code::OverPromised, Some(11)));
    assert!(
        no.detail
            .ends_with("3 seats of modeler would be reserved, and license ACME-1 has 2"),
        "{}",
        no.detail
    );
    assert_eq!(
        (no.in_use, no.total),
        (None, None),
        "no seat of them is in use"
    );
    let no = site
        .desk
        .change_assignment(&root, &kept.id, &change(2, Some(seats(1))), None)
        .expect_err("over its own max");
    assert!(no.detail.contains(&kept.id), "{}", no.detail);
    let made = site.desk.assignment(&root, &kept.id).expect("it stands");
    assert_eq!(made.reserve, seats(1));
}

#[test]
fn r22_why_names_the_reserve_to_whom_may_see_it() {
    let (site, vendor, kept) = kept();
    site.checkout(&site.ana(), &vendor).expect("what is left");
    let body = ExplainBody {
        user: Some("ana".to_owned()),
        product: Some("cad".to_owned()),
        item: checkout(&vendor).items.remove(0),
        roots: None,
        interactive: false,
        suppose: Vec::new(),
    };
    let told = site.desk.explain(&site.root(), &body, |_| true);
    let told = told.expect("an explanation");
    let step = told.steps.iter().find(|step| step.rule == 11);
    let step = step.expect("a step of rule 11");
    assert_eq!(step.denied, Some(Code::ReservedForOthers));
    assert!(
        step.text.ends_with("the most for user bob"),
        "{}",
        step.text
    );
    // Whose they are is not told to whom may not see it.
    let own = ExplainBody { user: None, ..body };
    let told_ana = site.desk.explain(&site.ana(), &own, |_| true);
    let told_ana = told_ana.expect("an explanation");
    let step = told_ana.steps.iter().find(|step| step.rule == 11);
    let step = step.expect("a step of rule 11");
    assert!(step.text.ends_with("reserved for others"), "{}", step.text);
    let named = format!("{told_ana:?}");
    assert!(
        !named.contains("bob") && !named.contains(&kept.id),
        "{named}"
    );
    assert!(!told.granted && told.summary.contains("reserved_for_others"));
}
