//! The audit log: what is stored, byte for byte, with the chain's hashes, and filters as a person means them.

use crate::directory::{person, unit};
use crate::site::{DAY, NOON, Site, Vendor, checkout};
use seatkeeper::token::anchor;
use seatkeeper::token::keys::PublicKey;
use seatkeeper::wire::{AuditEvent, Code, Page, UnitMake, UserChange, UserMake};
use seatkeeper_core::desk::view::{AuditFilter, Cursor};
use seatkeeper_core::journal::{Hash, Head, follow, parse};
use seatkeeper_engine::{Engine, State};
use std::time::Duration;

fn page(site: &Site, after: u64, limit: usize, filter: &AuditFilter) -> Page<AuditEvent> {
    let cursor = Cursor {
        after: Some(after.to_string()),
        limit: Some(limit),
    };
    site.desk
        .audit(&site.root(), &cursor, filter)
        .expect("a page")
}

/// All pages of so many events, one after the other.
fn all(site: &Site, limit: usize, filter: &AuditFilter) -> Vec<AuditEvent> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = page(site, after, limit, filter);
        found.extend(page.items);
        let Some(next) = page.next else { return found };
        after = next.parse().expect("a number");
    }
}

fn about(change: impl FnOnce(&mut AuditFilter)) -> AuditFilter {
    let mut filter = AuditFilter::default();
    change(&mut filter);
    filter
}

/// ana and bob each took a seat; a minute later ana gave hers back and bob's was taken from him.
fn busy() -> (Site, Vendor) {
    let (site, vendor) = Site::licensed();
    let body = checkout(&vendor);
    let ana = site.desk.checkout(&site.ana(), &body).expect("a seat");
    let bob = site
        .desk
        .checkout(&site.bob(), &checkout(&vendor))
        .expect("a seat");
    site.clock.advance(Duration::from_secs(60));
    site.desk
        .release(&site.ana(), &ana.reply.id, Some(&body.instance))
        .expect("given back");
    site.desk
        .reclaim(&site.root(), &bob.reply.id, true)
        .expect("taken back");
    // bob's lease runs out; the next order finds it ended.
    site.clock.advance(Duration::from_secs(2000));
    site.assign(Some("bob")).expect("assigned");
    (site, vendor)
}

#[test]
fn every_event_is_shown_as_stored_with_the_hash_after_it() {
    let (site, _) = busy();
    let mut head = Head::default();
    let told = all(&site, 3, &AuditFilter::default());
    for event in &told {
        follow(&mut head, &event.stored).expect("it follows");
        assert_eq!(
            (event.n, &event.hash),
            (head.number, &head.hash.to_string())
        );
    }
    let end = site.desk.snapshot().head;
    assert_eq!((head.number, head.hash), (end.number, end.hash));
    let stored = site.desk.keeper().read(1, 1000).expect("rows");
    assert!(stored.len() > 8);
    assert!(
        told.iter()
            .map(|e| &*e.stored)
            .eq(stored.iter().map(|(_, raw)| &**raw))
    );
}

#[test]
fn i15_the_audit_log_folds_to_the_state_of_the_running_engine() {
    let (site, _) = busy();
    let mut engine = Engine::new();
    for event in all(&site, 4, &AuditFilter::default()) {
        engine.replay(&parse(&event.stored).expect("an event").what);
    }
    let text = |state: &State| serde_json::to_string(state).expect("a state is JSON");
    assert_eq!(text(engine.state()), text(&site.desk.snapshot().state));
}

#[test]
fn an_anchor_signs_where_the_journal_stands() {
    let (site, _) = busy();
    let told = site.desk.audit_anchor(&site.root()).expect("an anchor");
    let key = PublicKey::from_pem(&told.site_key).expect("a key");
    assert_eq!(key, site.key());
    let claims = anchor::verify(&told.anchor, &key).expect("it verifies");
    let last = all(&site, 1000, &AuditFilter::default())
        .pop()
        .expect("an event");
    let hash = Hash(anchor::hash_of(&claims).expect("a hash")).to_string();
    assert_eq!((claims.number, hash), (last.n, last.hash));
    let state = &site.desk.snapshot().state;
    assert_eq!(
        (claims.epoch, &claims.run_id),
        (1, &state.run.id.to_string())
    );
    assert_eq!(claims.iat, NOON + 2060);
}

