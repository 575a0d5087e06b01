//! Named seats over the desk: whose they are, how they are counted, and what is told where none is left (rule 7).

use crate::site::{Site, Vendor, feature};
use seatkeeper::token::claims::{Count, Counting, Model};
use seatkeeper::wire::{Assignment, Code, ExplainBody, Item, Pool, Problem, Seat};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Released;
use seatkeeper_core::desk::view::Cursor;
use std::time::Duration;

/// Two named seats, bound to their owners for so many seconds; assigned to nobody.
fn named(min_s: u64) -> (Site, Vendor) {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    let text = vendor.file(&site.key(), |license| {
        let mut named = feature("modeler", 2);
        named.model = Model::Named;
        named.counting = Counting::User;
        named.share_max = Count::UNLIMITED;
        named.named_min_s = min_s;
        license.features = vec![named];
    });
    site.install(&text, false).expect("installed");
    (site, vendor)
}

fn assign(site: &Site, user: &str) -> Result<Assignment, Box<Problem>> {
    site.assign(Some(user))
}

fn pool(site: &Site) -> Pool {
    let pools = site.desk.pools(&site.root(), &Cursor::default());
    pools.expect("a list").items.remove(0)
}

fn seats(site: &Site, caller: &Caller) -> Vec<Seat> {
    let seats = site.desk.seats(caller, &Cursor::default(), |_| true);
    seats.expect("a list").items
}

/// The noes of named seats, for the test that every code is produced.
pub(crate) fn noes(found: &mut Vec<Problem>) {
    let (site, _) = named(3_600);
    assign(&site, "ana").expect("hers");
    let seat = seats(&site, &site.root()).remove(0);
    let no = site.desk.recall(&site.root(), &seat.id, false);
    found.push(*no.expect_err("too soon"));
}

#[test]
fn l17_owners_and_those_who_sit_are_counted() {
    let (site, vendor) = named(0);
    let counts = || {
        let (license, pool) = (site.desk.license(&site.root(), "", "ACME-1"), pool(&site));
        let feature = license.expect("listed").features.remove(0);
        assert_eq!((feature.in_use, feature.kept), (pool.in_use, pool.kept));
        assert!(pool.served && pool.status == "in_force", "{pool:?}");
        (pool.in_use, pool.kept, pool.free)
    };
    assert_eq!(counts(), (0, 0, Some(2)));
    assign(&site, "ana").expect("hers");
    assert_eq!(counts(), (1, 1, Some(1)));
    let seat = site.checkout(&site.ana(), &vendor).expect("her own");
    assert_eq!(counts(), (1, 0, Some(1)));
    let given = site.desk.release(&site.ana(), &seat.reply.id, None);
    assert!(matches!(given, Ok(Released::Ending(_))), "{given:?}");
    site.desk
        .reclaim(&site.root(), &seat.reply.id, true)
        .expect("taken back");
    assert_eq!(counts(), (1, 0, Some(1)), "until its hold is over");
}

#[test]
fn d3_a_no_leaves_nobody_behind_whom_it_named_first() {
    let (site, _) = named(0);
    for user in ["ana", "bob"] {
        assign(&site, user).expect("one of two");
    }
    let users = || {
        let page = site
            .desk
            .users(&site.root(), (None, None), &Cursor::default());
        page.expect("a list").items.len()
    };
    let before = (users(), site.desk.snapshot().state.events);
    let no = assign(&site, "cy").expect_err("none is left");
    assert_eq!(no.code, Code::NoSeatFree, "{no:?}");
    let unknown = Assignment {
        user: Some("cy".to_owned()),
        license: "ACME-1".to_owned(),
        policies: vec!["no such policy".to_owned()],
        ..Assignment::default()
    };
    let no = site
        .desk
        .assign(&site.root(), &unknown)
        .expect_err("no such policy");
    assert_ne!(no.code, Code::NoSeatFree, "{no:?}");
    assert_eq!(before, (users(), site.desk.snapshot().state.events));
}

