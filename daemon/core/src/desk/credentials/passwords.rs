//! Passwords: how long they are, in which form two are the same, and the work that each guess costs.

use crate::desk::parse::bad;
use crate::problem::{Refused, internal};
use crate::random;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{CustomizedPasswordHasher, PasswordHasher};
use argon2::{Algorithm, Argon2, Params, Version};
use seatkeeper::wire::Secret;
use std::sync::atomic::{AtomicU64, Ordering};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Characters of a new password, at least. Length is what counts: no digit and no sign is asked for (NIST SP 800-63B, 5.1.1.2).
const LEAST_CHARACTERS: usize = 12;
/// Bytes of one, as it is told.
const MOST_BYTES: usize = 1024;
/// What a guess costs: KiB of memory and passes over it (OWASP Password Storage Cheat Sheet, argon2id).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// A password in the form in which two are compared (NFKC): the same letters typed on another keyboard are the same.
pub(super) struct Password(Zeroizing<String>);

/// The work on passwords, counted.
#[derive(Debug, Default)]
pub(in crate::desk) struct Passwords {
    stretched: AtomicU64,
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

    /// What is kept of a new password (a PHC string). Takes a moment and memory.
    pub(super) fn keep(&self, password: &Password) -> Result<String, Refused> {
        let salt = random::bytes::<SALT_BYTES>().map_err(|e| internal("no random salt", &e))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost()?);
        self.stretched.fetch_add(1, Ordering::Relaxed);
        let kept = argon2.hash_password_with_salt(password.0.as_bytes(), &salt);
        let kept = kept.map_err(|e| internal("a password cannot be stretched", &e))?;
        Ok(kept.to_string())
    }

    /// Whether a password is the one that was kept, at the cost that it was kept at. Where none was, the work is that of
    /// one, and the answer no.
    pub(super) fn fits(&self, told: &Password, kept: Option<&str>) -> Result<bool, Refused> {
        let kept = kept.and_then(|kept| PasswordHash::new(kept).ok());
        let kept = kept.filter(|kept| kept.algorithm.as_str() == "argon2id");
        let parts = kept.as_ref().and_then(|kept| kept.salt.zip(kept.hash));
        let (Some(kept), Some((salt, hash))) = (&kept, parts) else {
            self.keep(told)?;
            return Ok(false);
        };
        self.stretched.fetch_add(1, Ordering::Relaxed);
        let failed = |e| internal("a password cannot be compared", &e);
        let params = Params::try_from(kept).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost()?);
        let (password, version) = (told.0.as_bytes(), kept.version);
        let again = argon2.hash_password_customized(password, &salt, None, version, params);
        // Whole outputs are compared, in the same time wherever they differ.
        Ok(again.map_err(failed)?.hash == Some(hash))
    }
}

fn cost() -> Result<Params, Refused> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES));
    params.map_err(|e| internal("a password cannot be stretched", &e))
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
