//! The login of a local account: the name that the machine gives it, hashed for the engine.

use crate::keys::Salt;
use crate::problem::{Refused, problem};
use hmac::{Hmac, KeyInit, Mac};
use seatkeeper::wire::Code;
use seatkeeper_engine::ids::LoginHash;
use sha2::Sha256;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// Bytes of a login: with the machine's name it must fit into a lease.
pub const LOGIN_BYTES: usize = 128;

/// The login of a local account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// As the machine names it.
    pub name: String,
    /// `name@machine`: the `sub` of leases.
    pub full: String,
    /// Hash of `name@machine`, which `seatkeeper login` writes.
    pub(crate) full_hash: LoginHash,
    /// Hash of `name`, where the machine is trusted for names.
    pub(crate) name_hash: LoginHash,
}

impl Login {
    /// The login of a uid that has this name on a machine.
    ///
    /// # Errors
    /// `unauthenticated`: the name cannot be a login.
    pub fn new(salt: &Salt, uid: u32, name: &str, machine: &str) -> Result<Login, Refused> {
        check(name)
            .map_err(|why| problem(Code::Unauthenticated, format!("uid {uid}: its name {why}")))?;
        let full = format!("{name}@{machine}");
        Ok(Login {
            name: name.to_owned(),
            full_hash: hash(salt, &full),
            name_hash: hash(salt, name),
            full,
        })
    }
}

/// HMAC of the lower-case login under the site's salt: all that the engine ever sees of a name.
pub(crate) fn hash(salt: &Salt, login: &str) -> LoginHash {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(salt.bytes()).expect("HMAC takes keys of any length");
    // One spelling of a letter with an accent is the other (NFC).
    mac.update(login.nfc().collect::<String>().to_lowercase().as_bytes());
    LoginHash(mac.finalize().into_bytes().into())
}

/// What cannot be a login, and why.
pub(crate) fn check(login: &str) -> Result<(), &'static str> {
    if login.is_empty() {
        return Err("is empty");
    }
    if login.len() > LOGIN_BYTES {
        return Err("has more than 128 bytes");
    }
    if login
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '/')
    {
        return Err("has white space, a slash or a control character");
    }
    if login.chars().any(unseen) {
        return Err("has a character that is not seen or turns the direction of writing");
    }
    Ok(())
}

/// Characters that make two names look alike: marks of direction, joiners, fillers, and what has no width.
pub(crate) fn unseen(c: char) -> bool {
    let no_width = matches!(c, '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let filler = matches!(
        c,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2028}' | '\u{2029}'
    );
    no_width || filler || get_general_category(c) == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_what_cannot_be_a_login_is_told_why() {
        for (name, why) in [
            ("", "is empty"),
            ("two words", "white space"),
            ("a/b", "a slash"),
            (&*"x".repeat(129), "more than 128"),
        ] {
            assert!(check(name).is_err_and(|said| said.contains(why)), "{name}");
        }
        assert_eq!(check("ana.maria@lab"), Ok(()));
    }
}
