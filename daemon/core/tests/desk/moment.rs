//! Who is nobody any more, or lost a right, while what they asked for was under way: nothing comes of it afterwards (S11).

use crate::credentials::{FIRST, SECOND, changes, presents, user};
use crate::intruders::defined;
use crate::roles::{give, made, role};
use crate::site::{DAY, NOON, Site, Vendor, feature, license_claims};
use seatkeeper::wire::{
    Code, GroupMake, InstallBody, Installed, RolesChange, Secret, SessionMake, TokenMake,
};
use seatkeeper_core::authorize::Caller;
use seatkeeper_core::desk::Refused;
use seatkeeper_core::keeper::Snapshot;
use seatkeeper_engine::State;
use std::sync::Arc;

fn state(site: &Site) -> Arc<Snapshot> {
    site.desk.keeper().recorded()
}

/// Waits until what the others do has come so far.
fn waits(site: &Site, so_far: impl Fn(&State) -> bool) {
    while !so_far(&state(site).state) {
        std::thread::yield_now();
    }
}

/// The last thing that happened is that rights were changed.
fn nothing_came_after(site: &Site) {
    let state = &state(site).state;
    assert_eq!(state.events, state.rights, "something was done afterwards");
}

/// Makes groups until it is refused.
fn makes_groups(site: &Site, by: &Caller, called: &str) -> Code {
    let group = |n: usize| GroupMake {
        name: format!("{called} {n}"),
        ..GroupMake::default()
    };
    let mut tries = (0..).map(|n| site.desk.make_group(by, &group(n)));
    let no = tries.find_map(Result::err).expect("it ends");
    no.code
}

/// Whoever makes groups by what they presented is stopped by what ends it, and told what a request with it is told.
fn ends_in_between(site: &Site, by: &Caller, round: usize, ends: impl FnOnce()) {
    let before = state(site).state.groups.len();
    std::thread::scope(|scope| {
        let makes = |hand| move || makes_groups(site, by, &format!("{round} {hand}"));
        let hands: Vec<_> = (0..4).map(|hand| scope.spawn(makes(hand))).collect();
        waits(site, |state| state.groups.len() > before + 3);
        ends();
        for hand in hands {
            assert_eq!(hand.join().expect("no panic"), Code::Unauthenticated);
        }
    });
    let state = &state(site).state;
    let last = state.groups.values().map(|group| group.revision).max();
    assert!(last < Some(state.rights), "one was made afterwards");
}

#[test]
fn s11_a_token_that_was_taken_back_changes_nothing_afterwards() {
    let site = Site::new();
    made(&site, "ana", &[]);
    give(&site, &site.root(), "ana", &[role("administrator", "")]).expect("given");
    for round in 0..20 {
        let body = TokenMake {
            name: format!("ci {round}"),
            ..TokenMake::default()
        };
        let token = site.desk.make_token(&site.ana(), &body).expect("hers");
        let by = presents(&site, site.ana(), &token.token).expect("hers");
        ends_in_between(&site, &by, round, || {
            let revoked = site.desk.revoke_token(&site.root(), &token.id, None);
            revoked.expect("taken back");
        });
    }
}

#[test]
fn s11_a_session_that_was_ended_changes_nothing_afterwards() {
    let site = Site::new();
    user(&site, "ana", FIRST);
    give(&site, &site.root(), "ana", &[role("administrator", "")]).expect("given");
    let (mut old, mut new) = (FIRST, SECOND);
    for round in 0..6 {
        let body = SessionMake {
            login: Some("ana".to_owned()),
            password: Secret::new(old),
            ..SessionMake::default()
        };
        let kiosk = site.caller(77, "kiosk", false);
        let session = site.desk.open_session(&kiosk, &body).expect("hers");
        let by = presents(&site, kiosk, &session.session).expect("hers");
        ends_in_between(&site, &by, round, || match round % 2 {
            0 => {
                let ended = site.desk.end_session(&site.root(), &session.id, None);
                ended.expect("ended");
            }
            _ => {
                changes(&site, &site.ana(), old, new).expect("another password");
                (old, new) = (new, old);
            }
        });
    }
}

/// Ana has a role of these permissions at the home account.
fn may(site: &Site, permissions: &[&str]) {
    defined(site, &site.root(), "hand", permissions, "unit").expect("defined");
    give(site, &site.root(), "ana", &[role("hand", "")]).expect("given");
}

fn taken(site: &Site) {
    let takes = RolesChange {
        take: vec![role("hand", "")],
        ..RolesChange::default()
    };
    let taken = site.desk.change_roles(&site.root(), "ana", &takes, None);
    taken.expect("taken");
}

