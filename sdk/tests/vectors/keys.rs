//! Public keys as they stand in a JWK's `x`, and tokens under keys that no verifier may take (S3).

use super::{Book, encode};
use crate::tokens::key;
use serde_json::json;

/// y of the two points of order 8, whose x is positive; negated and with the sign of x set they are the other three pairs.
const ORDER_8: [&str; 2] = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

pub fn make() -> Book {
    let mut book = Book::new(
        "keys",
        "A public key alone: x of a JWK. A key is taken in its canonical form only, and never where it is of small order.",
        json!({}),
    );
    for seed in [1, 2, 3] {
        let asked = json!({"key": key(seed).public().to_x()});
        book.accepted("key", &format!("good-{seed}"), "a key", asked);
    }
    for (id, reason, bytes) in weak() {
        book.refused("key", "K3", &id, &reason, json!({"key": encode(bytes)}));
    }
    for (id, reason, bytes) in other_spellings() {
        book.refused("key", "K2", &id, &reason, json!({"key": encode(bytes)}));
    }
    let x = key(1).public().to_x();
    for (id, reason, x) in [
        ("empty", "an empty text", String::new()),
        ("31-bytes", "31 bytes", encode([9; 31])),
        ("33-bytes", "33 bytes", encode([9; 33])),
        ("padded", "with base64 padding", format!("{x}=")),
        ("hex", "in hex digits", super::hex(&[9; 32])),
        (
            "plain-base64",
            "in the alphabet with + and /",
            format!("+{}", &x[1..]),
        ),
        (
            "spare-bits",
            "with unused bits set in the last character",
            super::form::spare(&x),
        ),
    ] {
        book.refused("key", "K1", id, reason, json!({"key": x}));
    }
    book
}

/// The eight points of small order, in canonical form.
fn weak() -> Vec<(String, String, [u8; 32])> {
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let mut found = vec![
        ("order-1", low(1)),
        ("order-2", minus_one),
        ("order-4", low(0)),
        ("order-4-signed", signed(low(0))),
    ];
    let [first, second] = ORDER_8.map(bytes);
    found.extend([
        ("order-8-a", first),
        ("order-8-b", signed(first)),
        ("order-8-c", second),
        ("order-8-d", signed(second)),
    ]);
    found
        .into_iter()
        .map(|(id, bytes)| {
            (
                id.to_owned(),
                "a point of small order: signatures under it prove nothing".to_owned(),
                bytes,
            )
        })
        .collect()
}

/// Encodings that a lenient decoder reads as some point.
fn other_spellings() -> Vec<(String, String, [u8; 32])> {
    let p_plus = |n: u8| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xed + n, 0x7f);
        bytes
    };
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    let mut found = vec![
        (
            "one-signed".to_owned(),
            "y is 1, so x is 0, which has no sign".to_owned(),
            signed(low(1)),
        ),
        (
            "minus-one-signed".to_owned(),
            "y is -1, so x is 0, which has no sign".to_owned(),
            minus_one,
        ),
        (
            "off-the-curve".to_owned(),
            "no point of the curve has this y".to_owned(),
            [2; 32],
        ),
    ];
    for n in [0, 1, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18] {
        let reason = format!("y is p + {n}, another spelling of {n}");
        found.push((format!("p-plus-{n}"), reason.clone(), p_plus(n)));
        if n < 4 {
            found.push((format!("p-plus-{n}-signed"), reason, signed(p_plus(n))));
        }
    }
    found
}

fn low(y: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes
}

fn signed(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

fn bytes(hex: &str) -> [u8; 32] {
    let digit = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap();
    std::array::from_fn(digit)
}
