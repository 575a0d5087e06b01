//! The only place of the SDK that reads a clock: time since boot, which counts sleep and which nobody sets (S22).

#[cfg(any(test, feature = "testing"))]
mod manual;

#[cfg(any(test, feature = "testing"))]
pub use manual::ManualClock;

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::ops::Add;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A moment since the machine booted, suspend included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(Duration);

/// Where a client's time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The moment now.
    fn now(&self) -> Moment;

    /// The longest time a waiter may rest before it looks at the clock again.
    fn nap(&self) -> Duration;

    /// Rings this bell whenever time was moved by hand.
    fn tell(&self, bell: &Arc<Bell>);
}

/// `CLOCK_BOOTTIME`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock;

/// What a waiting thread waits on.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<Rings>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rings {
    rung: u64,
    answered: u64,
    closed: bool,
}

/// A waiting thread's timer runs on a clock that stands still in suspend, so it looks again at least so often.
const LONGEST_NAP: Duration = Duration::from_secs(10);

impl Moment {
    /// So long after boot.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn after_boot(duration: Duration) -> Moment {
        Moment(duration)
    }

    /// How much later this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(duration))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after boot", self.0)
    }
}

impl Clock for BootClock {
    fn now(&self) -> Moment {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        Moment(Duration::new(
            seconds,
            u32::try_from(time.tv_nsec).unwrap_or_default(),
        ))
    }

    fn nap(&self) -> Duration {
        LONGEST_NAP
    }

    fn tell(&self, _: &Arc<Bell>) {}
}

impl Bell {
    /// Wakes who waits.
    pub fn ring(&self) {
        self.lock().rung += 1;
        self.changed.notify_all();
    }

    /// Wakes who waits, for the last time.
    pub fn close(&self) {
        let mut state = self.lock();
        state.rung += 1;
        state.closed = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Nobody will ring any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How often it has rung; what was rung up to here is seen.
    #[must_use]
    pub fn rings(&self) -> u64 {
        self.lock().rung
    }

    /// Says that everything due up to ring `seen` is done.
    pub fn answer(&self, seen: u64) {
        self.lock().answered = seen;
        self.changed.notify_all();
    }

    /// Waits until it rings after `seen`, or for so long of real time.
    pub fn rest(&self, seen: u64, longest: Duration) {
        let quiet = |state: &mut Rings| state.rung == seen && !state.closed;
        drop(self.changed.wait_timeout_while(self.lock(), longest, quiet));
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s22_time_since_boot_counts_sleep_and_never_goes_back() {
        let uptime: f64 = std::fs::read_to_string("/proc/uptime")
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let (first, second) = (BootClock.now(), BootClock.now());
        assert!(first <= second);
        // /proc/uptime is CLOCK_BOOTTIME, too; CLOCK_MONOTONIC differs from it by the time slept.
        assert!((first.0.as_secs_f64() - uptime).abs() < 5.0);
    }
}
