//! How people prove who they are, as the simulator asks for it: passwords, codes, who is signed in, sessions, tokens (B2,
//! B14, D9, S11, S14).

use super::BASE_S;
use super::changes::{USERS, some_user};
use super::org::Org;
use super::people::{named, user};
use super::world::pick;
use crate::random::Random;
use seatkeeper_engine::command::{Credential, SignsIn};
use seatkeeper_engine::ids::{BearerHash, BearerId, CodeHash, LoginHash, NameHash, PasswordId};
use seatkeeper_engine::state::{MailAddress, Purpose};
use seatkeeper_engine::time::Date;

/// Accounts of machines that sign in.
const LOGINS: u64 = 4;
/// Of what was made so many are named again, the newest: those that are good, and as many that are so no more.
const AGAIN: u64 = 12;

/// What is signed in: an account of a machine, or a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Account(u8),
    Session(u64),
}

/// A change of what proves whom. Passwords, codes, sessions and tokens are numbers, each given once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Proof {
    SignIn(&'static str, By, u64),
    SignOut(u8),
    EndSession(u64),
    NewPassword {
        who: &'static str,
        was: u64,
        new: u64,
        keeps: Option<By>,
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
        signs_in: Option<By>,
    },
    /// An address of theirs is shown by a code; with the one that they have, where they do.
    Show {
        who: &'static str,
        code: u64,
        has: bool,
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
        match random.below(29) {
            0..2 => Proof::SignIn(who, By::Account(login), told(random, org, who)),
            2 => Proof::SignOut(login),
            3..5 => Proof::NewPassword {
                who,
                was: told(random, org, who),
                new: next,
                keeps: match random.below(3) {
                    0 => None,
                    1 => Some(By::Account(login)),
                    _ => Some(By::Session(session_of(random, org, who))),
                },
            },
            5..8 => Proof::MakeCode {
                who,
                purpose: [Purpose::Invitation, Purpose::Reset][pick(random, 2)],
                code: next,
                mailed: random.below(3) == 0,
            },
            26 => Proof::MakeCode {
                who,
                purpose: Purpose::Address,
                code: next,
                mailed: random.below(6) != 0,
            },
            27 | 28 => Proof::Show {
                who,
                code: match random.below(3) {
                    0 => one_of(random, org.codes_made()),
                    _ => one_of(random, &org.codes_out()),
                },
                has: org.has_address(who),
            },
            8..14 => Proof::Redeem {
                code: match random.below(3) {
                    0 => one_of(random, org.codes_made()),
                    _ => one_of(random, &org.codes_out()),
                },
                new: next,
                signs_in: match random.below(3) {
                    0 => None,
                    1 => Some(By::Account(login)),
                    _ => Some(By::Session(next)),
                },
            },
            14 => Proof::Forgot(who),
            15 => Proof::NoReset(who),
            16..18 => Proof::MakeToken {
                who,
                token: next,
                until: (random.below(3) == 0).then(|| Date(j.0 + random.below(400))),
                own,
            },
            18 => Proof::Revoke(one_of(random, org.tokens_made())),
            19 => Proof::EndSession(session_of(random, org, who)),
            20 => Proof::EndSession(one_of(random, org.sessions_made())),
            21 => {
                let again = one_of(random, org.sessions_made());
                Proof::SignIn(who, By::Session(again), told(random, org, who))
            }
            _ => Proof::SignIn(who, By::Session(next), told(random, org, who)),
        }
    }

    /// One more session of somebody who has a password, or a step towards a password.
    pub(super) fn one_more(org: &Org, next: u64) -> Proof {
        let has = |who| Some((who, org.password_of(who)?));
        if let Some((who, by)) = USERS.into_iter().find_map(has) {
            return Proof::SignIn(who, By::Session(next), by);
        }
        match org.codes_out().last() {
            Some(code) => Proof::Redeem {
                code: *code,
                new: next,
                signs_in: Some(By::Session(next)),
            },
            None => Proof::MakeCode {
                who: USERS[0],
                purpose: Purpose::Reset,
                code: next,
                mailed: false,
            },
        }
    }

    /// As a script says it.
    pub(super) fn words(&self) -> String {
        let login = |n: &u8| format!("acc{n}@ws1");
        let of = |by: &Option<By>, to: &str| match by {
            None => String::new(),
            Some(By::Account(n)) => format!(" {to}={}", login(n)),
            Some(By::Session(n)) => format!(" session=s{n}"),
        };
        match self {
            Proof::SignIn(who, By::Account(n), password) => {
                format!("login {who} as {} password=p{password}", login(n))
            }
            Proof::SignIn(who, By::Session(n), password) => {
                format!("session {who} id=s{n} password=p{password}")
            }
            Proof::SignOut(n) => format!("logout {}", login(n)),
            Proof::EndSession(n) => format!("end-session s{n}"),
            Proof::NewPassword {
                who,
                was,
                new,
                keeps,
            } => format!("password {who} was=p{was} new=p{new}{}", of(keeps, "keeps")),
            Proof::MakeCode {
                who,
                purpose,
                code,
                mailed,
            } => {
                let what = match purpose {
                    Purpose::Invitation => "invite",
                    Purpose::Reset => "reset",
                    Purpose::Address => "ask-address",
                };
                let mailed = mailed.then(|| format!(" mailed={who}"));
                format!("{what} {who} code=k{code}{}", mailed.unwrap_or_default())
            }
            Proof::Redeem {
                code,
                new,
                signs_in,
            } => format!("redeem k{code} password=p{new}{}", of(signs_in, "as")),
            Proof::Show { who, code, has } => {
                let was = has.then(|| format!(" was={who}"));
                let was = was.unwrap_or_default();
                format!("prove {who} code=k{code}{was} is={who}")
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
            Proof::SignIn(who, what, by) => Credential::Bind {
                user: user(who),
                what: what.signs_in(),
                by: password(*by),
            },
            Proof::SignOut(n) => Credential::Unbind { login: account(*n) },
            Proof::EndSession(n) => Credential::RevokeBearer {
                bearer: session_id(*n),
                if_match,
            },
            Proof::NewPassword {
                who,
                was,
                new,
                keeps,
            } => Credential::ChangePassword {
                user: user(who),
                was: password(*was),
                password: password(*new),
                keeps: keeps.and_then(By::account).map(account),
                session: keeps.and_then(By::session).map(session_id),
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
                signs_in,
            } => Credential::Redeem {
                code: code(*n),
                password: password(*new),
                signs_in: signs_in.map(By::signs_in),
                own: true,
            },
            Proof::Show { who, code: n, has } => Credential::ProveAddress {
                user: user(who),
                code: code(*n),
                was: has.then(|| address(who)),
                address: MailAddress {
                    hash: address(who),
                    domain: NameHash(named("domain")),
                },
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

impl By {
    pub(super) fn account(self) -> Option<u8> {
        match self {
            By::Account(n) => Some(n),
            By::Session(_) => None,
        }
    }

    pub(super) fn session(self) -> Option<u64> {
        match self {
            By::Account(_) => None,
            By::Session(n) => Some(n),
        }
    }

    fn signs_in(self) -> SignsIn {
        match self {
            By::Account(n) => SignsIn::Account(account(n)),
            By::Session(n) => SignsIn::Session {
                id: session_id(n),
                hash: presented(n),
            },
        }
    }
}

/// One of somebody's, where they have any.
fn session_of(random: &mut Random, org: &Org, who: &'static str) -> u64 {
    one_of(random, &org.sessions_of(who))
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

pub(super) fn session_id(n: u64) -> BearerId {
    BearerId(named(&format!("session {n}")))
}

/// Of a token or a session; their numbers are never the same.
pub(super) fn presented(n: u64) -> BearerHash {
    BearerHash(named(&format!("presented {n}")))
}
