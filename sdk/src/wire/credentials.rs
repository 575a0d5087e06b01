//! Signing in, on the wire: passwords, codes that set one, and who a caller is.

use super::GivenRole;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// What a token begins with: whoever finds one somewhere sees what it is.
pub const TOKEN_PREFIX: &str = "skt_";
/// The same of a session.
pub const SESSION_PREFIX: &str = "sks_";
/// Characters of either's secret after that: 256 random bits in base64url.
pub const BEARER_CHARS: usize = 43;
/// How long a session is good, in seconds.
pub const SESSION_S: u64 = 12 * 3600;

/// A password or a code. It is written to the wire and nowhere else: it has no text form, and its memory is wiped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text, for the one who checks or shows it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Secret::new)
    }
}

/// Signs the calling account in as somebody: `POST /v1/login`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// Their login, or their mail address.
    pub login: String,
    /// Their password.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: Secret,
    /// The version of the terms of service that they accept by it, where they have not yet (B15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_terms: Option<String>,
}

/// Uses a code: `POST /v1/login/code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Redeem {
    /// The code; case, spaces and hyphens do not matter.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: Secret,
    /// The password that it sets.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: Secret,
    /// The version of the terms of service that they accept by it, where they have not yet (B15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_terms: Option<String>,
}

/// Changes the caller's password: `PUT /v1/password`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The present one.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub old: Secret,
    /// The new one: 12 characters at least, 1,024 bytes at most.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub new: Secret,
}

/// The caller wants another mail address: `POST /v1/address`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressAsk {
    /// It.
    pub address: String,
    /// Their password; who has none may show the address that they told when they asked to come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub password: Option<Secret>,
}

/// A code is on its way there, unless the address is somebody else's: that is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressAsked {
    /// The address, in the form in which it is kept.
    pub address: String,
    /// The code is good until then (seconds since 1970), or until a newer one is asked for.
    pub until: u64,
}

/// The caller reads what is mailed to an address: `POST /v1/address/code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressProve {
    /// The address that was asked for.
    pub address: String,
    /// The code that was mailed there; case, spaces and hyphens do not matter.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: Secret,
}

/// The address is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddressProved {
    /// Their login.
    pub login: String,
    /// Their mail address.
    pub address: String,
}

/// Somebody cannot get in: `POST /v1/forgot`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Forgot {
    /// Their login, or their mail address.
    pub login: String,
}

/// A code that was made for somebody: told once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodeMade {
    /// Whose, by login.
    pub login: String,
    /// `invitation` or `reset`.
    pub purpose: String,
    /// The code, in groups that are easy to type; absent where it was mailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub code: Option<Secret>,
    /// The address that it is mailed to, where this site sends mail and they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailed_to: Option<String>,
    /// The address that they told, to which nothing is mailed: nobody has shown it to be theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_proved: Option<String>,
    /// It is good until then (seconds since 1970), or until a newer one is made.
    pub until: u64,
}

/// Somebody who asked for a code, because they cannot get in: `GET /v1/resets`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetAsked {
    /// Their id.
    pub id: String,
    /// Their login.
    pub login: String,
    /// Their mail address, where it is known and is not the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `proved` by a code that was mailed there, `given` by an administrator, or `not_proved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_is: Option<String>,
    /// `invited`, `pending` or `active`.
    pub status: String,
    /// The units that they are in, of those that the caller sees.
    pub units: Vec<String>,
    /// When they asked first (seconds since 1970).
    pub since: u64,
    /// For If-Match.
    pub revision: u64,
}

/// A token that stands for a person, for programs: `GET /v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What its person calls it.
    pub name: String,
    /// Whom it stands for, by login.
    pub login: String,
    /// When it was made (seconds since 1970).
    pub since: u64,
    /// It is over from then on (seconds since 1970); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// For If-Match.
    pub revision: u64,
}

/// Makes a token: `POST /v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenMake {
    /// Brought by the caller, so that no repetition makes a second one (rule 20); else made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it is called.
    pub name: String,
    /// Whom it stands for, by login; else the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// It is over from then on (seconds since 1970): in 90 days unless another date is named, never where that is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// A token that was made: told once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenMade {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whom it stands for, by login.
    pub login: String,
    /// The token: `Authorization: Bearer` presents it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub token: Secret,
    /// It is over from then on (seconds since 1970); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// Makes a session by a password, or by a code, of which it is the first: `POST /v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionMake {
    /// Their login, or their mail address, with their password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Instead of a login: a code, which sets the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub code: Option<Secret>,
    /// Their password.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub password: Secret,
    /// The version of the terms of service that they accept by it, where they have not yet (B15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_terms: Option<String>,
}

/// A session that was made: told once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionMade {
    /// Its id.
    pub id: String,
    /// Who whoever presents it is, by login.
    pub login: String,
    /// The session: `Authorization: Bearer` presents it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: Secret,
    /// It is over then (seconds since 1970), or earlier.
    pub until: u64,
}

/// A session: `GET /v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose, by login.
    pub login: String,
    /// When it was made (seconds since 1970).
    pub since: u64,
    /// It is over then (seconds since 1970), or earlier.
    pub until: u64,
    /// It is the one that the caller presents.
    pub current: bool,
    /// For If-Match.
    pub revision: u64,
}

/// Who asks: `GET /v1/whoami`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Whoami {
    /// What the machine calls the caller.
    pub account: String,
    /// The machine.
    pub machine: String,
    /// The uid there.
    pub uid: u32,
    /// They administer this daemon, by their account on its machine.
    pub administers: bool,
    /// The person, by login; absent where nobody here has this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The same by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How they are known: by a `token`, by a `session`, `signed_in`, by the login `account@machine` (`full_login`), or by `account` (`login`); empty
    /// where they are not.
    pub known_by: String,
    /// What they presented is over then (seconds since 1970), where it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_until: Option<u64>,
    /// Their mail address, where it is known and is not the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `proved` by a code that was mailed there, `given` by an administrator, or `not_proved`; where the login is the address,
    /// how that is known to be theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_is: Option<String>,
    /// `invited`, `pending`, `active` or `suspended`; empty where nobody is known.
    #[serde(default)]
    pub status: String,
    /// A guest, until this date (seconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// That date is over, by the daemon's time of dates: whatever the status, they have no right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// They have a password.
    #[serde(default)]
    pub password: bool,
    /// The accounts that they are in.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// The units that they are in, as paths.
    #[serde(default)]
    pub units: Vec<String>,
    /// The roles that they were given.
    #[serde(default)]
    pub roles: Vec<GivenRole>,
    /// What to do next, where something is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s23_a_secret_is_on_the_wire_and_in_no_text() {
        let body = SignIn {
            login: "ana".to_owned(),
            password: Secret::new("correct horse battery"),
            accept_terms: None,
        };
        assert!(!format!("{body:?}").contains("horse"), "{body:?}");
        let wire = serde_json::to_string(&body).expect("JSON");
        assert_eq!(
            wire,
            r#"{"login":"ana","password":"correct horse battery"}"#
        );
        let back: SignIn = serde_json::from_str(&wire).expect("the same");
        assert_eq!(back, body);
    }
}
