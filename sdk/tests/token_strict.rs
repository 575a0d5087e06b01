//! Tokens are taken in one form only: header, segments, base64 and kind (S1, S4).

mod tokens;

use seatkeeper::token::Fault;
use serde_json::{Value, json};
use tokens::{KINDS, Sample, key, one_of_each, samples, sign_raw, verify};

fn refuses_header(sample: &Sample, header: &str) {
    let token = sign_raw(&sample.key, header, &sample.claims.to_string());
    let refused = verify(sample.kind, &token, &sample.key.public());
    assert!(
        refused.is_err(),
        "a {} took the header {header}",
        sample.kind
    );
}

#[test]
fn s1_every_sample_is_taken_as_it_is() {
    for sample in samples() {
        sample.try_payload(&sample.claims.to_string()).unwrap();
    }
}

#[test]
fn s1_a_header_with_another_member_is_refused() {
    for sample in one_of_each() {
        let (typ, kid) = (sample.kind.typ(), sample.key.thumbprint());
        let jwk = sample.key.public().to_jwk();
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("jwk", json!(jwk)),
            ("jku", json!("https://example.com/keys")),
            ("x5u", json!("https://example.com/cert")),
            ("x5c", json!(["MII="])),
            ("x5t", json!("x")),
            ("b64", json!(false)),
            ("b64", json!(true)),
            ("cty", json!("JWT")),
            ("zip", json!("DEF")),
            ("enc", json!("A128GCM")),
            ("", json!(null)),
        ] {
            let mut header = json!({"alg": "Ed25519", "typ": typ, "kid": kid});
            header[name] = value;
            refuses_header(&sample, &header.to_string());
        }
    }
}

#[test]
fn s1_a_header_with_another_value_or_type_is_refused() {
    for sample in one_of_each() {
        let good =
            json!({"alg": "Ed25519", "typ": sample.kind.typ(), "kid": sample.key.thumbprint()});
        for alg in [
            "EdDSA",
            "none",
            "None",
            "",
            "HS256",
            "RS256",
            "ES256",
            "Ed448",
            "ed25519",
            "ED25519",
            "Ed25519 ",
            "Ed25519\0",
        ] {
            changed(&sample, &good, "alg", json!(alg));
        }
        let typ = sample.kind.typ();
        for other in [
            "JWT".to_owned(),
            String::new(),
            typ.to_uppercase(),
            format!("application/{typ}"),
            format!("{typ} "),
            typ.trim_end_matches("+jwt").to_owned(),
        ] {
            changed(&sample, &good, "typ", json!(other));
        }
        for other in [key(99).thumbprint(), "", "kid"] {
            changed(&sample, &good, "kid", json!(other));
        }
        for name in ["alg", "typ", "kid"] {
            for value in [
                json!(null),
                json!(1),
                json!(true),
                json!([good[name]]),
                json!({}),
            ] {
                changed(&sample, &good, name, value);
            }
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name);
            refuses_header(&sample, &without.to_string());
            let twice = good
                .to_string()
                .replacen('{', &format!("{{\"{name}\":{},", good[name]), 1);
            refuses_header(&sample, &twice);
        }
    }
}

fn changed(sample: &Sample, good: &Value, name: &str, value: Value) {
    let mut header = good.clone();
    header[name] = value;
    refuses_header(sample, &header.to_string());
}

#[test]
fn s1_a_header_that_is_no_object_is_refused() {
    for sample in one_of_each() {
        let (typ, kid) = (sample.kind.typ(), sample.key.thumbprint());
        let good = json!({"alg": "Ed25519", "typ": typ, "kid": kid}).to_string();
        for header in [
            json!(["Ed25519", typ, kid]).to_string(),
            json!([good]).to_string(),
            format!("{good}{good}"),
            format!("{good}x"),
            format!("\u{feff}{good}"),
            good.replace('"', "'"),
            good.replace('}', ",}"),
            format!("{good}{}", " ".repeat(300)),
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
        ] {
            refuses_header(&sample, &header);
        }
    }
}

#[test]
fn s1_another_number_of_segments_is_refused() {
    for sample in one_of_each() {
        let token = sample.token();
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            panic!("three segments")
        };
        for wrong in [
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{header}.{payload}.{signature}."),
            format!(".{header}.{payload}.{signature}"),
            format!("{header}.{payload}.{signature}.{signature}"),
            format!("{header}.{payload}.{payload}.{signature}"),
            format!("{header}{payload}{signature}"),
            String::new(),
            "..".to_owned(),
            ".".to_owned(),
        ] {
            assert!(
                verify(sample.kind, &wrong, &sample.key.public()).is_err(),
                "{wrong}"
            );
        }
    }
}

