//! The only file of this crate that reads clocks; everything else is told the time.

use rustix::fd::OwnedFd;
use rustix::io::{Errno, read};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A moment of the wall clock that no timer here lives to see, and that the kernel can still count to.
const NEVER_S: i64 = 9_000_000_000;
/// The stack of a thread that waits for one file and calls one function.
const STACK: usize = 128 * 1024;

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

    /// Also after a resume from suspend, which sets the wall clock: a waiting thread's own timer stands still in it (S22).
    /// The thread that listens for it lives as long as the process.
    fn wake_on_change(&self, wake: Wake) {
        let listened = timer_of_changes().map_err(std::io::Error::from);
        let listening = listened.and_then(|timer| {
            let thread = std::thread::Builder::new().name("clock".to_owned());
            thread
                .stack_size(STACK)
                .spawn(move || listen(&timer, &wake))
                .map(drop)
        });
        if let Err(why) = listening {
            tracing::warn!(%why, "a clock that is set is noticed within a minute, not at once");
        }
    }
}

/// A timer that never comes, and that the kernel cancels when the wall clock is set (timerfd_create(2)).
fn timer_of_changes() -> rustix::io::Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC)?;
    arm(&timer)?;
    Ok(timer)
}

fn arm(timer: &OwnedFd) -> rustix::io::Result<()> {
    let at = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
    let never = Itimerspec {
        it_interval: at(0),
        it_value: at(NEVER_S),
    };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(timer, flags, &never).map(drop)
}

fn listen(timer: &OwnedFd, wake: &Wake) {
    loop {
        let waited = read(timer, &mut [0_u8; 8]);
        let armed = match waited {
            Err(Errno::CANCELED) => {
                wake();
                arm(timer)
            }
            Err(Errno::INTR) => Ok(()),
            // The wall clock was set beyond that moment.
            Ok(_) => return wake(),
            Err(why) => Err(why),
        };
        if let Err(why) = armed {
            tracing::warn!(%why, "a clock that is set is noticed within a minute from now on");
            return;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn s22_the_kernel_is_asked_to_tell_when_the_wall_clock_is_set() {
        let timer = timer_of_changes().unwrap();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", timer.as_raw_fd()));
        let info = info.unwrap();
        // CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET.
        for line in ["clockid: 0", "settime flags: 03"] {
            assert!(info.lines().any(|found| found == line), "{info}");
        }
    }
}
