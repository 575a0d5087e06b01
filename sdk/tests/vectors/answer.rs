//! Answers to a call: a chain, a lease, and what was asked for.

use super::chain::{asked as chain, changed};
use super::{Book, compact, encode, header, hex, sign_segments};
use crate::tokens::{BOOT, DAY, NONCE, NOW, World, key};
use seatkeeper::token::claims::{Count, Last, Lease, SlotRange, SlotRanges, Slots, Term};
use seatkeeper::token::{Kind, host_hash};
use serde_json::{Value, json};

pub fn make() -> Book {
    let world = World::new(10);
    let mut book = Book::new(
        "answer",
        "A chain, a lease and the call that it must answer: nonce and x in base64url, boot_id in hex digits.",
        asked(&world, &world.lease()),
    );
    good(&mut book);
    signers(&mut book);
    calls(&mut book);
    hosts(&mut book);
    claims(&mut book);
    versions(&mut book);
    slots(&mut book);
    last(&mut book);
    dates(&mut book);
    book
}

fn asked(world: &World, lease: &Lease) -> Value {
    let header = encode(compact(&header(Kind::Lease, &world.leasing)));
    let payload = encode(compact(&json!(lease)));
    let mut asked = chain(world);
    let call = json!({
        "lease": sign_segments(&world.leasing, &header, &payload),
        "nonce": encode(NONCE),
        "boot_id": hex(&BOOT),
        "product": "cad",
        "feature": "modeler",
        "version": "7.1",
        "n": 2,
        "renewal": false,
    });
    for (name, value) in call.as_object().unwrap() {
        asked[name] = value.clone();
    }
    asked
}

fn usual() -> Value {
    let world = World::new(10);
    asked(&world, &world.lease())
}

/// The usual call, answered with a changed lease.
fn leased(change: impl FnOnce(&mut Lease)) -> Value {
    let world = World::new(10);
    let mut lease = world.lease();
    change(&mut lease);
    asked(&world, &lease)
}

/// The usual lease, shown to another call.
fn called(name: &str, value: Value) -> Value {
    let mut asked = usual();
    asked[name] = value;
    asked
}

/// The usual call and lease under a changed license or delegation.
fn under(change: impl FnOnce(&mut World)) -> Value {
    let world = changed(change);
    asked(&world, &world.lease())
}

fn refused(book: &mut Book, check: &str, id: &str, reason: &str, asked: Value) {
    book.refused("answer", check, id, reason, asked);
}

fn accepted(book: &mut Book, id: &str, reason: &str, asked: Value) {
    book.accepted("answer", id, reason, asked);
}

fn good(book: &mut Book) {
    accepted(book, "as-it-is", "an answer as we write it", json!({}));
    accepted(
        book,
        "renewal",
        "the answer to a renewal",
        called("renewal", json!(true)),
    );
    accepted(
        book,
        "short",
        "a lease of one second without grace",
        leased(|l| (l.ttl_s, l.grace_s) = (1, 0)),
    );
    accepted(
        book,
        "no-policies",
        "fewer policies than the license has",
        leased(|l| l.policies.clear()),
    );
    let both = vec!["core".to_owned(), "export".to_owned()];
    accepted(
        book,
        "optional-policy",
        "a policy that is chosen per assignment",
        leased(|l| l.policies = both),
    );
    accepted(
        book,
        "unknown-warning",
        "a warning that nobody knows yet",
        leased(|l| l.warning = vec!["new_word".to_owned()]),
    );
    accepted(
        book,
        "other-user",
        "the login is for people",
        leased(|l| l.sub = "uid-1000@elsewhere".to_owned()),
    );
    let long = [5; 64];
    let mut asked = leased(|l| {
        l.nonce = encode(long);
        l.host = host_hash(BOOT, &long);
    });
    asked["nonce"] = json!(encode(long));
    accepted(book, "long-nonce", "a nonce of 64 bytes", asked);
}