#[test]
fn s11_who_lost_the_right_takes_no_seat_back_afterwards() {
    for _ in 0..10 {
        let (site, vendor) = (Site::new(), Vendor::new("acme"));
        site.trust(&vendor).expect("trust");
        let text = vendor.file(&site.key(), |of| of.features = vec![feature("modeler", 40)]);
        site.install(&text, true).expect("installed");
        made(&site, "ana", &[]);
        made(&site, "bob", &[]);
        may(&site, &["seat.read", "seat.reclaim"]);
        let seat = || site.checkout(&site.bob(), &vendor);
        let seats: Vec<_> = std::iter::repeat_with(seat).map_while(Result::ok).collect();
        let before = state(&site).state.events;
        std::thread::scope(|scope| {
            let hand = scope.spawn(|| {
                let mut ids = seats.iter().map(|seat| &seat.reply.id);
                ids.find_map(|id| site.desk.reclaim(&site.ana(), id, true).err())
            });
            waits(&site, |state| state.events > before);
            taken(&site);
            let no = hand.join().expect("no panic");
            assert!(
                no.as_ref().is_none_or(|no| no.code == Code::Forbidden),
                "{no:?}"
            );
        });
        nothing_came_after(&site);
    }
}

/// A file with so many licenses.
fn file(site: &Site, vendor: &Vendor, licenses: usize) -> String {
    let license = |n| {
        let mut claims = license_claims(vendor.name, &site.key());
        claims.sub = format!("ACME-{n}");
        claims
    };
    let all: Vec<_> = (1..=licenses).map(license).collect();
    vendor.sign(&vendor.issuer_claims(NOON - 100 * DAY), &all)
}

fn installs(
    site: &Site,
    text: &str,
    (everyone, verify_only): (bool, bool),
) -> Result<Installed, Refused> {
    let body = InstallBody {
        account: None,
        text: text.to_owned(),
        assign_everyone: everyone,
        accept_date: false,
        verify_only,
    };
    site.desk.install(&site.ana(), &body)
}

#[test]
fn s11_a_file_goes_no_further_than_the_right_to_install() {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    made(&site, "ana", &[]);
    may(&site, &["license.install", "license.manage_users"]);
    let text = file(&site, &vendor, 100);
    let no = std::thread::scope(|scope| {
        let hand = scope.spawn(|| installs(&site, &text, (true, false)));
        waits(&site, |state| state.licenses.len() > 1);
        taken(&site);
        hand.join().expect("no panic").expect_err("taken meanwhile")
    });
    assert_eq!(no.code, Code::Forbidden, "{no:?}");
    assert!(no.detail.contains("Installed before it: ACME-1 serial"));
    let state = &state(&site).state;
    assert!((2..100).contains(&state.licenses.len()), "some of them");
    assert_eq!(state.assignments.len(), state.licenses.len());
    nothing_came_after(&site);
}

#[test]
fn f8_who_has_a_license_assigned_to_everyone_assigns() {
    let (site, vendor) = (Site::new(), Vendor::new("acme"));
    site.trust(&vendor).expect("trust");
    made(&site, "ana", &[]);
    may(&site, &["license.install", "license.read"]);
    let text = file(&site, &vendor, 1);
    let refused = |verify_only| {
        let no = installs(&site, &text, (true, verify_only)).expect_err("not hers to assign");
        assert_eq!(no.code, Code::Forbidden);
        assert!(no.detail.contains("license.manage_users"), "{}", no.detail);
        assert!(state(&site).state.assignments.is_empty());
    };
    refused(true);
    refused(false);
    assert!(state(&site).state.licenses.is_empty());
    installs(&site, &text, (false, false)).expect("hers to install");
    refused(false);
    may(&site, &["license.install", "license.manage_users"]);
    let done = installs(&site, &text, (true, false)).expect("hers, both");
    assert!(done.licenses[0].assigned_to_everyone);
    assert_eq!(state(&site).state.assignments.len(), 1);
}

#[test]
fn f8_what_the_site_assigns_asks_for_no_right_of_who_installs() {
    let site = Site::with(|settings| settings.assign_new_to_everyone = true);
    let vendor = Vendor::new("acme");
    site.trust(&vendor).expect("trust");
    made(&site, "ana", &[]);
    may(&site, &["license.install", "license.read"]);
    let done = installs(&site, &file(&site, &vendor, 1), (false, false)).expect("installed");
    assert!(done.licenses[0].assigned_to_everyone);
}
