//! How the test of every verb puts a question: what the verb asks for, where, and with which body.

use super::Target;
use seatkeeper_engine::access::Permission::{self, *};
use serde_json::Value;

/// What a verb asks for.
pub(super) enum Asks {
    /// All of these, at the unit of what it is about.
    All(&'static [Permission]),
    /// This one at the unit above, of an account the making of accounts.
    Above(Permission),
    /// This one at the unit above and at the place where it goes.
    Moves(Permission, &'static str),
    /// To explain for others: at the home account one asks about whom one does not see as about nobody.
    Explain,
    /// To see it, and the making of accounts.
    Accounts,
    /// To see the license, and this one at the unit of what it is about.
    License(Option<Permission>),
}

/// One verb.
pub(super) struct Verb {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// What of it, where one verb does several things.
    pub(super) what: &'static str,
    pub(super) asks: Asks,
    /// It is about the home account, or the daemon, alone.
    pub(super) home: bool,
    /// It takes If-Match: a stale one keeps it from changing anything.
    pub(super) edits: bool,
    /// What is asked about a target.
    pub(super) real: fn(&Target) -> String,
    pub(super) body: fn(&Target) -> Option<Value>,
    /// A list: what stands in it where it may be seen.
    pub(super) shows: Option<fn(&Target) -> String>,
    /// Only where somebody sits.
    seated: bool,
    /// Only of accounts: somebody waits to come into each.
    account: bool,
}

impl Asks {
    pub(super) fn words(&self) -> String {
        let list = |all: &[Permission]| {
            let all: Vec<_> = all.iter().map(|one| format!("`{one}`")).collect();
            all.join(", ")
        };
        match self {
            Asks::All([one @ (SeatRead | UserRead)]) => format!("`{one}`; for oneself nothing"),
            Asks::All(all) => list(all),
            Asks::Above(one) => format!("`{one}` at the unit above; of an account `account.manage`"),
            Asks::Moves(one, _) => format!(
                "`{one}` at the unit above (of an account `account.manage`) and where it goes"
            ),
            Asks::Explain => {
                "`explain.others`, for oneself nothing; about whom one does not see as about nobody, at the home account".to_owned()
            }
            Asks::Accounts => "`account.manage`".to_owned(),
            Asks::License(None) => {
                "a license that covers one, or `license.read` or `license.manage_users` in its account".to_owned()
            }
            Asks::License(Some(one)) => format!("to see the license, and `{one}`"),
        }
    }
}

impl Verb {
    pub(super) fn concerns(&self, target: &Target) -> bool {
        (!self.home || target.place.name == "home")
            && (!self.seated || target.seat.is_some())
            && (!self.account || target.place.above.is_none())
    }
}

pub(super) const NONE: fn(&Target) -> Option<Value> = |_| None;

pub(super) const fn get(path: &'static str, asks: Asks, real: fn(&Target) -> String) -> Verb {
    Verb {
        method: "GET",
        path,
        what: "",
        asks,
        home: false,
        edits: false,
        real,
        body: NONE,
        shows: None,
        seated: false,
        account: false,
    }
}

pub(super) const fn list(
    path: &'static str,
    asks: Asks,
    real: fn(&Target) -> String,
    shows: fn(&Target) -> String,
) -> Verb {
    Verb {
        shows: Some(shows),
        ..get(path, asks, real)
    }
}

pub(super) const fn edit(
    method: &'static str,
    path: &'static str,
    asks: Asks,
    real: fn(&Target) -> String,
    body: fn(&Target) -> Option<Value>,
) -> Verb {
    Verb {
        method,
        edits: true,
        body,
        ..get(path, asks, real)
    }
}

/// What is not well-formed beyond what was judged: it is refused for that where it may be asked.
pub(super) const fn post(
    path: &'static str,
    asks: Asks,
    real: fn(&Target) -> String,
    body: fn(&Target) -> Option<Value>,
) -> Verb {
    Verb {
        method: "POST",
        body,
        ..get(path, asks, real)
    }
}

pub(super) const fn home(verb: Verb) -> Verb {
    Verb { home: true, ..verb }
}

pub(super) const fn told(what: &'static str, verb: Verb) -> Verb {
    Verb { what, ..verb }
}

pub(super) const fn seated(verb: Verb) -> Verb {
    Verb {
        seated: true,
        ..verb
    }
}

pub(super) const fn account(verb: Verb) -> Verb {
    Verb {
        account: true,
        ..verb
    }
}

/// Verbs that ask for nothing: they reach what is the caller's own, or tell what is nobody's secret.
pub(super) const EVERYONE: &[(&str, &str)] = &[
    ("POST", "/v1/leases"),
    ("PUT", "/v1/leases/{id}"),
    ("DELETE", "/v1/leases/{id}"),
    ("POST", "/v1/registrations"),
    ("POST", "/v1/login"),
    ("POST", "/v1/login/code"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/logout"),
    ("GET", "/v1/whoami"),
    ("PUT", "/v1/password"),
    ("POST", "/v1/address"),
    ("POST", "/v1/address/code"),
    ("POST", "/v1/forgot"),
    ("GET", "/v1/vendors"),
    ("GET", "/v1/terms"),
    ("POST", "/v1/terms/accept"),
    ("GET", "/v1/roles"),
    ("GET", "/v1/roles/{role}"),
    ("GET", "/v1/status"),
    ("GET", "/v1/clock"),
    ("GET", "/problems/{code}"),
    ("GET", "/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
];
