//! How often somebody may guess: ten failures within 15 minutes, of one account of a machine and for one login. Kept in
//! memory, in lease time. Others' failures keep nobody out who has signed in from where they are before: not a stranger's, and
//! not those of who shares the account. There ten of their own do, by that login.

use crate::desk::parse::bad;
use crate::problem::{Refused, problem};
use seatkeeper::wire::Code;
use seatkeeper_engine::ids::{BearerId, LoginHash, MachineId};
use seatkeeper_engine::time::LeaseTime;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures within the window.
const MOST: usize = 10;
const WINDOW_MS: u64 = 15 * 60_000;
/// Accounts and logins of which failures are remembered, and who signed in by what.
const REMEMBERED: usize = 16_384;

/// Who guesses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Guesser {
    /// An account of a machine.
    Account(MachineId, u32),
    /// Who is somebody by a session, and tells their own password once more.
    Session(BearerId),
}

/// Failures of late.
#[derive(Debug, Default)]
pub(in crate::desk) struct Attempts(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    failed: BTreeMap<Key, VecDeque<LeaseTime>>,
    /// Who has signed in by which login: strangers' failures do not keep them out.
    familiar: BTreeSet<(Guesser, LoginHash)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Key {
    By(Guesser),
    For(LoginHash),
    /// By one who has signed in so before.
    Known(Guesser, LoginHash),
}

impl Attempts {
    /// Counts an attempt as failed before it is known, so that many at once are no more than one after the other.
    ///
    /// # Errors
    /// `too_many_attempts`, with when the next one may be made.
    pub(super) fn begin(
        &self,
        by: Guesser,
        of: Option<LoginHash>,
        now: LeaseTime,
    ) -> Result<(), Refused> {
        let mut book = self.lock();
        let keys = book.keys(by, of);
        for key in &keys {
            if let Some(at) = book.full(*key, now) {
                return Err(too_many(at - now));
            }
        }
        keys.into_iter().for_each(|key| book.note(key, now));
        Ok(())
    }

    /// Counts what is asked for by one person, whose mails go to whomever they name.
    ///
    /// # Errors
    /// `too_many_attempts`, with when the next one may be asked for.
    pub(super) fn ask(&self, of: LoginHash, now: LeaseTime) -> Result<(), Refused> {
        let mut book = self.lock();
        if let Some(at) = book.full(Key::For(of), now) {
            let mut refused = too_many(at - now);
            refused.detail = format!("{MOST} codes within 15 minutes are all that one may ask for");
            return Err(refused);
        }
        book.note(Key::For(of), now);
        Ok(())
    }

    /// It did not fail: this one counts no more. Earlier ones do, or who has one password could guess at others for ever.
    pub(super) fn succeeded(&self, by: Guesser, of: Option<LoginHash>) {
        let mut book = self.lock();
        let keys = book.keys(by, of);
        keys.into_iter().for_each(|key| book.take_back(key));
        if let Some(login) = of {
            if book.familiar.len() >= REMEMBERED {
                book.familiar.clear();
            }
            book.familiar.insert((by, login));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// What an attempt counts for.
    fn keys(&self, by: Guesser, of: Option<LoginHash>) -> Vec<Key> {
        match of {
            Some(login) if self.familiar.contains(&(by, login)) => vec![Key::Known(by, login)],
            _ => std::iter::once(Key::By(by))
                .chain(of.map(Key::For))
                .collect(),
        }
    }

    /// Until when no more of these may be made, where that is so.
    fn full(&mut self, key: Key, now: LeaseTime) -> Option<LeaseTime> {
        let failed = self.failed.get_mut(&key)?;
        failed.retain(|at| now < *at + WINDOW_MS);
        let oldest = *failed.front()?;
        (failed.len() >= MOST).then_some(oldest + WINDOW_MS)
    }

    fn note(&mut self, key: Key, now: LeaseTime) {
        if self.failed.len() >= REMEMBERED && !self.failed.contains_key(&key) {
            let fresh = |failed: &VecDeque<LeaseTime>| {
                failed.back().is_some_and(|at| now < *at + WINDOW_MS)
            };
            self.failed.retain(|_, failed| fresh(failed));
            if self.failed.len() >= REMEMBERED {
                self.failed.pop_first();
            }
        }
        self.failed.entry(key).or_default().push_back(now);
    }

    fn take_back(&mut self, key: Key) {
        if let Some(failed) = self.failed.get_mut(&key) {
            failed.pop_back();
            if failed.is_empty() {
                self.failed.remove(&key);
            }
        }
    }
}

fn too_many(wait_ms: u64) -> Refused {
    let detail =
        format!("{MOST} attempts within 15 minutes have failed, which is all there may be");
    let mut refused = problem(Code::TooManyAttempts, detail);
    refused.retry_after_s = Some(wait_ms.div_ceil(1000).max(1));
    refused
}

/// A login as it is typed: as long as a mail address may be.
pub(super) fn typed(login: &str) -> Result<(), Refused> {
    match login.len() {
        0 => Err(bad("login", "is empty")),
        1..=254 if login.chars().any(char::is_control) => {
            Err(bad("login", "has a control character"))
        }
        1..=254 => Ok(()),
        _ => Err(bad("login", "has more than 254 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WS1: MachineId = MachineId([1; 16]);

    fn login(n: u8) -> LoginHash {
        LoginHash([n; 32])
    }

    fn account(uid: u32) -> Guesser {
        Guesser::Account(WS1, uid)
    }

    fn fails(attempts: &Attempts, uid: u32, of: Option<LoginHash>, at: u64) -> Option<u64> {
        let begun = attempts.begin(account(uid), of, LeaseTime(at));
        begun.err().and_then(|refused| refused.retry_after_s)
    }

    #[test]
    fn s11_ten_failures_of_one_account_within_15_minutes_and_no_more() {
        let attempts = Attempts::default();
        for n in 0..10 {
            assert_eq!(fails(&attempts, 7, Some(login(n)), 1000), None, "{n}");
        }
        assert_eq!(fails(&attempts, 7, Some(login(99)), 2000), Some(899));
        assert_eq!(fails(&attempts, 7, None, 2000), Some(899), "codes, too");
        assert_eq!(fails(&attempts, 8, Some(login(99)), 2000), None);
        // What was refused did not count: it is over when the failures are.
        assert_eq!(fails(&attempts, 7, None, 1000 + WINDOW_MS), None);
    }

    #[test]
    fn s11_strangers_keep_nobody_out_who_has_signed_in_before() {
        let attempts = Attempts::default();
        let ana = Some(login(1));
        assert_eq!(fails(&attempts, 1, ana, 0), None);
        attempts.succeeded(account(1), ana);
        for n in 0..10 {
            assert_eq!(fails(&attempts, 100 + n, ana, 1000), None);
        }
        assert!(fails(&attempts, 200, ana, 1000).is_some(), "a stranger");
        assert_eq!(fails(&attempts, 1, ana, 1000), None, "but not ana");
        assert_eq!(fails(&attempts, 200, Some(login(2)), 1000), None);
        // It ends by itself.
        assert_eq!(fails(&attempts, 200, ana, 1000 + WINDOW_MS), None);
    }

    #[test]
    fn s11_who_has_one_password_may_guess_no_more_often_at_others() {
        let attempts = Attempts::default();
        for n in 0..10 {
            assert_eq!(fails(&attempts, 7, Some(login(n)), 0), None);
            if n < 9 {
                assert_eq!(fails(&attempts, 7, Some(login(50)), 0), None);
                attempts.succeeded(account(7), Some(login(50)));
            }
        }
        assert!(fails(&attempts, 7, Some(login(60)), 0).is_some());
        assert!(fails(&attempts, 7, None, 0).is_some());
    }

    #[test]
    fn s11_who_shares_an_account_keeps_nobody_out_who_has_signed_in_by_it() {
        let attempts = Attempts::default();
        let ana = Some(login(1));
        assert_eq!(fails(&attempts, 7, ana, 0), None);
        attempts.succeeded(account(7), ana);
        for n in 0..10 {
            assert_eq!(fails(&attempts, 7, Some(login(100 + n)), 0), None);
        }
        assert!(fails(&attempts, 7, Some(login(200)), 0).is_some());
        // She is not, and neither by what she mistyped herself: but nobody guesses at hers there for ever.
        for _ in 0..10 {
            assert_eq!(fails(&attempts, 7, ana, 1000), None);
        }
        assert_eq!(fails(&attempts, 7, ana, 2000), Some(899));
        assert_eq!(fails(&attempts, 7, ana, 1000 + WINDOW_MS), None);
    }

    #[test]
    fn s11_a_session_counts_as_its_own() {
        let attempts = Attempts::default();
        for n in 0..10 {
            assert_eq!(fails(&attempts, 7, Some(login(n)), 0), None);
        }
        let own = Some(login(50));
        let session = |n| Guesser::Session(BearerId([n; 16]));
        for _ in 0..10 {
            assert!(attempts.begin(session(1), own, LeaseTime(0)).is_ok());
        }
        assert!(attempts.begin(session(1), own, LeaseTime(0)).is_err());
        // Another session is no other person: their password is guessed at no more often.
        assert!(attempts.begin(session(2), own, LeaseTime(0)).is_err());
    }

    #[test]
    fn s24_what_is_remembered_has_a_bound() {
        let attempts = Attempts::default();
        for uid in 0..=u32::try_from(REMEMBERED).expect("it fits") {
            assert_eq!(fails(&attempts, uid, None, 0), None);
        }
        assert_eq!(attempts.lock().failed.len(), REMEMBERED);
    }
}
