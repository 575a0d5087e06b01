//! The only file of this crate that reads clocks: how long something took, for metrics and messages.

use std::time::{Duration, Instant};

/// A running stopwatch. It decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // This is the crate's clock.rs.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The same in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// The runtime's moment, for pauses: a test stops it.
pub(crate) fn moment() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
