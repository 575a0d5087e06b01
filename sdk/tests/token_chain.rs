//! The chain from root to lease: whose it is, its dates, its bindings, and what a lease may say (S5, S17, S18).

mod tokens;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatkeeper::token::chain::{ChainError, Dated, Expect, verify, verify_license};
use seatkeeper::token::claims::{Count, Last, Lease, SlotRange, SlotRanges, Slots, Term};
use seatkeeper::token::{Fault, Kind, host_hash, lease};
use seatkeeper::wire::Code;
use tokens::{BOOT, DAY, Dice, NONCE, NOW, World, cases, expect, key};

fn world() -> World {
    World::new(10)
}

/// Another vendor with the very same names.
fn stranger() -> World {
    World::new(60)
}

fn expired(what: Dated, exp: u64) -> ChainError {
    ChainError::Expired { what, exp }
}

fn not_started(what: Dated, nbf: u64) -> ChainError {
    ChainError::NotStarted { what, nbf }
}

/// Judges the usual lease after a change.
fn changed(change: impl FnOnce(&mut Lease)) -> Result<Lease, ChainError> {
    let world = world();
    let mut lease = world.lease();
    change(&mut lease);
    world.judge(&lease)
}

#[test]
fn s5_the_genuine_chain_and_lease_are_taken() {
    let world = world();
    let chain = world.chain().unwrap();
    assert_eq!(chain.license.root, world.root.thumbprint());
    assert_eq!(chain.license.site_key, world.site.public());
    assert_eq!(chain.lease_key, world.leasing.public());
    assert_eq!(world.judge(&world.lease()).unwrap(), world.lease());
    let roots = [key(99).public(), world.root.public()];
    verify(&roots, &world.tokens()).unwrap();
}

#[test]
fn s5_a_chain_under_another_root_is_refused_by_name() {
    let (ours, theirs) = (world(), stranger());
    let refused = verify(&[ours.root.public()], &theirs.tokens()).unwrap_err();
    let root = theirs.root.thumbprint().to_owned();
    assert_eq!(refused, ChainError::WrongVendor { root });
    assert_eq!(refused.code(), Code::WrongVendor);
    assert!(verify(&[], &ours.tokens()).is_err());
}

#[test]
fn s5_a_root_that_only_claims_the_name_of_ours_is_refused() {
    use tokens::sign_raw;
    let (ours, theirs) = (world(), stranger());
    let header = serde_json::json!({
        "alg": "Ed25519", "typ": Kind::Issuer.typ(), "kid": ours.root.thumbprint()
    });
    let claims = serde_json::to_string(&theirs.issuer).unwrap();
    let mut tokens = theirs.tokens();
    tokens.issuer = Some(sign_raw(&theirs.root, &header.to_string(), &claims));
    let refused = verify(&[ours.root.public()], &tokens).unwrap_err();
    assert!(
        matches!(&refused, ChainError::Token(e) if e.fault == Fault::Signature),
        "{refused}"
    );
}

/// Every mix of two vendors' tokens, under either root: only a chain that is wholly one vendor's holds.
#[test]
fn s5_chains_do_not_mix() {
    let worlds = [world(), stranger()];
    let tokens = [worlds[0].tokens(), worlds[1].tokens()];
    for mix in 0..16_usize {
        let [root, issuer, license, delegation] = [0, 1, 2, 3].map(|bit| mix >> bit & 1);
        let chain = seatkeeper::wire::Chain {
            issuer: tokens[issuer].issuer.clone(),
            license: tokens[license].license.clone(),
            delegation: tokens[delegation].delegation.clone(),
        };
        let taken = verify(&[worlds[root].root.public()], &chain).is_ok();
        assert_eq!(taken, mix == 0 || mix == 15, "{mix:04b}");
    }
}