/// Only the delegated key signs leases.
fn signers(book: &mut Book) {
    let world = World::new(10);
    for (id, signer) in [
        ("root", 10),
        ("issuing-key", 11),
        ("site-key", 12),
        ("stranger", 99),
    ] {
        let signer = key(signer);
        let mut lease = world.lease();
        lease.iss = signer.thumbprint().to_owned();
        let payload = encode(compact(&json!(lease)));
        let own = sign_segments(
            &signer,
            &encode(compact(&header(Kind::Lease, &signer))),
            &payload,
        );
        let reason = format!("the {id} signed the lease, not the delegated key (S17)");
        refused(
            book,
            "T7",
            &format!("by-{id}"),
            &reason,
            called("lease", json!(own)),
        );
        let payload = encode(compact(&json!(world.lease())));
        let ours = sign_segments(
            &signer,
            &encode(compact(&header(Kind::Lease, &world.leasing))),
            &payload,
        );
        let reason = format!("the {id} signed under the delegated key's kid (S17)");
        refused(
            book,
            "T8",
            &format!("by-{id}-as-ours"),
            &reason,
            called("lease", json!(ours)),
        );
    }
    let stranger = World::new(60);
    let foreign = asked(&stranger, &stranger.lease())["lease"].clone();
    refused(
        book,
        "T7",
        "foreign-lease",
        "another vendor's lease under our chain",
        called("lease", foreign),
    );
    let mut whole = asked(&stranger, &stranger.lease());
    whole["roots"] = usual()["roots"].clone();
    refused(
        book,
        "C2",
        "foreign-answer",
        "another vendor's chain and lease",
        whole,
    );
    for name in ["issuer", "license", "delegation"] {
        let reason = format!("a {name} stands where the lease should");
        let token = usual()[name].clone();
        refused(
            book,
            "T6",
            &format!("{name}-as-lease"),
            &reason,
            called("lease", token),
        );
    }
    let rotated = changed(|w| {
        w.leasing = key(14);
        (w.delegation.sub, w.delegation.cnf) = (
            w.leasing.thumbprint().to_owned(),
            w.leasing.public().to_cnf(),
        );
    });
    let token = json!(rotated.delegation_token());
    refused(
        book,
        "T7",
        "older-lease-key",
        "the delegation has moved on to another lease key",
        called("delegation", token),
    );
}

/// A recorded answer in every other call (S18).
fn calls(book: &mut Book) {
    let mut flipped = NONCE;
    flipped[15] ^= 1;
    for (check, id, reason, name, value) in [
        (
            "A1",
            "other-nonce",
            "the nonce of another call",
            "nonce",
            json!(encode([8; 16])),
        ),
        (
            "A1",
            "flipped-nonce",
            "a nonce that differs in one bit",
            "nonce",
            json!(encode(flipped)),
        ),
        (
            "A1",
            "longer-nonce",
            "a nonce of which this is only the beginning",
            "nonce",
            json!(encode([7; 17])),
        ),
        (
            "A2",
            "other-boot",
            "another machine, or another boot of it",
            "boot_id",
            json!(hex(&[8; 16])),
        ),
        (
            "A3",
            "other-feature",
            "another feature was asked for",
            "feature",
            json!("render"),
        ),
        (
            "A3",
            "feature-case",
            "the feature in other letters",
            "feature",
            json!("Modeler"),
        ),
        (
            "A4",
            "other-version",
            "another version was asked for",
            "version",
            json!("7.0"),
        ),
        (
            "A4",
            "equal-version",
            "an equal version in another spelling was asked for",
            "version",
            json!("7.1.0"),
        ),
        (
            "A4",
            "no-version",
            "no version was asked for",
            "version",
            Value::Null,
        ),
        (
            "A5",
            "fewer-seats",
            "one seat was asked for, two are leased",
            "n",
            json!(1),
        ),
        (
            "A5",
            "more-seats",
            "three seats were asked for, two are leased",
            "n",
            json!(3),
        ),
        (
            "A8",
            "other-product",
            "another product was asked for",
            "product",
            json!("cam"),
        ),
    ] {
        refused(book, check, id, reason, called(name, value));
    }
    let renewed = under(|w| w.license.serial += 1)["license"].clone();
    refused(
        book,
        "A7",
        "renewed-license",
        "the lease is for an earlier serial of the license",
        called("license", renewed),
    );
    let sibling = under(|w| w.license.sub = "L-2".to_owned())["license"].clone();
    refused(
        book,
        "A7",
        "other-license",
        "the lease is for another license of the same site",
        called("license", sibling),
    );
}

/// A daemon that has the lease key, but takes nonce or host of another call.
fn hosts(book: &mut Book) {
    let other = [8; 16];
    refused(
        book,
        "A1",
        "lease-nonce-alone",
        "the lease has another nonce, but this call's host",
        leased(|l| l.nonce = encode(other)),
    );
    for (id, reason, host) in [
        (
            "host-of-another-nonce",
            "host is made with another nonce",
            host_hash(BOOT, &other),
        ),
        (
            "host-of-another-boot",
            "host is made with another boot id",
            host_hash(other, &NONCE),
        ),
        (
            "host-reversed",
            "host is made of the nonce, then the boot id",
            host_hash(NONCE, &BOOT),
        ),
        (
            "host-without-nonce",
            "host is made of the boot id alone",
            host_hash(BOOT, &[]),
        ),
        (
            "host-of-texts",
            "host is made of the nonce's text, not of its raw bytes",
            host_hash(BOOT, encode(NONCE).as_bytes()),
        ),
    ] {
        refused(book, "A2", id, reason, leased(|l| l.host = host));
    }
}

