//! Passwords: how long they are, in which form two are the same, and the work that each guess costs.

use crate::desk::parse::bad;
use crate::problem::{Refused, internal};
use crate::random;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use seatkeeper::wire::Secret;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Characters of a new password, at least. Length is what counts: no digit and no sign is asked for (NIST SP 800-63B, 5.1.1.2).
const LEAST_CHARACTERS: usize = 12;
/// Bytes of one, as it is told.
const MOST_BYTES: usize = 1024;
/// What a guess costs: KiB of memory and passes over it (OWASP Password Storage Cheat Sheet, argon2id).
const COST: Cost = Cost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A password in the form in which two are compared (NFKC): the same letters typed on another keyboard are the same.
pub(super) struct Password(Zeroizing<String>);

/// The work on passwords, counted.
#[derive(Debug, Default)]
pub(in crate::desk) struct Passwords {
    stretched: AtomicU64,
}

/// The hash of a password as it is kept (a PHC string), taken apart.
struct Kept {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Password {
    /// One that is told to be somebody's.
    pub(super) fn told(member: &str, text: &Secret) -> Result<Password, Refused> {
        if text.reveal().len() > MOST_BYTES {
            let why = format_args!("has more than {MOST_BYTES} bytes");
            return Err(bad(member, why));
        }
        let text = text.reveal().nfkc().collect();
        Ok(Password(Zeroizing::new(text)))
    }

    /// One that is to become somebody's.
    pub(super) fn new(member: &str, text: &Secret) -> Result<Password, Refused> {
        let password = Password::told(member, text)?;
        match password.0.chars().count() >= LEAST_CHARACTERS {
            true => Ok(password),
            false => Err(bad(
                member,
                format_args!(
                    "has less than {LEAST_CHARACTERS} characters; a sentence is easy to remember"
                ),
            )),
        }
    }
}

impl Passwords {
    /// How often a password was stretched: what the work of an answer is counted by.
    pub(super) fn stretched(&self) -> u64 {
        self.stretched.load(Ordering::Relaxed)
    }

    /// What is kept of a new password. Takes a moment and memory.
    pub(super) fn keep(&self, password: &Password) -> Result<String, Refused> {
        let salt = random::bytes::<SALT_BYTES>().map_err(|e| internal("no random salt", &e))?;
        let hash = self.stretch(password, &salt, COST)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(*hash));
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = COST;
        Ok(format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"
        ))
    }

    /// Whether a password is the one that was kept. Where none was, the work is the same, and the answer no.
    pub(super) fn fits(&self, told: &Password, kept: Option<&str>) -> Result<bool, Refused> {
        let kept = kept.and_then(Kept::of);
        let nobody = Kept {
            cost: COST,
            salt: vec![0; SALT_BYTES],
            hash: vec![0; HASH_BYTES],
        };
        let of = kept.as_ref().unwrap_or(&nobody);
        let hash = self.stretch(told, &of.salt, of.cost)?;
        Ok(same(&*hash, &of.hash) & kept.is_some())
    }

    fn stretch(
        &self,
        password: &Password,
        salt: &[u8],
        cost: Cost,
    ) -> Result<Zeroizing<[u8; HASH_BYTES]>, Refused> {
        self.stretched.fetch_add(1, Ordering::Relaxed);
        let failed = |e| internal("a password cannot be stretched", &e);
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_BYTES));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(failed)?);
        let mut hash = Zeroizing::new([0; HASH_BYTES]);
        argon2
            .hash_password_into(password.0.as_bytes(), salt, &mut *hash)
            .map_err(failed)?;
        Ok(hash)
    }
}

impl Kept {
    fn of(text: &str) -> Option<Kept> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut costs = parts.next()?.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
        let cost = Cost {
            memory_kib: cost("m=")?,
            passes: cost("t=")?,
            lanes: cost("p=")?,
        };
        let mut bytes = || STANDARD_NO_PAD.decode(parts.next()?).ok();
        Some(Kept {
            cost,
            salt: bytes()?,
            hash: bytes()?,
        })
    }
}

/// Compares every byte, wherever they differ first.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Password {
        Password::told("password", &Secret::new(text)).expect("short enough")
    }

    #[test]
    fn s11_what_is_kept_of_a_password_fits_it_alone_and_differs_each_time() {
        let passwords = Passwords::default();
        let kept = passwords
            .keep(&told("correct horse battery"))
            .expect("kept");
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert!(!kept.contains("horse"));
        let fits = |text| passwords.fits(&told(text), Some(&kept)).expect("compared");
        assert!(fits("correct horse battery"));
        assert!(!fits("correct horse batterY"));
        let again = passwords
            .keep(&told("correct horse battery"))
            .expect("kept");
        assert_ne!(kept, again, "each has its own salt");
    }

    #[test]
    fn s11_nobody_s_password_costs_the_same_work() {
        let passwords = Passwords::default();
        assert!(!passwords.fits(&told("anything"), None).expect("compared"));
        // What is damaged is nobody's either.
        for damaged in ["", "$argon2id$v=19$m=1,t=1,p=1$AAAA", "$2b$10$abc"] {
            let fits = passwords.fits(&told("anything"), Some(damaged));
            assert!(!fits.expect("compared"), "{damaged}");
        }
        assert_eq!(passwords.stretched(), 4);
    }

    #[test]
    fn d8_one_password_typed_on_two_keyboards_is_one() {
        let passwords = Passwords::default();
        // A letter with its accent in one piece and in two, and letters of full width.
        let kept = passwords
            .keep(&told("caf\u{e9} au lait, please"))
            .expect("kept");
        let fits = |text| passwords.fits(&told(text), Some(&kept)).expect("compared");
        assert!(fits("cafe\u{301} au lait, please"));
        assert!(fits("\u{ff43}af\u{e9} au lait, please"));
        assert!(!fits("cafe au lait, please"));
    }

    #[test]
    fn s11_length_is_what_counts() {
        let new = |text: &str| Password::new("password", &Secret::new(text)).map(drop);
        assert!(new("twelve chars").is_ok());
        assert!(
            new("\u{1f512}\u{1f512}\u{1f512}").is_err(),
            "characters, not bytes"
        );
        let no = new("eleven char").expect_err("too short");
        assert!(no.detail.contains("less than 12"), "{}", no.detail);
        let no = new(&"x".repeat(1025)).expect_err("too long");
        assert!(no.detail.contains("more than 1024"), "{}", no.detail);
        assert!(new(&"x".repeat(1024)).is_ok());
    }
}