#[test]
fn s5_a_missing_token_is_refused() {
    let world = world();
    for (kind, remove) in [
        (
            Kind::Issuer,
            (|t| t.issuer = None) as fn(&mut seatkeeper::wire::Chain),
        ),
        (Kind::License, |t| t.license = None),
        (Kind::Delegation, |t| t.delegation = None),
    ] {
        let mut tokens = world.tokens();
        remove(&mut tokens);
        let refused = verify(&[world.root.public()], &tokens).unwrap_err();
        assert_eq!(refused, ChainError::Missing(kind));
    }
}

#[test]
fn s5_an_issuer_licenses_its_own_vendor_and_products_only() {
    let mut other = world();
    other.license.iss = "other".to_owned();
    assert!(matches!(other.chain(), Err(ChainError::Vendor { .. })));
    let mut other = world();
    other.license.product = "cae".to_owned();
    let product = "cae".to_owned();
    assert_eq!(other.chain().unwrap_err(), ChainError::Product { product });
    // No prefix, no case folding.
    for product in ["ca", "CAD", "cad2"] {
        let mut other = world();
        other.issuer.products = vec![product.to_owned()];
        assert!(matches!(other.chain(), Err(ChainError::Product { .. })));
    }
}

#[test]
fn s5_withdrawn_serials_and_keys_are_refused() {
    let mut withdrawn = world();
    withdrawn.issuer.min_serial = withdrawn.license.serial;
    withdrawn.chain().unwrap();
    withdrawn.issuer.min_serial += 1;
    assert_eq!(withdrawn.chain().unwrap_err(), ChainError::Revoked);
    let mut withdrawn = world();
    withdrawn.issuer.revoked_kids = vec![withdrawn.issuing.thumbprint().to_owned()];
    assert_eq!(withdrawn.chain().unwrap_err(), ChainError::Revoked);
}

#[test]
fn s5_the_issuer_is_judged_at_the_license_iat() {
    let at = |iat, nbf, exp| {
        let mut world = world();
        world.license.iat = iat;
        (world.issuer.nbf, world.issuer.exp) = (nbf, exp);
        world.chain().map(drop)
    };
    let what = Dated::Issuer;
    let (nbf, exp) = (NOW - 20 * DAY, NOW - 10 * DAY);
    at(nbf, nbf, exp).unwrap();
    at(exp - 1, nbf, exp).unwrap();
    assert_eq!(at(nbf - 1, nbf, exp).unwrap_err(), not_started(what, nbf));
    assert_eq!(at(exp, nbf, exp).unwrap_err(), expired(what, exp));
    // An issuer that ended long before the lease does not end the license that it issued in time.
    let mut ended = world();
    ended.license.iat = exp - 1;
    (ended.issuer.nbf, ended.issuer.exp) = (nbf, exp);
    ended.judge(&ended.lease()).unwrap();
}

#[test]
fn s5_license_and_delegation_are_judged_at_the_lease_iat() {
    let world = world();
    let (license, delegation) = (&world.license, &world.delegation);
    let at = |iat| {
        let mut lease = world.lease();
        lease.iat = iat;
        world.judge(&lease).map(drop)
    };
    at(license.nbf).unwrap();
    assert_eq!(
        at(license.nbf - 1).unwrap_err(),
        not_started(Dated::License, license.nbf)
    );
    let exp = license.exp.unwrap();
    assert_eq!(at(exp).unwrap_err(), expired(Dated::License, exp));
    assert!(exp < delegation.exp);

    let mut late = self::world();
    (late.delegation.iat, late.delegation.nbf) = (NOW, NOW + 9);
    assert_eq!(
        late.judge(&late.lease()).unwrap_err(),
        not_started(Dated::Delegation, NOW + 9)
    );
    let mut early = self::world();
    early.delegation.exp = NOW;
    assert_eq!(
        early.judge(&early.lease()).unwrap_err(),
        expired(Dated::Delegation, NOW)
    );
}

