//! The only file of this crate that reads clocks; everything else is told the time.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One look at both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// Milliseconds since boot, sleep included (`CLOCK_BOOTTIME`): nobody can set it.
    pub boot_ms: u64,
    /// Wall clock, in seconds since 1970.
    pub wall_s: u64,
}

/// Called when a clock was set by hand.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// Where readings come from.
pub trait Clock: Send + Sync {
    /// Reads both clocks.
    fn read(&self) -> Reading;

    /// Registers someone to wake when this clock jumps. A clock that merely runs has nobody to wake.
    fn wake_on_change(&self, wake: Wake) {
        drop(wake);
    }
}

/// The clocks of the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading {
            boot_ms: millis(clock_gettime(ClockId::Boottime)),
            wall_s: millis(clock_gettime(ClockId::Realtime)) / 1000,
        }
    }
}

/// Milliseconds of a kernel time; 0 where it lies before the epoch.
fn millis(time: Timespec) -> u64 {
    let s = u64::try_from(time.tv_sec).unwrap_or(0);
    let ns = u64::try_from(time.tv_nsec).unwrap_or(0);
    s.saturating_mul(1000).saturating_add(ns / 1_000_000)
}

/// A clock that stands until it is moved, for tests. Whoever waits for it is woken.
#[derive(Default)]
pub struct ManualClock {
    reading: Mutex<Reading>,
    wakes: Mutex<Vec<Wake>>,
}

impl ManualClock {
    /// A clock that shows this wall clock on a machine that just booted.
    #[must_use]
    pub fn at(wall_s: u64) -> Self {
        ManualClock {
            reading: Mutex::new(Reading { boot_ms: 0, wall_s }),
            wakes: Mutex::default(),
        }
    }

    /// Lets time pass: both clocks run on.
    pub fn advance(&self, by: Duration) {
        self.change(|reading| {
            let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            let before = reading.boot_ms / 1000;
            reading.boot_ms = reading.boot_ms.saturating_add(ms);
            reading.wall_s = reading
                .wall_s
                .saturating_add(reading.boot_ms / 1000 - before);
        });
    }

    /// Sets the wall clock, as anybody may who administers a machine; time since boot is not touched.
    pub fn set_wall(&self, wall_s: u64) {
        self.change(|reading| reading.wall_s = wall_s);
    }

    fn change(&self, how: impl FnOnce(&mut Reading)) {
        how(&mut self.reading.lock().unwrap_or_else(PoisonError::into_inner));
        for wake in self
            .wakes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            wake();
        }
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_on_change(&self, wake: Wake) {
        self.wakes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(wake);
    }
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ManualClock").field(&self.read()).finish()
    }
}
