//! The only place of the command line that reads a clock: time since boot for deadlines, the date for what a vendor signs.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Time since boot, sleep included.
pub(crate) fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Seconds since 1970, by the wall clock: the signing date of a vendor's tokens.
pub(crate) fn unix_s() -> u64 {
    u64::try_from(clock_gettime(ClockId::Realtime).tv_sec).unwrap_or_default()
}