#[test]
fn s5_a_lease_that_runs_past_license_or_delegation_is_refused() {
    // ttl 600 and grace 300.
    let licensed = |exp| {
        let mut world = world();
        world.license.exp = Some(exp);
        world.judge(&world.lease()).map(drop)
    };
    licensed(NOW + 900).unwrap();
    assert_eq!(
        licensed(NOW + 899).unwrap_err(),
        expired(Dated::License, NOW + 899)
    );
    let delegated = |exp| {
        let mut world = world();
        world.delegation.exp = exp;
        world.judge(&world.lease()).map(drop)
    };
    delegated(NOW + 900).unwrap();
    assert_eq!(
        delegated(NOW + 899).unwrap_err(),
        expired(Dated::Delegation, NOW + 899)
    );
    // A perpetual license has no end; its delegation has.
    let mut perpetual = world();
    (perpetual.license.term, perpetual.license.exp) = (Term::Perpetual, None);
    let mut lease = perpetual.lease();
    lease.iat = NOW + 60 * DAY;
    perpetual.judge(&lease).unwrap();
    lease.iat = perpetual.delegation.exp - 899;
    assert!(matches!(
        perpetual.judge(&lease),
        Err(ChainError::Expired {
            what: Dated::Delegation,
            ..
        })
    ));
}

#[test]
fn s5_dates_at_the_far_end_do_not_overflow() {
    let refused = changed(|lease| lease.iat = (1 << 53) - 1);
    assert!(matches!(refused, Err(ChainError::Expired { .. })));
    let mut world = world();
    (world.license.term, world.license.exp) = (Term::Perpetual, None);
    let last = (1 << 53) - 1;
    world.delegation.iat = last - 10 * DAY;
    (world.delegation.nbf, world.delegation.exp) = (last - 10 * DAY, last);
    let mut lease = world.lease();
    lease.iat = last - 900;
    world.judge(&lease).unwrap();
    lease.iat += 1;
    assert!(world.judge(&lease).is_err());
}

#[test]
fn s5_a_license_serves_the_site_that_it_is_bound_to() {
    let world = world();
    // Another site takes a copy of the license and delegates to itself, in its own name or in ours.
    let mut thief = stranger();
    (thief.issuer, thief.license) = (world.issuer.clone(), world.license.clone());
    let mut tokens = world.tokens();
    tokens.delegation = Some(thief.delegation_token());
    let refused = verify(&[world.root.public()], &tokens).unwrap_err();
    assert_eq!(refused, ChainError::WrongSite);
    assert_eq!(refused.code(), Code::WrongServerHost);

    let mut theirs = world.delegation.clone();
    (theirs.sub, theirs.cnf) = (
        thief.leasing.thumbprint().to_owned(),
        thief.leasing.public().to_cnf(),
    );
    let header = serde_json::json!({
        "alg": "Ed25519", "typ": Kind::Delegation.typ(), "kid": world.site.thumbprint()
    });
    let claims = serde_json::to_string(&theirs).unwrap();
    tokens.delegation = Some(tokens::sign_raw(&thief.site, &header.to_string(), &claims));
    assert!(matches!(
        verify(&[world.root.public()], &tokens),
        Err(ChainError::Token(_))
    ));
}

#[test]
fn s5_leases_are_signed_by_the_delegated_key_and_by_no_other_of_the_chain() {
    let world = world();
    let chain = world.chain().unwrap();
    for signer in [&world.root, &world.issuing, &world.site, &key(99)] {
        for claims_to_be in [signer, &world.leasing] {
            let mut lease = world.lease();
            lease.iss = claims_to_be.thumbprint().to_owned();
            let header = serde_json::json!({
                "alg": "Ed25519", "typ": Kind::Lease.typ(), "kid": claims_to_be.thumbprint()
            });
            let claims = serde_json::to_string(&lease).unwrap();
            let token = tokens::sign_raw(signer, &header.to_string(), &claims);
            assert!(chain.check_lease(&token, &expect()).is_err());
        }
    }
}