/// A lease says no more than its license.
fn claims(book: &mut Book) {
    type Case = (&'static str, &'static str, &'static str, fn(&mut Lease));
    let cases: [Case; 7] = [
        ("A11", "ttl-beyond", "ttl_s is above the license's", |l| {
            l.ttl_s = 601
        }),
        (
            "A12",
            "grace-beyond",
            "grace_s is above the license's",
            |l| l.grace_s = 301,
        ),
        (
            "A14",
            "unknown-policy",
            "a policy that the license does not have",
            |l| l.policies.push("admin".to_owned()),
        ),
        ("A14", "policy-case", "a policy in other letters", |l| {
            l.policies = vec!["Core".to_owned()]
        }),
        (
            "A14",
            "policy-prefix",
            "only the beginning of a policy's name",
            |l| l.policies = vec!["cor".to_owned()],
        ),
        (
            "A3",
            "lease-of-another-feature",
            "the lease is for another feature than asked for",
            |l| l.feature = "render".to_owned(),
        ),
        (
            "A4",
            "lease-without-version",
            "the lease has no version, the call had one",
            |l| l.version = None,
        ),
    ];
    for (check, id, reason, change) in cases {
        refused(book, check, id, reason, leased(change));
    }
    let mut asked = leased(|l| l.feature = "sculpt".to_owned());
    asked["feature"] = json!("sculpt");
    refused(
        book,
        "A9",
        "unlicensed-feature",
        "the license does not have this feature",
        asked,
    );
}

/// Rule 12: the limit is 7.2.
fn versions(book: &mut Book) {
    let ask = |version: Option<&str>| {
        let mut asked = leased(|l| l.version = version.map(str::to_owned));
        asked["version"] = json!(version);
        asked
    };
    for version in ["7.2", "7.2.99", "7.1.9", "7", "6.100", "07.02", "0"] {
        accepted(
            book,
            &format!("version-{version}"),
            "within the limit 7.2 (rule 12)",
            ask(Some(version)),
        );
    }
    for version in ["7.3", "8", "7.10", "10.0", "99999999999999999999999.1"] {
        refused(
            book,
            "A15",
            &format!("version-{version}"),
            "above the limit 7.2 (rule 12)",
            ask(Some(version)),
        );
    }
    refused(
        book,
        "A15",
        "version-none",
        "no version, where the license has a limit (rule 12)",
        ask(None),
    );
    let mut free = under(|w| w.license.features[0].version = None);
    accepted(
        book,
        "version-without-limit",
        "any version, where the license has no limit",
        free.clone(),
    );
    let world = changed(|w| w.license.features[0].version = None);
    let mut lease = world.lease();
    lease.version = None;
    free = asked(&world, &lease);
    free["version"] = Value::Null;
    accepted(
        book,
        "no-version-without-limit",
        "no version, where the license has no limit",
        free,
    );
}

/// 3 seats and 1 of overdraft.
fn slots(book: &mut Book) {
    accepted(
        book,
        "overdraft-slot",
        "a slot of the overdraft",
        leased(|l| l.slots = vec![2, 3]),
    );
    refused(
        book,
        "A10",
        "slot-beyond",
        "slot 4 of 3 seats and 1 of overdraft",
        leased(|l| l.slots = vec![0, 4]),
    );
    refused(
        book,
        "A10",
        "slot-far-beyond",
        "a slot far beyond the seats",
        leased(|l| l.slots = vec![0, (1 << 53) - 1]),
    );
    let unlimited = changed(|w| {
        (w.license.features[0].seats, w.license.features[0].overdraft) = (Count::UNLIMITED, 0);
    });
    let mut lease = unlimited.lease();
    lease.slots = vec![0, (1 << 53) - 1];
    accepted(
        book,
        "unlimited-slot",
        "any slot, where seats are unlimited",
        asked(&unlimited, &lease),
    );
    let range = |vendor: &str, license: &str, feature: &str, first, last| SlotRange {
        vendor: vendor.to_owned(),
        license: license.to_owned(),
        feature: feature.to_owned(),
        first,
        last,
    };
    let ours = |first, last| range("acme", "L-1", "modeler", first, last);
    let judge = |ranges| under(|w| w.delegation.slots = Slots::Some(SlotRanges { ranges }));
    accepted(
        book,
        "delegated-range",
        "slots 0 and 2 of the delegated 0 to 2",
        judge(vec![ours(0, 2)]),
    );
    accepted(
        book,
        "delegated-twice",
        "each slot in a range of its own",
        judge(vec![ours(2, 2), ours(0, 0)]),
    );
    for (id, reason, ranges) in [
        (
            "range-too-short",
            "slot 2 is behind the range",
            vec![ours(0, 1)],
        ),
        (
            "range-too-late",
            "slot 0 is before the range",
            vec![ours(1, 3)],
        ),
        (
            "range-with-a-hole",
            "slot 2 is between two ranges",
            vec![ours(0, 0), ours(3, 9)],
        ),
        (
            "range-of-another-vendor",
            "a range of another vendor",
            vec![range("other", "L-1", "modeler", 0, 9)],
        ),
        (
            "range-of-another-license",
            "a range of another license",
            vec![range("acme", "L-2", "modeler", 0, 9)],
        ),
        (
            "range-of-another-feature",
            "a range of another feature",
            vec![range("acme", "L-1", "render", 0, 9)],
        ),
    ] {
        refused(book, "A16", id, reason, judge(ranges));
    }
}

/// `save_s` is 60.
fn last(book: &mut Book) {
    let judge = |ttl_s, renewal| {
        let mut asked =
            leased(|l| (l.last, l.ttl_s, l.grace_s) = (Some(Last::Reclaimed), ttl_s, 0));
        asked["renewal"] = json!(renewal);
        asked
    };
    accepted(
        book,
        "last",
        "the last lease, in a renewal (rule 16)",
        judge(60, true),
    );
    refused(
        book,
        "A6",
        "last-at-checkout",
        "a last lease answers no checkout (rule 16)",
        judge(60, false),
    );
    refused(
        book,
        "A13",
        "last-too-long",
        "a last lease is for save_s at most",
        judge(61, true),
    );
}

/// License and delegation are judged at the lease's `iat`; the usual lease runs for 900 seconds from NOW.
fn dates(book: &mut Book) {
    accepted(
        book,
        "ends-with-license",
        "the lease ends in the second in which the license does",
        under(|w| w.license.exp = Some(NOW + 900)),
    );
    refused(
        book,
        "A17",
        "outlives-license",
        "the lease ends a second after the license",
        under(|w| w.license.exp = Some(NOW + 899)),
    );
    refused(
        book,
        "A17",
        "after-license",
        "the license ended in the second in which the lease was signed",
        under(|w| w.license.exp = Some(NOW)),
    );
    accepted(
        book,
        "license-from-the-second",
        "the license begins in the second in which the lease was signed",
        under(|w| w.license.nbf = NOW),
    );
    refused(
        book,
        "A17",
        "before-license",
        "the license begins a second after the lease was signed",
        under(|w| w.license.nbf = NOW + 1),
    );
    accepted(
        book,
        "ends-with-delegation",
        "the lease ends in the second in which the delegation does",
        under(|w| w.delegation.exp = NOW + 900),
    );
    refused(
        book,
        "A18",
        "outlives-delegation",
        "the lease ends a second after the delegation",
        under(|w| w.delegation.exp = NOW + 899),
    );
    refused(
        book,
        "A18",
        "after-delegation",
        "the delegation ended in the second in which the lease was signed",
        under(|w| w.delegation.exp = NOW),
    );
    let late = |w: &mut World| (w.delegation.iat, w.delegation.nbf) = (NOW, NOW + 1);
    refused(
        book,
        "A18",
        "before-delegation",
        "the delegation begins a second after the lease was signed",
        under(late),
    );
    let perpetual = changed(|w| (w.license.term, w.license.exp) = (Term::Perpetual, None));
    let mut lease = perpetual.lease();
    lease.iat = NOW + 60 * DAY;
    accepted(
        book,
        "perpetual",
        "a perpetual license has no end",
        asked(&perpetual, &lease),
    );
    lease.iat = NOW + 80 * DAY - 899;
    refused(
        book,
        "A18",
        "perpetual-outlives-delegation",
        "under a perpetual license the delegation's end holds",
        asked(&perpetual, &lease),
    );
    refused(
        book,
        "A17",
        "far-future",
        "a lease signed at the end of all numbers",
        leased(|l| l.iat = (1 << 53) - 1),
    );
}
