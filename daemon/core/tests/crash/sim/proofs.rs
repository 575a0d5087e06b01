//! How people prove who they are, as the simulator asks for it: passwords, codes, who is signed in, tokens (B2, B14, D9, S14).

use super::BASE_S;
use super::changes::{USERS, some_user};
use super::org::Org;
use super::people::{named, user};
use super::world::pick;
use crate::random::Random;
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::ids::{BearerHash, BearerId, CodeHash, LoginHash, PasswordId};
use seatkeeper_engine::state::Purpose;
use seatkeeper_engine::time::Date;

/// Accounts of machines that sign in.
const LOGINS: u64 = 4;
/// Of what was made so many are named again, the newest: those that are good, and as many that are so no more.
const AGAIN: u64 = 12;

/// A change of what proves whom. Passwords, codes and tokens are numbers, each given once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Proof {
    SignIn(&'static str, u8, u64),
    SignOut(u8),
    NewPassword {
        who: &'static str,
        was: u64,
        new: u64,
        keeps: Option<u8>,
    },
    MakeCode {
        who: &'static str,
        purpose: Purpose,
        code: u64,
        mailed: bool,
    },
    Redeem {
        code: u64,
        new: u64,
        login: Option<u8>,
    },
    Forgot(&'static str),
    NoReset(&'static str),
    MakeToken {
        who: &'static str,
        token: u64,
        until: Option<Date>,
        own: bool,
    },
    Revoke(u64),
}

impl Proof {
    /// Some change. `next` is a number that nothing else has, and it is `j`.
    pub(super) fn some(random: &mut Random, org: &Org, next: u64, j: Date) -> Proof {
        let who = some_user(random);
        let login = u8::try_from(random.below(LOGINS)).unwrap();
        let own = random.below(2) == 0;
        match random.below(20) {
            0..3 => Proof::SignIn(who, login, told(random, org, who)),
            3 => Proof::SignOut(login),
            4 | 5 => Proof::NewPassword {
                who,
                was: told(random, org, who),
                new: next,
                keeps: own.then_some(login),
            },
            6..9 => Proof::MakeCode {
                who,
                purpose: [Purpose::Invitation, Purpose::Reset][pick(random, 2)],
                code: next,
                mailed: random.below(3) == 0,
            },
            9..14 => Proof::Redeem {
                code: match random.below(3) {
                    0 => one_of(random, org.codes_made()),
                    _ => one_of(random, &org.codes_out()),
                },
                new: next,
                login: own.then_some(login),
            },
            14 => Proof::Forgot(who),
            15 => Proof::NoReset(who),
            16..18 => Proof::MakeToken {
                who,
                token: next,
                until: (random.below(3) == 0).then(|| Date(j.0 + random.below(400))),
                own,
            },
            _ => Proof::Revoke(one_of(random, org.tokens_made())),
        }
    }

    /// As a script says it.
    pub(super) fn words(&self) -> String {
        let login = |n: &u8| format!("acc{n}@ws1");
        match self {
            Proof::SignIn(who, n, password) => {
                format!("login {who} as {} password=p{password}", login(n))
            }
            Proof::SignOut(n) => format!("logout {}", login(n)),
            Proof::NewPassword {
                who,
                was,
                new,
                keeps,
            } => {
                let keeps = keeps.map(|n| format!(" keeps={}", login(&n)));
                let keeps = keeps.unwrap_or_default();
                format!("password {who} was=p{was} new=p{new}{keeps}")
            }
            Proof::MakeCode {
                who,
                purpose,
                code,
                mailed,
            } => {
                let what = match purpose {
                    Purpose::Invitation => "invite",
                    Purpose::Reset => "reset",
                };
                let mailed = mailed.then(|| format!(" mailed={who}"));
                format!("{what} {who} code=k{code}{}", mailed.unwrap_or_default())
            }
            Proof::Redeem {
                code,
                new,
                login: to,
            } => {
                let to = to.map(|n| format!(" as={}", login(&n)));
                format!("redeem k{code} password=p{new}{}", to.unwrap_or_default())
            }
            Proof::Forgot(who) => format!("forgot {who}"),
            Proof::NoReset(who) => format!("no-reset {who}"),
            Proof::MakeToken {
                who,
                token,
                until,
                own,
            } => {
                let until = until.map(|j| format!(" until={}s", j.0.saturating_sub(BASE_S)));
                let other = if *own { "" } else { " other" };
                format!(
                    "token {who} id=t{token}{}{other}",
                    until.unwrap_or_default()
                )
            }
            Proof::Revoke(token) => format!("revoke t{token}"),
        }
    }

    pub(super) fn command(&self) -> Credential {
        let if_match = None;
        match self {
            Proof::SignIn(who, n, by) => Credential::Bind {
                user: user(who),
                what: SignsIn::Account(account(*n)),
                by: password(*by),
            },
            Proof::SignOut(n) => Credential::Unbind { login: account(*n) },
            Proof::NewPassword {
                who,
                was,
                new,
                keeps,
            } => Credential::ChangePassword {
                user: user(who),
                was: password(*was),
                password: password(*new),
                keeps: keeps.map(account),
                session: None,
            },
            Proof::MakeCode {
                who,
                purpose,
                code: n,
                mailed,
            } => Credential::MakeCode {
                user: user(who),
                purpose: *purpose,
                code: code(*n),
                mailed: mailed.then(|| address(who)),
                if_match,
            },
            Proof::Redeem {
                code: n,
                new,
                login,
            } => Credential::Redeem {
                code: code(*n),
                password: password(*new),
                signs_in: login.map(|n| SignsIn::Account(account(n))),
                own: true,
            },
            Proof::Forgot(who) => Credential::AskReset { user: user(who) },
            Proof::NoReset(who) => Credential::DropReset {
                user: user(who),
                if_match,
            },
            Proof::MakeToken {
                who,
                token,
                until,
                own,
            } => Credential::MakeBearer {
                user: user(who),
                bearer: token_id(*token),
                hash: presented(*token),
                until: *until,
                own: *own,
            },
            Proof::Revoke(token) => Credential::RevokeBearer {
                bearer: token_id(*token),
                if_match,
            },
        }
    }
}

/// The password of somebody, or now and then that of somebody else or of none.
fn told(random: &mut Random, org: &Org, who: &'static str) -> u64 {
    let of = match random.below(4) {
        0 => USERS[pick(random, USERS.len() as u64)],
        _ => who,
    };
    let told = match random.below(6) {
        0 => org.password_before(of),
        _ => org.password_of(of),
    };
    told.unwrap_or_default()
}

/// One of the newest; 0 was never made.
fn one_of(random: &mut Random, made: &[u64]) -> u64 {
    let many = AGAIN.min(made.len() as u64);
    let back = pick(random, many + 1);
    made.iter().rev().nth(back).copied().unwrap_or_default()
}

pub(super) fn account(n: u8) -> LoginHash {
    LoginHash(named(&format!("account {n}")))
}

pub(super) fn address(who: &str) -> LoginHash {
    LoginHash(named(&format!("address of {who}")))
}

pub(super) fn password(n: u64) -> PasswordId {
    PasswordId(named(&format!("password {n}")))
}

pub(super) fn code(n: u64) -> CodeHash {
    CodeHash(named(&format!("code {n}")))
}

pub(super) fn token_id(n: u64) -> BearerId {
    BearerId(named(&format!("token {n}")))
}

pub(super) fn presented(n: u64) -> BearerHash {
    BearerHash(named(&format!("presented {n}")))
}