#[test]
fn s5_slots_outside_the_delegated_ranges_are_refused() {
    let range = |vendor: &str, license: &str, feature: &str, first, last| SlotRange {
        vendor: vendor.to_owned(),
        license: license.to_owned(),
        feature: feature.to_owned(),
        first,
        last,
    };
    let judge = |ranges: Vec<SlotRange>| {
        let mut world = world();
        world.delegation.slots = Slots::Some(SlotRanges { ranges });
        world.judge(&world.lease()).map(drop)
    };
    let ours = |first, last| range("acme", "L-1", "modeler", first, last);
    // The lease has the slots 0 and 2.
    judge(vec![ours(0, 2)]).unwrap();
    judge(vec![ours(2, 2), ours(0, 0)]).unwrap();
    let outside = ChainError::BeyondLicense("slots outside the delegation");
    for ranges in [
        vec![ours(0, 1)],
        vec![ours(1, 3)],
        vec![ours(0, 0), ours(3, 9)],
        vec![range("other", "L-1", "modeler", 0, 9)],
        vec![range("acme", "L-2", "modeler", 0, 9)],
        vec![range("acme", "L-1", "render", 0, 9)],
        vec![ours(0, 0), range("acme", "L-1", "render", 2, 2)],
    ] {
        assert_eq!(judge(ranges.clone()).unwrap_err(), outside, "{ranges:?}");
    }
}

#[test]
fn s5_a_slot_from_seats_plus_overdraft_on_is_refused() {
    // 3 seats and 1 of overdraft.
    changed(|lease| lease.slots = vec![2, 3]).unwrap();
    for slot in [4, 5, (1 << 53) - 1] {
        let refused = changed(|lease| lease.slots = vec![0, slot]);
        assert_eq!(refused.unwrap_err(), ChainError::BeyondLicense("slots"));
    }
    let mut world = world();
    world.license.features[0].seats = Count::UNLIMITED;
    world.license.features[0].overdraft = 0;
    let mut lease = world.lease();
    lease.slots = vec![0, (1 << 53) - 1];
    world.judge(&lease).unwrap();
}

#[test]
fn s5_a_lease_says_no_more_than_its_license() {
    type Change = fn(&mut Lease);
    let beyond: [(&str, Change); 5] = [
        ("ttl_s", |l| l.ttl_s = 601),
        ("grace_s", |l| l.grace_s = 301),
        ("policies", |l| l.policies.push("admin".to_owned())),
        ("policies", |l| l.policies = vec!["Core".to_owned()]),
        ("policies", |l| l.policies = vec!["cor".to_owned()]),
    ];
    for (claim, change) in beyond {
        assert_eq!(
            changed(change).unwrap_err(),
            ChainError::BeyondLicense(claim)
        );
    }
    changed(|lease| lease.policies = vec!["core".to_owned(), "export".to_owned()]).unwrap();
    changed(|lease| lease.policies.clear()).unwrap();
    changed(|lease| (lease.ttl_s, lease.grace_s) = (1, 0)).unwrap();
}

#[test]
fn s5_a_version_above_the_limit_is_refused() {
    let judge = |version: Option<&'static str>| {
        let world = world();
        let mut lease = world.lease();
        lease.version = version.map(str::to_owned);
        let expect = Expect {
            version,
            ..expect()
        };
        let chain = world.chain().unwrap();
        chain
            .check_lease(&world.lease_token(&lease), &expect)
            .map(drop)
    };
    // The limit is 7.2 (rule 12).
    for version in ["7.2", "7.2.99", "7.1.9", "7", "6.100", "07.02", "0"] {
        judge(Some(version)).unwrap();
    }
    for version in ["7.3", "8", "7.10", "10.0", "99999999999999999999999.1"] {
        let refused = judge(Some(version)).unwrap_err();
        assert_eq!(refused, ChainError::BeyondLicense("version"), "{version}");
    }
    assert!(judge(None).is_err());
}

