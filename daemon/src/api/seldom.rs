//! Log lines that a caller could cause by the thousand: one per uid and second, with the count of those not written.

use crate::clock::Stopwatch;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A uid's next line comes after so long.
const PAUSE: Duration = Duration::from_secs(1);
/// Uids that are remembered; a line too many is better than memory without a bound.
const UIDS: usize = 4096;

/// What was said last, by uid. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Seldom {
    since: Stopwatch,
    said: Arc<Mutex<BTreeMap<u32, Said>>>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Duration,
    unsaid: u64,
}

impl Seldom {
    pub(super) fn new() -> Self {
        Seldom {
            since: Stopwatch::start(),
            said: Arc::default(),
        }
    }

    /// Whether a line about this uid is written now, and how many were not since its last one.
    pub(super) fn says(&self, uid: u32) -> Option<u64> {
        self.says_at(uid, self.since.elapsed())
    }

    fn says_at(&self, uid: u32, now: Duration) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |last: &Said| now.saturating_sub(last.at) < PAUSE;
        if let Some(last) = said.get_mut(&uid).filter(|last| fresh(last)) {
            last.unsaid += 1;
            return None;
        }
        let unsaid = said.remove(&uid).map_or(0, |last| last.unsaid);
        if said.len() >= UIDS {
            said.retain(|_, last| fresh(last));
        }
        if said.len() < UIDS {
            said.insert(uid, Said { at: now, unsaid: 0 });
        }
        Some(unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s24_a_flood_of_one_uid_is_a_line_a_second_and_hides_nobody_else() {
        let seldom = Seldom::new();
        let at = Duration::from_millis;
        assert_eq!(seldom.says_at(7, at(0)), Some(0));
        for ms in 0..1000 {
            assert_eq!(seldom.says_at(7, at(ms)), None);
        }
        assert_eq!(seldom.says_at(8, at(999)), Some(0));
        assert_eq!(seldom.says_at(7, at(1000)), Some(1000));
        assert_eq!(seldom.says_at(7, at(2000)), Some(0));
    }

    #[test]
    fn s24_what_is_remembered_of_uids_has_a_bound() {
        let seldom = Seldom::new();
        for uid in 0..=u32::try_from(UIDS).expect("it fits") {
            assert_eq!(seldom.says_at(uid, Duration::ZERO), Some(0));
        }
        assert_eq!(seldom.said.lock().unwrap().len(), UIDS);
        assert_eq!(seldom.says_at(1, PAUSE), Some(0));
        assert_eq!(seldom.said.lock().unwrap().len(), UIDS);
        assert_eq!(seldom.says_at(1 << 20, PAUSE), Some(0));
        assert_eq!(
            seldom.said.lock().unwrap().len(),
            2,
            "the old ones make room"
        );
    }
}
