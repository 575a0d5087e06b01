//! The only place of the command line that reads a clock: time since boot, for deadlines.

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