#[test]
fn s5_a_last_lease_comes_in_a_renewal_only_and_is_short() {
    let world = world();
    let chain = world.chain().unwrap();
    let judge = |ttl_s, renewal| {
        let mut lease = world.lease();
        (lease.last, lease.ttl_s, lease.grace_s) = (Some(Last::Reclaimed), ttl_s, 0);
        let expect = Expect {
            renewal,
            ..expect()
        };
        chain
            .check_lease(&world.lease_token(&lease), &expect)
            .map(drop)
    };
    judge(60, true).unwrap();
    assert_eq!(
        judge(60, false).unwrap_err(),
        ChainError::NotThisCall("last")
    );
    assert_eq!(
        judge(61, true).unwrap_err(),
        ChainError::BeyondLicense("ttl_s of a last lease")
    );
}

/// A recorded answer, and every other call in which it might be shown again.
#[test]
fn s18_a_recorded_answer_is_refused_in_every_other_call() {
    let world = world();
    let (chain, recorded) = (world.chain().unwrap(), world.lease_token(&world.lease()));
    chain.check_lease(&recorded, &expect()).unwrap();
    let (mut flipped, mut longer) = (NONCE, NONCE.to_vec());
    flipped[15] ^= 1;
    longer.push(0);
    let calls: [(&str, Expect<'_>); 12] = [
        ("nonce", with(|e| e.nonce = &[8; 16])),
        (
            "nonce",
            Expect {
                nonce: &flipped,
                ..expect()
            },
        ),
        (
            "nonce",
            Expect {
                nonce: &longer,
                ..expect()
            },
        ),
        ("nonce", with(|e| e.nonce = &NONCE[..15])),
        ("nonce", with(|e| e.nonce = &[])),
        ("host", with(|e| e.boot_id = [8; 16])),
        ("product", with(|e| e.product = "cam")),
        ("feature", with(|e| e.feature = "render")),
        ("version", with(|e| e.version = Some("7.0"))),
        ("version", with(|e| e.version = None)),
        ("the number of slots", with(|e| e.n = 1)),
        ("the number of slots", with(|e| e.n = 3)),
    ];
    for (claim, call) in calls {
        let refused = chain.check_lease(&recorded, &call).unwrap_err();
        assert_eq!(refused, ChainError::NotThisCall(claim), "{call:?}");
    }
}

fn with(change: impl FnOnce(&mut Expect<'static>)) -> Expect<'static> {
    let mut expect = expect();
    change(&mut expect);
    expect
}

/// The renewed license has the same keys, name and feature: only its hash tells them apart.
#[test]
fn s18_a_recorded_answer_is_refused_under_another_license() {
    let before = world();
    let recorded = before.lease_token(&before.lease());
    let mut renewed = world();
    renewed.license.serial += 1;
    let mut sibling = world();
    sibling.license.sub = "L-2".to_owned();
    let mut other_product = world();
    other_product.license.product = "cam".to_owned();
    for other in [renewed, sibling] {
        let refused = other.chain().unwrap().check_lease(&recorded, &expect());
        assert_eq!(refused.unwrap_err(), ChainError::NotThisCall("license"));
    }
    for product in ["cad", "cam"] {
        let chain = other_product.chain().unwrap();
        let expect = Expect {
            product,
            ..expect()
        };
        assert!(chain.check_lease(&recorded, &expect).is_err());
    }
}

/// A daemon that has the lease key but takes the nonce or the host of another call is refused too.
#[test]
fn s18_nonce_and_host_are_checked_each_for_itself() {
    let other = [8; 16];
    let refused = changed(|l| l.nonce = URL_SAFE_NO_PAD.encode(other));
    assert_eq!(refused.unwrap_err(), ChainError::NotThisCall("nonce"));
    for host in [
        host_hash(BOOT, &other),
        host_hash(other, &NONCE),
        host_hash(NONCE, &BOOT),
        host_hash(BOOT, &[]),
        host_hash(BOOT, URL_SAFE_NO_PAD.encode(NONCE).as_bytes()),
    ] {
        let refused = changed(|lease| lease.host = host);
        assert_eq!(refused.unwrap_err(), ChainError::NotThisCall("host"));
    }
}

#[test]
fn s18_a_nonce_of_less_than_128_bits_is_never_signed() {
    let world = world();
    for bytes in [0, 1, 8, 15, 65] {
        let mut lease = world.lease();
        lease.nonce = URL_SAFE_NO_PAD.encode(vec![7; bytes]);
        assert!(
            lease::sign(&lease, &world.leasing).is_err(),
            "{bytes} bytes"
        );
    }
}

/// A server without the delegated key: whatever it makes or repeats, no lease is accepted.
#[test]
fn s17_forged_and_repeated_answers_are_refused() {
    let (ours, thief) = (world(), stranger());
    let chain = ours.chain().unwrap();
    let genuine = ours.lease_token(&ours.lease());
    let mut dice = Dice(17);
    for n in 0..cases(6_000) {
        // Of each call only its nonce is new, as in an application's.
        let mut nonce = [0; 16];
        nonce.fill_with(|| dice.byte());
        let expect = Expect {
            nonce: &nonce,
            ..expect()
        };
        let mut lease = ours.lease();
        lease.nonce = URL_SAFE_NO_PAD.encode(nonce);
        lease.host = host_hash(BOOT, &nonce);
        let token = forge(n, &ours, &thief, &genuine, lease, &mut dice);
        assert!(chain.check_lease(&token, &expect).is_err(), "{token}");
    }
}

fn forge(
    n: usize,
    ours: &World,
    thief: &World,
    genuine: &str,
    mut lease: Lease,
    dice: &mut Dice,
) -> String {
    let named = |lease: &Lease, kid: &str| {
        let header =
            serde_json::json!({"alg": "Ed25519", "typ": Kind::Lease.typ(), "kid": kid}).to_string();
        tokens::sign_raw(
            &thief.leasing,
            &header,
            &serde_json::to_string(lease).expect("claims are JSON"),
        )
    };
    match n % 5 {
        // Repeated.
        0 => genuine.to_owned(),
        // Signed by another key, under its own name and under ours.
        1 => {
            lease.iss = thief.leasing.thumbprint().to_owned();
            named(&lease, thief.leasing.thumbprint())
        }
        2 => named(&lease, ours.leasing.thumbprint()),
        // The right claims with a recorded, and with a random, signature.
        3 => {
            let token = named(&lease, ours.leasing.thumbprint());
            let (signed, _) = token.rsplit_once('.').expect("a token has dots");
            let (_, signature) = genuine.rsplit_once('.').expect("a token has dots");
            format!("{signed}.{signature}")
        }
        _ => {
            let token = named(&lease, ours.leasing.thumbprint());
            let (signed, _) = token.rsplit_once('.').expect("a token has dots");
            let mut signature = [0; 64];
            signature.fill_with(|| dice.byte());
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }
}

/// Foreign answers are whole: their own chain, and a lease that is right under it.
#[test]
fn s17_a_foreign_chain_with_its_own_lease_is_refused() {
    let (ours, theirs) = (world(), stranger());
    theirs.judge(&theirs.lease()).unwrap();
    assert!(verify(&[ours.root.public()], &theirs.tokens()).is_err());
    let foreign = theirs.lease_token(&theirs.lease());
    let refused = ours.chain().unwrap().check_lease(&foreign, &expect());
    assert!(matches!(refused, Err(ChainError::Token(e)) if matches!(e.fault, Fault::Kid { .. })));
    assert!(
        verify_license(
            &[ours.root.public()],
            &ours.issuer_token(),
            &theirs.license_token()
        )
        .is_err()
    );
}
