//! Requests that fail, by uid: so many a second are answered at once, further ones each in its turn. Whoever floods waits
//! for themselves; what the same uid asks in order meanwhile, a renewal above all, waits for nothing.

use super::limits::FAILED_WAIT;
use crate::clock::moment;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Uids that are remembered; a failure too many is better than memory without a bound.
const UIDS: usize = 4096;

/// When the turn of a uid's next failure would be, if none were answered at once.
#[derive(Debug)]
pub(super) struct Failing {
    since: Instant,
    each: Duration,
    next: Mutex<BTreeMap<u32, Duration>>,
}

impl Failing {
    pub(super) fn new(per_s: u32) -> Self {
        Failing {
            since: moment(),
            each: Duration::from_secs(1) / per_s.max(1),
            next: Mutex::default(),
        }
    }

    /// How long the answer to a failed request of this uid waits for its turn.
    pub(super) fn wait(&self, uid: u32) -> Duration {
        self.wait_at(uid, moment() - self.since)
    }

    fn wait_at(&self, uid: u32, now: Duration) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() >= UIDS && !next.contains_key(&uid) {
            next.retain(|_, at| *at > now);
            if next.len() >= UIDS {
                return Duration::ZERO;
            }
        }
        let at = next.entry(uid).or_default();
        let turn = (*at).max(now) + self.each;
        let wait = turn.saturating_sub(now + Duration::from_secs(1));
        if wait > FAILED_WAIT {
            return FAILED_WAIT;
        }
        *at = turn;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PER_S: u32 = 50;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn s24_fifty_failures_a_second_are_answered_at_once_and_no_more() {
        let failing = Failing::new(PER_S);
        for n in 0..PER_S {
            assert_eq!(failing.wait_at(7, at(0)), Duration::ZERO, "{n}");
        }
        let waits = [0, 1, 2].map(|_| failing.wait_at(7, at(0)));
        assert_eq!(waits, [at(20), at(40), at(60)]);
        assert_eq!(failing.wait_at(8, at(0)), Duration::ZERO, "another uid");
        assert_eq!(failing.wait_at(7, at(2000)), Duration::ZERO, "later");
    }

    #[test]
    fn s24_who_fails_slowly_never_waits() {
        let failing = Failing::new(PER_S);
        for n in 0..1000 {
            assert_eq!(failing.wait_at(7, at(20 * n)), Duration::ZERO);
        }
    }

    #[test]
    fn s24_no_turn_is_farther_than_five_seconds() {
        let failing = Failing::new(PER_S);
        let longest = (0..1000).map(|_| failing.wait_at(7, at(0))).max();
        assert_eq!(longest, Some(FAILED_WAIT));
        assert_eq!(failing.wait_at(7, at(7000)), Duration::ZERO);
    }

    #[test]
    fn s24_what_is_remembered_of_uids_has_a_bound() {
        let failing = Failing::new(PER_S);
        for uid in 0..=u32::try_from(UIDS).expect("it fits") {
            assert_eq!(failing.wait_at(uid, at(0)), Duration::ZERO);
        }
        assert_eq!(failing.next.lock().unwrap().len(), UIDS);
        assert_eq!(failing.wait_at(1 << 20, at(1000)), Duration::ZERO);
        assert_eq!(failing.next.lock().unwrap().len(), 1, "old ones make room");
    }
}