/// The signature is made anew over each spelling: only the spelling is wrong.
#[test]
fn s1_another_spelling_of_base64_is_refused() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    for sample in one_of_each() {
        let header =
            json!({"alg": "Ed25519", "typ": sample.kind.typ(), "kid": sample.key.thumbprint()});
        // White space makes every length of padding, and a text whose base64 has `-` and `_`, without changing a claim.
        let mut claims = sample.claims.clone();
        claims["info"] = json!({"x": "~~~???>>>"});
        let sealed = |header: &str, payload: &str| {
            let signed = format!("{header}.{payload}");
            let signature = sample.key.sign(signed.as_bytes());
            (signed, URL_SAFE_NO_PAD.encode(signature), signature)
        };
        let refused = |token: String| {
            assert!(
                verify(sample.kind, &token, &sample.key.public()).is_err(),
                "{token}"
            );
        };
        let (mut padded, mut other) = (0, 0);
        for blanks in 0..3 {
            let payload = format!("{claims}{}", " ".repeat(blanks));
            let header = format!("{header}{}", " ".repeat(blanks));
            let (h, p) = (
                URL_SAFE_NO_PAD.encode(&header),
                URL_SAFE_NO_PAD.encode(&payload),
            );
            let (signed, signature, raw) = sealed(&h, &p);
            verify(
                sample.kind,
                &format!("{signed}.{signature}"),
                &sample.key.public(),
            )
            .unwrap();
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE] {
                if engine.encode(&payload) != p {
                    let (signed, signature, _) = sealed(&h, &engine.encode(&payload));
                    refused(format!("{signed}.{signature}"));
                    other += 1;
                }
                if engine.encode(&header) != h {
                    let (signed, signature, _) = sealed(&engine.encode(&header), &p);
                    refused(format!("{signed}.{signature}"));
                    padded += 1;
                }
                if engine.encode(raw) != signature {
                    refused(format!("{signed}.{}", engine.encode(raw)));
                }
            }
            for (h, p) in [
                (trailing(&h), Some(p.clone())),
                (Some(h.clone()), trailing(&p)),
            ] {
                if let (Some(h), Some(p)) = (h, p) {
                    let (signed, signature, _) = sealed(&h, &p);
                    refused(format!("{signed}.{signature}"));
                }
            }
            refused(format!("{signed}.{}", trailing(&signature).unwrap()));
            refused(format!("{signed}.{signature}="));
            refused(format!("{signed}.{signature}\n"));
            refused(format!(" {signed}.{signature}"));
        }
        assert!(padded > 0 && other > 3);
    }
}

/// The text with one of its unused last bits set, where it has some.
fn trailing(text: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = text.bytes().last()?;
    let at = ALPHABET.iter().position(|c| *c == last)?;
    let twin = char::from(ALPHABET[at | 1]);
    (!text.len().is_multiple_of(4)).then(|| format!("{}{twin}", &text[..text.len() - 1]))
}

#[test]
fn s4_only_the_own_verifier_takes_a_token() {
    let samples = one_of_each();
    assert_eq!(samples.len(), KINDS.len());
    for sample in &samples {
        let token = sample.token();
        for kind in KINDS {
            let taken = verify(kind, &token, &sample.key.public());
            assert_eq!(
                taken.is_ok(),
                kind == sample.kind,
                "{kind}: {}",
                sample.kind
            );
            if let Err(e) = taken {
                assert!(matches!(e.fault, Fault::Typ { .. }), "{e}");
            }
            // The same claims signed under the other kind's typ are no token of that kind.
            let relabeled = sample
                .key
                .sign_token(kind.typ(), sample.claims.to_string().as_bytes());
            let taken = verify(kind, &relabeled, &sample.key.public());
            assert_eq!(
                taken.is_ok(),
                kind == sample.kind,
                "{} as {kind}",
                sample.kind
            );
        }
        for typ in ["anchor2", "borrow", "return", "revocation", "license2"] {
            let typ = format!("seatkeeper-{typ}+jwt");
            let token = sample
                .key
                .sign_token(&typ, sample.claims.to_string().as_bytes());
            for kind in KINDS {
                assert!(
                    verify(kind, &token, &sample.key.public()).is_err(),
                    "{kind}: {typ}"
                );
            }
        }
    }
}
