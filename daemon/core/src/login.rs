//! The login of a local account: the name that the machine gives it, hashed for the engine.

use crate::keys::Salt;
use crate::problem::{Refused, problem};
use hmac::{Hmac, KeyInit, Mac};
use seatkeeper::wire::Code;
use seatkeeper_engine::ids::LoginHash;
use sha2::Sha256;

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
    mac.update(login.to_lowercase().as_bytes());
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
    Ok(())
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
