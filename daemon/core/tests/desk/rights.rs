//! Who may what: an administrator of the daemon everything, anyone else what is theirs.

use crate::site::Site;
use seatkeeper::wire::{
    Assignment, AssignmentChange, Code, ExportBody, GroupChange, GroupMake, InstallBody,
    LicenseRequestBody, MembersChange, TrustBody, UnitChange, UnitMake, UserChange, UserMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::desk::{Desk, Refused};

type Verb = (&'static str, fn(&Desk, &Caller) -> Option<Refused>);

fn assignment() -> Assignment {
    Assignment {
        id: String::new(),
        vendor: String::new(),
        license: "ACME-1".to_owned(),
        user: None,
        everyone: true,
        ..Assignment::default()
    }
}

const ADMINISTRATORS: &[Verb] = &[
    ("trust", |d, c| {
        d.trust(
            c,
            &TrustBody {
                name: String::new(),
                pem: String::new(),
            },
        )
        .err()
    }),
    ("install", |d, c| {
        let body = InstallBody {
            account: None,
            text: String::new(),
            assign_everyone: false,
            accept_date: false,
            verify_only: true,
        };
        d.install(c, &body).err()
    }),
    ("license request", |d, c| {
        let body = LicenseRequestBody {
            account: String::new(),
            product_version: None,
            order: None,
        };
        d.license_request(c, &body).err()
    }),
    ("assign", |d, c| d.assign(c, &assignment()).err()),
    ("unassign", |d, c| d.unassign(c, "x", false, None).err()),
    ("change an assignment", |d, c| {
        d.change_assignment(c, "x", &AssignmentChange::default(), None)
            .err()
    }),
    ("units", |d, c| d.units(c, &Cursor::default()).err()),
    ("unit", |d, c| d.unit_of(c, "x").err()),
    ("make a unit", |d, c| {
        let east = UnitMake {
            above: Some("Acme".to_owned()),
            ..UnitMake::default()
        };
        d.make_unit(c, &east).err()
    }),
    ("change a unit", |d, c| {
        d.change_unit(c, "x", &UnitChange::default(), None).err()
    }),
    ("remove a unit", |d, c| d.remove_unit(c, "x", None).err()),
    ("groups", |d, c| d.groups(c, &Cursor::default()).err()),
    ("group", |d, c| d.group_of(c, "x").err()),
    ("members", |d, c| {
        d.members(c, "x", &Cursor::default()).err()
    }),
    ("make a group", |d, c| {
        d.make_group(c, &GroupMake::default()).err()
    }),
    ("change a group", |d, c| {
        d.change_group(c, "x", &GroupChange::default(), None).err()
    }),
    ("change members", |d, c| {
        d.change_members(c, "x", &MembersChange::default(), None)
            .err()
    }),
    ("remove a group", |d, c| {
        d.remove_group(c, "x", false, None).err()
    }),
    ("users", |d, c| {
        d.users(c, (None, None), &Cursor::default()).err()
    }),
    ("user", |d, c| d.user_shown(c, "x").err()),
    ("make a user", |d, c| {
        let cy = UserMake {
            login: "cy".to_owned(),
            ..UserMake::default()
        };
        d.make_user(c, &cy).err()
    }),
    ("change a user", |d, c| {
        d.change_user(c, "x", &UserChange::default(), None).err()
    }),
    ("remove a user", |d, c| {
        d.remove_user(c, "x", false, None).err()
    }),
    ("assignments", |d, c| {
        d.assignments(c, &Cursor::default()).err()
    }),
    ("reclaim", |d, c| d.reclaim(c, "1.1", true).err()),
    ("events", |d, c| d.events(c, &Cursor::default()).err()),
    ("audit", |d, c| {
        d.audit(c, &Cursor::default(), &AuditFilter::default())
            .err()
    }),
    ("anchor", |d, c| d.audit_anchor(c).err()),
    ("pruned", |d, c| d.audit_pruned(c).err()),
    ("denials", |d, c| d.denials(c, &Cursor::default()).err()),
    ("accept clock", |d, c| d.accept_clock(c, None).err()),
    ("site key", |d, c| d.site_key(c).err()),
    ("export", |d, c| {
        d.export_site_key(
            c,
            &ExportBody {
                passphrase: String::new(),
            },
        )
        .err()
    }),
];

const EVERYONE: &[Verb] = &[
    ("vendors", |d, c| d.vendors(c, &Cursor::default()).err()),
    ("licenses", |d, c| d.licenses(c, &Cursor::default()).err()),
    ("license", |d, c| d.license(c, "", "ACME-1").err()),
    ("roles", |d, c| d.roles(c, &Cursor::default()).err()),
    ("pools", |d, c| d.pools(c, &Cursor::default()).err()),
    ("seats", |d, c| {
        d.seats(c, &Cursor::default(), |_| false).err()
    }),
    ("status", |d, c| d.status(c).err()),
    ("clock", |d, c| d.clock(c).err()),
];

#[test]
fn ordinary_callers_are_forbidden_what_administrators_may() {
    let (site, _) = Site::licensed();
    let forbidden =
        |refused: &Option<Refused>| refused.as_ref().is_some_and(|r| r.code == Code::Forbidden);
    for (name, verb) in ADMINISTRATORS {
        let refused = verb(&site.desk, &site.ana());
        assert!(forbidden(&refused), "{name}: {refused:?}");
        assert!(!forbidden(&verb(&site.desk, &site.root())), "{name}");
    }
    for (name, verb) in EVERYONE {
        for caller in [site.ana(), site.root()] {
            let refused = verb(&site.desk, &caller);
            assert!(refused.is_none(), "{name}: {refused:?}");
        }
    }
}

#[test]
fn ordinary_callers_see_their_own_seats_and_no_names() {
    let (site, vendor) = Site::licensed();
    site.checkout(&site.ana(), &vendor).expect("a seat");
    site.checkout(&site.bob(), &vendor).expect("a seat");
    let users = |caller: &Caller| -> Vec<String> {
        let page = site
            .desk
            .seats(caller, &Cursor::default(), |_| true)
            .expect("a list");
        page.items.into_iter().map(|seat| seat.user).collect()
    };
    assert_eq!(users(&site.ana()), ["ana"]);
    assert_eq!(users(&site.root()), ["ana", "bob"]);
    let refused = site.checkout(&site.ana(), &vendor).expect_err("full");
    assert!(
        refused.holders.is_empty() && !refused.detail.contains("bob"),
        "{refused:?}"
    );
    let refused = site.checkout(&site.root(), &vendor).expect_err("full");
    assert_eq!(refused.holders.len(), 2);
    assert!(
        site.desk
            .status(&site.ana())
            .expect("a status")
            .findings
            .is_empty()
    );
}

#[test]
fn f8_status_counts_what_its_asker_sees() {
    let (site, vendor) = Site::licensed();
    let (ana, bob) = (site.ana(), site.bob());
    for caller in [&ana, &bob] {
        site.checkout(caller, &vendor).expect("a seat");
    }
    let counts = |caller: &Caller| {
        let told = site.desk.status(caller).expect("everybody may ask");
        (told.partial, told.licenses, told.holders, told.users)
    };
    assert_eq!(counts(&site.root()), (false, 1, 2, 2));
    assert_eq!(counts(&ana), (true, 1, 1, 1));
    let zoe = site.caller(7000, "zoe", false);
    assert_eq!(counts(&zoe), (true, 1, 0, 0), "it is everyone's");
    let all = site.desk.assignments(&site.root(), &Cursor::default());
    let id = &all.expect("a list").items[0].id;
    let taken = site.desk.unassign(&site.root(), id, false, None);
    taken.expect("taken back");
    assert_eq!(counts(&ana), (true, 0, 1, 1));
    crate::roles::give(
        &site,
        &site.root(),
        "bob",
        &[crate::roles::role("auditor", "")],
    )
    .expect("given");
    assert_eq!(counts(&bob), (true, 1, 2, 2));
}

#[test]
fn lists_go_on_where_a_page_ended() {
    let (site, vendor) = Site::licensed();
    let (ana, bob) = (site.ana(), site.bob());
    let first = site.checkout(&ana, &vendor).expect("a seat").reply.id;
    let second = site.checkout(&bob, &vendor).expect("a seat").reply.id;
    let page = |after: Option<String>| {
        let cursor = Cursor {
            after,
            limit: Some(1),
        };
        site.desk
            .seats(&site.root(), &cursor, |_| false)
            .expect("a page")
    };
    let one = page(None);
    assert_eq!(
        (one.items[0].id.as_str(), one.next.as_deref()),
        (first.as_str(), Some(first.as_str()))
    );
    let two = page(one.next);
    assert_eq!(
        (two.items[0].id.as_str(), two.next),
        (second.as_str(), None)
    );
    let cursor = Cursor {
        after: None,
        limit: Some(2),
    };
    let events = site.desk.events(&site.root(), &cursor).expect("events");
    assert_eq!(
        (events.items[0].event.as_str(), events.next.as_deref()),
        ("SiteFounded", Some("2"))
    );
}
