//! As much of the arithmetic modulo the order of Ed25519's group as a forger needs.

use seatkeeper::token::keys::SigningKey;
use sha2::{Digest, Sha512};

/// A number below 2²⁵⁶, in 32 bytes, the lowest first.
pub type Number = [u8; 32];

/// The order of the group: 2²⁵² + 27742317777372353535851937790883648493.
pub const L: Number = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// S + L: another spelling of the same scalar.
pub fn plus_l(s: &Number) -> Number {
    add(s, &L)
}

/// A signature with R = identity and S = k·a: it fulfils the equation without any random nonce.
pub fn under_the_identity(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    let mut r = [0; 32];
    r[0] = 1;
    let k: [u8; 64] = Sha512::new()
        .chain_update(r)
        .chain_update(key.public().to_bytes())
        .chain_update(message)
        .finalize()
        .into();
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&product(&k, &secret(key)));
    signature
}

/// The scalar behind a key: found in its PKCS#8, whose last 32 bytes are the seed.
pub fn secret(key: &SigningKey) -> Number {
    use base64::Engine;
    let pem = key.to_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let hash: [u8; 64] = Sha512::digest(&der[der.len() - 32..]).into();
    let mut scalar: Number = hash[..32].try_into().unwrap();
    scalar[0] &= 0xf8;
    scalar[31] = scalar[31] & 0x7f | 0x40;
    product(&scalar, &one())
}

/// a·b modulo L, for b below L: bit by bit from the top.
pub fn product(a: &[u8], b: &Number) -> Number {
    let mut sum = [0; 32];
    for byte in a.iter().rev() {
        for bit in (0..8).rev() {
            sum = reduced(add(&sum, &sum));
            if byte >> bit & 1 == 1 {
                sum = reduced(add(&sum, b));
            }
        }
    }
    sum
}

/// Below L, for a number below 2·L.
pub fn reduced(number: Number) -> Number {
    if number.iter().rev().lt(L.iter().rev()) {
        return number;
    }
    less(&number, &L)
}

/// a - b, for b not above a.
pub fn less(a: &Number, b: &Number) -> Number {
    let mut borrow = 0;
    let mut rest = [0; 32];
    for (n, byte) in rest.iter_mut().enumerate() {
        let digit = i16::from(a[n]) - i16::from(b[n]) - borrow;
        borrow = i16::from(digit < 0);
        *byte = digit.to_le_bytes()[0];
    }
    rest
}

pub fn add(a: &Number, b: &Number) -> Number {
    let mut carry = 0;
    let mut sum = [0; 32];
    for (n, byte) in sum.iter_mut().enumerate() {
        let digit = u16::from(a[n]) + u16::from(b[n]) + carry;
        carry = digit >> 8;
        *byte = digit.to_le_bytes()[0];
    }
    sum
}

fn one() -> Number {
    let mut one = [0; 32];
    one[0] = 1;
    one
}