#[test]
fn d3_a_named_seat_is_refused_where_none_is_left() {
    let (site, vendor) = named(0);
    let ana = assign(&site, "ana").expect("hers");
    assign(&site, "bob").expect("his");
    let no = assign(&site, "cy").expect_err("there are two");
    assert_eq!((&no.code, no.rule), (&Code::NoSeatFree, Some(7)));
    assert_eq!((no.in_use, no.total), (Some(2), Some(2)));
    assert!(no.detail.contains("2 of 2 named seats"), "{}", no.detail);
    assert!(no.hint.contains("seat reclaim ID --owner"), "{}", no.hint);
    let list = site.desk.assignments(&site.root(), &Cursor::default());
    assert_eq!(list.expect("a list").items.len(), 2, "nothing half done");
    // To whom it is covered otherwise, and who finds none, no command is named.
    site.assign(None).expect("everyone");
    let cy = site.caller(1002, "cy", false);
    let no = site.checkout(&cy, &vendor).expect_err("both have owners");
    assert_eq!((&no.code, no.rule), (&Code::NoSeatFree, Some(7)));
    assert!(!no.hint.contains("`seatkeeper"), "{}", no.hint);
    // Whose is taken away by unassigning is free at once, unless another route is left.
    site.desk
        .unassign(&site.root(), &ana.id, false, None)
        .expect("done");
    assert_eq!(pool(&site).in_use, 2, "everyone has the right still");
}

#[test]
fn r7_a_kept_seat_is_listed_with_its_owner_and_seen_by_whom_it_concerns() {
    let (site, vendor) = named(3_600);
    assign(&site, "ana").expect("hers");
    let seat = seats(&site, &site.root()).remove(0);
    assert_eq!((seat.state.as_str(), seat.user.as_str()), ("kept", "ana"));
    assert_eq!((seat.uid, seat.machine.as_str()), (None, ""));
    assert!(seat.named && seat.hold_s == 3_600, "{seat:?}");
    assert_eq!(seats(&site, &site.ana()).len(), 1, "her own");
    assert!(seats(&site, &site.bob()).is_empty(), "nobody else's");
    site.checkout(&site.ana(), &vendor).expect("her own");
    let sits = seats(&site, &site.root()).remove(0);
    assert!(sits.named && sits.state == "live", "{sits:?}");
    assert_eq!(sits.id, format!("{}.1", seat.id), "the same grant");
    // Page by page, too.
    let one = Cursor {
        limit: Some(1),
        after: None,
    };
    assign(&site, "bob").expect("his");
    let page = site.desk.seats(&site.root(), &one, |_| true).expect("one");
    let next = Cursor {
        limit: Some(1),
        after: page.next.clone(),
    };
    let rest = site.desk.seats(&site.root(), &next, |_| true).expect("one");
    assert_eq!((page.items.len(), rest.items.len()), (1, 1));
    assert_eq!(rest.items[0].user, "bob");
}

#[test]
fn r7_l7_a_recall_takes_the_seat_from_its_owner() {
    let (site, vendor) = named(60);
    assign(&site, "ana").expect("hers");
    let root = site.root();
    let seat = seats(&site, &root).remove(0).id;
    let no = site.desk.recall(&root, &seat, false).expect_err("bound");
    assert_eq!((&no.code, no.rule), (&Code::TooSoon, Some(7)));
    assert!(no.retryable && no.retry_after_s == Some(60), "{no:?}");
    let no = site.desk.reclaim(&root, &seat, false).expect_err("nobody");
    assert_eq!((&no.code, no.rule), (&Code::BadRequest, Some(7)));
    let no = site.desk.recall(&site.bob(), &seat, false);
    let no = no.expect_err("not his to take");
    assert_eq!(no.code, Code::Forbidden, "{no:?}");
    site.clock.advance(Duration::from_secs(61));
    let gone = site.desk.recall(&root, &seat, false).expect("taken");
    assert!(
        matches!(&gone, Released::Ending(ending) if ending.ending.is_empty()),
        "nobody sat on it: {gone:?}"
    );
    assert_eq!(pool(&site).free, Some(2));
    // Who sits is told, with time to save; and a floating seat has no owner.
    let held = site.checkout(&site.ana(), &vendor).expect("a new one");
    site.clock.advance(Duration::from_secs(61));
    let gone = site.desk.recall(&root, &held.reply.id, false);
    assert!(
        matches!(&gone, Ok(Released::Ending(ending)) if ending.ending.len() == 1),
        "{gone:?}"
    );
    let again = site.desk.recall(&root, &held.reply.id, false);
    assert_eq!(again.expect_err("no more").code, Code::BadRequest);
}

#[test]
fn r22_why_tells_that_a_seat_is_kept() {
    let (site, _) = named(0);
    assign(&site, "ana").expect("hers");
    let body = ExplainBody {
        user: Some("ana".to_owned()),
        item: Item {
            feature: "modeler".to_owned(),
            version: None,
            n: 1,
        },
        product: None,
        interactive: false,
        roots: None,
        suppose: Vec::new(),
    };
    let told = site.desk.explain(&site.root(), &body, |_| true);
    let told = told.expect("explained");
    let kept = told.steps.iter().find(|step| step.rule == 7);
    assert!(
        told.granted && kept.is_some_and(|step| step.text.contains("is kept for")),
        "{told:?}"
    );
}
