//! What proves whom, as it was answered for: passwords, codes, who is signed in, sessions, tokens. Nothing of it comes back
//! by a crash.

use super::{Org, other};
use crate::sim::people::user;
use crate::sim::proofs::{
    By, Proof, account, address, code, password, presented, session_id, token_id,
};
use seatkeeper_engine::State;
use seatkeeper_engine::ids::{BearerId, CodeHash, LoginHash, UserId};
use seatkeeper_engine::state::{Bearer, BearerKind, Personal, Purpose, UserStatus};
use seatkeeper_engine::time::{Date, LeaseTime, Now};
use std::collections::{BTreeMap, BTreeSet};

/// Of what was ever made so much is presented again at each look, the newest.
const PRESENTED: usize = 24;
/// Sessions of one person that go on.
const SESSIONS: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Proven {
    passwords: BTreeMap<&'static str, u64>,
    /// Those that they had before.
    before: BTreeMap<&'static str, u64>,
    signed_in: BTreeMap<u8, &'static str>,
    codes: BTreeMap<u64, Code>,
    tokens: BTreeMap<u64, Token>,
    sessions: BTreeMap<u64, Session>,
    /// Who asked for a code.
    asked: BTreeSet<&'static str>,
    /// Whose mail address is known to be theirs.
    mailed: BTreeSet<&'static str>,
    /// Who has it for a login, too.
    addressed: BTreeSet<&'static str>,
    codes_made: Vec<u64>,
    tokens_made: Vec<u64>,
    sessions_made: Vec<u64>,
    /// Sessions that were opened.
    opened: u64,
}

#[derive(Clone, Copy, Debug)]
struct Code {
    who: &'static str,
    purpose: Purpose,
    mailed: bool,
    /// By lease time, and by date; where nobody was answered, the state says it.
    until: Option<(LeaseTime, Date)>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Token {
    who: &'static str,
    until: Option<Date>,
    /// They made it themselves.
    own: bool,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    who: &'static str,
    /// By lease time, and by date; where nobody was answered, the state says it.
    until: Option<(LeaseTime, Date)>,
    /// Which it was of all that were opened.
    opened: u64,
}

impl Session {
    /// How long it is good, where that is known by now.
    fn lasts(&self, n: u64, state: &State) -> Option<(LeaseTime, Date)> {
        let known = state.credentials.bearers.get(&session_id(n));
        self.until.or_else(|| lasts(known?))
    }
}

impl Proven {
    /// A password that was set takes with it who is signed in, all codes, and tokens.
    fn set(&mut self, who: &'static str, new: u64, keeps: Option<By>) {
        if let Some(was) = self.passwords.insert(who, new) {
            self.before.insert(who, was);
        }
        let (account, session) = (keeps.and_then(By::account), keeps.and_then(By::session));
        self.signed_in
            .retain(|n, one| *one != who || Some(*n) == account);
        self.sessions
            .retain(|n, one| one.who != who || Some(*n) == session);
        self.codes.retain(|_, one| one.who != who);
        self.tokens
            .retain(|_, one| one.who != who || (one.own && keeps.is_some()));
        self.asked.remove(who);
    }

    /// Somebody has a unit more: what others made for them is good no more.
    pub(super) fn grow(&mut self, who: &'static str) {
        let told = |one: &Code| one.purpose == Purpose::Reset && !one.mailed;
        self.codes.retain(|_, one| one.who != who || !told(one));
        self.end_proofs(who);
        self.tokens.retain(|_, one| one.who != who || one.own);
    }

    /// No code that is out shows an address of theirs.
    fn end_proofs(&mut self, who: &'static str) {
        let shows = |one: &Code| one.purpose == Purpose::Address;
        self.codes.retain(|_, one| one.who != who || !shows(one));
    }

    /// They are gone.
    pub(super) fn forget(&mut self, who: &'static str) {
        self.passwords.remove(who);
        self.signed_in.retain(|_, one| *one != who);
        self.codes.retain(|_, one| one.who != who);
        self.tokens.retain(|_, one| one.who != who);
        self.suspend(who);
        self.asked.remove(who);
        if self.addressed.remove(who) {
            self.mailed.remove(who);
        }
    }

    /// They are suspended: no session goes on when they are back, and no address becomes theirs.
    pub(super) fn suspend(&mut self, who: &'static str) {
        self.sessions.retain(|_, one| one.who != who);
        self.end_proofs(who);
    }

