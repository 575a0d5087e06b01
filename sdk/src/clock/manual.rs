//! A clock that only its owner moves, for tests.

use super::{Bell, Clock, Moment, Rings};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A clock that only its owner moves, for tests.
#[derive(Clone, Default)]
pub struct ManualClock {
    inner: Arc<Mutex<Hands>>,
}

#[derive(Default)]
struct Hands {
    now: Moment,
    bells: Vec<Weak<Bell>>,
}

/// Real time for which a moved clock waits for those who act on it.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

impl ManualClock {
    /// A clock that stands at boot.
    #[must_use]
    pub fn new() -> ManualClock {
        ManualClock::default()
    }

    /// Moves time in one leap, as a suspend does, and returns when every client has done what fell due.
    pub fn advance(&self, by: Duration) {
        let bells = {
            let mut hands = self.lock();
            hands.now = hands.now + by;
            hands.bells.retain(|bell| bell.strong_count() > 0);
            hands.bells.clone()
        };
        bells
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|bell| bell.settle());
    }

    fn lock(&self) -> MutexGuard<'_, Hands> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        self.lock().now
    }

    fn nap(&self) -> Duration {
        // The bell rings when time moves; this only bounds a missed ring.
        Duration::from_secs(1)
    }

    fn tell(&self, bell: &Arc<Bell>) {
        self.lock().bells.push(Arc::downgrade(bell));
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("now", &self.now())
            .finish()
    }
}

impl Bell {
    /// Rings, and waits until what fell due is done.
    fn settle(&self) {
        let mut state = self.lock();
        state.rung += 1;
        let wanted = state.rung;
        self.changed.notify_all();
        let busy = |state: &mut Rings| state.answered < wanted && !state.closed;
        drop(self.changed.wait_timeout_while(state, LONGEST_ANSWER, busy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_waits_for_those_who_act_on_it() {
        let (clock, bell) = (ManualClock::new(), Arc::new(Bell::default()));
        clock.tell(&bell);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let waiter = std::thread::spawn({
            let (clock, bell, seen) = (clock.clone(), bell.clone(), seen.clone());
            move || {
                while !bell.is_closed() {
                    let rings = bell.rings();
                    seen.lock().unwrap().push(clock.now());
                    bell.answer(rings);
                    bell.rest(rings, Duration::from_secs(10));
                }
            }
        });
        clock.advance(Duration::from_secs(7));
        assert!(
            seen.lock()
                .unwrap()
                .contains(&(Moment::default() + Duration::from_secs(7)))
        );
        bell.close();
        waiter.join().unwrap();
    }
}
