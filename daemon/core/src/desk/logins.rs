//! Names of local accounts: from the machine's name service, kept for a while, hashed for the engine.

use super::problem::{Refused, problem};
use crate::keys::Salt;
use hmac::{Hmac, KeyInit, Mac};
use seatkeeper::wire::Code;
use seatkeeper_engine::ids::LoginHash;
use seatkeeper_engine::time::LeaseTime;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A name is looked up again after this time.
const FRESH_MS: u64 = 60_000;
/// Uids whose names are kept. Beyond it all are looked up again.
const KEPT: usize = 16_384;
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

/// A look-up failed: the name service does not answer.
#[derive(Clone, Debug)]
pub struct NameServiceDown(pub String);

#[derive(Debug, Default)]
pub(super) struct Logins {
    known: Mutex<BTreeMap<u32, (LeaseTime, Arc<Login>)>>,
}

impl Login {
    /// The login of a name on a machine.
    #[must_use]
    pub fn new(salt: &Salt, name: &str, machine: &str) -> Login {
        let full = format!("{name}@{machine}");
        Login {
            name: name.to_owned(),
            full_hash: hash(salt, &full),
            name_hash: hash(salt, name),
            full,
        }
    }
}

impl Logins {
    /// The login of a uid: a name not older than a minute, else looked up; one that fails takes the last name known.
    pub(super) fn of(
        &self,
        uid: u32,
        now: LeaseTime,
        make: impl Fn(&str) -> Login,
        look_up: impl FnOnce(u32) -> Result<Option<String>, NameServiceDown>,
    ) -> Result<Arc<Login>, Refused> {
        let last = self.lock().get(&uid).cloned();
        if let Some((at, login)) = &last
            && now - *at < FRESH_MS
        {
            return Ok(login.clone());
        }
        match look_up(uid) {
            Ok(name) => {
                let name = name.unwrap_or_else(|| format!("uid-{uid}"));
                check(&name).map_err(|why| {
                    problem(Code::Unauthenticated, format!("uid {uid}: its name {why}"))
                })?;
                let login = match last {
                    Some((_, login)) if login.name == name => login,
                    _ => Arc::new(make(&name)),
                };
                let mut known = self.lock();
                if known.len() >= KEPT {
                    known.clear();
                }
                known.insert(uid, (now, login.clone()));
                Ok(login)
            }
            Err(NameServiceDown(why)) => {
                tracing::warn!(uid, %why, "the name service does not answer");
                last.map(|(_, login)| login).ok_or_else(|| {
                    problem(
                        Code::NameServiceDown,
                        format!(
                            "the name of uid {uid} cannot be looked up, and none was known before"
                        ),
                    )
                })
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, (LeaseTime, Arc<Login>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(super) fn check(login: &str) -> Result<(), &'static str> {
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