    /// Those that go on. Of those that nobody was told of nobody knows.
    fn going_on(&self, who: &str, now: Now) -> usize {
        let theirs = self.sessions.values().filter(|one| one.who == who);
        theirs.filter(|one| in_time(one.until, now)).count()
    }

    fn open(&mut self, n: u64, who: &'static str, now: Option<Now>) {
        // Those that are over make room.
        let over = |one: &Session| now.is_some_and(|now| !in_time(one.until, now));
        self.sessions.retain(|_, one| one.who != who || !over(one));
        if now.is_some() {
            self.give_way(who, SESSIONS - 1);
        }
        self.opened += 1;
        let made = Session {
            who,
            until: now.map(|now| after(now, 12 * 3600)),
            opened: self.opened,
        };
        self.sessions.insert(n, made);
        self.sessions_made.push(n);
    }

    /// The oldest are over where more go on than may.
    fn give_way(&mut self, who: &str, most: usize) {
        let theirs = self.sessions.iter().filter(|(_, one)| one.who == who);
        let mut theirs: Vec<_> = theirs.map(|(n, one)| (one.opened, *n)).collect();
        theirs.sort_unstable();
        let too_many = theirs.len().saturating_sub(most);
        for (_, n) in theirs.into_iter().take(too_many) {
            self.sessions.remove(&n);
        }
    }

    fn make_code(&mut self, n: u64, made: Code) {
        let same = |one: &Code| (one.who, one.purpose) == (made.who, made.purpose);
        self.codes.retain(|_, one| !same(one));
        self.codes.insert(n, made);
        self.codes_made.push(n);
        if made.purpose != Purpose::Address {
            self.asked.remove(made.who);
        }
    }

    fn make_token(&mut self, n: u64, made: Token, now: Option<Now>) {
        // Those that are over make room.
        let over = |one: &Token| now.is_some_and(|now| is_over(one.until, now.j));
        self.tokens
            .retain(|_, one| one.who != made.who || !over(one));
        self.tokens.insert(n, made);
        self.tokens_made.push(n);
    }

    /// What nobody was told, as the state has it: how long a code or a session is good, and which tokens and sessions that
    /// are over made room.
    pub(super) fn settle(&mut self, state: &State, now: Now) {
        for (n, one) in &mut self.codes {
            let known = state.credentials.codes.get(&code(*n));
            let until = known.map(|known| (known.until, known.until_j));
            one.until = one.until.or(until);
        }
        let bearers = &state.credentials.bearers;
        self.tokens
            .retain(|n, one| !is_over(one.until, now.j) || bearers.contains_key(&token_id(*n)));
        for (n, one) in &mut self.sessions {
            one.until = one.lasts(*n, state);
        }
        self.sessions
            .retain(|n, one| in_time(one.until, now) || bearers.contains_key(&session_id(*n)));
        let whose: BTreeSet<_> = self.sessions.values().map(|one| one.who).collect();
        whose
            .into_iter()
            .for_each(|who| self.give_way(who, SESSIONS));
    }

    /// Codes, tokens and sessions of a future that is lost are presented still.
    pub(super) fn remember(&mut self, lost: &Proven) {
        self.codes_made.clone_from(&lost.codes_made);
        self.tokens_made.clone_from(&lost.tokens_made);
        self.sessions_made.clone_from(&lost.sessions_made);
    }

    /// What the daemon has otherwise.
    pub(super) fn differs(&self, state: &State, now: Now) -> Option<String> {
        let all = &state.credentials;
        let has = |of: &Personal| of.password;
        let passwords = self.passwords.iter();
        let passwords = passwords.map(|(who, n)| (user(who), password(*n)));
        let known = all.of.iter();
        let known = known.filter_map(|(who, of)| Some((*who, has(of)?)));
        let signed_in = self.signed_in.iter();
        let signed_in = signed_in.map(|(n, who)| (account(*n), user(who)));
        let bound = all.bound.iter().map(|(login, who)| (*login, *who));
        let codes = self.codes.iter().map(|(n, one)| {
            let mailed = one.mailed.then(|| address(one.who));
            (code(*n), (user(one.who), one.purpose, mailed))
        });
        let kept = all.codes.iter();
        let kept = kept.map(|(code, one)| (*code, (one.user, one.purpose, one.mailed)));
        let asked = self.asked.iter().map(|who| (user(who), ()));
        let resets = all.resets.keys().map(|who| (*who, ()));
        let mailed = self.mailed.iter().map(|who| (address(who), ()));
        let verified = all.verified.iter().map(|address| (*address, ()));
        other("passwords", passwords, known)
            .or_else(|| other("who is signed in", signed_in, bound))
            .or_else(|| other("codes", codes, kept))
            .or_else(|| self.bearers_differ(state, now))
            .or_else(|| other("who asked for a code", asked, resets))
            .or_else(|| other("mail addresses", mailed, verified))
            .or_else(|| listed(state))
    }

