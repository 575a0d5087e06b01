//! Every claim of every kind must be there, once, under its name, of its type and within its bounds (S2, S6).

mod tokens;

use seatkeeper::token::{Fault, Kind, license};
use serde_json::{Value, json};
use tokens::json::{Path, Step, at, at_mut, locate, members, paths, remove, render, unnamed};
use tokens::{Sample, World, samples, verify};

/// Claims that may be null: each is a claim without which there is less, or nothing to compare with.
const NULLABLE: [&str; 6] = [
    "replaces",
    "managed_by",
    "version",
    "borrow",
    "product_version",
    "order",
];
const TOO_LARGE: u64 = 1 << 53;

#[test]
fn s2_every_claim_of_a_wrong_type_or_size_is_refused() {
    let mut tried = 0;
    for sample in samples() {
        for path in paths(&sample.claims) {
            let right = at(&sample.claims, &path);
            for wrong in wrongs(&path, right) {
                let mut claims = sample.claims.clone();
                *at_mut(&mut claims, &path) = wrong.clone();
                let refused = sample.try_payload(&claims.to_string());
                assert!(
                    matches!(&refused, Err(e) if matches!(e.fault, Fault::Claims(_))),
                    "a {} took {wrong} at {path:?}: {refused:?}",
                    sample.kind
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 1_500, "{tried}");
}

/// Numbers in the other spellings that JSON has for them, which `Value` does not keep.
#[test]
fn s2_a_number_in_another_spelling_is_refused() {
    let mut tried = 0;
    for sample in samples() {
        for path in paths(&sample.claims) {
            if !at(&sample.claims, &path).is_number() {
                continue;
            }
            let mut claims = sample.claims.clone();
            *at_mut(&mut claims, &path) = json!("@");
            let text = claims.to_string();
            for spelling in [
                "1.0",
                "1e0",
                "-0",
                "01",
                "+1",
                "0x1",
                "18446744073709551616",
                "1e400",
                "NaN",
                "Infinity",
                "",
            ] {
                let payload = text.replacen("\"@\"", spelling, 1);
                assert!(
                    sample.try_payload(&payload).is_err(),
                    "a {} took {spelling} at {path:?}",
                    sample.kind
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn s2_every_claim_that_is_missing_is_refused() {
    for sample in samples() {
        for path in members(&sample.claims) {
            let mut claims = sample.claims.clone();
            let name = remove(&mut claims, &path);
            let taken = sample.try_payload(&claims.to_string()).is_ok();
            // The one claim that is absent in most leases; the lease check judges a lease with and without it.
            let optional = sample.kind == Kind::Lease && name == "last";
            assert_eq!(taken, optional, "a {} without {path:?}", sample.kind);
        }
    }
}

#[test]
fn s2_every_claim_that_stands_twice_is_refused() {
    for sample in samples() {
        for path in members(&sample.claims) {
            let mut payload = String::new();
            render(&sample.claims, &mut Vec::new(), &path, &mut payload);
            assert!(
                sample.try_payload(&payload).is_err(),
                "a {} took {path:?} twice",
                sample.kind
            );
        }
    }
}

#[test]
fn s2_an_unknown_claim_is_refused_in_every_object() {
    for sample in samples() {
        let inner = paths(&sample.claims);
        for path in std::iter::once(Path::new()).chain(inner) {
            if path == [Step::Member("info".to_owned())] {
                continue;
            }
            for name in ["crit", "unlimited", "", "info2", "__proto__"] {
                let mut claims = sample.claims.clone();
                let Value::Object(object) = at_mut(&mut claims, &path) else {
                    continue;
                };
                object.insert(name.to_owned(), json!(1));
                assert!(
                    sample.try_payload(&claims.to_string()).is_err(),
                    "a {} took {name:?} in {path:?}",
                    sample.kind
                );
            }
        }
    }
}

#[test]
fn s2_info_is_open() {
    for sample in samples() {
        let mut claims = sample.claims.clone();
        claims["info"] = json!({
            "seats": 1_000_000, "support": {"mail": "help@example.com", "list": [[], {}, [{"a": [1.5, null]}]]},
            "text": "} ] { [ \" \\ \\\"{", "nothing": null
        });
        sample.try_payload(&claims.to_string()).unwrap();
    }
}

/// A derived reader also takes a struct as the list of its values: no names, so nothing to refuse as unknown.
#[test]
fn s2_claims_without_their_names_are_refused() {
    let mut tried = 0;
    for sample in samples() {
        for path in std::iter::once(Path::new()).chain(paths(&sample.claims)) {
            let mut payload = String::new();
            if !at(&sample.claims, &path).is_object() {
                continue;
            }
            positional(&sample, &path, &mut payload);
            assert!(
                sample.try_payload(&payload).is_err(),
                "a {} took the list {path:?}",
                sample.kind
            );
            // Objects that stand in `info`, but not in what is read from it, do not make up for the one that is missing.
            for info in [
                r#"{"x":{},"x":1}"#,
                r#"{"x":{"$serde_json::private::RawValue":"[]"}}"#,
            ] {
                let info = format!("\"info\":{info}");
                let made_up = payload.replacen("\"info\":{}", &info, 1);
                assert!(sample.try_payload(&made_up).is_err());
            }
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried}");
}

#[test]
fn s6_a_renamed_claim_is_refused_with_the_old_signature_and_with_a_new_one() {
    for sample in samples() {
        let token = sample.token();
        let (_, signature) = token.rsplit_once('.').unwrap();
        for path in members(&sample.claims) {
            for rename in [
                str::to_uppercase,
                |name: &str| format!("x{name}"),
                |name: &str| format!("{name} "),
            ] {
                let mut claims = sample.claims.clone();
                let value = at(&claims, &path).clone();
                let name = remove(&mut claims, &path);
                let Value::Object(parent) = at_mut(&mut claims, &path[..path.len() - 1]) else {
                    panic!("a member's parent is an object")
                };
                parent.insert(rename(&name), value);
                let renamed = sample.sign(&claims.to_string());
                let (signed, _) = renamed.rsplit_once('.').unwrap();
                for token in [format!("{signed}.{signature}"), renamed.clone()] {
                    assert!(
                        verify(sample.kind, &token, &sample.key.public()).is_err(),
                        "a {} took {path:?} renamed",
                        sample.kind
                    );
                }
            }
        }
    }
}

/// Deleting is refused for every claim but `last` (S2 above); without it a lease says no more than before.
#[test]
fn s6_a_last_lease_without_its_last_word_gives_no_more_time() {
    let world = World::new(10);
    let mut lease = world.lease();
    (lease.last, lease.ttl_s, lease.grace_s) =
        (Some(seatkeeper::token::claims::Last::Reclaimed), 60, 0);
    let chain = world.chain().unwrap();
    let mut expect = tokens::expect();
    expect.renewal = true;
    let with = chain
        .check_lease(&world.lease_token(&lease), &expect)
        .unwrap();
    lease.last = None;
    let without = chain
        .check_lease(&world.lease_token(&lease), &expect)
        .unwrap();
    assert_eq!(
        (with.ttl_s, with.grace_s, &with.slots),
        (without.ttl_s, without.grace_s, &without.slots)
    );
}

/// The payload in the order of the struct's fields, with the object at `path` as a list.
fn positional(sample: &Sample, path: &Path, out: &mut String) {
    use seatkeeper::token::claims as c;
    let claims = sample.claims.clone();
    let typed = "a sample is good for its kind";
    let text = match sample.kind {
        Kind::Issuer => {
            serde_json::to_string(&serde_json::from_value::<c::Issuer>(claims).expect(typed))
        }
        Kind::License => {
            serde_json::to_string(&serde_json::from_value::<c::License>(claims).expect(typed))
        }
        Kind::Delegation => {
            serde_json::to_string(&serde_json::from_value::<c::Delegation>(claims).expect(typed))
        }
        Kind::Request => {
            serde_json::to_string(&serde_json::from_value::<c::Request>(claims).expect(typed))
        }
        Kind::Lease => {
            serde_json::to_string(&serde_json::from_value::<c::Lease>(claims).expect(typed))
        }
        Kind::Anchor => {
            serde_json::to_string(&serde_json::from_value::<c::Anchor>(claims).expect(typed))
        }
    };
    let text = text.expect(typed);
    let (from, to) = locate(&text, path);
    out.push_str(&text[..from]);
    out.push_str(&unnamed(&text[from..to]));
    out.push_str(&text[to..]);
}

/// Values that are wrong in the place of this one.
fn wrongs(path: &Path, right: &Value) -> Vec<Value> {
    let name = path.iter().rev().find_map(|step| match step {
        Step::Member(name) => Some(name.as_str()),
        Step::Element(_) => None,
    });
    let own = matches!(path.last(), Some(Step::Member(_)));
    let mut wrongs = vec![
        json!([]),
        json!({}),
        json!(""),
        json!("@\n"),
        json!(true),
        json!(false),
    ];
    wrongs.extend([
        json!(1),
        json!(-1),
        json!(1.5),
        json!(TOO_LARGE),
        json!(u64::MAX),
    ]);
    wrongs.extend([
        json!([right]),
        json!({"x": right}),
        json!([null]),
        json!({"unlimited": null}),
    ]);
    wrongs.extend([json!("1"), json!("1.5.x"), json!(null)]);
    wrongs.retain(|wrong| match (right, wrong) {
        (Value::Bool(_), Value::Bool(_)) => false,
        (Value::Array(_), Value::Array(list)) => !list.is_empty() || must_be_filled(name),
        (Value::Object(_), Value::Object(_)) => name != Some("info"),
        // A text of another content is another text; words and keys are looked at below.
        (Value::String(_), Value::String(text)) => text != "1" && text != "1.5.x" || closed(name),
        (Value::Number(_), Value::Number(number)) => number.as_u64() != Some(1),
        // A limit in the place of none is another license.
        (Value::String(text), Value::Number(number)) => {
            text != "unlimited" || number.as_u64() != Some(1)
        }
        (_, Value::Null) => !(own && name.is_some_and(|name| NULLABLE.contains(&name))),
        _ => true,
    });
    wrongs
}

/// Lists that are never empty.
fn must_be_filled(name: Option<&str>) -> bool {
    matches!(name, Some("products" | "features" | "ranges" | "slots"))
}

/// Texts that are one of some words, a hash, a key or an id of a form.
fn closed(name: Option<&str>) -> bool {
    matches!(
        name,
        Some(
            "term"
                | "model"
                | "counting"
                | "seats"
                | "share_max"
                | "slots"
                | "last"
                | "kty"
                | "crv"
                | "x"
                | "nonce"
                | "host"
                | "gid"
                | "revoked_kids"
        )
    )
}

#[test]
fn s2_policies_that_no_lease_could_carry_are_refused_in_the_license() {
    let world = World::new(1);
    let mut license = world.license.clone();
    license.features[0].policies = (0..40).map(|n| format!("{n:0120}")).collect();
    let text = license::sign(&license, &world.issuing)
        .expect_err("too long")
        .to_string();
    assert!(text.contains("fit into a lease"), "{text}");
}

#[test]
fn s2_an_anchor_of_no_event_or_of_no_hash_is_refused() {
    let all = samples();
    let sample = all
        .iter()
        .find(|s| s.kind == Kind::Anchor)
        .expect("a sample");
    for (claim, value) in [
        ("number", json!(0)),
        ("number", json!(TOO_LARGE)),
        ("hash", json!("5".repeat(64))),
        ("hash", json!("A".repeat(42))),
        ("iss", json!("site")),
        ("run_id", json!("a/b")),
    ] {
        let mut claims = sample.claims.clone();
        claims[claim] = value.clone();
        let refused = sample.try_payload(&claims.to_string()).unwrap_err();
        assert!(refused.to_string().contains(claim), "{claim}: {refused}");
    }
}

#[test]
fn s6_who_signs_is_who_the_claims_name() {
    let other = tokens::key(99);
    let mut tried = 0;
    for sample in samples() {
        // A vendor's tokens name the vendor there, not a key.
        if matches!(sample.kind, Kind::Issuer | Kind::License) {
            continue;
        }
        let mut claims = sample.claims.clone();
        claims["iss"] = json!(other.thumbprint());
        let refused = sample.try_payload(&claims.to_string());
        assert!(
            matches!(&refused, Err(e) if e.to_string().contains("iss")),
            "{}: {refused:?}",
            sample.kind
        );
        tried += 1;
    }
    assert_eq!(tried, 6);
}