#[test]
fn pages_of_every_size_show_the_same_events() {
    let (site, _) = busy();
    let user = about(|f| f.user = Some("ana".to_owned()));
    for filter in [AuditFilter::default(), user] {
        let whole = all(&site, 1000, &filter);
        for limit in 1..=whole.len() + 1 {
            assert_eq!(all(&site, limit, &filter), whole, "{limit}");
        }
        // Pages that are asked for out of order know as much.
        let last = whole.last().expect("an event");
        let tail = page(&site, last.n - 1, 5, &filter);
        assert_eq!(tail.items.as_slice(), std::slice::from_ref(last));
    }
}

#[test]
fn names_stand_beside_the_ids_and_not_in_what_is_hashed() {
    let (site, _) = busy();
    let all = all(&site, 1000, &AuditFilter::default());
    let taken = all.iter().find(|e| e.kind == "SeatTaken").expect("a seat");
    let names: Vec<_> = taken.names.values().map(String::as_str).collect();
    assert!(
        names.contains(&"ana") && names.contains(&"ws1"),
        "{names:?}"
    );
    assert!(taken.names.keys().all(|id| taken.stored.contains(id)));
    assert!(!taken.stored.contains("ana") && !taken.stored.contains("ws1"));
    assert_eq!(
        taken.text,
        "ana on ws1 took slot 0 of acme/ACME-1/modeler (seat 1.1)"
    );
    assert_eq!(taken.actor, "ana (uid 1000)");
    assert_eq!(taken.trace.as_deref(), Some("trace-1"));
    // Every event has words, and no sentence is only its name.
    assert!(all.iter().all(|e| e.text.contains(' ')), "{all:?}");
}

#[test]
fn a_filter_by_user_shows_their_seats_from_first_to_last() {
    let (site, _) = busy();
    let kinds = |filter: &AuditFilter| -> Vec<String> {
        all(&site, 2, filter).into_iter().map(|e| e.kind).collect()
    };
    let ana = about(|f| f.user = Some("ana".to_owned()));
    assert_eq!(kinds(&ana), ["UserMet", "SeatTaken", "SeatEnded"]);
    let bob = kinds(&about(|f| f.user = Some("bob".to_owned())));
    assert_eq!(bob[..3], ["UserMet", "SeatTaken", "HoldersEnding"]);
    assert_eq!(bob[bob.len() - 2..], ["SeatEnded", "LicenseAssigned"]);
    assert!(bob.contains(&"CoolDownStarted".to_owned()), "{bob:?}");
    assert!(!bob.contains(&"LicenseInstalled".to_owned()));
    // By id as by login.
    let id = site.desk.user_of(&site.ana()).expect("known").to_string();
    assert_eq!(kinds(&about(|f| f.user = Some(id))), kinds(&ana));
}

#[test]
fn a_filter_by_feature_shows_its_license_and_its_seats() {
    let (site, _) = busy();
    let of = |text: &str| all(&site, 2, &about(|f| f.feature = Some(text.to_owned())));
    let found = of("modeler");
    assert_eq!(of("cad/modeler"), found);
    let kinds: Vec<_> = found.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds[..2], ["LicenseInstalled", "LicenseAssigned"]);
    assert_eq!(kinds.iter().filter(|k| **k == "SeatEnded").count(), 2);
    assert!(!kinds.contains(&"UserMet") && !kinds.contains(&"RunStarted"));
    assert_eq!((of("viewer"), of("cam/modeler")), (Vec::new(), Vec::new()));
    let both = about(|f| {
        f.feature = Some("modeler".to_owned());
        f.user = Some("ana".to_owned());
    });
    let kinds: Vec<_> = all(&site, 1, &both).into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["SeatTaken", "SeatEnded"]);
}