    fn bearers_differ(&self, state: &State, now: Now) -> Option<String> {
        let good = state.credentials.bearers.iter();
        let good = good.filter(|(_, one)| one.good(now));
        let (kept, known): (Vec<_>, Vec<_>) = good.partition(|(_, one)| one.is_session());
        let tokens = self.tokens.iter();
        let tokens = tokens.filter(|(_, one)| !is_over(one.until, now.j));
        let tokens = tokens.map(|(n, one)| {
            let of = (user(one.who), presented(*n), one.until, one.own);
            (token_id(*n), of)
        });
        let known = known.into_iter();
        let known = known.map(|(id, one)| (*id, (one.user, one.hash, one.until, one.own)));
        let sessions = self.sessions.iter();
        let sessions = sessions.map(|(n, one)| (n, one.who, one.lasts(*n, state)));
        let sessions = sessions.filter(|(_, _, until)| in_time(*until, now));
        let sessions = sessions.map(|(n, who, until)| {
            let of = (user(who), presented(*n), until, true);
            (session_id(*n), of)
        });
        let kept = kept.into_iter();
        let kept = kept.map(|(id, one)| (*id, (one.user, one.hash, lasts(one), one.own)));
        other("tokens", tokens, known).or_else(|| other("sessions", sessions, kept))
    }

    /// Of all that was ever made, what is good is good, and nothing else.
    fn presents(&self, org: &Org, state: &State, now: Now) -> Option<String> {
        let unknown = |n: &&u64| self.codes.get(*n).is_none_or(|one| one.until.is_some());
        let mut codes = self.codes_made.iter().rev().take(PRESENTED).filter(unknown);
        let good = |n: &u64| self.good(*n, now).is_some();
        let wrong = codes.find(|n| state.code(&code(**n), now).is_some() != good(n));
        let wrong = wrong.map(|n| {
            format!(
                "code k{n} is {}good",
                if good(n) { "no longer " } else { "" }
            )
        });
        wrong.or_else(|| self.stands(org, state, now))
    }

    /// Whom tokens and sessions stand for.
    fn stands(&self, org: &Org, state: &State, now: Now) -> Option<String> {
        let tokens = self.tokens_made.iter().rev().take(PRESENTED).map(|n| {
            let told = self.tokens.get(n).filter(|one| !is_over(one.until, now.j));
            let told = told.map(|one| one.who);
            (*n, told.filter(|who| org.active(who, now.j)))
        });
        let sessions = self.sessions_made.iter().rev().take(PRESENTED).map(|n| {
            let told = self.sessions.get(n);
            let told = told.filter(|one| in_time(one.lasts(*n, state), now));
            let told = told.map(|one| one.who);
            (*n, told.filter(|who| org.may_come(who, Some(now))))
        });
        tokens.chain(sessions).find_map(|(n, told)| {
            let stands = state.presented(&presented(n), now);
            let stands = stands.map(|(_, one)| one.user);
            (stands != told.map(user))
                .then(|| format!("what {n} is stands for {stands:?}, not for {told:?}"))
        })
    }

    fn good(&self, n: u64, now: Now) -> Option<&Code> {
        let known = self.codes.get(&n)?;
        in_time(Some(known.until?), now).then_some(known)
    }
}

impl Org {
    pub(in crate::sim) fn password_of(&self, who: &str) -> Option<u64> {
        self.proven.passwords.get(who).copied()
    }

    pub(in crate::sim) fn password_before(&self, who: &str) -> Option<u64> {
        self.proven.before.get(who).copied()
    }

    pub(in crate::sim) fn codes_made(&self) -> &[u64] {
        &self.proven.codes_made
    }

