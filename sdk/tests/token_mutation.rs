//! What mutation makes of a token is refused, and nothing panics (S8). `SEATKEEPER_MUTATIONS` sets the long run.

mod tokens;

use seatkeeper::token::{Fault, file};
use std::collections::BTreeSet;
use tokens::{Dice, cases, one_of_each, samples, verify};

#[test]
fn s8_every_flipped_bit_is_refused() {
    for sample in one_of_each() {
        let token = sample.token();
        let key = sample.key.public();
        for bit in 0..token.len() * 8 {
            let mut bytes = token.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match String::from_utf8(bytes) {
                Ok(mutant) => assert!(verify(sample.kind, &mutant, &key).is_err(), "bit {bit}"),
                Err(e) => assert_eq!(
                    file::parse(e.as_bytes()).unwrap_err(),
                    file::FileError::NotText
                ),
            }
        }
    }
}

#[test]
fn s8_random_mutations_are_refused() {
    let originals: Vec<_> = samples().into_iter().map(|s| (s.token(), s)).collect();
    let genuine: BTreeSet<&str> = originals.iter().map(|(token, _)| token.as_str()).collect();
    let mut dice = Dice(1);
    let mut reached = 0;
    for _ in 0..cases(100_000) {
        let (token, sample) = &originals[dice.below(originals.len())];
        let (other, _) = &originals[dice.below(originals.len())];
        let mutant = mutate(&mut dice, token, other);
        if genuine.contains(mutant.as_str()) {
            continue;
        }
        let refused = verify(sample.kind, &mutant, &sample.key.public());
        let Err(refused) = refused else {
            panic!("a {} took {mutant}", sample.kind)
        };
        reached += usize::from(matches!(refused.fault, Fault::Signature | Fault::Claims(_)));
    }
    assert!(
        reached > 100,
        "{reached} mutants came as far as the signature"
    );
}

/// Payloads that are signed as they are: the parser sees what an attacker with a key of their own would send.
#[test]
fn s8_random_payloads_do_not_panic() {
    let samples = samples();
    let mut dice = Dice(2);
    for _ in 0..cases(20_000) / 4 {
        let sample = &samples[dice.below(samples.len())];
        let mut payload = sample.claims.to_string().into_bytes();
        for _ in 0..=dice.below(4) {
            let at = dice.below(payload.len());
            match dice.below(3) {
                0 => payload[at] = dice.byte(),
                1 => drop(payload.remove(at)),
                _ => payload.insert(at, b"{}[]\",:0-e\\u"[dice.below(12)]),
            }
        }
        let token = sample.key.sign_token(sample.kind.typ(), &payload);
        let _ = verify(sample.kind, &token, &sample.key.public());
    }
    for deep in ["[", "{\"info\":", "{\"info\":{\"a\":["] {
        assert!(samples[0].try_payload(&deep.repeat(1_500)).is_err());
    }
}

fn mutate(dice: &mut Dice, token: &str, other: &str) -> String {
    const LIKELY: &[u8] = b"ABCabc019-_=+/. \n\t\0";
    let mut text: Vec<u8> = token.into();
    for _ in 0..=dice.below(3) {
        let at = dice.below(text.len());
        match dice.below(7) {
            0 => text[at] = dice.byte() & 0x7f,
            1 => text[at] = LIKELY[dice.below(LIKELY.len())],
            2 => drop(text.remove(at)),
            3 => text.insert(at, LIKELY[dice.below(LIKELY.len())]),
            4 => text.truncate(at + 1),
            5 => {
                let with = dice.below(text.len());
                text.swap(at, with);
            }
            // A segment of another token in the place of one of this.
            _ => {
                let from: Vec<&str> = other.split('.').collect();
                let now = String::from_utf8_lossy(&text).into_owned();
                let mut into: Vec<&str> = now.split('.').collect();
                let (n, m) = (dice.below(into.len()), dice.below(from.len()));
                into[n] = from[m];
                text = into.join(".").into();
            }
        }
        if text.is_empty() {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