#[test]
fn filters_by_actor_kind_and_time() {
    let (site, _) = busy();
    let of = |change: fn(&mut AuditFilter)| all(&site, 4, &about(change));
    let daemon = of(|f| f.actor = Some("daemon".to_owned()));
    assert!(daemon.iter().any(|e| e.kind == "RunStarted"));
    assert!(daemon.iter().all(|e| e.actor == "daemon"));
    let ana = of(|f| f.actor = Some("ana".to_owned()));
    assert!(!ana.is_empty() && ana.iter().all(|e| e.actor == "ana (uid 1000)"));
    let uid = of(|f| f.actor = Some("uid 1001".to_owned()));
    assert!(!uid.is_empty() && uid.iter().all(|e| e.actor.contains("uid 1001")));
    let taken = of(|f| f.kind = Some("seat_taken,SeatEnded".to_owned()));
    assert_eq!(taken.len(), 4);
    let late = of(|f| f.since = Some(NOON + 60));
    assert!(!late.is_empty() && late.iter().all(|e| e.wall_s >= NOON + 60));
    let early = of(|f| f.until = Some(NOON + 60));
    assert_eq!(
        early.len() + late.len(),
        all(&site, 9, &AuditFilter::default()).len()
    );
    assert!(of(|f| f.since = Some(NOON + DAY)).is_empty());
}

#[test]
fn a_filter_that_means_nothing_is_refused_by_its_name() {
    let (site, _) = busy();
    let refused = |change: fn(&mut AuditFilter)| {
        let asked = site
            .desk
            .audit(&site.root(), &Cursor::default(), &about(change));
        let no = asked.expect_err("refused");
        (no.code, no.detail)
    };
    let (code, detail) = refused(|f| f.user = Some("anna".to_owned()));
    assert!(
        code == Code::NotFound && detail.contains("\"anna\""),
        "{detail}"
    );
    let (code, _) = refused(|f| f.actor = Some("nobody".to_owned()));
    assert_eq!(code, Code::NotFound);
    let (code, detail) = refused(|f| f.kind = Some("SeatTakn".to_owned()));
    assert!(
        code == Code::BadRequest && detail.contains("SeatTaken"),
        "{detail}"
    );
    let (code, _) = refused(|f| f.feature = Some("a/b/c".to_owned()));
    assert_eq!(code, Code::BadRequest);
}

#[test]
fn d4_who_is_gone_is_told_of_by_id_and_their_id_is_no_others() {
    let site = Site::new();
    let (root, desk) = (site.root(), &site.desk);
    for name in ["East", "West"] {
        desk.make_unit(&root, &unit(name, Some("home")))
            .expect(name);
    }
    let ana = desk
        .make_user(&root, &person("ana", &["East"]))
        .expect("ana");
    let moves = UserChange {
        units: Some(vec!["West".to_owned()]),
        ..UserChange::default()
    };
    let address = UserChange {
        address: Some("ana@acme.example".to_owned()),
        ..UserChange::default()
    };
    for change in [moves, address] {
        desk.change_user(&root, "ana", &change, None)
            .expect("changed");
    }
    let west = desk.unit_of(&root, "West").expect("there");
    desk.remove_user(&root, "ana", false, None).expect("gone");
    desk.remove_unit(&root, "West", None).expect("gone");
    let id = &ana.id;
    for (kind, told) in [
        ("UserPlaced", format!("user {id} placed in {}", west.id)),
        (
            "AddressChanged",
            format!("user {id} has another mail address now"),
        ),
    ] {
        let of_kind = about(|of| of.kind = Some(kind.to_owned()));
        let texts: Vec<_> = all(&site, 100, &of_kind)
            .into_iter()
            .map(|event| event.text)
            .collect();
        assert_eq!(texts, [told], "{kind}");
    }
    // With their id would come what is told of them.
    let again = UserMake {
        id: Some(ana.id),
        ..person("eve", &["East"])
    };
    let no = desk.make_user(&root, &again).expect_err("another's id");
    let again = UnitMake {
        id: Some(west.id),
        ..unit("North", Some("home"))
    };
    let place = desk.make_unit(&root, &again).expect_err("another's id");
    for (no, what) in [(no, "user"), (place, "unit")] {
        assert_eq!(no.code, Code::Conflict);
        let told = format!("{what} of this id was taken away");
        assert!(no.detail.contains(&told), "{}", no.detail);
        assert!(!no.detail.contains("other contents"), "{}", no.detail);
    }
}