    /// Codes that were neither used nor replaced.
    pub(in crate::sim) fn codes_out(&self) -> Vec<u64> {
        self.proven.codes.keys().copied().collect()
    }

    pub(in crate::sim) fn tokens_made(&self) -> &[u64] {
        &self.proven.tokens_made
    }

    pub(in crate::sim) fn sessions_made(&self) -> &[u64] {
        &self.proven.sessions_made
    }

    /// Those of theirs that were not ended.
    pub(in crate::sim) fn sessions_of(&self, who: &str) -> Vec<u64> {
        let sessions = self.proven.sessions.iter();
        let theirs = sessions.filter(|(_, one)| one.who == who);
        theirs.map(|(n, _)| *n).collect()
    }

    /// Whether as many go on as may.
    pub(in crate::sim) fn is_full(&self, who: &str, now: Now) -> bool {
        self.proven.going_on(who, now) >= SESSIONS
    }

    /// Whether one of theirs is over, and kept still.
    pub(in crate::sim) fn has_over(&self, who: &str, now: Now) -> bool {
        self.sessions_of(who).len() > self.proven.going_on(who, now)
    }

    fn active(&self, who: &str, j: Date) -> bool {
        let known = self.users.get(who);
        known.is_some_and(|known| {
            known.status == UserStatus::Active && known.until.is_none_or(|until| j < until)
        })
    }

    /// Whoever waits, or was only invited, may come; where it is not known when, no last day is over.
    fn may_come(&self, who: &str, now: Option<Now>) -> bool {
        self.users.get(who).is_some_and(|known| {
            let over = |until: Date| now.is_some_and(|now| until <= now.j);
            known.status != UserStatus::Suspended && !known.until.is_some_and(over)
        })
    }

    /// Whether the rules allow it; then it is so. `now` is unknown where nobody was answered.
    pub(super) fn prove(&mut self, proof: &Proof, now: Option<Now>) -> bool {
        let told = |who: &str, n: u64| self.password_of(who) == Some(n);
        match *proof {
            Proof::SignIn(who, what, by) => {
                let lawful = told(who, by) && self.may_come(who, now);
                lawful && self.sign_in(who, what, now)
            }
            Proof::EndSession(n) => self.proven.sessions.remove(&n).is_some(),
            Proof::SignOut(n) => {
                self.proven.signed_in.remove(&n);
                true
            }
            Proof::NewPassword {
                who,
                was,
                new,
                keeps,
            } => {
                let lawful = told(who, was);
                if lawful {
                    self.proven.set(who, new, keeps);
                }
                lawful
            }
            Proof::MakeCode {
                who,
                purpose,
                code,
                mailed,
            } => {
                let late = purpose == Purpose::Invitation && self.password_of(who).is_some();
                let theirs = !mailed || purpose == Purpose::Address || self.has_address(who);
                let lawful = self.may_come(who, now) && !late && theirs;
                let made = Code {
                    who,
                    purpose,
                    mailed,
                    until: now.map(|now| ends(purpose, now)),
                };
                if lawful {
                    self.proven.make_code(code, made);
                }
                lawful
            }
            Proof::Redeem {
                code,
                new,
                signs_in,
            } => self.redeem(code, new, signs_in, now),
            Proof::Show { who, code, has } => self.show(code, (who, has), now),
            Proof::Forgot(who) => {
                if self.may_come(who, now) {
                    self.proven.asked.insert(who);
                }
                self.knows(who)
            }
            Proof::NoReset(who) => self.proven.asked.remove(who),
            Proof::MakeToken {
                who,
                token,
                until,
                own,
            } => {
                let made = Token { who, until, own };
                if let Some(known) = self.proven.tokens.get(&token) {
                    return *known == made;
                }
                let j = now.map_or(Date(0), |now| now.j);
                let lawful = self.active(who, j) && !is_over(until, j);
                if lawful {
                    self.proven.make_token(token, made, now);
                }
                lawful
            }
            Proof::Revoke(token) => self.proven.tokens.remove(&token).is_some(),
        }
    }

    fn sign_in(&mut self, who: &'static str, what: By, now: Option<Now>) -> bool {
        match what {
            By::Account(n) => {
                self.proven.signed_in.insert(n, who);
                true
            }
            By::Session(n) => {
                let lawful = !self.proven.sessions.contains_key(&n);
                if lawful {
                    self.proven.open(n, who, now);
                }
                lawful
            }
        }
    }

    fn redeem(&mut self, n: u64, new: u64, signs_in: Option<By>, now: Option<Now>) -> bool {
        let known = self.usable(n, now);
        let Some(known) = known.filter(|one| one.purpose != Purpose::Address) else {
            return false;
        };
        let invited = |known: &&mut super::Person| known.status == UserStatus::Invited;
        if let Some(known) = self.users.get_mut(known.who).filter(invited) {
            known.status = UserStatus::Active;
        }
        if known.mailed {
            self.proven.mailed.insert(known.who);
        }
        self.proven.set(known.who, new, None);
        signs_in.is_none_or(|what| self.sign_in(known.who, what, now))
    }

    /// A code that is good, of somebody who may come.
    fn usable(&self, n: u64, now: Option<Now>) -> Option<Code> {
        let known = match now {
            Some(now) => self.proven.good(n, now),
            None => self.proven.codes.get(&n),
        };
        known.copied().filter(|one| self.may_come(one.who, now))
    }

    fn show(&mut self, n: u64, (who, has): (&'static str, bool), now: Option<Now>) -> bool {
        let shows = |one: &Code| one.purpose == Purpose::Address && one.mailed && one.who == who;
        let known = self.usable(n, now).filter(shows);
        let lawful = known.is_some() && (!has || self.has_address(who));
        if lawful {
            self.proven.codes.remove(&n);
            self.proven.addressed.insert(who);
            self.proven.mailed.insert(who);
        }
        lawful
    }

    pub(in crate::sim) fn has_address(&self, who: &str) -> bool {
        self.proven.addressed.contains(who)
    }

    /// The addresses that are logins.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (LoginHash, UserId)> {
        let all = self.proven.addressed.iter();
        all.map(|who| (address(who), user(who)))
    }

    /// What was ever made, presented again.
    pub(super) fn presents(&self, state: &State, now: Now) -> Option<String> {
        self.proven.presents(self, state, now)
    }
}

/// Codes, logins and tokens stand beside whom they are of, and nowhere else.
fn listed(state: &State) -> Option<String> {
    let all = &state.credentials;
    let of = |kind: fn(&Personal) -> Vec<Kept>| {
        let each = all.of.iter();
        each.flat_map(move |(who, of)| kind(of).into_iter().map(|one| (one, *who)))
    };
    let codes = all
        .codes
        .iter()
        .map(|(one, of)| (Kept::Code(*one), of.user));
    let bound = all.bound.iter().map(|(one, who)| (Kept::Login(*one), *who));
    let tokens = all
        .bearers
        .iter()
        .map(|(one, of)| (Kept::Token(*one), of.user));
    let kept: BTreeMap<Kept, UserId> = codes.chain(bound).chain(tokens).collect();
    let beside = of(|of| {
        let codes = of.codes.iter().map(|one| Kept::Code(*one));
        let bound = of.bound.iter().map(|one| Kept::Login(*one));
        let tokens = of.bearers.iter().map(|one| Kept::Token(*one));
        codes.chain(bound).chain(tokens).collect()
    });
    other("what people have", kept.into_iter(), beside)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kept {
    Code(CodeHash),
    Login(LoginHash),
    Token(BearerId),
}

/// A code for the first password is good for seven days, one for another password for an hour: by lease time, and by date.
fn ends(purpose: Purpose, now: Now) -> (LeaseTime, Date) {
    let lasts_s = match purpose {
        Purpose::Invitation => 7 * 86_400,
        Purpose::Reset | Purpose::Address => 3600,
    };
    after(now, lasts_s)
}

fn after(now: Now, s: u64) -> (LeaseTime, Date) {
    (now.lease + s * 1000, Date(now.j.0 + s))
}

/// Neither is over; where it is not known, it is not.
fn in_time(until: Option<(LeaseTime, Date)>, now: Now) -> bool {
    until.is_none_or(|(lease, j)| now.lease < lease && now.j < j)
}

/// How long a session is good.
fn lasts(one: &Bearer) -> Option<(LeaseTime, Date)> {
    match one.kind {
        BearerKind::Session { until } => Some((until, one.until?)),
        BearerKind::Token => None,
    }
}

fn is_over(until: Option<Date>, j: Date) -> bool {
    until.is_some_and(|until| until <= j)
}
